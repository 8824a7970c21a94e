"""Drawing as work for the fleet: a unit of it, and what an engine's process does with one."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from vlm_boundary.config import SamplingConfig
from vlm_boundary.engines.base import Completion, Engine
from vlm_boundary.errors import UserError
from vlm_boundary.fleet.session import Listener, Opening, Operator
from vlm_boundary.fleet.work import Unit
from vlm_boundary.records.manifest import Checkpoint
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.conditions import problems_under
from vlm_boundary.sampling.identity import same_source
from vlm_boundary.sampling.loop import EarlyStop, draw
from vlm_boundary.sampling.plan import Span, due_looks
from vlm_boundary.sampling.tally import Tally
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Partition, PartTable, RunDirectory
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
        """Draw spans of one partition, taken from the iterable as the engine has room for them.

        Args:
            done: called with the problem and the tokens of each sample, once it is stored.
            alive: called whenever the engine has done something.
            rule: that problems end by; of a problem all that may be drawn is among the spans.
            spared: called with a problem that has ended and how many of its spans' samples need
                not be drawn.

        Raises:
            UserError: the condition cannot show a problem here, and could where it was planned.
        """

        def drawn(problem_id: str, sample: Completion) -> None:
            self._tally.add(partition, problem_id, sample)
            done(problem_id, len(sample.token_ids))

        benchmark = self.benchmarks[partition.benchmark]
        stop = None
        if rule is not None:
            ids = self.run.problem_ids(partition.benchmark)
            known = verdicts_below(self.run, partition, ids, rule.decided_below)
            stop = EarlyStop(rule, known, spared)
        sure = map(partial(_shown, partition), spans)
        draw(self.run, self.experiment, benchmark, partition, sure, engine, drawn, alive, stop)

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
