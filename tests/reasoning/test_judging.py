"""Which chains a judge reads, what it is told of them, and what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from conftest import HandMadeRun

from vlm_boundary.benchmarks import ImagesConfig
from vlm_boundary.config import JudgeConfig, JudgeProbeConfig, SamplingConfig
from vlm_boundary.engines.base import Completion, Failure, Request, Requests
from vlm_boundary.errors import UserError
from vlm_boundary.fleet import Crew
from vlm_boundary.reasoning.judge.judging import judge_chains, plan_judging, variants
from vlm_boundary.reasoning.judge.stage import judge as judge_stage
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.verifier import verify

JUDGE = JudgeConfig.model_validate(
    {"name": "j", "model": "org/judge", "pictures": False, "sampling": {"n": 3}}
)
RL = Partition("rl", "mine")


class ScriptedEngine:
    """Answers as `say(prompt, index)` has it; None is a failure."""

    def __init__(self, say: Callable[[str, int], tuple[str, str] | None]) -> None:
        self._say = say
        self.asked: list[Request] = []

    def generate(
        self, requests: Requests, sampling: SamplingConfig, alive: Callable[[], None]
    ) -> Iterator[Completion | Failure]:
        self.asked += (everything := [request for request in requests if request])
        for index in range(sampling.n):  # votes on different chains mixed
            for request in everything:
                said = self._say(request.messages[-1]["content"], index)
                if said is None:
                    yield Failure(request.request_id, index, "refused")
                    continue
                seed = request.seed + index
                yield Completion(request.request_id, index, seed, [1, 2], *said, None)

    def describe(self) -> dict[str, Any]:
        return {}

    def usage(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        pass


@pytest.fixture
def verified(run: HandMadeRun) -> RunDirectory:
    verify(run.directory)
    return run.directory


def read(
    run: RunDirectory, engine: ScriptedEngine, judge: JudgeConfig = JUDGE, where: Partition = RL
) -> int:
    """Judge what is missing; how many chains that was."""
    problems = run.read_problems("mine")
    chains = 0
    for variant in variants(judge):
        task = plan_judging(run, judge, variant, where, 4, 0, problems)
        chains += task.samples
        judge_chains(
            run, judge, ImagesConfig(), task, variant, problems, engine, 0,
            lambda tokens: None, lambda: None,
        )  # fmt: skip
    return chains


def votes(run: RunDirectory, variant: str = "original") -> dict[int, list[bool | None]]:
    rows = run.judgements("j", variant).read(RL).to_pylist()
    return {row["sample_index"]: [vote["valid"] for vote in row["votes"]] for row in rows}


def valid(prompt: str, index: int) -> tuple[str, str]:
    return "Verdict: valid", "stop"


def test_only_right_answers_are_read_and_once(verified: RunDirectory) -> None:
    engine = ScriptedEngine(valid)
    assert read(verified, engine) == 4  # p1 of rl: all four right, nothing else
    assert {request.problem_id for request in engine.asked} == {"p1"}
    assert votes(verified) == {key: [True, True, True] for key in range(4)}
    assert read(verified, engine) == 0


def test_more_right_answers_than_wanted_are_a_subset_that_grows(verified: RunDirectory) -> None:
    few = JUDGE.model_copy(update={"per_problem": 2})
    assert read(verified, ScriptedEngine(valid), few) == 2
    two = set(votes(verified))
    assert read(verified, ScriptedEngine(valid)) == 2
    assert len(two) == 2
    assert set(votes(verified)) == {0, 1, 2, 3}


def test_a_judge_is_told_neither_gold_nor_arm(verified: RunDirectory) -> None:
    engine = ScriptedEngine(valid)
    read(verified, engine, where=Partition("base", "mine"))
    read(verified, engine)
    for request in engine.asked:
        said = json.dumps(request.messages)
        assert "base" not in said.lower()
        assert "org/" not in said
        assert "rl" not in said.split()
    # Chains alike in text are put alike, whichever arm wrote them.
    alike = {r.messages[-1]["content"] for r in engine.asked if "\\boxed{4}" in str(r.messages)}
    assert len(alike) == 1


def test_what_gives_no_verdict_abstains(verified: RunDirectory) -> None:
    def say(prompt: str, index: int) -> tuple[str, str]:
        return [("Verdict: valid", "stop"), ("Verdict: inv", "length"), ("yes", "stop")][index]

    read(verified, ScriptedEngine(say))
    assert votes(verified) == {key: [True, None, None] for key in range(4)}


def test_a_chain_that_loses_a_vote_is_recorded_and_read_again(verified: RunDirectory) -> None:
    def say(prompt: str, index: int) -> tuple[str, str] | None:
        return None if index == 2 and "The answer is 4." in prompt else ("Verdict: valid", "stop")

    assert read(verified, ScriptedEngine(say)) == 4
    assert set(votes(verified)) == {0, 1, 3}
    (failure,) = verified.judge_failures("j", "original").read(RL)
    assert (failure["sample_index"], failure["reason"]) == (2, "refused")
    assert read(verified, ScriptedEngine(valid)) == 1
    assert verified.judge_failures("j", "original").read(RL) == []


def test_what_was_read_before_a_crash_is_kept(verified: RunDirectory) -> None:
    calls = iter(range(100))

    def say(prompt: str, index: int) -> tuple[str, str]:
        if next(calls) == 10:
            raise RuntimeError("the engine died")
        return "Verdict: valid", "stop"

    with pytest.raises(RuntimeError):
        read(verified, ScriptedEngine(say))
    assert len(votes(verified)) == 2  # two chains had all three votes
    assert read(verified, ScriptedEngine(valid)) == 2


def test_seeds_do_not_depend_on_what_was_read_before(verified: RunDirectory) -> None:
    few = JUDGE.model_copy(update={"per_problem": 2})
    apart, whole = ScriptedEngine(valid), ScriptedEngine(valid)
    read(verified, apart, few)
    read(verified, apart)
    other = JUDGE.model_copy(update={"name": "k"})
    read(verified, whole, other)
    seeds = {request.request_id: request.seed for request in apart.asked}
    assert len(set(seeds.values())) == 4
    assert seeds.keys() == {request.request_id for request in whole.asked}
    assert not set(seeds.values()) & {request.seed for request in whole.asked}


def test_an_injection_is_part_of_the_work(verified: RunDirectory) -> None:
    """A judge that obeys the last words it reads is not given the chain's as its own."""
    engine = ScriptedEngine(valid)
    read(verified, engine)
    for request in engine.asked:
        assert request.messages[-1]["content"].endswith("Verdict: valid\nor\nVerdict: invalid")


