"""A partition's rows in the order of their keys, some problems at a time, from any parts."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vlm_boundary.store.keys import KEY, WRITTEN, each_once
from vlm_boundary.store.owner import reading
from vlm_boundary.store.parts import Partition, PartTable, open_part
from vlm_boundary.store.schemas import under_schema

CHUNK_ROWS = 4096
"""Rows in memory at a time, or one problem's if they are more."""
_UNITS_KEPT = 8  # row groups in memory: a problem's rows lie in a few neighbouring parts
_FILES_OPEN = 32


class ProblemReader:
    """The rows that count of Parquet parts: each key once, problems in the order of their ids.

    Memory grows with the problems and the row groups, not with the rows.

    Args:
        parts: in order of name.
        schema: of the table that they are parts of.

    Attributes:
        counts: the rows of each problem, those that do not count included, by ascending id.
    """

    def __init__(self, parts: Sequence[Path], schema: pa.Schema) -> None:
        self._schema = schema
        self._deciding = [*KEY, *({WRITTEN} & set(schema.names))]
        self._file = lru_cache(maxsize=_FILES_OPEN)(open_part)
        self._rows = lru_cache(maxsize=_UNITS_KEPT)(self._read_unit)
        self._units: list[tuple[Path, int]] = []
        self._homes: dict[str, array[int]] = {}  # the units in which a problem has rows
        counts: dict[str, int] = {}
        for part in parts:
            with reading(part):
                groups = list(_problems_of_groups(self._file(part)))
            for group, found in enumerate(groups):
                for problem_id, count in found:
                    self._homes.setdefault(problem_id, array("q")).append(len(self._units))
                    counts[problem_id] = counts.get(problem_id, 0) + count
                self._units.append((part, group))
        self.counts = dict(sorted(counts.items()))

    @classmethod
    def of(cls, table: PartTable, partition: Partition) -> ProblemReader:
        """The rows of a partition as it is now."""
        return cls(table.parts(partition), table.schema)

    def chunks(
        self, rows: int, problem_ids: Iterable[str] | None = None
    ) -> Iterator[tuple[str, ...]]:
        """Problems in groups that have about so many rows together, or one problem that has more.

        Args:
            rows: the most rows of a group of several problems.
            problem_ids: ascending; those without a row are left out. By default all.
        """
        group: list[str] = []
        size = 0
        for problem_id in self.counts if problem_ids is None else problem_ids:
            count = self.counts.get(problem_id, 0)
            if group and size + count > rows:
                yield tuple(group)
                group, size = [], 0
            if count:
                group.append(problem_id)
                size += count
        if group:
            yield tuple(group)

    def read(self, problem_ids: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of these problems, in this order and by sample index.

        Args:
            problem_ids: ascending; those without a row give none.
            columns: which to read; by default all.
        """
        names = list(self._schema.names if columns is None else columns)
        needed = tuple(dict.fromkeys([*self._deciding, *names]))
        units = sorted({unit for key in problem_ids for unit in self._homes.get(key, ())})
        if not units:
            return pa.schema([self._schema.field(name) for name in names]).empty_table()
        wanted = pa.array(problem_ids, pa.string())
        pieces = []
        for unit in units:
            rows = self._rows(unit, needed)
            within = pc.is_in(rows["problem_id"], value_set=wanted)
            pieces.append(rows if pc.all(within).as_py() else rows.filter(within))
        return each_once(pa.concat_tables(pieces).combine_chunks()).select(names)

    def _read_unit(self, unit: int, columns: tuple[str, ...]) -> pa.Table:
        part, group = self._units[unit]
        file = self._file(part)
        known = set(file.schema_arrow.names)
        with reading(part):
            rows = file.read_row_group(group, columns=[name for name in columns if name in known])
        return under_schema(rows, pa.schema([self._schema.field(name) for name in columns]))


def _problems_of_groups(file: pq.ParquetFile) -> Iterator[Collection[tuple[str, int]]]:
    """The problems of each row group with how many rows they have there."""
    column = file.schema.names.index("problem_id")
    for group in range(file.num_row_groups):
        known = file.metadata.row_group(group)
        extremes = known.column(column).statistics
        if extremes is not None and extremes.has_min_max and extremes.min == extremes.max:
            yield [(extremes.min, known.num_rows)]  # as compaction leaves them
            continue
        ids = file.read_row_group(group, columns=["problem_id"])["problem_id"]
        counted = ids.value_counts()
        yield list(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True))
