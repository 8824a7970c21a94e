"""Samples in a run directory: streamed in, and which there are."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vlm_boundary.records.sample import Judgement, Sample, SampleScore
from vlm_boundary.store.fingerprint import short_hash
from vlm_boundary.store.parts import Partition, PartTable


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
    for _, batch in table.batches(partition, ["problem_id", "sample_index"], rows=1 << 16):
        problems = batch["problem_id"].dictionary_encode()
        codes, indices = problems.indices.to_numpy(), batch["sample_index"].to_numpy()
        for code, problem_id in enumerate(problems.dictionary.to_pylist()):
            pieces.setdefault(problem_id, []).append(indices[codes == code])
    return {problem_id: np.unique(np.concatenate(found)) for problem_id, found in pieces.items()}
