"""Run directories: manifest, problems, pictures and Parquet tables."""

from vlm_boundary.store.compact import compact, compact_run
from vlm_boundary.store.failures import Failures
from vlm_boundary.store.locks import Shard
from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.run import RunDirectory, write_json, write_text
from vlm_boundary.store.samples import (
    Judgement,
    Sample,
    SampleWriter,
    Score,
    Vote,
    iter_samples,
    read_samples,
    sample_indices,
)

__all__ = [
    "Failures",
    "Judgement",
    "PartTable",
    "Partition",
    "RunDirectory",
    "Sample",
    "SampleWriter",
    "Score",
    "Shard",
    "Vote",
    "compact",
    "compact_run",
    "iter_samples",
    "read_samples",
    "sample_indices",
    "write_json",
    "write_text",
]
