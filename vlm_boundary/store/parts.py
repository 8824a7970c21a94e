"""Hive-partitioned Parquet written as whole parts: readers and crashes never see half of one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vlm_boundary.config import FULL, Condition
from vlm_boundary.store.keys import KEY, WRITTEN, each_once
from vlm_boundary.store.owner import (
    BY_CONTENT,
    CHANGED,
    DamagedPart,
    Owner,
    as_named,
    content_name,
    footer_of,
    reading,
)
from vlm_boundary.store.schemas import misfit, nulls
from vlm_boundary.writing import beside, publish

_ROWS_WORTH_A_GROUP = 512


@dataclass(frozen=True, order=True)
class Partition:
    """One arm on one benchmark under one condition."""

    arm: str
    benchmark: str
    condition: Condition = FULL

    @property
    def folder(self) -> str:
        """Relative folder, readable as Hive partitioning by pandas, DuckDB and Polars."""
        return f"arm={self.arm}/benchmark={self.benchmark}/condition={self.condition}"

    @classmethod
    def from_folder(cls, relative: Path) -> Partition:
        """The partition whose `folder` this is."""
        arm, benchmark, condition = (part.partition("=")[2] for part in relative.parts)
        return cls(arm, benchmark, cast(Condition, condition))


@dataclass(frozen=True)
class PartFiles:
    """The files of a partition, each sorted by name.

    Attributes:
        ours: the parts.
        foreign: parts of another table, partition or identity, with what tells so.
        damaged: files that cannot be read, or not as the table's rows.
    """

    ours: list[Path] = field(default_factory=list)
    foreign: dict[Path, str] = field(default_factory=dict)
    damaged: list[DamagedPart] = field(default_factory=list)


class PartTable:
    """A table kept as Parquet parts in one folder per partition.

    Writers never share a part, so any number of them write side by side, and tables are merged by
    copying folders.

    Args:
        published: called with each part that is added.
        owner: whose the parts of a partition are, which each says of itself; by default none does.
    """

    def __init__(
        self,
        root: Path,
        schema: pa.Schema,
        published: Callable[[Path], None] | None = None,
        owner: Callable[[Partition], Owner] | None = None,
    ) -> None:
        self.root = root
        self.schema = schema
        self._published = published
        self._owner = owner

    def partitions(self) -> list[Partition]:
        """Every partition that holds a part, damaged or not, sorted."""
        found = ((partition, self.files(partition)) for partition in self.folders())
        return [partition for partition, files in found if files.ours or files.damaged]

    def folders(self) -> list[Partition]:
        """Every partition in whose folder a part lies, even if that is another's, sorted."""
        folders = {
            path.parent for path in self.root.glob("arm=*/benchmark=*/condition=*/part-*.parquet")
        }
        return sorted(Partition.from_folder(folder.relative_to(self.root)) for folder in folders)

    def parts(self, partition: Partition) -> list[Path]:
        """The parts of a partition, sorted by name; what is another's is left out.

        Raises:
            DamagedPart: one cannot be read.
        """
        found = self.files(partition)
        if found.damaged:
            raise found.damaged[0]
        return found.ours

    def files(self, partition: Partition) -> PartFiles:
        """What lies in a partition's folder, by the files' footers."""
        found = PartFiles()
        owner = self._owner(partition) if self._owner else None
        for path in sorted((self.root / partition.folder).glob("part-*.parquet")):
            try:
                footer = footer_of(path)
            except DamagedPart as damaged:
                found.damaged.append(damaged)
                continue
            except FileNotFoundError:
                continue  # compacted away meanwhile
            if owner and (why := owner.unlike(footer.owner)):
                found.foreign[path] = why
            elif why := misfit(footer.columns, self.schema) or nulls(
                path, footer.columns, self.schema
            ):
                found.damaged.append(DamagedPart(path, why))
            else:
                found.ours.append(path)
        return found

    def unfit(self, partition: Partition) -> list[DamagedPart]:
        """The parts that cannot be read or, by their names, are not what was written.

        Every file is read for it, so it is for tables that are small.
        """
        found = self.files(partition)
        changed = (path for path in found.ours if not as_named(path))
        return [*found.damaged, *(DamagedPart(path, CHANGED) for path in changed)]

    def append(self, partition: Partition, rows: pa.Table) -> Path:
        """Add rows as a part of their own."""
        path = self._write(partition, [rows])
        if self._published:
            self._published(path)
        return path

    def replace(self, partition: Partition, rows: pa.Table) -> Path:
        """Make `rows`, sorted by key, the partition's only part; see `rewrite`.

        A row group holds whole problems, so that one problem is read without the others.
        """
        return self.rewrite(partition, whole_problems([rows]))

    def rewrite(self, partition: Partition, groups: Iterable[pa.Table]) -> Path:
        """Make these tables the partition's only part, each a row group, named by its content.

        The same rows give the same file, byte for byte. A crash in between leaves the old parts
        beside the new one, which readers resolve by dropping duplicate keys.
        """
        old = self.parts(partition)
        # In one chunk: where chunks end would show in the file's pages.
        path = self._write(partition, (rows.combine_chunks() for rows in groups))
        for part in old:
            if part != path:
                part.unlink(missing_ok=True)
        return path

    def _write(self, partition: Partition, groups: Iterable[pa.Table]) -> Path:
        """Write tables as a part, each a row group, named by what is in it."""
        folder = self.root / partition.folder
        owner = self._owner(partition).metadata() if self._owner else {}
        schema = self.schema.with_metadata(owner | BY_CONTENT)
        # Called so where it cannot be written: its name depends on what is in it.
        with beside(folder / "part-0.parquet") as temporary:
            with temporary.open("wb") as file, open_writer(file, schema) as writer:
                for rows in groups:
                    writer.write_table(rows.cast(self.schema))
            path = folder / f"part-{content_name(temporary)}.parquet"
            publish(temporary, path)
        return path

    def read(
        self,
        partition: Partition,
        columns: Sequence[str] | None = None,
        filters: pc.Expression | None = None,
        coded: Collection[str] = (),
    ) -> pa.Table:
        """The rows of a partition that pass and count, each key once, in the order of their keys.

        Args:
            partition: to be read.
            columns: those to read, the key's before them; by default all.
            filters: as in `stored`; duplicates are looked for among the rows that pass, so it is of
                the key's columns, or the table has none.
            coded: as in `stored`.
        """
        names = list(dict.fromkeys([*KEY, *(columns or self.schema.names)]))
        deciding = {WRITTEN} & set(self.schema.names)
        rows = self.stored(partition, [*names, *(deciding - set(names))], filters, coded)
        return each_once(rows).select(names)

    def stored(
        self,
        partition: Partition,
        columns: list[str] | None = None,
        filters: pc.Expression | None = None,
        coded: Collection[str] = (),
    ) -> pa.Table:
        """The rows of a partition that pass, parts one after the other, duplicates included.

        Of a compacted part only the row groups of the problems that pass are read.

        Args:
            partition: to be read.
            columns: those to read; by default all.
            filters: rows that it is not true of are left out; it may not be of a coded column.
            coded: string columns that are given as codes in a dictionary, which takes far less
                memory where values repeat.
        """
        schema = self.schema
        for place, column in enumerate(schema):
            if column.name in coded:
                kind = pa.dictionary(pa.int32(), column.type)
                schema = schema.set(place, column.with_type(kind))
        parts = self.parts(partition)
        if not parts:
            names = columns or schema.names
            return pa.schema([schema.field(name) for name in names]).empty_table()
        tables = []
        for part in parts:
            with reading(part):
                # Under the schema: a part written before a column existed holds nulls there.
                found = pq.read_table(
                    part,
                    columns=columns,
                    schema=schema,
                    partitioning=None,
                    filters=filters,
                    read_dictionary=list(coded),
                    page_checksum_verification=True,
                )
            tables.append(found)
        return pa.concat_tables(tables)

    def batches(self, partition: Partition, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The rows of a partition in pieces that fit in memory."""
        for part in self.parts(partition):
            with reading(part), open_part(part) as file:
                yield from file.iter_batches(batch_size=1 << 16, columns=columns)


def whole_problems(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Rows as row groups: each holds whole problems and, except for the last, is long.

    The groups depend on the rows alone, not on how they come in tables.

    Args:
        tables: sorted by problem, no problem in two of them.
    """
    group: list[pa.Table] = []
    size = 0
    for rows in tables:
        ids = rows["problem_id"].combine_chunks()
        changes = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
        begin = 0
        for end in [*(np.flatnonzero(changes) + 1).tolist(), len(ids)]:
            if size + end - begin >= _ROWS_WORTH_A_GROUP:
                yield pa.concat_tables([*group, rows.slice(begin, end - begin)])
                begin, group, size = end, [], 0
        if begin < len(ids):
            group.append(rows.slice(begin))
            size += len(ids) - begin
    if group:
        yield pa.concat_tables(group)


def open_part(path: Path, *, pre_buffer: bool = True) -> pq.ParquetFile:
    """A reader of one part that notices damage in what it reads; see `reading`.

    Args:
        pre_buffer: hold a whole row group's bytes, which makes it fast.

    Raises:
        DamagedPart: the file is no Parquet file, or not all of it.
    """
    with reading(path):
        return pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=pre_buffer)


def open_writer(file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer of Parquet as the run directory's tables have it."""
    # Of texts, statistics would put the first and the last of each row group into the footer.
    return pq.ParquetWriter(
        file, schema, compression="zstd", write_statistics=list(KEY), write_page_checksum=True
    )
