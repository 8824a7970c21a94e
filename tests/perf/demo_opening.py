"""How long the demo takes to open a run and a problem, and what memory that needs.

    python tests/perf/demo_opening.py [--samples 600000] [--characters 1400] [--parts 3000]

Writes three runs into a temporary folder: a compacted one, one a tenth as large, and the large one
still being written (thousands of small parts, nothing graded). Each is opened several times, in a
process of its own each time, so that its memory is its own. Printed are the median and, in
brackets, the least of these: other work on the machine only ever adds. Seconds of CPU stand beside
those on the clock, which include waiting for others; `problem` is the median of eight problems;
memory is the peak above what the demo holds before it opens a run. The search is for a text that
one late response of each arm holds: until the first list of hits, and through every response.
What is imported before (gradio, most of all) is measured too, alone and with the opening;
`ready_cpu_s` is all that `vlm-boundary demo RUN` takes of CPU until it prints its address.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vlm_boundary.records.manifest import Manifest, RunBenchmark
from vlm_boundary.records.problem import Problem
from vlm_boundary.store import Partition, RunDirectory, compact_run

ARMS = ("base", "rl")
PER_PROBLEM = 512
_WORDS = (
    "the angle at P is twice x so we get left plus 12 = 43 and hence boxed sum of sides".split()
)


def write_run(path: Path, samples: int, characters: int, parts: int, *, finished: bool) -> None:
    """A run with two arms and 512 samples per problem; a finished one is compacted and graded."""
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
    run.write_manifest(Manifest(experiment=experiment, benchmarks={"made": RunBenchmark()}))
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
    count, tokens = len(places), len(texts[0]) // 4
    written = np.datetime64("2026-01-01T00:00:00", "us") + places
    columns = {
        "problem_id": pa.array([f"p{place // PER_PROBLEM:05d}" for place in places]),
        "sample_index": places % PER_PROBLEM,
        "seed": places,
        "token_ids": pa.ListArray.from_arrays(
            np.arange(count + 1) * tokens, np.tile(np.arange(tokens, dtype=np.int32), count)
        ),
        "text": pa.array([f"{texts[place % len(texts)]} {place}" for place in places]),
        "finish_reason": pa.repeat("stop", count),
        "logprob_sum": pa.repeat(-1.0, count),
        "written_at": pa.array(written).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
    }
    return _under(run.samples.schema, columns)


def _verdicts(run: RunDirectory, total: int, random: np.random.Generator) -> pa.Table:
    places = np.arange(total)
    correct = random.random(total) < 0.3
    span = pa.ListArray.from_arrays(np.arange(total + 1) * 2, np.tile([0, 2], total))
    columns = {
        "problem_id": pa.array([f"p{place // PER_PROBLEM:05d}" for place in places]),
        "sample_index": places % PER_PROBLEM,
        "correct": pa.array(correct),
        "status": pa.array(np.where(correct, "correct", "incorrect")),
        "extracted": pa.repeat("43", total),
        "normalised": pa.repeat("43", total),
        "span": span,
        "source": pa.repeat("box", total),
        "flags": pa.ListArray.from_arrays(np.zeros(total + 1, dtype=np.int32), pa.array([], "str")),
        "rule": pa.repeat("number", total),
        "tolerance": pa.nulls(total),
        "grader": pa.repeat("made", total),
        "text_hash": pa.array([f"{place:016x}" for place in places]),
        "gold_hash": pa.repeat("0" * 16, total),
    }
    return _under(run.verdicts.schema, columns)


def _under(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    """Columns in the schema's order and types; what was not made is null."""
    count = len(columns["problem_id"])
    return pa.table(
        [
            pa.array(columns[field.name]).cast(field.type)
            if field.name in columns
            else pa.nulls(count, field.type)
            for field in schema
        ],
        schema=schema,
    )


def measure(path: Path) -> dict[str, float]:
    """Open a run, its page and eight problems; seconds (on the clock, and of CPU) and MiB."""
    busy = time.process_time()
    import vlm_boundary.demo.lean_gradio

    gradio_busy = time.process_time() - busy
    import vlm_boundary.demo.app  # noqa: F401

    imports_busy = time.process_time() - busy
    from vlm_boundary.demo import listing, pages, pane
    from vlm_boundary.demo.index import RunIndex
    from vlm_boundary.demo.search import search_responses
    from vlm_boundary.demo.text import rendered
    from vlm_boundary.demo.view import View, open_problem, settle

    rendered("loads what rendering needs, which the demo has loaded before a page is asked for")
    before = _peak()
    start, busy = time.perf_counter(), time.process_time()
    run = RunIndex(path)
    runs = {run.name: run}
    view = settle(View(), runs)
    listing.problem_list(view, run)
    opened, opened_busy = time.perf_counter() - start, time.process_time() - busy
    problems = run.problems["made"]
    taken, worked = [], []
    for place in np.linspace(0, len(problems) - 1, 9).astype(int)[1:]:
        view = open_problem(view, problems[place].problem_id)
        start, busy = time.perf_counter(), time.process_time()
        pages.problem_card(view, run)
        pane.arm_pane(view, run, "left")
        pane.arm_pane(view, run, "right")
        taken.append(time.perf_counter() - start)
        worked.append(time.process_time() - busy)
    start, busy = time.perf_counter(), time.process_time()
    first = 0.0
    wanted = replace(view, text=f" {len(problems) * PER_PROBLEM - 7}")  # in one response an arm
    for found in search_responses(wanted, run):
        if found.hits and not first:
            first = time.perf_counter() - start
    searched, searched_busy = time.perf_counter() - start, time.process_time() - busy
    assert found.hits
    return {
        "import_gradio_cpu_s": gradio_busy,
        "import_and_open_cpu_s": imports_busy + opened_busy,
        "first_hit_s": first,
        "search_s": searched,
        "search_cpu_s": searched_busy,
        "open_s": opened,
        "open_cpu_s": opened_busy,
        "problem_s": float(np.median(taken)),
        "problem_cpu_s": float(np.median(worked)),
        "problem_worst_s": max(taken),
        "peak_mib": _peak() - before,
    }


def _repeated(path: Path, times: int) -> str:
    """Medians of what fresh processes measure, and the least of each in brackets."""
    command = [sys.executable, __file__, "--measure", str(path)]
    found = []
    for _ in range(times):
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found.append(json.loads(done.stdout) | {"ready_cpu_s": _ready(path)})
    values = {name: [one[name] for one in found] for name in found[0]}
    return "  ".join(f"{name} {np.median(of):.2f} ({min(of):.2f})" for name, of in values.items())


def _ready(path: Path) -> float:
    """Seconds of CPU that the command takes until the page can be asked for."""
    command = [sys.executable, "-m", "vlm_boundary", "demo", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        said = any(line.startswith("http") for line in demo.stdout)
        spent = Path(f"/proc/{demo.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        demo.terminate()
    assert said
    return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")


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
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            "compacted-tenth": (options.samples // 10, 8, True),
            "compacted": (options.samples, 8, True),
            "in-progress": (options.samples, options.parts, False),
        }
        for name, (samples, parts, finished) in cases.items():
            path = Path(folder) / name
            write_run(path, samples, options.characters, parts, finished=finished)
            measured = _repeated(path, options.repeat)
            print(f"{name:16} {samples:>9,} samples  {measured}", flush=True)


if __name__ == "__main__":
    main()
