"""What is missing from a run: the samples its settings ask for and its tables do not hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.fleet.work import lacking
from vlm_boundary.records.problem import Problem
from vlm_boundary.store import Partition, RunDirectory, Shard, sample_indices

Indices = NDArray[np.int32]


@dataclass(frozen=True)
class Span:
    """Consecutive sample indices of one problem that are still to be drawn."""

    problem: Problem
    indices: range


@dataclass(frozen=True)
class Task:
    """Everything still to be drawn for one partition, of `asked` samples in all."""

    partition: Partition
    spans: list[Span]
    asked: int = 0

    @property
    def samples(self) -> int:
        """How many samples that is."""
        return sum(len(span.indices) for span in self.spans)

    def left(self, run: RunDirectory) -> Task:
        """What of it the run does not hold by now."""
        if not self.spans:
            return self
        present = sample_indices(run.samples, self.partition)
        spans = [part for span in self.spans for part in _lacking(span, present)]
        return replace(self, spans=spans)

    def spans_by_problem(self) -> dict[str, tuple[range, ...]]:
        """The indices alone, as units of work have them."""
        found: dict[str, tuple[range, ...]] = {}
        for span in self.spans:
            key = span.problem.problem_id
            found[key] = (*found.get(key, ()), span.indices)
        return found


@dataclass(frozen=True)
class TopUp:
    """Problems of one arm and benchmark to bring to more samples than the experiment's n."""

    arm: str
    benchmark: str
    n: int
    problem_ids: frozenset[str]


ALL = Shard()


@dataclass(frozen=True)
class Scope:
    """The problems that one command is about: of the first `limit`, one shard.

    With `top_ups`, those are drawn in place of what the experiment asks for.
    """

    limit: int | None = None
    shard: Shard = ALL
    top_ups: tuple[TopUp, ...] = ()

    def of(self, problems: list[Problem]) -> list[Problem]:
        """The problems in scope that can be put to a model, in the data set's order."""
        usable = [problem for problem in problems if problem.error is None]
        # By place: every process sees the same list, and shares differ by one problem at most.
        return usable[: self.limit][self.shard.index :: self.shard.count]


def plan_task(run: RunDirectory, partition: Partition, n: int, problems: list[Problem]) -> Task:
    """What a partition lacks of n samples for each of these problems."""
    present = sample_indices(run.samples, partition)
    return Task(partition, missing_spans(problems, n, present), n * len(problems))


def missing_spans(problems: list[Problem], n: int, present: Mapping[str, Indices]) -> list[Span]:
    """Spans that bring each problem to samples 0 … n-1, in the problems' order."""
    return [part for problem in problems for part in _lacking(Span(problem, range(n)), present)]


def _lacking(span: Span, present: Mapping[str, Indices]) -> Iterator[Span]:
    """The parts of a span that are not among the indices held of each problem."""
    held = present.get(span.problem.problem_id, np.zeros(0, dtype=np.int32))
    return (Span(span.problem, part) for part in lacking(span.indices, held))
