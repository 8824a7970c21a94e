"""Hive-partitioned Parquet written as whole parts: readers and crashes never see half of one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vlm_boundary.config import FULL, Condition
from vlm_boundary.store.keys import KEY, WRITTEN, each_once
from vlm_boundary.writing import beside, publish, replacing

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


class PartTable:
    """A table kept as Parquet parts in one folder a partition.

    Writers never share a part, so any number of them write side by side, and tables are merged by
    copying folders.

    Args:
        published: called with each part that is added.
    """

    def __init__(
        self, root: Path, schema: pa.Schema, published: Callable[[Path], None] | None = None
    ) -> None:
        self.root = root
        self.schema = schema
        self._published = published

    def partitions(self) -> list[Partition]:
        """Every partition that holds a part, sorted."""
        folders = {
            path.parent for path in self.root.glob("arm=*/benchmark=*/condition=*/*.parquet")
        }
        return sorted(Partition.from_folder(folder.relative_to(self.root)) for folder in folders)

    def parts(self, partition: Partition) -> list[Path]:
        """The parts of a partition, sorted by name."""
        return sorted((self.root / partition.folder).glob("part-*.parquet"))

    def append(self, partition: Partition, rows: pa.Table) -> Path:
        """Add rows as a part of their own."""
        path = self.root / partition.folder / f"part-{uuid4().hex}.parquet"
        with (
            replacing(path) as temporary,
            temporary.open("wb") as file,
            open_writer(file, self.schema) as writer,
        ):
            writer.write_table(rows.cast(self.schema))
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
        folder = self.root / partition.folder
        # Called so where it cannot be written: its name depends on what is in it.
        with beside(folder / "part-compacted.parquet") as temporary:
            with temporary.open("wb") as file, open_writer(file, self.schema) as writer:
                for rows in groups:
                    # In one chunk: where chunks end would show in the file's pages.
                    writer.write_table(rows.combine_chunks().cast(self.schema))
            with temporary.open("rb") as written:
                digest = hashlib.file_digest(written, "sha256").hexdigest()
            path = folder / f"part-{digest[:32]}.parquet"
            publish(temporary, path)
        for part in old:
            if part != path:
                part.unlink(missing_ok=True)
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
        for place, field in enumerate(schema):
            if field.name in coded:
                schema = schema.set(place, field.with_type(pa.dictionary(pa.int32(), field.type)))
        parts = self.parts(partition)
        if not parts:
            names = columns or schema.names
            return pa.schema([schema.field(name) for name in names]).empty_table()
        # Under the schema: a part written before a column existed holds nulls there.
        return pa.concat_tables(
            pq.read_table(
                part,
                columns=columns,
                schema=schema,
                partitioning=None,
                filters=filters,
                read_dictionary=list(coded),
            )
            for part in parts
        )

    def batches(
        self, partition: Partition, columns: list[str], rows: int = 8192
    ) -> Iterator[tuple[Path, pa.RecordBatch]]:
        """The rows of a partition in pieces that fit in memory, with the part they stand in."""
        for part in self.parts(partition):
            for batch in pq.ParquetFile(part).iter_batches(batch_size=rows, columns=columns):
                yield part, batch


def whole_problems(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Rows as row groups: each holds whole problems and, but for the last, is long.

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


def under_schema(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows as a table's schema has them: a part older than a column holds nulls there."""
    known = set(rows.column_names)
    columns = [
        rows[field.name] if field.name in known else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def open_writer(file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer of Parquet as the run directory's tables have it."""
    # Of texts, statistics would put the first and the last of each row group into the footer.
    return pq.ParquetWriter(file, schema, compression="zstd", write_statistics=list(KEY))
