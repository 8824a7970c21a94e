"""The loop that draws what is missing and stores it as it finishes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from vlm_boundary.benchmarks import BenchmarkConfig, messages, pictures_shown
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.engines.base import Completion, Engine, Failure, Request
from vlm_boundary.records.sample import Sample
from vlm_boundary.sampling.looks import Looks
from vlm_boundary.sampling.plan import Span
from vlm_boundary.sampling.seeds import problem_seed
from vlm_boundary.sampling.settled import drawn_under, record_failures
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Failed, Partition, RunDirectory, SampleWriter
from vlm_boundary.verifier.beside import Right


@dataclass(frozen=True)
class EarlyStop:
    """A rule under which problems may end early.

    Attributes:
        known: the verdicts on what was drawn before.
        spared: called with a problem and how many of its samples need not be drawn.
    """

    rule: StoppingRule
    known: Right
    spared: Callable[[str, int], None]


def draw(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    partition: Partition,
    spans: Iterable[Span],
    engine: Engine,
    progress: Callable[[str, Completion], None],
    alive: Callable[[], None],
    stop: EarlyStop | None = None,
) -> None:
    """Draw spans of a partition, storing samples every few seconds and at last on the way out.

    Args:
        spans: taken as the engine has room for more.
        progress: called with the problem and the result of each sample, once it is stored.
        alive: called whenever the engine has done something, finished samples or not.
        stop: where problems may end before their spans do.
    """
    sampling = experiment.arm_sampling(partition.arm)
    asked: dict[str, str] = {}  # the problem of each request
    writer = SampleWriter(run.samples, partition, experiment.timeouts.flush_seconds)
    with ExitStack() as stack:
        looks = stop and stack.enter_context(
            Looks(run, partition, stop.rule, spans, stop.known, writer.flush, stop.spared)
        )

        def noted() -> Iterator[Span | None]:
            for span in looks or spans:
                if span is not None:
                    asked[_request_id(span)] = span.problem.problem_id
                yield span

        def beat() -> None:
            writer.flush_if_due()  # also while nothing finishes
            if looks:
                looks.attend()
            alive()

        def stored(problem_id: str, result: Completion) -> None:
            if looks:
                looks.stored(problem_id, result)
            progress(problem_id, result)

        failures: list[tuple[Failed, Failure]] = []
        try:
            requests = requests_of(run, experiment, benchmark, partition, noted())
            for result in engine.generate(requests, sampling, beat):
                problem_id = asked[result.request_id]
                if isinstance(result, Failure):
                    failures.append(((problem_id, result.index), result))
                    if looks:
                        looks.failed(problem_id)
                else:
                    writer.add(_sample(problem_id, result), partial(stored, problem_id, result))
        finally:
            writer.flush()
            if failures:
                under = drawn_under(run.read_manifest(), partition)
                record_failures(run, partition, run.failures, failures, under)


def requests_of(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    partition: Partition,
    spans: Iterable[Span | None],
) -> Iterator[Request | None]:
    """Spans as the partition's arm sees them: its prompt, its pictures, its seeds."""
    arm, condition = partition.arm, partition.condition
    prompt = benchmark.worded(experiment.prompt(arm, condition))
    for span in spans:
        if span is None:
            yield None
            continue
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
            budget=benchmark.images.budget,
            prefix=problem.prefix,
            chat_template_args=experiment.arm_chat_template_args(arm),
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
