"""One open engine and what it does for a run, wherever its process is."""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import uuid4

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.benchmarks.images import PictureBudget
from vlm_boundary.config import EngineConfig, ExperimentConfig, PrmConfig, SamplingConfig
from vlm_boundary.engines.base import CountingEngine, Engine, SwappingEngine, Workload
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.fleet.work import Unit
from vlm_boundary.records.manifest import Checkpoint
from vlm_boundary.store import RunDirectory

OpenEngine: TypeAlias = Callable[
    [str, Checkpoint | None, EngineConfig | PrmConfig, Workload], Engine
]
U = TypeVar("U", bound=Unit)
# What of a checkpoint may differ between two that one engine serves in turn.
_OF_THE_WEIGHTS = ("folder", "identity", "note", "adapter")


@dataclass(frozen=True)
class Opening:
    """What an engine is opened with."""

    model: str
    checkpoint: Checkpoint | None
    engine: EngineConfig | PrmConfig
    workload: Workload

    def swaps_with(self, other: Opening) -> bool:
        """Whether both ask for the same engine except the checkpoint in it, and how it samples."""
        if self.checkpoint is None or other.checkpoint is None or self.checkpoint.trust_remote_code:
            return False
        as_mine = replace(
            other.checkpoint, **{name: getattr(self.checkpoint, name) for name in _OF_THE_WEIGHTS}
        )
        workload = replace(other.workload, samplings=self.workload.samplings)
        settings = (self.engine, self.workload) == (other.engine, workload)
        return settings and as_mine == self.checkpoint

    def may_follow(self, other: Opening) -> bool:
        """Whether a process that opened `other` may open this.

        Settings decide how a process is set up, and what a checkpoint's own code did to one, nobody
        knows.
        """
        strange = other.checkpoint is not None and other.checkpoint.trust_remote_code
        return self.engine == other.engine and not strange


class Listener:
    """Hears what an engine does, and counts its results."""

    def __init__(self) -> None:
        self.samples = self.tokens = 0

    def done(self, tokens: int) -> None:
        """A result of so many tokens is stored."""
        self.samples += 1
        self.tokens += tokens

    def spared(self, samples: int) -> None:
        """So many of the unit's samples need not be drawn."""

    def alive(self) -> None:
        """The engine has done something."""


class Operator(ABC, Generic[U]):
    """Does units of one kind with an engine, in the process that opens it; one a kind.

    Args:
        run: where results are stored.
        units: everything that the engine may be asked for, which decides how it is opened.

    Raises:
        UserError: the run says no longer what its engine is to be opened with.
    """

    def __init__(self, run: RunDirectory, units: Sequence[U]) -> None:
        self.run = run
        self.units = units
        self.manifest = run.read_manifest()
        self.experiment = ExperimentConfig.model_validate(self.manifest.experiment)
        self.benchmarks = {
            name: BenchmarkConfig.model_validate(known.config)
            for name, known in self.manifest.benchmarks.items()
        }

    @abstractmethod
    def opening(self) -> Opening:
        """What the engine is opened with."""

    @abstractmethod
    def do(self, unit: U, engine: Engine, told: Listener) -> None:
        """Do a unit, storing results as they come; `told` hears of each and of what goes on."""

    @abstractmethod
    def account(self, seconds: float, engine: dict[str, Any]) -> Mapping[str, object]:
        """What the run's record of the engine says of this kind of work.

        Args:
            seconds: how long it took.
            engine: what the engine says of itself.
        """

    def workload(
        self, samplings: tuple[SamplingConfig, ...], template_args: tuple[Mapping[str, Any], ...]
    ) -> Workload:
        """What an engine will be asked for that is shown the units' pictures."""
        benchmarks = [self.benchmarks[unit.partition.benchmark] for unit in self.units]
        most = 0
        for name in {unit.partition.benchmark for unit in self.units}:
            asked = {k for u in self.units if u.partition.benchmark == name for k in u.spans}
            problems = self.run.read_problems(name)
            most = max(most, *(len(p.pictures) for p in problems if p.problem_id in asked), 0)
        return Workload(
            samplings=samplings,
            max_images=most,
            budget=_largest_budget(benchmarks),
            chat_template_args=template_args,
        )


