"""What could not be drawn or scored, and why: written by many processes, kept while true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.samples import sample_indices

Failed: TypeAlias = tuple[str, int | None]
"""A problem's sample, or None for all of them."""


class FailureTable:
    """The failures beside a table of samples or scores; what came after all is none any more."""

    def __init__(self, table: PartTable, results: PartTable) -> None:
        self._table = table
        self._results = results

    def add(
        self,
        partition: Partition,
        found: Sequence[tuple[str, int | None, str]],
        under: Mapping[Failed, str] = MappingProxyType({}),
    ) -> None:
        """Record problem, sample index (None: all of the problem's) and reason of each failure.

        Args:
            under: of those that fail again as long as it is the same, a hash of all that they
                follow from.
        """
        if found:
            now = datetime.now(UTC)
            rows = [(*failure, now, under.get(failure[:2])) for failure in found]
            names = self._table.schema.names
            listed = [dict(zip(names, row, strict=True)) for row in rows]
            self._table.append(partition, pa.Table.from_pylist(listed, schema=self._table.schema))

    def read(self, partition: Partition, n: int | None = None) -> list[dict[str, Any]]:
        """The latest failure of each sample that is still missing, by problem and index.

        One that concerns a whole problem holds until something of it is written after all.

        Args:
            n: what is asked of each problem: a problem that has samples 0 … n-1 lacks nothing,
                whatever the clocks of the machines say that wrote them.
        """
        rows = self._table.stored(partition).sort_by("written_at").to_pylist()
        if not rows:
            return []
        there, nothing = sample_indices(self._results, partition), np.empty(0, np.int32)
        whole = [row["problem_id"] for row in rows if row["sample_index"] is None]
        written = self._last_written(partition, whole)
        latest = {(row["problem_id"], row["sample_index"]): row for row in rows}

        def holds(row: dict[str, Any]) -> bool:
            problem_id, index = row["problem_id"], row["sample_index"]
            found = there.get(problem_id, nothing)
            if index is not None:
                return index not in found
            if n is not None and int((found < n).sum()) == n:
                return False
            return problem_id not in written or row["written_at"] >= written[problem_id]

        ordered = sorted(latest.items(), key=lambda item: (item[0][0], item[0][1] or 0))
        return [row for _, row in ordered if holds(row)]

    def settled(self, partition: Partition) -> dict[Failed, str]:
        """What fails again as long as the hash beside it is the same; see `add`."""
        return {
            (row["problem_id"], row["sample_index"]): row["under"]
            for row in self.read(partition)
            if row["under"] is not None
        }

    def _last_written(self, partition: Partition, problems: list[str]) -> dict[str, datetime]:
        """When the latest result of each of these problems was written, if there is one."""
        if not problems:
            return {}
        wanted = pc.field("problem_id").isin(problems)
        rows = self._results.stored(partition, ["problem_id", "written_at"], wanted)
        found = rows.group_by("problem_id").aggregate([("written_at", "max")]).to_pylist()
        return {row["problem_id"]: row["written_at_max"] for row in found}

    def compact(self, partition: Partition) -> None:
        """Keep only what `read` gives; nobody else may write meanwhile."""
        if len(self._table.parts(partition)) > 1:
            rows = self.read(partition)
            self._table.replace(partition, pa.Table.from_pylist(rows, schema=self._table.schema))
