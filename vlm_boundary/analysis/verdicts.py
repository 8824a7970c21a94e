"""Verdicts as arrays, one row per sample, and where a stopping rule ended their problems."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Bools, Codes, Counts, Ids, Ints
from vlm_boundary.stopping import Standing, StoppingRule
from vlm_boundary.store import Partition, RunDirectory, by_place, encoded
from vlm_boundary.verifier import COMMITTED, SOURCES, STATUSES
from vlm_boundary.verifier.fitting import TextHashes, fitting, text_hashes

_CODED = ["problem_id", "status", "source", "normalised"]


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of one partition, one row per sample, sorted by problem and sample index.

    Attributes:
        problem_ids: the problems that have a sample, ascending.
        problem: place of the sample's problem in `problem_ids`, shape (samples,).
        index: the sample's index.
        right: the verdict is correct.
        undecided: the verdict is null.
        status: place in `verifier.STATUSES`.
        source: place in `verifier.SOURCES`.
        answer: place of the normalised answer in `answers`, -1 where there is none.
        answers: the distinct normalised answers.
        text: the hash of the text that it is on.
    """

    problem_ids: Ids
    problem: Codes
    index: Codes
    right: Bools
    undecided: Bools
    status: NDArray[np.int8]
    source: NDArray[np.int8]
    answer: Codes
    answers: tuple[str, ...]
    text: TextHashes

    def __len__(self) -> int:
        return len(self.problem)

    @cached_property
    def counts(self) -> Counts:
        """Samples, and those of each kind, by problem."""
        committed = np.array([source in COMMITTED for source in SOURCES])[self.source]
        return Counts(
            self.problem_ids,
            samples=self.count(np.ones(len(self), dtype=bool)),
            correct=self.count(self.right),
            undecided=self.count(self.undecided),
            strict=self.count(self.right & committed),
        )

    @cached_property
    def order(self) -> Ints:
        """Each sample's place among those of its problem, from 0 on, shape (samples,)."""
        starts = np.searchsorted(self.problem, np.arange(len(self.problem_ids)))
        return np.asarray(np.arange(len(self)) - starts[self.problem], dtype=np.int64)

    @cached_property
    def candidates(self) -> tuple[Codes, Ints]:
        """The answers of each problem: the right one, whatever its form, and each wrong one.

        Returns:
            Each sample's answer, -1 for none; and the place of each problem's first answer, the
            right one (which no sample may have), with the number of all at the end.
        """
        problems = len(self.problem_ids)
        width = len(self.answers) + 2
        # 0 stands for the right answer, so that it sorts first among its problem's.
        answer = np.where(self.right, 0, self.answer.astype(np.int64) + 1)
        given = self.right | (self.answer >= 0)
        base = self.problem.astype(np.int64) * width
        rights = np.arange(problems, dtype=np.int64) * width
        keys = np.concatenate([rights, (base + answer)[given]])
        distinct, place = np.unique(keys, return_inverse=True)
        candidate = np.full(len(self), -1, dtype=np.int32)
        candidate[given] = place[problems:]
        first = np.append(np.searchsorted(distinct, rights), len(distinct)).astype(np.int64)
        return candidate, first

    def count(self, which: Bools) -> Ints:
        """How many samples of each problem are marked, shape (problems,)."""
        counted = np.bincount(self.problem[which], minlength=len(self.problem_ids))
        return counted.astype(np.int64)

    def where(self, which: Bools) -> Verdicts:
        """Only the marked samples; problems without any are dropped."""
        kept = np.unique(self.problem[which])
        place = np.full(len(self.problem_ids), -1, dtype=np.int32)
        place[kept] = np.arange(len(kept), dtype=np.int32)
        ids = tuple(self.problem_ids[row] for row in kept)
        columns = ("index", "right", "undecided", "status", "source", "answer", "text")
        rows = {name: getattr(self, name)[which] for name in columns}
        return replace(self, problem_ids=ids, problem=place[self.problem[which]], **rows)

    def first(self, n: int) -> Verdicts:
        """Only samples 0 … n-1 of each problem."""
        within = self.index < n
        return self if within.all() else self.where(within)

    def rows_of(self, problem_ids: pa.ChunkedArray, indices: NDArray[np.integer]) -> Ints:
        """The row that belongs to each key, -1 where there is none."""
        if not len(problem_ids) or not len(self):
            return np.full(len(problem_ids), -1, dtype=np.int64)
        codes, ids = encoded(problem_ids)
        return self.rows_at(self.places(ids)[codes], indices)

    def places(self, problem_ids: Sequence[str]) -> Ints:
        """The place of each of these problems, -1 where it has no sample."""
        place = {problem_id: code for code, problem_id in enumerate(self.problem_ids)}
        return np.array([place.get(one, -1) for one in problem_ids], dtype=np.int64)

    def rows_at(self, problem: Ints, indices: NDArray[np.integer]) -> Ints:
        """The row of each place and index, -1 where there is none; there must be some of both."""
        width = int(max(self.index.max(), indices.max())) + 1
        known = self.problem.astype(np.int64) * width + self.index  # ascending
        wanted = problem.astype(np.int64) * width + indices
        rows = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        found: Ints = np.where((problem >= 0) & (known[rows] == wanted), rows, -1)
        return found

    def statuses(self) -> dict[str, int]:
        """How many samples have each status."""
        return _tally(self.status, STATUSES)

    def sources(self) -> dict[str, int]:
        """How many answers stood where."""
        return _tally(self.source, SOURCES)


