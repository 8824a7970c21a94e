"""Verdicts as arrays: one row per sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Bools, Codes, Counts, Ints
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

    problem_ids: tuple[str, ...]
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
    """A partition's verdicts that count; None where there are none.

    `left_out` is how many of its rows do not count, by reason; see `fitting`.
    """

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
