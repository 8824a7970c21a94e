"""A family of checkpoints in one process, by one engine or by fresh ones, and apart.

    python tests/perf/one_process.py              # a pair, and a base with seven steps
    python tests/perf/one_process.py --arms 8 --n 16 --repetitions 3

All ways are `vlm-boundary sample` with the real engine on the same problems, taking turns: one
engine whose weights change (the default on a CPU), a fresh engine for each checkpoint in the same
process (`swap_weights: false`), and a process for each. Apart, arms differ in the seed that vLLM
is started with, which no sample depends on and which no process serves twice. Prints medians of
the wall time of the whole command and their ratios, and whether all drew the same to the letter.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from vlm_boundary.store import Partition, RunDirectory


def main() -> None:
    """Time every way for each number of arms."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--arms", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--n", type=int, default=16, help="samples per problem")
    parser.add_argument("--problems", type=int, default=16)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    for arms in options.arms:
        seconds: dict[str, list[float]] = {"apart": [], "fresh": [], "swapped": []}
        same = True
        for _ in range(options.repetitions):
            with tempfile.TemporaryDirectory() as name:
                drawn = {}
                for way, times in seconds.items():
                    run = Path(name) / way
                    began = time.monotonic()
                    _sample(run, arms, options, way)
                    times.append(time.monotonic() - began)
                    drawn[way] = _texts(RunDirectory(run / "runs" / "arms"), arms)
                    print(f"{arms} arms {way}: {times[-1]:.1f} s", flush=True)
                same = same and drawn["swapped"] == drawn["fresh"] == drawn["apart"]
        apart, *others = (median(times) for times in seconds.values())
        letter = "the same to the letter" if same else "texts differ"
        for way, one in zip(("fresh engines", "one engine"), others, strict=True):
            print(
                f"{arms} arms, {way} in one process: {one:.1f} s against {apart:.1f} s apart, "
                f"{one / apart:.2f}; {letter}"
            )


def _sample(folder: Path, arms: int, options: argparse.Namespace, way: str) -> None:
    folder.mkdir()
    args = {"max_model_len": 512, "dtype": "float32", "kv_cache_memory_bytes": 1 << 27}
    engines: list[dict[str, Any]] = [
        {
            "args": args | ({"seed": seed} if way == "apart" else {}),
            "swap_weights": way == "swapped",
        }
        for seed in range(arms)
    ]
    content: dict[str, Any] = {
        "name": "arms",
        "benchmarks": {"procedural": {"procedural": {"count": options.problems, "seed": 3}}},
        "arms": {
            _arm(seed): {"model": f"tiny:untrained-{seed + 1}", "role": "base", "engine": engine}
            for seed, engine in enumerate(engines)
        },
        "sampling": {"n": options.n, "temperature": 1.0, "top_p": 1.0, "max_tokens": 64},
        "parallel_engines": 1,
        "waves": [],
    }
    (folder / "arms.yaml").write_text(json.dumps(content))
    command = [sys.executable, "-m", "vlm_boundary", "sample", "arms.yaml"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stderr)


def _texts(run: RunDirectory, arms: int) -> list[list[dict[str, Any]]]:
    columns = ["problem_id", "sample_index", "text"]
    found = (run.samples.read(Partition(_arm(seed), "procedural"), columns) for seed in range(arms))
    return [sorted(table.to_pylist(), key=lambda row: tuple(row.values())) for table in found]


def _arm(seed: int) -> str:
    return f"arm-{seed + 1}"


if __name__ == "__main__":
    main()
