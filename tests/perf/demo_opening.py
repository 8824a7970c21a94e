"""How long the demo takes to open a run and a problem, and what memory that needs.

    python tests/perf/demo_opening.py [--samples 600000] [--characters 1400] [--parts 3000]

Writes three runs into a temporary folder: a compacted one, one a sixth as large, and the large one
still being written (thousands of small parts, nothing graded). Each is opened in a process of its
own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from vlm_boundary.benchmarks import Problem
from vlm_boundary.store import Partition, RunDirectory, compact_run

ARMS = ("base", "rl")
PER_PROBLEM = 512
_WORDS = (
    "the angle at P is twice x so we get left plus 12 = 43 and hence boxed sum of sides".split()
)


def write_run(path: Path, samples: int, characters: int, parts: int, *, finished: bool) -> None:
    """A run with two arms and 512 samples a problem; a finished one is compacted and graded."""
    run = RunDirectory(path)
    count = max(1, samples // (len(ARMS) * PER_PROBLEM))
    problems = [Problem("made", f"p{i:05d}", f"What is x in {i}?", "43") for i in range(count)]
    run.write_problems("made", tuple(problems))
    experiment = {
        "name": path.name,
        "benchmarks": {"made": None},
        "arms": {arm: {"model": f"org/{arm}", "role": arm} for arm in ARMS},
        "sampling": {"n": PER_PROBLEM, "max_tokens": 2048},
    }
    run.write_manifest({"experiment": experiment, "benchmarks": {"made": {}}, "arms": {}})
    random = np.random.default_rng(0)
    words = np.array(_WORDS)
    texts = [" ".join(random.choice(words, characters // 4)) for _ in range(200)]
    for arm in ARMS:
        partition = Partition(arm, "made")
        total = count * PER_PROBLEM
        # As an engine finishes them: problems in order, samples of a few at once, mixed.
        order = np.argsort(np.arange(total) + random.uniform(0, 8 * PER_PROBLEM, total))
        for piece in np.array_split(order, max(1, parts // len(ARMS))):
            run.samples.append(partition, _samples(run, piece, texts))
        if finished:
            run.verdicts.replace(partition, _verdicts(run, total, random))
    if finished:
        compact_run(run)


def _samples(run: RunDirectory, places: np.ndarray, texts: list[str]) -> pa.Table:
    written = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            "problem_id": f"p{place // PER_PROBLEM:05d}",
            "sample_index": int(place % PER_PROBLEM),
            "seed": int(place),
            "token_ids": list(range(len(texts[0]) // 4)),
            "text": f"{texts[place % len(texts)]} {place}",
            "finish_reason": "stop",
            "logprob_sum": -1.0,
            "written_at": written + timedelta(microseconds=int(place)),
        }
        for place in places
    ]
    return pa.Table.from_pylist(rows, schema=run.samples.schema)


def _verdicts(run: RunDirectory, total: int, random: np.random.Generator) -> pa.Table:
    correct = random.random(total) < 0.3
    rows = [
        {
            "problem_id": f"p{place // PER_PROBLEM:05d}",
            "sample_index": place % PER_PROBLEM,
            "correct": bool(correct[place]),
            "status": "correct" if correct[place] else "incorrect",
            "extracted": "43",
            "normalised": "43",
            "span": [0, 2],
            "source": "box",
            "flags": [],
            "rule": "number",
            "tolerance": None,
            "grader": "made",
            "text_hash": f"{place:016x}",
            "gold_hash": "0" * 16,
        }
        for place in range(total)
    ]
    return pa.Table.from_pylist(rows, schema=run.verdicts.schema)


def measure(path: Path) -> dict[str, float]:
    """Open a run, its page and a few problems; seconds (on the clock, and of CPU) and MiB."""
    from vlm_boundary.demo import pages
    from vlm_boundary.demo.index import RunIndex
    from vlm_boundary.demo.text import rendered
    from vlm_boundary.demo.view import View, open_problem, settle

    rendered("loads what rendering needs, which the demo has loaded before a page is asked for")
    before = _peak()
    start, busy = time.perf_counter(), time.process_time()
    run = RunIndex(path)
    runs = {run.name: run}
    view = settle(View(), runs)
    pages.problem_list(view, run)
    opened, opened_busy = time.perf_counter() - start, time.process_time() - busy
    problems = run.problems["made"]
    taken, worked = [], []
    for place in np.linspace(0, len(problems) - 1, 9).astype(int)[1:]:
        view = open_problem(view, problems[place].problem_id)
        start, busy = time.perf_counter(), time.process_time()
        pages.problem_card(view, run)
        pages.arm_pane(view, run, "left")
        pages.arm_pane(view, run, "right")
        taken.append(time.perf_counter() - start)
        worked.append(time.process_time() - busy)
    return {
        "open_seconds": round(opened, 3),
        "open_cpu_seconds": round(opened_busy, 3),
        "problem_seconds_median": round(float(np.median(taken)), 3),
        "problem_seconds_worst": round(max(taken), 3),
        "problem_cpu_seconds_median": round(float(np.median(worked)), 3),
        "peak_mib_above_imports": round(_peak() - before, 1),
    }


def _peak() -> float:
    """MiB; `ru_maxrss` would begin with what the parent held."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Write, measure, print a line a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=600_000)
    parser.add_argument("--characters", type=int, default=1400)
    parser.add_argument("--parts", type=int, default=3000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        sixth = options.samples // 6
        cases = {
            "compacted": (options.samples, 8, True),
            "compacted-sixth": (sixth, 8, True),
            "in-progress": (options.samples, options.parts, False),
        }
        for name, (samples, parts, finished) in cases.items():
            path = Path(folder) / name
            write_run(path, samples, options.characters, parts, finished=finished)
            command = [sys.executable, __file__, "--measure", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            print(f"{name:16} {samples:>9,} samples  {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
