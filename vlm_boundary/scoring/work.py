"""Scoring as work for the fleet: a unit of it, and what an engine's process does with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from vlm_boundary.engines.base import Engine, ScoringEngine
from vlm_boundary.fleet.session import Listener, Opening, Operator
from vlm_boundary.fleet.work import Unit
from vlm_boundary.sampling.plan import Task
from vlm_boundary.sampling.work import arm_opening, spans_of
from vlm_boundary.scoring.loop import score_responses
from vlm_boundary.store import PartTable, RunDirectory


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