@dataclass(frozen=True)
class ReadVerdicts:
    """A partition's verdicts that count, if any; how many rows do not, by reason (`fitting`)."""

    verdicts: Verdicts | None
    left_out: dict[str, int]


def read_verdicts(run: RunDirectory, partition: Partition) -> ReadVerdicts:
    """The verdicts on what the run holds."""
    columns = [*_CODED, "correct", "text_hash", "gold_hash"]
    table = run.verdicts.read(partition, columns, coded=[*_CODED, "gold_hash"])
    counted, left_out = fitting(run, partition, table)
    if not counted.all():
        table = table.filter(pa.array(counted))
    if table.num_rows == 0:
        return ReadVerdicts(None, left_out)
    problem, problem_ids = by_place(table["problem_id"])
    answer, answers = encoded(table["normalised"])
    correct = table["correct"]
    verdicts = Verdicts(
        problem_ids,
        problem,
        table["sample_index"].to_numpy(),
        pc.fill_null(correct, False).to_numpy(),
        pc.is_null(correct).to_numpy(),
        _places(table["status"], STATUSES, "undecided"),
        _places(table["source"], SOURCES, "none"),
        answer,
        tuple(answers),
        text_hashes(table["text_hash"]),
    )
    return ReadVerdicts(verdicts, left_out)


def _places(column: pa.ChunkedArray, names: tuple[str, ...], missing: str) -> NDArray[np.int8]:
    """The place of each row's value among these, or that of the name for where it is null."""
    codes, values = encoded(column)
    places = [names.index(value) for value in (*values, missing)]
    return np.array(places, dtype=np.int8)[codes]


def _tally(codes: NDArray[np.int8], names: tuple[str, ...]) -> dict[str, int]:
    counted = np.bincount(codes, minlength=len(names))
    return {name: int(count) for name, count in zip(names, counted, strict=True)}


@dataclass(frozen=True)
class Ended:
    """An arm's verdicts read by its rule, always made again from the verdicts themselves.

    A problem that has not come to its end yet would be missing from larger k for being hard. So all
    problems are read up to the deepest look that each of them has come to, as if the rule ended
    there. Only a problem of which a sample cannot be drawn is left out altogether.

    Attributes:
        verdicts: all that there are, sorted by problem and index.
        rule: the arm's.
        standings: how far each problem of `verdicts` has come.
        failed: problems that cannot come to their end, since a sample could not be drawn.
    """

    verdicts: Verdicts
    rule: StoppingRule
    standings: tuple[Standing, ...]
    failed: frozenset[str]

    @classmethod
    def of(cls, verdicts: Verdicts, rule: StoppingRule, failures: Collection[str]) -> Ended:
        """Apply a rule to verdicts; of `failures` a sample could not be drawn, needed or not."""
        starts = np.searchsorted(verdicts.problem, np.arange(len(verdicts.problem_ids) + 1))
        standings = tuple(
            rule.standing(verdicts.index[a:b].tolist(), verdicts.right[a:b].tolist())
            for a, b in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
        )
        failed = {
            problem_id
            for problem_id, one in zip(verdicts.problem_ids, standings, strict=True)
            if not one.complete and problem_id in failures
        }
        return cls(verdicts, rule, standings, frozenset(failed))

    @cached_property
    def _open(self) -> dict[str, Standing]:
        """How far those have come that have not come to their end, and can."""
        return {
            problem_id: one
            for problem_id, one in zip(self.verdicts.problem_ids, self.standings, strict=True)
            if not one.complete and problem_id not in self.failed
        }

    @property
    def unfinished(self) -> Ids:
        """Problems that have not come to their end, and can."""
        return tuple(self._open)

    @cached_property
    def n(self) -> int:
        """The look up to which everything is read: the rule's n, where all problems have ended."""
        reached = [self.rule.before(one.look) for one in self._open.values()]
        # Before the first look no problem ends, and what there is can be read as it is.
        return max(min(reached), self.rule.first) if reached else self.rule.n

    @property
    def read_by(self) -> StoppingRule | None:
        """The rule up to `n`; None where that is the first look, before which nothing stops."""
        return None if self.n == self.rule.first else self.rule.up_to(self.n)

    @cached_property
    def looks(self) -> Ints:
        """How many samples of each problem are read; 0 of those that are left out."""
        if self.read_by is None:
            return np.full(len(self.standings), self.n, dtype=np.int64)
        come = [one.look if one.complete else self.rule.before(one.look) for one in self.standings]
        short = np.array([not one.complete for one in self.standings]) & (np.array(come) < self.n)
        return np.where(short, 0, np.minimum(come, self.n)).astype(np.int64)

    @cached_property
    def read(self) -> Verdicts:
        """The verdicts that estimates stand on: each problem's up to the look at which it ended."""
        within = self.verdicts.index < self.looks[self.verdicts.problem]
        return self.verdicts if within.all() else self.verdicts.where(within)

    @property
    def counts(self) -> Counts:
        """The counts of what is read."""
        return replace(self.read.counts, rule=self.read_by)

    @property
    def beyond(self) -> int:
        """Samples below n that stand behind the look at which their problem ended."""
        return int((self.verdicts.index < self.rule.n).sum()) - len(self.read)
