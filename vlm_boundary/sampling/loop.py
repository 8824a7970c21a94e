"""The loop that draws what is missing and stores it as it finishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from vlm_boundary.benchmarks import BenchmarkConfig, messages, resolve_prompt
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.engines.base import Completion, Engine, Failure, Request
from vlm_boundary.sampling.plan import Span, missing_spans, wanted_problems
from vlm_boundary.sampling.seeds import problem_seed
from vlm_boundary.store import Partition, RunDirectory, Sample, SampleWriter, sample_indices


@dataclass(frozen=True)
class Task:
    """Everything still to be drawn for one partition."""

    partition: Partition
    spans: list[Span]

    @property
    def samples(self) -> int:
        """How many samples that is."""
        return sum(len(span.indices) for span in self.spans)


def plan_task(run: RunDirectory, partition: Partition, n: int, *, limit: int | None = None) -> Task:
    """What a partition lacks of n samples for each of its (first `limit`) problems."""
    problems = wanted_problems(run.read_problems(partition.benchmark), limit)
    present = sample_indices(run.samples, partition)
    return Task(partition, missing_spans(problems, n, present))


def draw(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    task: Task,
    engine: Engine,
    progress: Callable[[str, Completion], None],
) -> None:
    """Draw a task's samples, storing them every few seconds and at the latest on the way out.

    Args:
        progress: called with the problem and the result of each finished sample.
    """
    partition = task.partition
    sampling = experiment.arm_sampling(partition.arm)
    spans = {_request_id(span): span for span in task.spans}
    writer = SampleWriter(run.samples, partition)
    failures: list[dict[str, object]] = []
    try:
        requests = requests_of(run, experiment, benchmark, task)
        for result in engine.generate(requests, sampling):
            problem_id = spans[result.request_id].problem.problem_id
            if isinstance(result, Failure):
                failures.append(
                    {
                        "problem_id": problem_id,
                        "sample_index": result.index,
                        "reason": result.reason,
                    }
                )
            else:
                writer.add(_sample(problem_id, result))
                progress(problem_id, result)
    finally:
        writer.flush()
        # A problem that failed is tried again by the next run; only the latest reasons are kept.
        rows = pa.Table.from_pylist(failures, schema=run.failures.schema)
        run.failures.replace(partition, rows)


def requests_of(
    run: RunDirectory, experiment: ExperimentConfig, benchmark: BenchmarkConfig, task: Task
) -> Iterator[Request]:
    """A task's spans as the task's arm sees them: its prompt, its pictures, its seeds."""
    arm, condition = task.partition.arm, task.partition.condition
    prompt = resolve_prompt(experiment.arms[arm].prompt or benchmark.prompt)
    for span in task.spans:
        problem = span.problem
        yield Request(
            request_id=_request_id(span),
            messages=messages(problem, prompt, benchmark.image_placeholder),
            pictures=tuple(run.images / name for name in problem.pictures),
            indices=span.indices,
            seed=problem_seed(
                experiment.seed, arm, problem.benchmark, condition, problem.problem_id
            ),
            min_pixels=benchmark.images.min_pixels,
            max_pixels=benchmark.images.max_pixels,
        )


def _request_id(span: Span) -> str:
    return f"{span.problem.problem_id}:{span.indices.start}"


def _sample(problem_id: str, done: Completion) -> Sample:
    return Sample(
        problem_id=problem_id,
        sample_index=done.index,
        seed=done.seed,
        token_ids=done.token_ids,
        text=done.text,
        finish_reason=done.finish_reason,
        logprob_sum=done.logprob_sum,
        token_logprobs=done.token_logprobs,
    )
