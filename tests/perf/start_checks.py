"""What the checks at the start of every stage cost on a run of 600,000 samples.

    python tests/perf/start_checks.py [--problems 600] [--samples 500] [--runs 5]

Two arms with verdicts and two layers of validity; prints the seconds of `look`, in a new process
each time, so that nothing is remembered, and how many files that were. On a busy machine the
processor's time says more than the clock's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem, dataset_hash
from vlm_boundary.store import Partition, RunDirectory

ARMS = ("base", "rl")
TIMED = """
import sys, time
from pathlib import Path
from vlm_boundary.store import RunDirectory
from vlm_boundary.store.wholeness import look
run = RunDirectory(Path(sys.argv[1]))
begun, busy = time.perf_counter(), time.process_time()
assert look(run) == []
print(f"{time.perf_counter() - begun:.3f} s, {time.process_time() - busy:.3f} s of processor")
"""


def make_run(path: Path, problems: int, samples: int) -> RunDirectory:
    """A run whose tables are as large as real ones."""
    run = RunDirectory(path)
    known = tuple(
        Problem("mine", f"p{i:05d}", f"How many are {i}?", str(i)) for i in range(problems)
    )
    run.write_problems("mine", known)
    arms = {arm: {"model": f"org/{arm}", "role": "base"} for arm in ARMS}
    content = {"mine": {"content": dataset_hash(known), "problems": problems}}
    identities = {arm: {"identity": {"weights": arm * 8}} for arm in ARMS}
    said = {"experiment": {"arms": arms}, "benchmarks": content, "arms": identities}
    run.write_manifest(Manifest.model_validate(said))
    rng = np.random.default_rng(0)
    rows = problems * samples
    shared: dict[str, Any] = {
        "problem_id": np.repeat(np.array([p.problem_id for p in known], dtype=object), samples),
        "sample_index": np.tile(np.arange(samples, dtype=np.int32), problems),
        "token_ids": pa.array([[1, 2, 3]] * rows, pa.list_(pa.int32())),
        "finish_reason": ["stop"] * rows,
        "written_at": [datetime.now(UTC)] * rows,
        "status": ["correct"] * rows,
        "correct": [True] * rows,
        "valid": [True] * rows,
        "source": ["box"] * rows,
        "flags": pa.array([[]] * rows, pa.list_(pa.string())),
        "rule": ["equal"] * rows,
        "grader": ["made up"] * rows,
        "checker": ["made up"] * rows,
    }
    for arm in ARMS:
        hashes = [f"{word:016x}" for word in rng.integers(0, 1 << 62, rows)]
        texts = [f"{word} " * 12 + "\\boxed{4}" for word in hashes]
        columns = shared | {"text_hash": hashes, "gold_hash": hashes, "basis_hash": hashes}
        columns |= {"text": texts, "extracted": ["4"] * rows, "normalised": ["4"] * rows}
        tables = [run.samples, run.verdicts, run.validity("structure"), run.validity("arithmetic")]
        for table in tables:
            filled = [columns.get(one.name) for one in table.schema]
            whole = [
                pa.nulls(rows, one.type) if column is None else pa.array(column, one.type)
                if not isinstance(column, pa.Array) else column
                for one, column in zip(table.schema, filled, strict=True)
            ]  # fmt: skip
            if "evidence" in table.schema.names:
                place = table.schema.get_field_index("evidence")
                whole[place] = pa.array([[]] * rows, table.schema.field(place).type)
            table.replace(Partition(arm, "mine"), pa.table(whole, schema=table.schema))
    return run


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=600)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder) / "run", options.problems, options.samples)
        files = [path for path in run.path.rglob("part-*.parquet")]
        size = sum(path.stat().st_size for path in files) / 1e6
        total = options.problems * options.samples * len(ARMS)
        print(f"{total:,} samples, {len(files)} parts, {size:.0f} MB")
        for _ in range(options.runs):
            done = subprocess.run(
                [sys.executable, "-c", TIMED, str(run.path)],
                capture_output=True,
                text=True,
                check=True,
            )
            print(done.stdout, end="", flush=True)


if __name__ == "__main__":
    main()
