"""Work for engines: what one is given to draw, to score or to judge, and how that is shared out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import Annotated, Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator, TypeAdapter

from vlm_boundary.store import Partition, PartTable, RunDirectory, sample_indices

# Samples below which one more engine's start costs more than it saves.
WORTH_AN_ENGINE = 2048
# Consecutive sample indices, in JSON as [start, stop].
_Span: TypeAlias = Annotated[
    range,
    PlainValidator(lambda said: range(*said)),
    PlainSerializer(lambda span: (span.start, span.stop)),
]


@dataclass(frozen=True)
class Unit:
    """Samples of one partition for an engine to draw, to score or to judge.

    Each room that has work for engines defines a kind of its own. `spans` are the sample indices of
    each problem; they were missing when the unit was planned, which is done once.
    """

    activity: ClassVar[str]
    """What is done, as in `sampling`."""
    results: ClassVar[str]
    """What comes of it, as in `samples`."""
    worker: ClassVar[str]
    """The module whose process does it."""
    worth: ClassVar[int] = WORTH_AN_ENGINE
    """How many results are worth one more engine's start."""

    partition: Partition
    spans: Mapping[str, tuple[_Span, ...]]

    @property
    def engine(self) -> str:
        """The arm, or the judge, whose engine it is for."""
        return self.partition.arm

    def table(self, run: RunDirectory) -> PartTable:
        """Where its results are stored."""
        raise NotImplementedError

    @property
    def samples(self) -> int:
        """How many samples it is about."""
        return sum(len(span) for spans in self.spans.values() for span in spans)

    def narrowed(self, part: Callable[[str, range], Iterable[range]]) -> Self:
        """The unit with a part of each problem's spans."""
        found = {
            key: tuple(one for span in spans for one in part(key, span))
            for key, spans in self.spans.items()
        }
        return replace(self, spans={key: spans for key, spans in found.items() if spans})

    def left(self, run: RunDirectory) -> Self:
        """What of it the run does not hold, as after an engine's end."""
        stored = sample_indices(self.table(run), self.partition)
        none = np.zeros(0, dtype=np.int32)
        return self.narrowed(lambda key, span: lacking(span, stored.get(key, none)))

    def record(self) -> Any:
        """As JSON has it."""
        return TypeAdapter(type(self)).dump_python(self, mode="json")

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The unit that a record says."""
        return TypeAdapter(cls).validate_python(record)


@dataclass(frozen=True)
class Job:
    """What one engine process is to do: units of one kind, in order, at least one."""

    units: tuple[Unit, ...]

    @property
    def kind(self) -> type[Unit]:
        """The kind of its units."""
        return type(self.units[0])

    @property
    def engines(self) -> tuple[str, ...]:
        """The arms (or the judge) whose engine it is, each once."""
        return tuple(dict.fromkeys(unit.engine for unit in self.units))

    @property
    def samples(self) -> int:
        """How many samples it is about."""
        return sum(unit.samples for unit in self.units)

    def left(self, run: RunDirectory) -> Job | None:
        """What of it the run does not hold; None where that is nothing."""
        units = tuple(unit for unit in (one.left(run) for one in self.units) if unit.spans)
        return Job(units) if units else None


def make_jobs(wanted: Iterable[Sequence[Unit]], places: int) -> list[Job]:
    """Share out what is missing.

    Args:
        wanted: for each engine that is needed (a checkpoint under one setting) its units, of one
            kind, in the order in which they are to be done.
        places: how many engines run at once.
    """
    groups = [units for units in wanted if any(unit.spans for unit in units)]
    return [job for units in groups for job in _share(units, len(groups), places)]


def lacking(span: range, stored: NDArray[np.int32]) -> Iterator[range]:
    """The parts of a span whose indices are not stored."""
    absent = np.setdiff1d(np.arange(span.start, span.stop), stored, assume_unique=True)
    if len(absent):
        for part in np.split(absent, np.flatnonzero(np.diff(absent) > 1) + 1):
            yield range(int(part[0]), int(part[-1]) + 1)


def _share(units: Sequence[Unit], engines: int, places: int) -> Iterator[Job]:
    """One engine's work in as many pieces as keep all places busy and are worth their start."""
    samples = sum(unit.samples for unit in units)
    pieces = max(1, min(places // gcd(places, engines), samples // units[0].worth))
    # A problem's place among all of its partition, for every unit the same: one engine has it.
    order: dict[Partition, dict[str, int]] = {}
    for unit in units:
        known = order.setdefault(unit.partition, {})
        for problem_id in unit.spans:
            known.setdefault(problem_id, len(known))
    for piece in range(pieces):
        mine = [
            replace(unit, spans={k: s for k, s in unit.spans.items() if at[k] % pieces == piece})
            for unit in units
            for at in [order[unit.partition]]
        ]
        if kept := tuple(unit for unit in mine if unit.spans):
            yield Job(kept)
