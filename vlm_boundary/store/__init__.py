"""Run directories: manifest, problems, pictures and Parquet tables."""

from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.run import RunDirectory, write_json, write_text
from vlm_boundary.store.samples import (
    Sample,
    SampleWriter,
    Score,
    compact,
    iter_samples,
    read_samples,
    sample_indices,
)

__all__ = [
    "PartTable",
    "Partition",
    "RunDirectory",
    "Sample",
    "SampleWriter",
    "Score",
    "compact",
    "iter_samples",
    "read_samples",
    "sample_indices",
    "write_json",
    "write_text",
]
