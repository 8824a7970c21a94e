"""Derived rows of some problems: which are stale, written apart, stitched into their table."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vlm_boundary.errors import PlaceError
from vlm_boundary.store.keys import KEY, places_of, row_keys
from vlm_boundary.store.parts import Partition, PartTable, open_writer, whole_problems
from vlm_boundary.store.problems import CHUNK_ROWS, ProblemReader
from vlm_boundary.writing import place_errors

_PIECE = ".piece-"


@dataclass(frozen=True)
class DerivedPiece:
    """Rows made of some problems; they take the place of all that these problems have.

    `path` is a Parquet file beside the table's parts, None where no row is left.
    """

    problem_ids: tuple[str, ...]
    path: Path | None


class Reconciled:
    """What is stored of some problems against what should be stored.

    A row is up to date if all that `expected` says of it is stored under its key. A problem is, if
    its rows are and it has no others.

    Args:
        problem_ids: ascending; every row is of one of them.
        expected: the key and what a row that is up to date says, sorted by key.
        stored: sorted by key, no key twice; it has the columns of `expected` and may have more.

    Attributes:
        keys: of the rows of `expected`, as numbers, shape (expected,).
        missing: the rows of `expected` that have to be made, shape (missing,).
        problem_ids: the problems that are out of date, ascending.
    """

    def __init__(self, problem_ids: Sequence[str], expected: pa.Table, stored: pa.Table) -> None:
        ids = pa.array(problem_ids, pa.string())
        self.keys = keys = row_keys(expected, ids)
        known = row_keys(stored, ids)
        self._places = places_of(problem_ids, expected, stored)
        there = pc.is_valid(self._places).to_numpy(zero_copy_only=False)
        for name in expected.column_names:
            if name not in KEY:
                same = pc.equal(stored[name].take(self._places), expected[name])
                there &= pc.fill_null(same, False).to_numpy()
        self.missing: NDArray[np.int64] = np.flatnonzero(~there)
        wanted = np.bincount(keys >> 32, minlength=len(ids))
        current = np.bincount(keys[there] >> 32, minlength=len(ids))
        changed = (current < wanted) | (np.bincount(known >> 32, minlength=len(ids)) != wanted)
        self.problem_ids = tuple(problem_ids[place] for place in np.flatnonzero(changed))
        self._kept = np.flatnonzero(there & changed[keys >> 32])
        self._stored = stored

    def rows(self, made: pa.Table) -> pa.Table:
        """Every row of the problems that were out of date, given the missing ones in order."""
        kept = self._stored.take(self._places.take(pa.array(self._kept)))
        order = np.argsort(np.concatenate([self._kept, self.missing]))
        return pa.concat_tables([kept, made]).combine_chunks().take(pa.array(order))


class PieceWriter:
    """Writes the piece of a share; after an error or Ctrl-C nothing of it is left.

    Use it as a context manager; `piece` is complete when that is over.
    """

    def __init__(self, table: PartTable, partition: Partition) -> None:
        self._schema = table.schema
        self._path = table.root / partition.folder / f"{_PIECE}{uuid4().hex}.tmp"
        self._problem_ids: list[str] = []
        self._open = ExitStack()
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> PieceWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            with place_errors(self._path):
                self._open.close()
        except PlaceError:
            self._path.unlink(missing_ok=True)
            raise
        if kind is not None:
            with suppress(OSError):  # there is none, or there is no place for one
                self._path.unlink()

    def add(self, problem_ids: Sequence[str], rows: pa.Table) -> None:
        """Rows in place of all that these problems have, which come after those added before."""
        self._problem_ids += problem_ids
        if rows.num_rows == 0:
            return
        with place_errors(self._path):
            if self._writer is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                file = self._open.enter_context(self._path.open("wb"))
                self._writer = self._open.enter_context(open_writer(file, self._schema))
            self._writer.write_table(rows.cast(self._schema))

    @property
    def piece(self) -> DerivedPiece:
        """What was written."""
        return DerivedPiece(tuple(self._problem_ids), self._path if self._writer else None)


def stitch(
    table: PartTable,
    partition: Partition,
    problem_ids: Sequence[str],
    pieces: Sequence[DerivedPiece],
) -> None:
    """Make these problems' rows, from pieces where they have some, the partition's only.

    Where nothing has changed nothing is written.

    Args:
        problem_ids: ascending.
        pieces: in any order.
    """
    parts = table.parts(partition)
    stored = ProblemReader(parts, table.schema)
    sources: dict[str, ProblemReader] = {}
    for piece in pieces:
        reader = ProblemReader([piece.path] if piece.path else [], table.schema)
        sources |= dict.fromkeys(piece.problem_ids, reader)
    if sources or len(parts) > 1 or not stored.counts.keys() <= set(problem_ids):
        rows = (
            source.read(chunk)
            for source, group in groupby(problem_ids, lambda key: sources.get(key, stored))
            for chunk in source.chunks(CHUNK_ROWS, group)
        )
        table.rewrite(partition, whole_problems(rows))
    for piece in pieces:
        if piece.path:
            piece.path.unlink()


def remove_pieces(table: PartTable, partition: Partition) -> None:
    """Remove what was written apart and is stitched into nothing."""
    for path in (table.root / partition.folder).glob(f"{_PIECE}*.tmp"):
        path.unlink(missing_ok=True)
