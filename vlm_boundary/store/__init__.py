"""Run directories: manifest, problems, pictures and Parquet tables."""

from vlm_boundary.store.derived import (
    Derived,
    Deriver,
    Share,
    ShareMap,
    Wanted,
    derive,
    derive_share,
    derived_rows,
)
from vlm_boundary.store.fingerprint import fingerprint, short_hash
from vlm_boundary.store.keys import by_place, each_once, encoded, places_of
from vlm_boundary.store.locks import Shard
from vlm_boundary.store.merge import compact, compact_if_alone, compact_run
from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.pieces import Reconciled
from vlm_boundary.store.problems import CHUNK_ROWS, ProblemReader
from vlm_boundary.store.run import RunDirectory, held, read_writer, write_json, write_text
from vlm_boundary.store.samples import Failed, FailureTable, SampleWriter, sample_indices

__all__ = [
    "CHUNK_ROWS",
    "Derived",
    "Deriver",
    "Failed",
    "FailureTable",
    "PartTable",
    "Partition",
    "ProblemReader",
    "Reconciled",
    "RunDirectory",
    "SampleWriter",
    "Shard",
    "Share",
    "ShareMap",
    "Wanted",
    "by_place",
    "compact",
    "compact_if_alone",
    "compact_run",
    "derive",
    "derive_share",
    "derived_rows",
    "each_once",
    "encoded",
    "fingerprint",
    "held",
    "places_of",
    "read_writer",
    "sample_indices",
    "short_hash",
    "write_json",
    "write_text",
]