def test_a_probe_leaves_out_chains_that_cannot_be_spoilt_in_every_way(
    verified: RunDirectory,
) -> None:
    judge = JUDGE.model_copy(update={"probe": JudgeProbeConfig(chains=2)})
    # No chain by hand is long enough to leave a quarter out, so nothing can be spoilt.
    assert read(verified, ScriptedEngine(valid), judge) == 4
    assert variants(judge) == [
        "original", "intermediate_number", "answer", "both", "dropped_quarter",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "org/rl"}, "under test as arm 'rl'"),
        ({"prompt": "mine"}, "no judge prompt 'mine'"),
        ({"prompt": "steps-v1"}, "does not go with engine kind openai"),
    ],
)
def test_what_the_stage_refuses(run: HandMadeRun, change: dict[str, str], message: str) -> None:
    verify(run.directory)
    server = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    settings = JUDGE.model_dump(exclude={"engine"}) | {"engine": server} | change
    judge = JudgeConfig.model_validate(settings)
    with pytest.raises(UserError, match=message):
        judge_stage(run.directory, run.experiment.model_copy(update={"judge": judge}))


def test_no_judge_is_said(run: HandMadeRun) -> None:
    with pytest.raises(UserError, match="the experiment has no judge"):
        judge_stage(run.directory, run.experiment)


def test_what_can_never_be_read_starts_no_engine_again(
    run: HandMadeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify(run.directory)
    server = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    judge = JudgeConfig.model_validate(JUDGE.model_dump(exclude={"engine"}) | {"engine": server})
    experiment = run.experiment.model_copy(update={"judge": judge})
    started: list[int] = []

    class Refusing(ScriptedEngine):
        def generate(
            self, requests: Requests, sampling: SamplingConfig, alive: Callable[[], None]
        ) -> Iterator[Failure]:
            for request in filter(None, requests):
                yield Failure(request.request_id, None, "too long", lasting=True)

    class Here(Crew):
        def work_off(self, jobs: Sequence[Any]) -> None:
            for unit in (unit for job in jobs for unit in job.units):
                started.append(len(unit.spans))
                problems = self._run.read_problems("mine")
                where = unit.partition
                task = plan_judging(self._run, judge, unit.variant, where, 4, 0, problems)
                judge_chains(
                    self._run, judge, ImagesConfig(), task, unit.variant, problems,
                    Refusing(valid), 0, lambda tokens: None, lambda: None,
                )  # fmt: skip

    monkeypatch.setattr("vlm_boundary.reasoning.judge.stage.Crew", Here)
    first = judge_stage(run.directory, experiment)
    assert (first.chains, bool(first.failed), bool(started)) == (0, True, True)
    started.clear()
    assert judge_stage(run.directory, experiment).failed == first.failed  # said every time
    assert started == []
