"""Many small parts into one, problem by problem, so that memory does not grow with the samples."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vlm_boundary.store.parts import Partition, PartTable, under_schema
from vlm_boundary.store.run import RunDirectory
from vlm_boundary.store.samples import winning_rows

_UNITS_KEPT = 8  # row groups in memory: a problem's samples lie in a few neighbouring parts


def compact(table: PartTable, partition: Partition) -> None:
    """Make a partition one part: no duplicates, sorted by key, a row group a problem.

    Nobody else may write into the partition meanwhile.
    """
    if len(table.parts(partition)) > 1:
        table.rewrite(partition, _problems(table, partition))


def compact_run(run: RunDirectory) -> None:
    """Compact every table that samples or scores stream into; nobody else may write meanwhile."""
    tables = [(run.samples, run.failures)]
    tables += [(run.scores(under), run.score_failures(under)) for under in run.scorers()]
    for table, failures in tables:
        for partition in table.partitions():
            compact(table, partition)
            failures.compact(partition)


def _problems(table: PartTable, partition: Partition) -> Iterator[pa.Table]:
    """The rows that count, a table a problem, both in the order of their keys."""
    kept = winning_rows(table, partition)
    units: list[tuple[Path, int, int]] = []  # part, row group, place of its first row in `kept`
    homes: dict[str, list[int]] = {}
    row = 0
    for part in table.parts(partition):
        file = pq.ParquetFile(part)
        for group in range(file.num_row_groups):
            ids = file.read_row_group(group, columns=["problem_id"])["problem_id"]
            for problem_id in ids.unique().to_pylist():
                homes.setdefault(problem_id, []).append(len(units))
            units.append((part, group, row))
            row += len(ids)

    @lru_cache(maxsize=_UNITS_KEPT)
    def rows(unit: int) -> pa.Table:
        part, group, start = units[unit]
        whole = under_schema(pq.ParquetFile(part).read_row_group(group), table.schema)
        return whole.filter(pa.array(kept[start : start + whole.num_rows]))

    for problem_id in sorted(homes):
        found = pa.concat_tables(
            unit.filter(np.asarray(unit["problem_id"]) == problem_id)
            for unit in map(rows, homes[problem_id])
        )
        if found.num_rows:
            yield found.sort_by("sample_index").combine_chunks()
