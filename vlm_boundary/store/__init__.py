"""Run directories: manifest, problems, pictures and Parquet tables."""

from vlm_boundary.store.compact import compact, compact_run
from vlm_boundary.store.failures import Failures
from vlm_boundary.store.fingerprint import fingerprint
from vlm_boundary.store.locks import Shard
from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.problems import ProblemReader, places_of
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
from vlm_boundary.store.shares import (
    CHUNK_ROWS,
    Piece,
    PieceWriter,
    Reconciled,
    Share,
    ShareMap,
    deriving,
    shares_of,
    stitch,
)

__all__ = [
    "CHUNK_ROWS",
    "Failures",
    "Judgement",
    "PartTable",
    "Partition",
    "Piece",
    "PieceWriter",
    "ProblemReader",
    "Reconciled",
    "RunDirectory",
    "Sample",
    "SampleWriter",
    "Score",
    "Shard",
    "Share",
    "ShareMap",
    "Vote",
    "compact",
    "compact_run",
    "deriving",
    "fingerprint",
    "iter_samples",
    "places_of",
    "read_samples",
    "sample_indices",
    "shares_of",
    "stitch",
    "write_json",
    "write_text",
]
