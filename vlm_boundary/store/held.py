"""What a run holds, as a hash: by it one sees that statistics are of something older."""

from __future__ import annotations

import hashlib

from vlm_boundary.store.run import RunDirectory

_TABLES = ("samples", "verdicts", "validity", "statements", "scores", "judgements")


def held(run: RunDirectory) -> str:
    """A hash of what statistics follow from: tables' parts, problems and labels.

    Parts count by their names, which are their content's, so that a copy of a run, wherever it
    lies, holds the same.
    """
    known = hashlib.blake2b(digest_size=16)
    for table in _TABLES:
        for path in sorted((run.path / table).rglob("part-*.parquet")):
            known.update(f"{path.relative_to(run.path).as_posix()}\0".encode())
    for name, benchmark in sorted(run.read_manifest().benchmarks.items()):
        known.update(f"{name}\0{benchmark.content}\0{benchmark.grading}\0".encode())
    for path in sorted(run.labels.glob("*.jsonl")):
        known.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return known.hexdigest()
