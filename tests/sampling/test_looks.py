"""Drawing under a stopping rule, by an engine made up for it that finishes in any order."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from simulated_engine import Feed
from stopping_parts import DrawnHere, experiment_of

from vlm_boundary.config import ExperimentConfig, build_experiment
from vlm_boundary.engines.base import AGAIN_SECONDS, Completion, Failure, Request, Requests
from vlm_boundary.sampling import problem_seed, sample
from vlm_boundary.sampling.outcome import find_lacks
from vlm_boundary.sampling.stage import Drawn
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Partition, RunDirectory, sample_indices
from vlm_boundary.verifier import verify

WHERE = Partition("base", "made")
RULE = StoppingRule((4, 8, 16, 64), 3)
CHANCES = (0.0, 0.03, 0.1, 0.2, 0.35, 0.5, 0.9, 1.0)


class Killed(Exception):
    """As good as a kill: nothing is stored on the way out but what was on disk."""


class Drawing(DrawnHere):
    """Draws in this process; problem pI is right with CHANCES[I], decided by each sample's seed."""

    def __init__(
        self, seed: float = 0, fails: tuple[str, int] | None = None, lives: int = 10**9
    ) -> None:
        self.random = Random(seed)
        self.fails = fails
        self.left = lives
        self.asked: list[tuple[str, range]] = []

    def generate(
        self, requests: Requests, sampling: Any, alive: Callable[[], None]
    ) -> Iterator[Completion | Failure]:
        """Finish samples in any order."""
        flying: list[tuple[Request, int]] = []
        feed = Feed(requests)
        while True:
            while len(flying) < 24 and (fed := feed.take()):
                request, index = fed
                if index == request.indices.start:
                    self.asked.append((request.problem_id, request.indices))
                flying.append(fed)
            alive()
            if not flying:
                if feed.over:
                    return
                time.sleep(AGAIN_SECONDS)
                continue
            self.left -= 1
            if self.left < 0:
                raise Killed
            request, index = flying.pop(self.random.randrange(len(flying)))
            if (request.problem_id, index) == self.fails:
                yield Failure(request.request_id, index, "it always fails")
                continue
            seed = request.seed + index
            text = f"\\boxed{{{7 if is_right(request.problem_id, seed) else 5}}}"
            yield Completion(request.request_id, index, seed, [1], text, "stop", None)


@pytest.fixture
def experiment(tmp_path: Path) -> ExperimentConfig:
    stop = {"after": RULE.looks[:-1], "right": RULE.right}
    return experiment_of(tmp_path, len(CHANCES), n=RULE.n, stop=stop, flush_seconds=0.01)


def drawn(experiment: ExperimentConfig, drawing: Drawing) -> Drawn:
    return sample(RunDirectory(experiment.run_path), experiment, scheduler=drawing)


def is_right(problem_id: str, seed: int) -> bool:
    return Random(str(seed)).random() < CHANCES[int(problem_id[1:])]


def wanted() -> dict[str, list[int]]:
    """What the rule asks for, by the samples that a run with all of them would have."""
    found = {}
    for problem_id in (f"p{i}" for i in range(len(CHANCES))):
        seed = problem_seed(0, "base", "made", "full", problem_id)
        right = [is_right(problem_id, seed + index) for index in range(RULE.n)]
        looks = (at for at in RULE.looks if sum(right[:at]) >= RULE.right or at == RULE.n)
        found[problem_id] = list(range(next(looks)))
    return found


def held(run: RunDirectory) -> dict[str, list[int]]:
    return {key: np.sort(v).tolist() for key, v in sample_indices(run.samples, WHERE).items()}


@pytest.mark.parametrize("seed", range(5))
def test_problems_end_where_the_rule_says_whatever_finishes_first(
    experiment: ExperimentConfig, seed: int
) -> None:
    found = drawn(experiment, Drawing(seed))
    run = RunDirectory(experiment.run_path)
    assert held(run) == wanted()
    assert found.samples == sum(map(len, wanted().values()))
    assert find_lacks(run, found.left) == []
    assert len({len(indices) for indices in wanted().values()}) >= 3  # the rule had its say
    again = Drawing()
    assert drawn(experiment, again).samples == 0
    assert again.asked == []


def test_the_next_look_comes_before_problems_that_have_not_begun(
    experiment: ExperimentConfig,
) -> None:
    drawing = Drawing()
    drawn(experiment, drawing)
    began = [key for key, indices in drawing.asked if indices.start == 0]
    assert began == sorted(began)
    looks = [key for key, _ in drawing.asked]
    assert looks.index("p7") > looks.index("p0") + looks.count("p0") - 1  # no barrier


def test_killed_at_any_moment_it_ends_with_the_same_samples(
    experiment: ExperimentConfig,
) -> None:
    random, kills = Random(1), 0
    for _ in range(40):
        try:
            drawn(experiment, Drawing(random.random(), lives=random.randrange(1, 40)))
        except Killed:
            kills += 1
        else:
            break
    run = RunDirectory(experiment.run_path)
    assert kills > 5
    assert held(run) == wanted()


def test_samples_that_were_stored_and_not_graded_are_graded_before_anything_is_decided(
    experiment: ExperimentConfig,
) -> None:
    drawn(experiment, Drawing())
    run = RunDirectory(experiment.run_path)
    shutil.rmtree(run.verdicts.root)
    again = Drawing()
    assert drawn(experiment, again).samples == 0
    assert again.asked == []


def test_verdicts_beside_the_drawing_are_those_of_verify(experiment: ExperimentConfig) -> None:
    drawn(experiment, Drawing())
    run = RunDirectory(experiment.run_path)
    beside = run.verdicts.read(WHERE)
    last = [len(v) - RULE.decided_below for v in wanted().values() if len(v) == RULE.n]
    assert verify(run) == sum(last)  # the samples that decide nothing are left to it
    kept = pc.field("sample_index") < RULE.decided_below
    assert run.verdicts.read(WHERE, filters=kept).equals(beside)
    assert verify(run, force=True) == sum(map(len, wanted().values()))
    assert run.verdicts.read(WHERE, filters=kept).equals(beside)


def test_a_problem_with_a_sample_that_fails_goes_no_further_and_is_named(
    experiment: ExperimentConfig,
) -> None:
    found = drawn(experiment, Drawing(fails=("p1", 2)))
    run = RunDirectory(experiment.run_path)
    (lack,) = find_lacks(run, found.left)
    assert held(run)["p1"] == [0, 1, 3]
    assert {**held(run), "p1": []} == {**wanted(), "p1": []}
    assert lack.missing == 1
    assert list(lack.reasons) == ["it always fails"]
    drawn(experiment, Drawing())
    assert held(run) == wanted()


def test_a_larger_n_goes_on_with_problems_that_had_not_ended(
    experiment: ExperimentConfig,
) -> None:
    drawn(experiment, Drawing())
    before = held(RunDirectory(experiment.run_path))
    raw = experiment.model_dump(mode="json")
    raw["sampling"] |= {"n": 80, "stop": {"after": [4, 8, 16, 64], "right": 3}}
    drawing = Drawing()
    drawn(build_experiment(raw, (), where="looks.yaml"), drawing)
    assert {key for key, _ in drawing.asked} < set(before)
    assert all(len(before[key]) == 64 for key, _ in drawing.asked)
