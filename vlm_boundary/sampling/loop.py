"""The loop that draws what is missing and stores it as it finishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vlm_boundary.benchmarks import BenchmarkConfig, messages, pictures_shown, resolve_prompt
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.engines.base import Completion, Engine, Failure, Request
from vlm_boundary.sampling.plan import Span, Task
from vlm_boundary.sampling.seeds import problem_seed
from vlm_boundary.store import RunDirectory, Sample, SampleWriter


def draw(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    task: Task,
    engine: Engine,
    progress: Callable[[str, Completion], None],
    alive: Callable[[], None],
) -> None:
    """Draw a task's samples, storing them every few seconds and at the latest on the way out.

    Args:
        progress: called with the problem and the result of each finished sample.
        alive: called whenever the engine has done something, finished samples or not.
    """
    partition = task.partition
    sampling = experiment.arm_sampling(partition.arm)
    spans = {_request_id(span): span for span in task.spans}
    writer = SampleWriter(run.samples, partition)

    def beat() -> None:
        writer.flush_if_due()  # also while nothing finishes
        alive()

    failures: list[tuple[str, int | None, str]] = []
    try:
        requests = requests_of(run, experiment, benchmark, task)
        for result in engine.generate(requests, sampling, beat):
            problem_id = spans[result.request_id].problem.problem_id
            if isinstance(result, Failure):
                failures.append((problem_id, result.index, result.reason))
            else:
                writer.add(_sample(problem_id, result))
                progress(problem_id, result)
    finally:
        writer.flush()
        run.failures.add(partition, failures)


def requests_of(
    run: RunDirectory, experiment: ExperimentConfig, benchmark: BenchmarkConfig, task: Task
) -> Iterator[Request]:
    """A task's spans as the task's arm sees them: its prompt, its pictures, its seeds."""
    arm, condition = task.partition.arm, task.partition.condition
    prompt = resolve_prompt(experiment.prompt(arm, condition) or benchmark.prompt)
    for span in task.spans:
        problem = span.problem
        turns = messages(problem, prompt, benchmark.images, condition)
        yield Request(
            request_id=_request_id(span),
            messages=turns,
            pictures=tuple(run.images / name for name in pictures_shown(turns)),
            indices=span.indices,
            seed=problem_seed(
                experiment.seed, arm, problem.benchmark, condition, problem.problem_id
            ),
            min_pixels=benchmark.images.min_pixels,
            max_pixels=benchmark.images.max_pixels,
            benchmark=problem.benchmark,
            condition=condition,
            problem_id=problem.problem_id,
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
