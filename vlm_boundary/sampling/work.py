"""Drawing as work for the fleet: a unit of it, and how an engine's samples are drawn and stored."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from vlm_boundary.benchmarks import BenchmarkConfig, messages, pictures_shown
from vlm_boundary.config import MAX_SAMPLES, ExperimentConfig, SamplingConfig
from vlm_boundary.engines.base import Completion, Engine, Failure, Request
from vlm_boundary.engines.bound import TokenSums, lower_bound, recognise
from vlm_boundary.engines.model_size import NoBound, read_model_size
from vlm_boundary.errors import UserError
from vlm_boundary.fleet.session import Listener, Opening, Operator
from vlm_boundary.fleet.work import Unit
from vlm_boundary.records.manifest import Checkpoint
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.sampling.conditions import problems_under
from vlm_boundary.sampling.identity import same_source
from vlm_boundary.sampling.looks import Looks
from vlm_boundary.sampling.plan import Span, due_looks
from vlm_boundary.sampling.settled import drawn_under, record_failures
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Failed, Partition, PartTable, RunDirectory, SampleWriter
from vlm_boundary.verifier.beside import verdicts_below


@dataclass(frozen=True)
class Draw(Unit):
    """Samples to be drawn, at most: under a rule a problem may end before its spans do."""

    activity: ClassVar[str] = "sampling"
    results: ClassVar[str] = "samples"
    worker: ClassVar[str] = "vlm_boundary.sampling.worker"

    rule: StoppingRule | None = None

    def table(self, run: RunDirectory) -> PartTable:
        """The samples."""
        return run.samples

    def left(self, run: RunDirectory) -> Draw:
        """What of it the run does not hold, of problems that have not ended."""
        unit = super().left(run)
        if unit.rule is None or not unit.spans:
            return unit
        right = verdicts_below(run, self.partition, unit.spans, unit.rule.decided_below)
        looks = due_looks(right, unit.spans, unit.rule)
        return replace(unit, spans={key: unit.spans[key] for key in unit.spans if key in looks})

    def within(self, start: int, stop: int) -> Draw:
        """Those with an index from `start` to below `stop`."""

        def part(_: str, span: range) -> tuple[range, ...]:
            kept = range(max(span.start, start), min(span.stop, stop))
            return (kept,) if kept else ()

        return self.narrowed(part)


class Drawer(Operator[Draw]):
    """Draws."""

    def __init__(self, run: RunDirectory, units: Sequence[Draw]) -> None:
        super().__init__(run, units)
        self._arms = tuple(dict.fromkeys(unit.engine for unit in units))
        self._tally = Tally()
        self._checkpoint: Checkpoint | None = None

    def opening(self) -> Opening:
        """With one checkpoint, for the sampling of all arms that share it."""
        samplings = tuple(map(self.experiment.arm_sampling, self._arms))
        told = tuple(map(self.experiment.arm_chat_template_args, self._arms))
        opening = arm_opening(self, self._arms[0], samplings, told)
        self._checkpoint = opening.checkpoint
        return opening

    def do(self, unit: Draw, engine: Engine, told: Listener) -> None:
        """Draw a unit's samples."""
        self.draw(
            unit.partition,
            spans_of(self, unit),
            engine,
            lambda _, tokens: told.done(tokens),
            told.alive,
            unit.rule,
            lambda _, samples: told.spared(samples),
        )

    def draw(
        self,
        partition: Partition,
        spans: Iterable[Span],
        engine: Engine,
        done: Callable[[str, int], None],
        alive: Callable[[], None],
        rule: StoppingRule | None = None,
        spared: Callable[[str, int], None] = lambda problem_id, samples: None,
    ) -> None:
        """Draw spans of a partition, storing samples every few seconds and at last on the way out.

        Args:
            spans: taken as the engine has room for more.
            done: called with the problem and the tokens of each sample, once it is stored.
            alive: called whenever the engine has done something, finished samples or not.
            rule: that problems end by; of a problem all that may be drawn is among the spans.
            spared: called with a problem that has ended and how many of its spans' samples need
                not be drawn.

        Raises:
            UserError: the condition cannot show a problem here, and could where it was planned.
        """
        run, experiment = self.run, self.experiment
        benchmark = self.benchmarks[partition.benchmark]
        sampling = experiment.arm_sampling(partition.arm)
        failures: list[tuple[Failed, Failure]] = []
        writer = SampleWriter(run.samples, partition, experiment.timeouts.flush_seconds)
        sure = map(partial(_shown, partition), spans)

        def beat() -> None:
            writer.flush_if_due()  # also while nothing finishes
            if looks:
                looks.attend()
            alive()

        def stored(problem_id: str, result: Completion) -> None:
            if looks:
                looks.stored(problem_id, result)
            self._tally.add(partition, problem_id, result)
            done(problem_id, len(result.token_ids))

        ruled = Looks(run, partition, rule, sure, writer.flush, spared) if rule else nullcontext()
        with ruled as looks:
            requests = requests_of(run, experiment, benchmark, partition, looks or sure)
            try:
                for result in engine.generate(requests, sampling, beat):
                    problem_id = problem_asked(result.request_id)
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

    def account(self, seconds: float, engine: dict[str, Any]) -> Mapping[str, object]:
        """How long it took, and the least that it could have taken."""
        folder = self._checkpoint.folder if self._checkpoint else None
        bound = self._tally.lower_bound(folder, engine)
        return {"draw_seconds": seconds, "lower_bound": bound}


