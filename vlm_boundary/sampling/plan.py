"""What is missing from a run: the samples its settings ask for and its tables do not hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.config import Condition
from vlm_boundary.fleet.work import lacking
from vlm_boundary.records.problem import Problem
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Failed, Partition, RunDirectory, Shard, sample_indices
from vlm_boundary.verifier.beside import Right, verdicts_below

Indices = NDArray[np.int32]


@dataclass(frozen=True)
class Span:
    """Consecutive sample indices of one problem that are still to be drawn."""

    problem: Problem
    indices: range


@dataclass(frozen=True)
class Task:
    """What is still to be drawn for one partition.

    Attributes:
        spans: up to n, also of problems that a rule may end earlier.
        asked: how many samples these problems are to have, those that are stored included, as far
            as that is known; see `samples`.
        held: how many they have.
        rule: under which problems end.
        looks: how many samples each problem of `spans` has at its next look.
    """

    partition: Partition
    spans: list[Span]
    asked: int = 0
    held: int = 0
    rule: StoppingRule | None = None
    looks: Mapping[str, int] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """How many samples will be drawn for sure: under a rule those of each next look."""
        return sum(map(len, self._certain()))

    def missing(self) -> dict[str, set[int]]:
        """The indices of those samples, by problem."""
        found: dict[str, set[int]] = {}
        for span, indices in zip(self.spans, self._certain(), strict=True):
            found.setdefault(span.problem.problem_id, set()).update(indices)
        return found

    def _certain(self) -> list[range]:
        if self.rule is None:
            return [span.indices for span in self.spans]
        looks = (self.looks[span.problem.problem_id] for span in self.spans)
        return [
            range(min(span.indices.start, look), min(span.indices.stop, look))
            for span, look in zip(self.spans, looks, strict=True)
        ]

    def left(self, run: RunDirectory) -> Task:
        """What of it the run does not hold by now."""
        if not self.spans:
            return self
        present = sample_indices(run.samples, self.partition)
        spans = [part for span in self.spans for part in _lacking(span, present)]
        drawn = sum(len(span.indices) for span in self.spans) - sum(len(s.indices) for s in spans)
        return replace(self, spans=spans, held=self.held + drawn).ended(run)

    def ended(self, run: RunDirectory) -> Task:
        """Without the problems that have ended by the rule, if there is one."""
        if self.rule is None:
            return self
        ids = {span.problem.problem_id for span in self.spans}
        limit = self.rule.decided_below
        right = verdicts_below(run, self.partition, ids, limit) if self.held else {}
        looks = due_looks(right, ids, self.rule)
        spans = [span for span in self.spans if span.problem.problem_id in looks]
        task = replace(self, spans=spans, looks=looks)
        return replace(task, asked=self.held + task.samples)

    def spans_by_problem(self) -> dict[str, tuple[range, ...]]:
        """The indices alone, as units of work have them."""
        found: dict[str, tuple[range, ...]] = {}
        for span in self.spans:
            key = span.problem.problem_id
            found[key] = (*found.get(key, ()), span.indices)
        return found

    def without(self, refused: Collection[Failed]) -> Task:
        """The same except these."""
        of_problem: dict[str, list[int]] = {}
        for problem_id, index in refused:
            if index is not None:
                of_problem.setdefault(problem_id, []).append(index)
        spans = [
            Span(span.problem, indices)
            for span in self.spans
            if (span.problem.problem_id, None) not in refused
            for indices in lacking(
                span.indices,
                np.array(sorted(of_problem.get(span.problem.problem_id, ())), dtype=np.int32),
            )
        ]
        return replace(self, spans=spans)


@dataclass(frozen=True)
class TopUp:
    """Problems of one arm and benchmark to bring to more samples than the experiment's n."""

    arm: str
    benchmark: str
    n: int
    problem_ids: frozenset[str]
    start: int = 0
    """The first sample of interest, where a stopping rule did not ask for those before it."""


ALL = Shard()


@dataclass(frozen=True)
class Scope:
    """What one command is about: of the first `limit` problems one shard.

    None of `conditions` stands for all. With `top_ups`, those are drawn in place of what the
    experiment asks for.
    """

    limit: int | None = None
    shard: Shard = ALL
    top_ups: tuple[TopUp, ...] = ()
    conditions: frozenset[Condition] | None = None

    def of(
        self, problems: Sequence[Problem], shown: Sequence[Problem] | None = None
    ) -> list[Problem]:
        """The problems in scope that can be put to a model, in the data set's order.

        Args:
            problems: all of a benchmark, among which the first ones and shares are counted.
            shown: the same as a condition shows them; by default as they are.
        """
        cut = self.cut(problems, problems if shown is None else shown)
        return [problem for problem in cut if problem.error is None]

    def cut(self, problems: Sequence[Problem], shown: Sequence[Problem]) -> list[Problem]:
        """The same, with those that only the condition cannot show, which carry an error."""
        both = zip(problems, shown, strict=True)
        usable = [after for before, after in both if before.error is None]
        # By place among what `full` can show: every condition is of the same problems, every
        # process sees the same list, and shares differ by one problem at most.
        return usable[: self.limit][self.shard.index :: self.shard.count]


def plan_task(
    run: RunDirectory,
    partition: Partition,
    n: int,
    problems: list[Problem],
    rule: StoppingRule | None = None,
    start: int = 0,
) -> Task:
    """What a partition lacks of n samples for each of these problems, or of what a rule asks for.

    Under a rule, samples that have no verdict yet are graded first.

    Args:
        start: samples before this one are not asked for.
    """
    present = sample_indices(run.samples, partition)
    wanted = (Span(problem, range(start, n)) for problem in problems)
    spans = [part for span in wanted for part in _lacking(span, present)]
    asked = (n - start) * len(problems)
    held = asked - sum(len(span.indices) for span in spans)
    return Task(partition, spans, asked, held, rule).ended(run)


def due_looks(right: Right, problem_ids: Collection[str], rule: StoppingRule) -> dict[str, int]:
    """How many samples each problem has at its next look; those that have ended are left out."""
    looks = {}
    for problem_id in problem_ids:
        standing = rule.standing_of(right.get(problem_id, {}))
        if not standing.complete:
            looks[problem_id] = standing.look
    return looks


def missing_spans(problems: list[Problem], n: int, present: Mapping[str, Indices]) -> list[Span]:
    """Spans that bring each problem to samples 0 … n-1, in the problems' order."""
    return [part for problem in problems for part in _lacking(Span(problem, range(n)), present)]


def _lacking(span: Span, present: Mapping[str, Indices]) -> Iterator[Span]:
    """The parts of a span that are not among the indices held of each problem."""
    held = present.get(span.problem.problem_id, np.zeros(0, dtype=np.int32))
    return (Span(span.problem, part) for part in lacking(span.indices, held))
