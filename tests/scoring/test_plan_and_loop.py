"""Which responses are scored, and what becomes of the scores, with an engine made up here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from conftest import HandMadeRun

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.engines.base import Failure, Scored, ScoreRequest
from vlm_boundary.errors import UserError
from vlm_boundary.sampling.plan import Scope, Task
from vlm_boundary.scoring import score
from vlm_boundary.scoring.work import plan_scores, score_responses
from vlm_boundary.store import Partition, compact_run

RL = Partition("rl", "mine")
BENCHMARK = BenchmarkConfig.model_validate(
    {
        "name": "mine",
        "dataset_path": "x.jsonl",
        "fields": {"problem_id": "id", "question": "q", "answer": "a"},
    }
)


@dataclass
class Scorer:
    """Gives every token -1; refuses what it is told to, and dies after so many responses."""

    refuses: set[tuple[str, int]] = field(default_factory=set)
    dies_after: int = 1000
    asked: list[ScoreRequest] = field(default_factory=list)

    def score(
        self, requests: Iterable[ScoreRequest], alive: Callable[[], None]
    ) -> Iterator[Scored | Failure]:
        done = 0
        for request in requests:
            self.asked.append(request)
            alive()
            for index in request.indices:
                done += 1
                if done > self.dies_after:
                    raise KeyboardInterrupt
                if (request.request_id.partition(":")[0], index) in self.refuses:
                    yield Failure(request.request_id, index, "too long")
                else:
                    scores = [-1.0] * len(request.responses[index])
                    yield Scored(request.request_id, index, scores)


def go(run: HandMadeRun, scorer: Scorer, task: Task) -> list[int]:
    seen: list[int] = []
    beats: list[int] = []
    score_responses(
        run.directory,
        run.experiment,
        BENCHMARK,
        task,
        "base",
        scorer,  # type: ignore[arg-type]
        seen.append,
        lambda: beats.append(1),
    )
    assert beats
    return seen


def missing(run: HandMadeRun, per_problem: int) -> Task:
    problems = Scope().of(run.directory.read_problems("mine"))
    return plan_scores(run.directory, RL, "base", per_problem, problems)


def scored(run: HandMadeRun) -> set[tuple[str, int]]:
    rows = run.directory.scores("base").read(RL).to_pylist()
    assert all((r["tokens"], r["logprob_sum"]) == (2, -2.0) for r in rows)
    keys = [(row["problem_id"], row["sample_index"]) for row in rows]
    assert len(set(keys)) == len(keys)
    return set(keys)


def test_the_first_responses_of_each_problem_are_scored_and_more_are_added(
    run: HandMadeRun,
) -> None:
    task = missing(run, 2)
    assert task.samples == 6
    assert go(run, Scorer(), task) == [2] * 6
    assert scored(run) == {(p, i) for p in ("p1", "p2", "p3") for i in (0, 1)}
    assert missing(run, 2).samples == 0
    more = missing(run, 100)  # and there are only four
    assert [span.indices for span in more.spans] == [range(2, 4)] * 3
    go(run, Scorer(), more)
    assert len(scored(run)) == 12
    compact_run(run.directory)
    assert len(scored(run)) == 12
    assert len(run.directory.scores("base").parts(RL)) == 1
    assert run.directory.scorers() == ["base"]


def test_the_engine_is_given_the_stored_token_ids_under_the_scoring_arms_prompt(
    run: HandMadeRun,
) -> None:
    arms = dict(run.experiment.arms)
    arms["base"] = arms["base"].model_copy(update={"prompt": "easyr1-paper"})
    other = HandMadeRun(run.directory, run.experiment.model_copy(update={"arms": arms}))
    scorer = Scorer()
    go(other, scorer, missing(run, 1))
    assert [request.responses for request in scorer.asked] == [{0: [5, 6]}] * 3
    assert "Alibaba" in scorer.asked[0].messages[0]["content"]


def test_what_was_scored_before_an_end_is_kept(run: HandMadeRun) -> None:
    task = missing(run, 4)
    with pytest.raises(KeyboardInterrupt):
        go(run, Scorer(dies_after=5), task)
    assert len(scored(run)) == 5
    rest = missing(run, 4)
    assert rest.samples == 7
    go(run, Scorer(), rest)
    assert len(scored(run)) == 12


def test_what_cannot_be_scored_is_recorded_and_tried_again(run: HandMadeRun) -> None:
    go(run, Scorer(refuses={("p1", 0)}), missing(run, 1))
    assert scored(run) == {("p2", 0), ("p3", 0)}
    (failure,) = run.directory.score_failures("base").read(RL)
    assert (failure["problem_id"], failure["sample_index"]) == ("p1", 0)
    assert failure["reason"] == "too long"
    go(run, Scorer(), missing(run, 1))
    assert ("p1", 0) in scored(run)
    assert run.directory.score_failures("base").read(RL) == []


def test_another_arm_does_not_change_unseen(run: HandMadeRun) -> None:
    arms = dict(run.experiment.arms)
    arms["rl"] = arms["rl"].model_copy(update={"model": "org/other"})
    changed = run.experiment.model_copy(update={"arms": arms})
    with pytest.raises(UserError, match="arm 'rl' is not as it was sampled"):
        score(run.directory, changed, responses_of=["rl"], under="base", per_problem=4)


def test_an_arm_that_is_not_there_is_said(run: HandMadeRun) -> None:
    with pytest.raises(UserError, match="no arm 'rll'; there are base, rl"):
        score(run.directory, run.experiment, responses_of=["rll"], under="base", per_problem=4)


def test_an_engine_that_cannot_score_is_said_before_anything_is_loaded(run: HandMadeRun) -> None:
    engine = {"kind": "replay", "path": "samples.jsonl"}
    raw = run.experiment.model_dump(mode="json") | {"engine": engine}
    changed = ExperimentConfig.model_validate(raw)
    with pytest.raises(UserError, match="arm 'base': engine kind replay cannot score"):
        score(run.directory, changed, responses_of=["rl"], under="base", per_problem=4)