class OpenedEngine:
    """The engine that a process has open, from one operator to the next.

    Args:
        opener: opens engines.
    """

    def __init__(self, opener: OpenEngine = open_engine) -> None:
        self._opener = opener
        self._engine: Engine | None = None
        self._opening: Opening | None = None

    def become(self, opening: Opening) -> Engine:
        """The engine that is asked for: the one that is open, if it can be it, or a fresh one.

        Raises:
            UserError: it cannot be had.
        """
        if self._swap(opening):
            assert self._engine is not None
        else:
            self.close()
            self._engine = self._opener(
                opening.model, opening.checkpoint, opening.engine, opening.workload
            )
        self._opening = opening
        return self._engine

    def close(self) -> None:
        """End the engine, if there is one."""
        if self._engine is not None:
            self._engine.close()
        self._engine = self._opening = None
        gc.collect()  # its memory is the next one's

    def _swap(self, opening: Opening) -> bool:
        return (
            self._opening is not None
            and opening.checkpoint is not None
            and opening.swaps_with(self._opening)
            and isinstance(self._engine, SwappingEngine)
            and self._engine.swap(opening.checkpoint, opening.workload.samplings)
        )


class EngineSession(Generic[U]):
    """What an engine does of one operator's units, and the record of it.

    Raises:
        UserError: the engine cannot be had as the experiment asks for it.
    """

    def __init__(self, operator: Operator[U], opening: Opening, opened: OpenedEngine) -> None:
        self._operator = operator
        started = time.monotonic()
        self.engine = opened.become(opening)
        self._ready = time.monotonic()
        self.start_seconds = self._ready - started
        self._begun = datetime.now(UTC).isoformat()
        self._said = self.engine.describe()

    @property
    def sequences(self) -> int | None:
        """How many samples the engine draws at a time, where it says so."""
        return self._said.get("max_num_seqs")

    def record(self, told: Listener) -> None:
        """Store what was done, as `told` has counted it, and with what."""
        seconds = round(time.monotonic() - self._ready, 3)
        operator = self._operator
        work = {
            "started": self._begun,
            "samples": told.samples,
            "tokens": told.tokens,
            "start_seconds": round(self.start_seconds, 3),
            "peak_memory_bytes": _peak_memory(),
            **(self.engine.usage() if isinstance(self.engine, CountingEngine) else {}),
            **operator.account(seconds, self._said),
        }
        engines = tuple(dict.fromkeys(unit.engine for unit in operator.units))
        # A file of its own: writers of one run, on whatever machine, never write the same one.
        name = f"{engines[0]}-{os.getpid()}-{int(time.time())}-{uuid4().hex[:8]}"
        operator.run.add_writer(name, {"arms": engines, "engine": self._said, "work": work})


def _peak_memory() -> int:
    """The most that this process, since its start, and any one of its children held, in bytes."""
    scopes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    return sum(resource.getrusage(scope).ru_maxrss for scope in scopes) * unit


def _largest_budget(benchmarks: Sequence[BenchmarkConfig]) -> PictureBudget:
    """The widest of all benchmarks' budgets; None is the checkpoint's own bound."""
    smallest = [b.images.min_pixels for b in benchmarks]
    largest = [b.images.max_pixels for b in benchmarks]
    tokens = [b.images.max_tokens for b in benchmarks]
    return PictureBudget(
        None if None in smallest else min(filter(None, smallest), default=None),
        None if None in largest else max(filter(None, largest), default=None),
        None if None in tokens else max(filter(None, tokens), default=None),
    )
