"""The loop that scores stored responses and stores what it finds as it finishes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow.compute as pc

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.engines.base import Failure, ScoreRequest, ScoringEngine
from vlm_boundary.iterate import batched
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import SampleScore
from vlm_boundary.sampling.loop import requests_of
from vlm_boundary.sampling.plan import Task, missing_spans
from vlm_boundary.sampling.settled import drawn_under, record_failures
from vlm_boundary.store import Failed, Partition, RunDirectory, SampleWriter, sample_indices

# Problems whose responses are read at once.
_READ = 16


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
    """A hash of what decides whether responses can be put to the arm `under`, but for them."""
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
    problem_of = {}
    writer = SampleWriter(run.scores(under), task.partition)
    failures: list[tuple[Failed, Failure]] = []

    def beat() -> None:
        writer.flush_if_due()  # also while nothing finishes
        alive()

    def requests() -> Iterator[ScoreRequest]:
        for problem_id, request in _requests(run, experiment, benchmark, task, under):
            problem_of[request.request_id] = problem_id
            yield request

    try:
        for result in engine.score(requests(), beat):
            problem_id = problem_of[result.request_id]
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
) -> Iterator[tuple[str, ScoreRequest]]:
    """Problem and request for each span: the scoring arm's own prompt, the stored token ids."""
    as_scorer = replace(task.partition, arm=under)
    prompts = requests_of(run, experiment, benchmark, as_scorer, task.spans)
    for group in batched(zip(task.spans, prompts, strict=True), _READ):
        wanted = pc.field("problem_id").isin([span.problem.problem_id for span, _ in group])
        rows = run.samples.read(task.partition, ["token_ids"], wanted).to_pylist()
        stored = {(row["problem_id"], row["sample_index"]): row["token_ids"] for row in rows}
        for span, request in group:
            problem_id = span.problem.problem_id
            responses = {index: stored[problem_id, index] for index in span.indices}
            yield problem_id, ScoreRequest(**vars(request), responses=responses)
