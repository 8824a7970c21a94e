"""The one runner of tables that are derived from samples, or from what a judge said of them.

A stage says its columns and its function; the runner finds the rows that are out of date, some
problems at a time in the order of their keys, has them made, here or elsewhere, and stores whole
tables. Share by share: whoever works on one writes pieces, which are then stitched in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vlm_boundary.counted import counted
from vlm_boundary.interrupts import look
from vlm_boundary.progress import notice, progress_bar
from vlm_boundary.store.layout import set_aside
from vlm_boundary.store.owner import DamagedPart
from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.pieces import DerivedPiece, PieceWriter, Reconciled, remove_pieces, stitch
from vlm_boundary.store.problems import CHUNK_ROWS, ProblemReader
from vlm_boundary.store.run import RunDirectory

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
class Wanted:
    """What a table should hold of some problems.

    Attributes:
        expected: the key and what a row that is up to date says, sorted by key.
        make: of the rows of `expected` at some places, in order: records that have the table's
            other columns as attributes.
    """

    expected: pa.Table
    make: Callable[[NDArray[np.int64]], Sequence[object]]


Deriver: TypeAlias = Callable[[tuple[str, ...], pa.Table], Sequence[Wanted]]
"""Given problems and their source's rows: what each derived table should hold of them."""


class TableDerivation(Protocol):
    """What a stage says of the tables that it derives.

    Attributes:
        name: of what only one process at a time does to a run.
        doing: what is done, to whom: a progress bar says it before an arm's name.
        columns: of the source, that the function is given.
    """

    name: str
    doing: str
    columns: Sequence[str]

    def source(self, run: RunDirectory) -> PartTable:
        """The table whose rows these follow from."""
        ...

    def tables(self, run: RunDirectory, partition: Partition) -> Sequence[PartTable]:
        """The derived tables."""
        ...

    def deriver(self, run: RunDirectory, partition: Partition) -> Deriver:
        """The function for a partition's problems; what it gives is in the order of `tables`."""
        ...


@dataclass(frozen=True)
class Derived:
    """What was done to a share: a piece for each table.

    Attributes:
        pieces: in the order of the derivation's tables.
        made: samples of which a row was made.
        left_out: samples of which no row is to be had yet.
    """

    pieces: tuple[DerivedPiece, ...]
    made: int
    left_out: int


def derive(
    run: RunDirectory,
    derivation: TableDerivation,
    *,
    force: bool = False,
    elsewhere: Callable[[Sequence[Share]], Iterable[Derived]] | None = None,
    share_samples: int | None = None,
    each_share: bool = False,
) -> tuple[int, int]:
    """Bring derived tables up to date: the samples of which a row was made, and of which none is.

    Each partition's rows become one file, sorted by key: the same source gives the same bytes,
    however it is shared out. Nothing is written where nothing changed. Only one process at a time
    does this to a run; others wait.

    Args:
        run: nobody else may write into the source meanwhile.
        force: make every row again.
        elsewhere: has `derive_share` called for each share, and gives the results in order; by
            default all is done here.
        share_samples: about how many samples a share has; by default a partition is one share.
        each_share: store every share's rows at once, so that an end costs little, rather than
            those of a partition together, which writes its file once.
    """
    source = derivation.source(run)
    made = left_out = 0
    with _alone(run, derivation):
        for partition in source.partitions():
            for damaged in source.unfit(partition):  # its rows are read anyway
                raise damaged
        shares = _shares(run, source, share_samples, force)
        results = elsewhere(shares) if elsewhere else _here(derivation, shares)
        problem_ids: dict[Partition, list[str]] = {}
        for share in shares:
            problem_ids.setdefault(share.partition, []).extend(share.problem_ids)
        pairs = zip(shares, results, strict=True)
        together = groupby(pairs, lambda pair: pair[0].partition)
        for done in ([pair] for pair in pairs) if each_share else (list(g) for _, g in together):
            partition = done[0][0].partition
            of_table = zip(*(derived.pieces for _, derived in done), strict=True)
            for table, pieces in zip(derivation.tables(run, partition), of_table, strict=True):
                stitch(table, partition, problem_ids[partition], pieces)
            made += sum(derived.made for _, derived in done)
            left_out += sum(derived.left_out for _, derived in done)
    return made, left_out


