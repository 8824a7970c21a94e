"""Samples in a run directory: streamed in, read without duplicates, compacted when complete."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.store.parts import Partition, PartTable

_KEY_AND_TIME = ["problem_id", "sample_index", "written_at"]


@dataclass(frozen=True)
class Sample:
    """One response, exactly as it was generated.

    `token_ids` include the end of turn; `text` does not. `logprob_sum` is the natural logarithm of
    the response's probability under the model itself (temperature 1, nothing cut off), end of turn
    counted; `token_logprobs` are its parts, kept for the first samples of a problem if so asked.
    `seed` is None where the engine cannot seed a sample.
    """

    problem_id: str
    sample_index: int
    seed: int | None
    token_ids: list[int]
    text: str
    finish_reason: str
    logprob_sum: float | None
    token_logprobs: list[float] | None = None


@dataclass(frozen=True)
class Score:
    """How likely one arm finds a sample, its own or another arm's.

    `logprob_sum` and `token_logprobs` are as in `Sample`, under the scoring arm's prompt.
    """

    problem_id: str
    sample_index: int
    logprob_sum: float
    tokens: int
    token_logprobs: list[float] | None


class SampleWriter:
    """Collects samples, or scores, and writes them as a part every few seconds.

    So a crash loses little.
    """

    def __init__(self, table: PartTable, partition: Partition, flush_seconds: float = 5.0) -> None:
        self._table = table
        self._partition = partition
        self._flush_seconds = flush_seconds
        self._rows: list[dict[str, Any]] = []
        self._flushed = time.monotonic()

    def add(self, sample: Sample | Score) -> None:
        """Take one sample; write the part when it is due."""
        self._rows.append(vars(sample) | {"written_at": datetime.now(UTC)})
        if time.monotonic() - self._flushed >= self._flush_seconds:
            self.flush()

    def flush(self) -> None:
        """Write what has been collected."""
        if self._rows:
            rows = pa.Table.from_pylist(self._rows, schema=self._table.schema)
            self._table.append(self._partition, rows)
            self._rows = []
        self._flushed = time.monotonic()


def sample_indices(table: PartTable, partition: Partition) -> dict[str, set[int]]:
    """The sample indices that exist, by problem."""
    keys = table.read(partition, ["problem_id", "sample_index"])
    present: dict[str, set[int]] = {}
    for problem_id, index in zip(
        keys["problem_id"].to_pylist(), keys["sample_index"].to_pylist(), strict=True
    ):
        present.setdefault(problem_id, set()).add(index)
    return present


def iter_samples(
    table: PartTable, partition: Partition, columns: list[str]
) -> Iterator[dict[str, Any]]:
    """Every sample once, a few thousand in memory at a time.

    Of samples with one key the earliest written counts, then the first part by name.
    """
    kept = _winning_rows(table.read(partition, _KEY_AND_TIME))
    row = 0
    for _, batch in table.batches(partition, columns):
        mask = kept[row : row + batch.num_rows]
        row += batch.num_rows
        yield from batch.filter(pa.array(mask)).to_pylist()


def read_samples(
    table: PartTable,
    partition: Partition,
    columns: list[str],
    filters: pc.Expression | None = None,
) -> pa.Table:
    """The samples (or scores) that pass, each once; the key's columns come along."""
    rows = table.read(partition, sorted({*_KEY_AND_TIME, *columns}), filters)
    return rows.filter(pa.array(_winning_rows(rows)))


def _winning_rows(keys: pa.Table) -> np.ndarray:
    """A boolean per row, parts in order of name: true where the row counts."""
    if keys.num_rows == 0:
        return np.zeros(0, dtype=bool)
    problem = pc.dictionary_encode(keys["problem_id"]).combine_chunks().indices.to_numpy()
    index = keys["sample_index"].to_numpy()
    written = keys["written_at"].cast(pa.int64()).to_numpy()
    # lexsort is stable, so equal times keep the order of parts.
    order = np.lexsort((written, index, problem))
    first = np.ones(len(order), dtype=bool)
    same_problem = problem[order][1:] == problem[order][:-1]
    same_index = index[order][1:] == index[order][:-1]
    first[1:] = ~(same_problem & same_index)
    kept = np.zeros(len(order), dtype=bool)
    kept[order[first]] = True
    return kept


def compact(table: PartTable, partition: Partition) -> None:
    """Make a partition one part: no duplicates, sorted by key, a row group a problem."""
    if len(table.parts(partition)) <= 1:
        return
    rows = read_samples(table, partition, table.schema.names).select(table.schema.names)
    by_key = [("problem_id", "ascending"), ("sample_index", "ascending")]
    table.replace(partition, rows.sort_by(by_key), row_group_per="problem_id")
