"""Hive-partitioned Parquet written as whole parts: readers and crashes never see half of one."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

KEY = ("problem_id", "sample_index")


@dataclass(frozen=True, order=True)
class Partition:
    """One arm on one benchmark under one condition."""

    arm: str
    benchmark: str
    condition: str = "full"

    @property
    def folder(self) -> str:
        """Relative folder, readable as Hive partitioning by pandas, DuckDB and Polars."""
        return f"arm={self.arm}/benchmark={self.benchmark}/condition={self.condition}"

    @classmethod
    def from_folder(cls, relative: Path) -> Partition:
        """The partition whose `folder` this is."""
        return cls(*(part.partition("=")[2] for part in relative.parts))


class PartTable:
    """A table kept as Parquet parts in one folder a partition.

    Writers never share a part, so any number of them write side by side, and tables are merged by
    copying folders.
    """

    def __init__(self, root: Path, schema: pa.Schema) -> None:
        self.root = root
        self.schema = schema

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
        data = _parquet_bytes(rows.cast(self.schema))
        return _publish(data, self.root / partition.folder / f"part-{uuid4().hex}.parquet")

    def replace(
        self, partition: Partition, rows: pa.Table, *, row_group_per: str | None = None
    ) -> Path:
        """Make `rows` the partition's only part, named by its content.

        With `row_group_per`, each run of equal values in that column is a row group of its own,
        so that one problem is read without its neighbours. The same rows give the same file, byte
        for byte. A crash in between leaves the old parts beside the new one, which readers resolve
        by dropping duplicate keys.
        """
        old = self.parts(partition)
        data = _parquet_bytes(rows.cast(self.schema), row_group_per)
        name = f"part-{hashlib.sha256(data).hexdigest()[:32]}.parquet"
        path = _publish(data, self.root / partition.folder / name)
        for part in old:
            if part != path:
                part.unlink(missing_ok=True)
        return path

    def read(
        self,
        partition: Partition,
        columns: list[str] | None = None,
        filters: pc.Expression | None = None,
    ) -> pa.Table:
        """The rows of a partition that pass, parts one after the other, duplicates included.

        Of a compacted part only the row groups of the problems that pass are read.
        """
        parts = self.parts(partition)
        if not parts:
            names = columns or self.schema.names
            return pa.schema([self.schema.field(name) for name in names]).empty_table()
        # Under the schema: a part written before a column existed holds nulls there.
        return pa.concat_tables(
            pq.read_table(
                part, columns=columns, schema=self.schema, partitioning=None, filters=filters
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


def _parquet_bytes(rows: pa.Table, row_group_per: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, rows.schema, compression="zstd") as writer:
        if row_group_per is None or rows.num_rows == 0:
            writer.write_table(rows)
        else:
            values = rows[row_group_per].to_numpy()
            starts = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1), rows.num_rows]
            for start, stop in pairwise(starts):
                writer.write_table(rows.slice(start, stop - start))
    return buffer.getvalue()


def _publish(data: bytes, path: Path) -> Path:
    """Write under a temporary name, flush to disk, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{uuid4().hex}.tmp"
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return path
