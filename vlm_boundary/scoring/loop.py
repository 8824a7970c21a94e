"""The loop that scores stored responses and stores what it finds as it finishes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.engines.base import Failure, ScoreRequest, ScoringEngine
from vlm_boundary.iterate import batched
from vlm_boundary.sampling.loop import Task, requests_of
from vlm_boundary.sampling.plan import missing_spans, wanted_problems
from vlm_boundary.store import (
    Partition,
    RunDirectory,
    SampleWriter,
    Score,
    compact,
    read_samples,
    sample_indices,
)

# Problems whose responses are read at once.
_READ = 16


def plan_scores(
    run: RunDirectory,
    partition: Partition,
    under: str,
    per_problem: int,
    *,
    limit: int | None = None,
) -> Task:
    """The stored samples of a partition that `under` has yet to score.

    Samples 0 … `per_problem`-1 of each problem are meant: samples are independent of their index,
    so the first are as good as any, and a larger subset holds the smaller one.
    """
    problems = wanted_problems(run.read_problems(partition.benchmark), limit)
    sampled = sample_indices(run.samples, partition)
    scored = sample_indices(run.scores(under), partition)
    settled = {
        problem.problem_id: scored.get(problem.problem_id, set())
        | (set(range(per_problem)) - sampled.get(problem.problem_id, set()))
        for problem in problems
    }
    return Task(partition, missing_spans(problems, per_problem, settled))


def score_responses(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    task: Task,
    under: str,
    engine: ScoringEngine,
    progress: Callable[[int], None],
) -> None:
    """Score a task's samples, storing the scores every few seconds and on the way out.

    Args:
        progress: called with the number of tokens of each scored response.
    """
    problem_of = {}
    table = run.scores(under)
    writer = SampleWriter(table, task.partition)
    failures: list[dict[str, object]] = []

    def requests() -> Iterator[ScoreRequest]:
        for problem_id, request in _requests(run, experiment, benchmark, task, under):
            problem_of[request.request_id] = problem_id
            yield request

    try:
        for result in engine.score(requests()):
            problem_id = problem_of[result.request_id]
            if isinstance(result, Failure):
                failures.append(
                    {
                        "problem_id": problem_id,
                        "sample_index": result.index,
                        "reason": result.reason,
                    }
                )
            else:
                logprobs = result.token_logprobs
                total = math.fsum(logprobs)
                writer.add(Score(problem_id, result.index, total, len(logprobs), logprobs))
                progress(len(logprobs))
    finally:
        writer.flush()
        rows = pa.Table.from_pylist(failures, schema=run.failures.schema)
        run.score_failures(under).replace(task.partition, rows)
    compact(table, task.partition)


def _requests(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    task: Task,
    under: str,
) -> Iterator[tuple[str, ScoreRequest]]:
    """Problem and request for each span: the scoring arm's own prompt, the stored token ids."""
    as_scorer = Task(replace(task.partition, arm=under), task.spans)
    prompts = requests_of(run, experiment, benchmark, as_scorer)
    for group in batched(zip(task.spans, prompts, strict=True), _READ):
        wanted = pc.field("problem_id").isin([span.problem.problem_id for span, _ in group])
        rows = read_samples(run.samples, task.partition, ["token_ids"], wanted).to_pylist()
        stored = {(row["problem_id"], row["sample_index"]): row["token_ids"] for row in rows}
        for span, request in group:
            problem_id = span.problem.problem_id
            responses = {index: stored[problem_id, index] for index in span.indices}
            yield problem_id, ScoreRequest(**vars(request), responses=responses)
