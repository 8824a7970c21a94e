"""Which right answers have valid reasoning, read in several ways, each from the layers it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Bools, Ints
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.verdicts import Verdicts
from vlm_boundary.reasoning.judge.probe import ORIGINAL
from vlm_boundary.reasoning.judge.stage import layer_name
from vlm_boundary.reasoning.selection import lottery
from vlm_boundary.store import Partition
from vlm_boundary.verifier.fitting import text_hashes

DETERMINISTIC = ("structure", "arithmetic")
"""Layers whose veto makes a chain invalid under every reading."""
EXACT = "procedural"
"""The layer that knows the truth, on generated problems."""
BANDS = ("any", "majority", "all")

_ABSENT, _UNKNOWN, _INVALID, _VALID = -2, -1, 0, 1
States = NDArray[np.int8]


@dataclass(frozen=True)
class ValidCounts:
    """What one reading makes of right answers, one row per problem that has samples.

    Attributes:
        judged: right answers that were looked at: a uniform subset of all.
        valid: of those, the valid ones.
        unknown: of those, the ones nobody could tell: not valid, or valid in upper bounds.
    """

    judged: Ints
    valid: Ints
    unknown: Ints


@dataclass(frozen=True)
class ValidReading:
    """One way of saying which right answers are valid, one row per verdict; see `ValidCounts`.

    `name` is `structural`, `exact`, or NAME.any, .majority and .all of the judge NAME.
    """

    name: str
    judged: Bools
    valid: Bools
    unknown: Bools

    def counts(self, verdicts: Verdicts, below: int | None = None) -> ValidCounts:
        """Added up by problem, over the samples with an index below this one if it is given."""
        judged = self.judged if below is None else self.judged & (verdicts.index < below)
        columns = (judged, judged & self.valid, judged & self.unknown)
        return ValidCounts(*map(verdicts.count, columns))


def readings(data: BenchmarkData, arm: str) -> Iterator[ValidReading]:
    """Every reading that the stored layers allow."""
    verdicts = data.verdicts[arm]
    there = set(data.run.validity_layers())
    vetoed = np.zeros(len(verdicts), dtype=bool)
    looked_at = verdicts.right.copy()
    checks = [layer for layer in DETERMINISTIC if layer in there]
    for layer in checks:
        states = _states(data, arm, layer)
        looked_at &= states != _ABSENT
        vetoed |= states == _INVALID
    if checks and looked_at.any():
        yield ValidReading("structural", looked_at, ~vetoed, np.zeros_like(vetoed))
    if EXACT in there:
        states = _states(data, arm, EXACT)
        judged = verdicts.right & (states != _ABSENT)
        if judged.any():
            yield ValidReading("exact", judged, states == _VALID, states == _UNKNOWN)
    for judge in judges(data):
        votes = _Votes.read(data, arm, judge)
        if votes is not None and votes.read_at_all.any():
            for band in BANDS:
                valid = votes.valid(band) & ~vetoed
                unknown = votes.abstained & ~vetoed
                yield ValidReading(f"{judge}.{band}", votes.read_at_all, valid, unknown)


def judges(data: BenchmarkData) -> list[str]:
    """The judges that have a layer, sorted."""
    prefix = layer_name("")
    return [
        layer.removeprefix(prefix)
        for layer in data.run.validity_layers()
        if layer.startswith(prefix)
    ]


@dataclass(frozen=True)
class _Votes:
    """A judge's votes, one row per verdict: how many for and against, and of how many."""

    read_at_all: Bools
    """Judged, and of those that make a uniform subset of the problem's right answers."""
    yes: Ints
    no: Ints
    given: Ints

    @classmethod
    def read(cls, data: BenchmarkData, arm: str, judge: str) -> _Votes | None:
        verdicts, partition = data.verdicts[arm], Partition(arm, data.benchmark)
        columns = ["problem_id", "sample_index", "votes", "text_hash"]
        table = data.run.validity(layer_name(judge)).read(partition, columns, coded=["problem_id"])
        if table.num_rows == 0:
            return None
        rows = of_the_same_text(verdicts, table)
        votes, known = table["votes"].combine_chunks(), rows >= 0
        owner, flat = pc.list_parent_indices(votes).to_numpy(), votes.flatten()

        def counted(which: Bools) -> Ints:
            column = np.zeros(len(verdicts), dtype=np.int64)
            column[rows[known]] = np.bincount(owner[which], minlength=table.num_rows)[known]
            return column

        yes, no = (
            pc.fill_null(pc.equal(flat, value), False).to_numpy(False) for value in (True, False)
        )
        judged = _could_not_be_read(data, judge, partition)
        judged[rows[known]] = True
        columns_of = map(counted, (yes, no, np.ones(len(owner), dtype=bool)))
        return cls(_uniform(data, arm, judged & verdicts.right), *columns_of)

    @property
    def abstained(self) -> Bools:
        """No vote says anything."""
        return np.asarray((self.yes + self.no) == 0)

    def valid(self, band: str) -> Bools:
        """As `reasoning.judge.verdict.bands` reads votes, for all chains at once."""
        if band == "any":
            return np.asarray(self.yes > 0)
        if band == "majority":
            return np.asarray(self.yes > self.no)
        return np.asarray((self.yes > 0) & (self.yes == self.given))


