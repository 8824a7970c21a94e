"""What could not be drawn or scored, and why: written by many processes, kept while true."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.samples import sample_indices


class Failures:
    """The failures beside a table of samples or scores; what came after all is none any more."""

    def __init__(self, table: PartTable, results: PartTable) -> None:
        self._table = table
        self._results = results

    def add(self, partition: Partition, found: list[tuple[str, int | None, str]]) -> None:
        """Record problem, sample index (None: all of the problem's) and reason of each failure."""
        if found:
            now = datetime.now(UTC)
            rows = [(*failure, now) for failure in found]
            names = self._table.schema.names
            listed = [dict(zip(names, row, strict=True)) for row in rows]
            self._table.append(partition, pa.Table.from_pylist(listed, schema=self._table.schema))

    def read(self, partition: Partition) -> list[dict[str, Any]]:
        """The latest failure of each sample that is still missing, by problem and index."""
        rows = self._table.read(partition).sort_by("written_at").to_pylist()
        if not rows:
            return []
        there = sample_indices(self._results, partition)
        latest = {(row["problem_id"], row["sample_index"]): row for row in rows}
        return [
            row
            for (problem_id, index), row in sorted(
                latest.items(), key=lambda item: (item[0][0], item[0][1] or 0)
            )
            if problem_id not in there or (index is not None and index not in there[problem_id])
        ]

    def compact(self, partition: Partition) -> None:
        """Keep only what `read` gives; nobody else may write meanwhile."""
        if len(self._table.parts(partition)) > 1:
            rows = self.read(partition)
            self._table.replace(partition, pa.Table.from_pylist(rows, schema=self._table.schema))