def derive_share(
    derivation: TableDerivation,
    share: Share,
    progress: Callable[[int], object] = lambda samples: None,
) -> Derived:
    """Make the rows of a share that are out of date, and leave them beside the tables' parts.

    A stored part of these tables that turns out to be damaged is set aside, and its rows are made
    again.
    """
    run = RunDirectory(share.run)
    while True:
        try:
            return _derive_share(run, derivation, share, progress)
        except DamagedPart as damaged:
            tables = derivation.tables(run, share.partition)
            if not any(damaged.path.is_relative_to(table.root) for table in tables):
                raise
            _set_aside(run, damaged)


def _derive_share(
    run: RunDirectory,
    derivation: TableDerivation,
    share: Share,
    progress: Callable[[int], object],
) -> Derived:
    partition = share.partition
    tables = derivation.tables(run, partition)
    source = ProblemReader.of(derivation.source(run), partition)
    stored = [ProblemReader([] if share.force else t.parts(partition), t.schema) for t in tables]
    deriver = derivation.deriver(run, partition)
    made = left_out = 0
    with ExitStack() as stack:
        writers = [stack.enter_context(PieceWriter(table, partition)) for table in tables]
        for chunk in source.chunks(CHUNK_ROWS, share.problem_ids):
            look()
            rows = source.read(chunk, derivation.columns)
            anew, known = [], []
            for table, reader, writer, wanted in zip(
                tables, stored, writers, deriver(chunk, rows), strict=True
            ):
                there = Reconciled(chunk, wanted.expected, reader.read(chunk))
                if there.problem_ids:
                    expected = wanted.expected.take(pa.array(there.missing))
                    filled = derived_rows(expected, wanted.make(there.missing), table.schema)
                    writer.add(there.problem_ids, there.rows(filled))
                anew.append(there.keys[there.missing])
                known.append(there.keys)
            made += len(np.unique(np.concatenate(anew)))
            left_out += rows.num_rows - len(np.unique(np.concatenate(known)))
            progress(rows.num_rows)
    return Derived(tuple(writer.piece for writer in writers), made, left_out)


def _here(derivation: TableDerivation, shares: Iterable[Share]) -> Iterator[Derived]:
    for partition, group in groupby(shares, lambda share: share.partition):
        theirs = list(group)
        name = f"{derivation.doing} {partition.arm} on {partition.benchmark}"
        with progress_bar(name, total=sum(s.samples for s in theirs), unit="sample") as bar:
            for share in theirs:
                yield derive_share(derivation, share, bar.update)


def derived_rows(expected: pa.Table, records: Sequence[object], schema: pa.Schema) -> pa.Table:
    """Rows of a table: what was expected of them, and what their records say besides."""
    columns = [
        expected[field.name]
        if field.name in expected.column_names
        else pa.array(list(map(attrgetter(field.name), records)), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _shares(run: RunDirectory, source: PartTable, samples: int | None, force: bool) -> list[Share]:
    """The problems of every partition in shares of about so many samples; None: all in one.

    Samples of problems that the run does not have are counted, and left alone.
    """
    shares = []
    partitions = source.partitions()
    names = {partition.benchmark for partition in partitions}
    known = {name: frozenset(run.problem_ids(name)) for name in names}
    for partition in partitions:
        rows = ProblemReader.of(source, partition)
        ids = known[partition.benchmark]
        if strange := [key for key in rows.counts if key not in ids]:
            samples_of = counted(sum(rows.counts[key] for key in strange), "sample")
            notice(
                f"{run.path}: left out: {samples_of} of {partition.arm} for problems that "
                f"{partition.benchmark!r} does not have ({strange[0]} …)"
            )
        groups = rows.chunks(samples or sys.maxsize, [key for key in rows.counts if key in ids])
        # Without any problem there is a share, too: what is stored of others has to go.
        for group in list(groups) or [()]:
            size = sum(rows.counts[problem_id] for problem_id in group)
            shares.append(Share(run.path, partition, group, size, force))
    return shares


def _set_aside(run: RunDirectory, damaged: DamagedPart) -> None:
    kept = set_aside(run.path, damaged.path)
    notice(f"{damaged.path}: damaged ({damaged.why}); set aside as {kept} and made again")


@contextmanager
def _alone(run: RunDirectory, derivation: TableDerivation) -> Iterator[None]:
    """Be the only process that derives these tables; pieces that were not used are removed."""

    def tidy() -> None:
        for partition in derivation.source(run).partitions():
            for table in derivation.tables(run, partition):
                remove_pieces(table, partition)
                for damaged in table.unfit(partition):
                    _set_aside(run, damaged)

    with run.locks.deriving(derivation.name):
        tidy()  # after a process that was killed
        try:
            yield
        finally:
            tidy()
