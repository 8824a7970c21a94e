"""Run directories: manifest, problems, pictures and Parquet tables."""

from vlm_boundary.store.compact import compact, compact_run
from vlm_boundary.store.failures import Failures
from vlm_boundary.store.fingerprint import fingerprint
from vlm_boundary.store.keys import by_place, each_once, encoded, places_of
from vlm_boundary.store.locks import Shard
from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.problems import ProblemReader
from vlm_boundary.store.run import RunDirectory, write_json, write_text
from vlm_boundary.store.samples import (
    Judgement,
    Sample,
    SampleWriter,
    Score,
    Vote,
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
    "by_place",
    "compact",
    "compact_run",
    "deriving",
    "each_once",
    "encoded",
    "fingerprint",
    "places_of",
    "sample_indices",
    "shares_of",
    "stitch",
    "write_json",
    "write_text",
]
