"""Rows that are derived from samples, brought up to date a share at a time, by any processes.

A share is some problems of a partition. Whoever works on it writes a piece: the rows of those of
its problems that are out of date. Pieces are then stitched into the table, in order of their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vlm_boundary.errors import PlaceError
from vlm_boundary.store.parts import KEY, Partition, PartTable, open_writer, whole_problems
from vlm_boundary.store.problems import ProblemReader, places_of, row_keys
from vlm_boundary.store.run import RunDirectory
from vlm_boundary.writing import place_errors

CHUNK_ROWS = 4096
"""Samples in memory at a time, or one problem's if they are more."""
_PIECE = ".piece-"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Share:
    """Problems of a partition whose derived rows one process brings up to date.

    `problem_ids` ascend; `samples` is how many they have together. With `force` every row is made
    again.
    """

    run: Path
    partition: Partition
    problem_ids: tuple[str, ...]
    samples: int
    force: bool


class ShareMap(Protocol):
    """How shares are worked on elsewhere: like `map`, results in the order of the shares."""

    def __call__(  # noqa: D102
        self, work: Callable[[Share], Result], shares: Sequence[Share]
    ) -> Iterable[Result]: ...


@dataclass(frozen=True)
class Piece:
    """What working on a share gave: rows that take the place of all that these problems have.

    `path` is a Parquet file beside the table's parts, None where no row is left.
    """

    problem_ids: tuple[str, ...]
    path: Path | None


def shares_of(run: RunDirectory, *, samples: int | None, force: bool) -> list[Share]:
    """The problems of every partition in shares of about so many samples; None: all in one."""
    shares = []
    for partition in run.samples.partitions():
        counts = ProblemReader.of(run.samples, partition).counts
        size = 0
        group: list[str] = []
        for problem_id, count in counts.items():
            if group and samples is not None and size + count > samples:
                shares.append(Share(run.path, partition, tuple(group), size, force))
                group, size = [], 0
            group.append(problem_id)
            size += count
        shares.append(Share(run.path, partition, tuple(group), size, force))
    return shares


class Reconciled:
    """What is stored of some problems against what should be stored.

    A row is up to date if all that `expected` says of it is stored under its key. A problem is, if
    its rows are and it has no others.

    Args:
        problem_ids: ascending; every row is of one of them.
        expected: the key and what a row that is up to date says, sorted by key.
        stored: sorted by key, no key twice; it has the columns of `expected` and may have more.

    Attributes:
        missing: the rows of `expected` that have to be made, shape (missing,).
        problem_ids: the problems that are out of date, ascending.
    """

    def __init__(self, problem_ids: Sequence[str], expected: pa.Table, stored: pa.Table) -> None:
        ids = pa.array(problem_ids, pa.string())
        keys, known = row_keys(expected, ids), row_keys(stored, ids)
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with place_errors(self._path):
                self._open.close()
        except PlaceError:
            self._path.unlink(missing_ok=True)
            raise
        if error is not None:
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
    def piece(self) -> Piece:
        """What was written."""
        return Piece(tuple(self._problem_ids), self._path if self._writer else None)


def stitch(
    table: PartTable, partition: Partition, shares: Sequence[Share], pieces: Sequence[Piece]
) -> None:
    """Make the rows of the shares' problems, from pieces where they have some, a partition's only.

    Where nothing has changed nothing is written.

    Args:
        shares: all of the partition, in order.
        pieces: what came of them, in any order.
    """
    parts = table.parts(partition)
    stored = ProblemReader(parts, table.schema)
    sources: dict[str, ProblemReader] = {}
    for piece in pieces:
        reader = ProblemReader([piece.path] if piece.path else [], table.schema)
        sources |= dict.fromkeys(piece.problem_ids, reader)
    problem_ids = [problem_id for share in shares for problem_id in share.problem_ids]
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


@contextmanager
def deriving(run: RunDirectory, name: str, tables: Sequence[PartTable]) -> Iterator[None]:
    """Be the only process that derives these tables; pieces that were not used are removed."""
    with run.locks.deriving(name):
        _remove_pieces(tables)  # of a process that was killed
        try:
            yield
        finally:
            _remove_pieces(tables)


def _remove_pieces(tables: Sequence[PartTable]) -> None:
    for table in tables:
        for path in table.root.glob(f"arm=*/benchmark=*/condition=*/{_PIECE}*.tmp"):
            path.unlink(missing_ok=True)