def _could_not_be_read(data: BenchmarkData, judge: str, partition: Partition) -> Bools:
    """Chains that failed at the judge; leaving them out would favour those that do not fail."""
    verdicts = data.verdicts[partition.arm]
    marked = np.zeros(len(verdicts), dtype=bool)
    failures = [
        (row["problem_id"], row["sample_index"])
        for row in data.run.judge_failures(judge, ORIGINAL).read(partition)
        if row["sample_index"] is not None
    ]
    if failures:
        problem_ids = pa.chunked_array([[problem_id for problem_id, _ in failures]])
        rows = verdicts.rows_of(problem_ids, np.array([index for _, index in failures]))
        marked[rows[rows >= 0]] = True
    return marked


def _uniform(data: BenchmarkData, arm: str, judged: Bools) -> Bools:
    """Of the judged right answers those that come first in the order in which they are taken.

    What lies before the first gap, as of a judge that was stopped, is a uniform subset.
    """
    verdicts = data.verdicts[arm]
    kept = judged.copy()
    partly = verdicts.count(judged) < verdicts.count(verdicts.right)
    folder = Partition(arm, data.benchmark).folder
    starts = np.searchsorted(verdicts.problem, np.arange(len(verdicts.problem_ids) + 1))
    for problem in np.flatnonzero(partly & (verdicts.count(judged) > 0)):
        rows = np.arange(starts[problem], starts[problem + 1])
        rows = rows[verdicts.right[rows]]
        key = f"{data.experiment.seed}\0{folder}\0{verdicts.problem_ids[problem]}"
        order = rows[lottery(key, verdicts.index[rows].tolist())]
        gap = int(np.argmin(judged[order]))  # there is one: not all were judged
        kept[order[gap:]] = False
    return kept


def _states(data: BenchmarkData, arm: str, layer: str) -> States:
    verdicts = data.verdicts[arm]
    columns = ["problem_id", "sample_index", "valid", "text_hash"]
    partition = Partition(arm, data.benchmark)
    table = data.run.validity(layer).read(partition, columns, coded=["problem_id"])
    states = np.full(len(verdicts), _ABSENT, dtype=np.int8)
    rows = of_the_same_text(verdicts, table)
    said = pc.fill_null(pc.cast(table["valid"], pa.int8()), _UNKNOWN).to_numpy()
    known = rows >= 0
    states[rows[known]] = said[known]
    return states


def of_the_same_text(verdicts: Verdicts, rows: pa.Table) -> Ints:
    """The verdict that each row of a layer belongs to, -1 where it is on another text, or none."""
    found = verdicts.rows_of(rows["problem_id"], rows["sample_index"].to_numpy())
    if len(verdicts):
        found[verdicts.text[found] != text_hashes(rows["text_hash"])] = -1
    return found
