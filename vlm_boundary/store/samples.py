"""Samples in a run directory: streamed in, which there are, and which could not be drawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vlm_boundary.records.sample import Judgement, Sample, SampleScore
from vlm_boundary.store.fingerprint import short_hash
from vlm_boundary.store.parts import Partition, PartTable

Failed: TypeAlias = tuple[str, int | None]
"""A problem's sample, or None for all of them."""


class SampleWriter:
    """Collects samples, scores or judgements, and writes them as a part every few seconds.

    So a crash loses little.
    """

    def __init__(self, table: PartTable, partition: Partition, flush_seconds: float = 5.0) -> None:
        self._table = table
        self._partition = partition
        self._flush_seconds = flush_seconds
        self._rows: list[dict[str, Any]] = []
        self._told: list[Callable[[], None]] = []
        self._flushed = time.monotonic()

    def add(
        self, sample: Sample | SampleScore | Judgement, stored: Callable[[], None] | None = None
    ) -> None:
        """Take one sample; write the part when it is due.

        Args:
            stored: called once the sample is on disk.
        """
        row = asdict(sample) if isinstance(sample, Judgement) else dict(vars(sample))
        if isinstance(sample, Sample):
            row["tokens"] = len(sample.token_ids) or None
            row["text_hash"] = short_hash(sample.text, sample.finish_reason)
        self._rows.append(row | {"written_at": datetime.now(UTC)})
        if stored is not None:
            self._told.append(stored)
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Write what has been collected when the last part is a few seconds old."""
        if time.monotonic() - self._flushed >= self._flush_seconds:
            self.flush()

    def flush(self) -> None:
        """Write what has been collected.

        Raises:
            PlaceError: it cannot be written; it is given up, for the disk will not take it later.
        """
        rows, told = self._rows, self._told
        self._rows, self._told = [], []
        if rows:
            content = pa.Table.from_pylist(rows, schema=self._table.schema)
            self._table.append(self._partition, content)
        for stored in told:
            stored()
        self._flushed = time.monotonic()


def sample_indices(table: PartTable, partition: Partition) -> dict[str, NDArray[np.int32]]:
    """The sample indices that exist, ascending, by problem."""
    pieces: dict[str, list[NDArray[np.int32]]] = {}
    for batch in table.batches(partition, ["problem_id", "sample_index"]):
        problems = batch["problem_id"].dictionary_encode()
        codes, indices = problems.indices.to_numpy(), batch["sample_index"].to_numpy()
        for code, problem_id in enumerate(problems.dictionary.to_pylist()):
            pieces.setdefault(problem_id, []).append(indices[codes == code])
    return {problem_id: np.unique(np.concatenate(found)) for problem_id, found in pieces.items()}


class FailureTable:
    """The failures beside a table of samples or scores; what came after all is none any more.

    Many processes write them.
    """

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
