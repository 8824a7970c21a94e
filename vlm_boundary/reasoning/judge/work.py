"""Judging as work for the fleet: a unit of it, and what an engine's process does with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from vlm_boundary.engines.base import Engine, Workload
from vlm_boundary.fleet.session import Listener, Opening, Operator
from vlm_boundary.fleet.work import Unit
from vlm_boundary.reasoning.judge.judging import Variant, judge_chains, stored_judge
from vlm_boundary.sampling.plan import Task
from vlm_boundary.sampling.work import spans_of
from vlm_boundary.store import PartTable, RunDirectory


@dataclass(frozen=True)
class Judge(Unit):
    """Right answers whose reasoning a judge is to read, as it is or spoilt."""

    activity: ClassVar[str] = "judging"
    results: ClassVar[str] = "judgements"
    worker: ClassVar[str] = "vlm_boundary.reasoning.judge.worker"
    worth: ClassVar[int] = 256

    judge: str
    variant: Variant

    @property
    def engine(self) -> str:
        """The judge."""
        return self.judge

    def table(self, run: RunDirectory) -> PartTable:
        """The judge's votes on this variant."""
        return run.judgements(self.judge, self.variant)


class Judging(Operator[Judge]):
    """Judges."""

    def __init__(self, run: RunDirectory, units: Sequence[Judge]) -> None:
        super().__init__(run, units)
        self._judge = stored_judge(run, units[0].judge)

    def opening(self) -> Opening:
        """With the judge, which is shown pictures or not."""
        judge = self._judge
        workload = (
            self.workload((judge.sampling,), (judge.chat_template_args,))
            if judge.pictures
            else Workload((judge.sampling,), 0, chat_template_args=(judge.chat_template_args,))
        )
        checkpoint = self.manifest.judges[judge.name].checkpoint
        return Opening(judge.model, checkpoint, judge.engine or self.experiment.engine, workload)

    def do(
        self,
        unit: Judge,
        engine: Engine,
        told: Listener,
    ) -> None:
        """Have a unit's chains read."""
        where = unit.partition
        judge_chains(
            self.run,
            self._judge,
            self.benchmarks[where.benchmark].images,
            Task(where, spans_of(self, unit)),
            unit.variant,
            self.run.read_problems(where.benchmark),
            engine,
            self.experiment.seed,
            told.done,
            told.alive,
            thinking_open=self.manifest.judges[self._judge.name].thinking_open,
        )

    def account(self, seconds: float, engine: dict[str, Any]) -> dict[str, Any]:
        """Whose chains were read, and how long it took."""
        read = list(dict.fromkeys(unit.partition.arm for unit in self.units))
        return {"judged": read, "judge_seconds": seconds}