def arm_opening(
    operator: Operator[Any],
    arm: str,
    samplings: tuple[SamplingConfig, ...],
    template_args: tuple[Mapping[str, Any], ...],
) -> Opening:
    """What an arm's engine is opened with, as the manifest has found it.

    Args:
        template_args: what chat templates are told, of all arms that share the engine.

    Raises:
        UserError: on this machine its checkpoint is another one, or missing.
    """
    known = operator.manifest.arms[arm]
    config, engine = operator.experiment.arms[arm], operator.experiment.arm_engine(arm)
    checkpoint = known.checkpoint
    if checkpoint is not None and not checkpoint.folder.exists():
        # Another machine than the manifest's.
        checkpoint = same_source(config, engine, known.identity)
    return Opening(config.model, checkpoint, engine, operator.workload(samplings, template_args))


def spans_of(operator: Operator[Any], unit: Unit) -> list[Span]:
    """A unit's spans with their problems as its condition puts them."""
    known = problems_of(operator, unit.partition)
    return [Span(known[key], span) for key, spans in unit.spans.items() for span in spans]


def _shown(partition: Partition, span: Span) -> Span:
    if span.problem.error is None:
        return span
    raise UserError(
        f"{platform.node()}: {partition.benchmark}, problem {span.problem.problem_id!r} cannot be "
        f"put to {partition.arm} under {partition.condition}: {span.problem.error}; where this was "
        f"planned it could, so this machine does not see all of the run directory"
    )


def problems_of(operator: Operator[Any], where: Partition) -> dict[str, Problem]:
    """A partition's problems by id, as its condition puts them."""
    benchmark = operator.benchmarks[where.benchmark]
    shown = problems_under(operator.run, operator.experiment, benchmark, where.condition)
    return {problem.problem_id: problem for problem in shown}


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
            request_id=f"{problem.problem_id}:{span.indices.start}",
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


def problem_asked(request_id: str) -> str:
    """The problem of one of these requests."""
    return request_id.rpartition(":")[0]


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


def problem_seed(run_seed: int, arm: str, benchmark: str, condition: str, problem_id: str) -> int:
    """The seed of a problem's first sample; sample i is drawn with this plus i.

    Below 2**32 - MAX_SAMPLES, so that adding i never carries past the 32 bits engines use, and
    any chunking, restart or larger n draws the same seeds.
    """
    key = "\0".join((str(run_seed), arm, benchmark, condition, problem_id))
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % ((1 << 32) - MAX_SAMPLES)


class Tally:
    """The work that an engine has done, counted as its samples come in."""

    def __init__(self) -> None:
        self._work: TokenSums | None = TokenSums()
        self._read: set[tuple[str, str, str]] = set()

    def add(self, partition: Partition, problem_id: str, done: Completion) -> None:
        """Count one sample's work, with its prompt's if no sample of it came before."""
        if self._work is None or done.prompt_tokens is None or done.picture_tokens is None:
            self._work = None  # an engine that does not tell how long its prompts are
            return
        prompt = (partition.benchmark, partition.condition, problem_id)
        if prompt not in self._read:
            self._read.add(prompt)
            self._work += TokenSums.of_prompt(done.prompt_tokens, done.picture_tokens)
        self._work += TokenSums.of_responses(done.prompt_tokens, len(done.token_ids))

    def lower_bound(self, folder: Path | None, engine: Mapping[str, Any]) -> dict[str, Any]:
        """The least seconds of the work on the engine's GPU, or the reason why there is none.

        Args:
            folder: the checkpoint; None where the engine has none.
            engine: what the engine says of itself, as in `Engine.describe`.
        """
        if folder is None:
            return {"reason": f"the engine {engine.get('engine')} does not compute here"}
        gpu = recognise(str(engine.get("device")))
        if gpu is None:
            return {"reason": f"the peak rates of {engine.get('device')!r} are not known"}
        if self._work is None:
            return {"reason": "the engine does not tell how long its prompts are"}
        args = {**engine.get("args", {}), "max_num_seqs": engine.get("max_num_seqs")}
        try:
            bound = lower_bound(self._work, read_model_size(folder, args), gpu, args)
        except NoBound as reason:
            return {"reason": str(reason)}
        return {"gpu": gpu.name, "seconds": round(bound.seconds, 3)}
