"""Scoring as work for the fleet: what is missing of it, and how an engine's scores are stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pyarrow.compute as pc

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.engines.base import Engine, Failure, ScoreRequest, ScoringEngine
from vlm_boundary.fleet.session import Listener, Opening, Operator
from vlm_boundary.fleet.work import Unit
from vlm_boundary.iterate import batched
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import SampleScore
from vlm_boundary.sampling.plan import Task, missing_spans
from vlm_boundary.sampling.settled import drawn_under, record_failures
from vlm_boundary.sampling.work import arm_opening, problem_asked, requests_of, spans_of
from vlm_boundary.store import (
    Failed,
    Partition,
    PartTable,
    RunDirectory,
    SampleWriter,
    sample_indices,
)

# Problems whose responses are read at once.
_READ = 16


@dataclass(frozen=True)
class Score(Unit):
    """Stored samples that the arm `under` is to score."""

    activity: ClassVar[str] = "scoring"
    results: ClassVar[str] = "scores"
    worker: ClassVar[str] = "vlm_boundary.scoring.worker"

    under: str

    @property
    def engine(self) -> str:
        """The arm that scores."""
        return self.under

    def table(self, run: RunDirectory) -> PartTable:
        """That arm's scores."""
        return run.scores(self.under)


class Scorer(Operator[Score]):
    """Scores."""

    def opening(self) -> Opening:
        """With the scoring arm's checkpoint."""
        under = self.units[0].under
        return arm_opening(self, under, (), (self.experiment.arm_chat_template_args(under),))

    def do(self, unit: Score, engine: Engine, told: Listener) -> None:
        """Score a unit's samples."""
        assert isinstance(engine, ScoringEngine)  # the stage has seen to that
        benchmark = self.benchmarks[unit.partition.benchmark]
        task = Task(unit.partition, spans_of(self, unit))
        score_responses(
            self.run, self.experiment, benchmark, task, unit.under, engine, told.done, told.alive
        )

    def account(self, seconds: float, engine: dict[str, Any]) -> Mapping[str, object]:
        """Whose responses were scored, and how long it took."""
        read = list(dict.fromkeys(unit.partition.arm for unit in self.units))
        return {"scored": read, "score_seconds": seconds}


def plan_scores(
    run: RunDirectory, partition: Partition, under: str, per_problem: int, problems: list[Problem]
) -> Task:
    """The stored samples of a partition that `under` has yet to score, of these problems.

    Samples 0 … `per_problem`-1 of each problem are meant: samples are independent of their index,
    so the first are as good as any, and a larger subset holds the smaller one.
    """
    sampled = sample_indices(run.samples, partition)
    scored = sample_indices(run.scores(under), partition)
    none = np.zeros(0, dtype=np.int32)
    settled = {}
    for problem in problems:
        key = problem.problem_id
        absent = np.setdiff1d(np.arange(per_problem, dtype=np.int32), sampled.get(key, none))
        settled[key] = np.union1d(scored.get(key, none), absent)
    return Task(partition, missing_spans(problems, per_problem, settled))


def scored_under(manifest: Manifest, partition: Partition, under: str) -> str:
    """A hash of what decides whether responses can be put to the arm `under`, except the texts."""
    return drawn_under(manifest, replace(partition, arm=under))


def score_responses(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    task: Task,
    under: str,
    engine: ScoringEngine,
    progress: Callable[[int], None],
    alive: Callable[[], None],
) -> None:
    """Score a task's samples, storing the scores every few seconds and on the way out.

    Args:
        progress: called with the number of tokens of each response whose score is stored.
        alive: called whenever the engine has done something, finished scores or not.
    """
    writer = SampleWriter(run.scores(under), task.partition)
    failures: list[tuple[Failed, Failure]] = []

    def beat() -> None:
        writer.flush_if_due()  # also while nothing finishes
        alive()

    try:
        requests = _requests(run, experiment, benchmark, task, under)
        for result in engine.score(requests, beat):
            problem_id = problem_asked(result.request_id)
            if isinstance(result, Failure):
                failures.append(((problem_id, result.index), result))
            else:
                logprobs = result.token_logprobs
                total = math.fsum(logprobs)
                score = SampleScore(problem_id, result.index, total, len(logprobs), logprobs)
                writer.add(score, partial(progress, len(logprobs)))
    finally:
        writer.flush()
        if failures:
            decided_by = scored_under(run.read_manifest(), task.partition, under)
            record_failures(run, task.partition, run.score_failures(under), failures, decided_by)


def _requests(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    task: Task,
    under: str,
) -> Iterator[ScoreRequest]:
    """A request for each span: the scoring arm's own prompt, the stored token ids."""
    as_scorer = replace(task.partition, arm=under)
    prompts = requests_of(run, experiment, benchmark, as_scorer, task.spans)
    for group in batched(zip(task.spans, prompts, strict=True), _READ):
        wanted = pc.field("problem_id").isin([span.problem.problem_id for span, _ in group])
        rows = run.samples.read(task.partition, ["token_ids"], wanted).to_pylist()
        stored = {(row["problem_id"], row["sample_index"]): row["token_ids"] for row in rows}
        for span, request in group:
            key = span.problem.problem_id
            responses = {index: stored[key, index] for index in span.indices}
            yield ScoreRequest(**vars(request), responses=responses)
