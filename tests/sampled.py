"""Rows of a run's table of samples, written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from vlm_boundary.store import Partition, RunDirectory

EARLY = datetime(2026, 1, 1, tzinfo=UTC)


def sample_row(problem_id: str, index: int, text: str, written: datetime = EARLY) -> dict[str, Any]:
    return {
        "problem_id": problem_id,
        "sample_index": index,
        "token_ids": [1],
        "text": text,
        "finish_reason": "stop",
        "written_at": written,
    }


def append_samples(run: RunDirectory, here: Partition, rows: Sequence[dict[str, Any]]) -> None:
    run.samples.append(here, pa.Table.from_pylist(list(rows), schema=run.samples.schema))
