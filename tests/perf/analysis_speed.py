"""How fast a large run is analysed: 574 problems, 1,024 samples, two models, from Parquet.

    python tests/perf/analysis_speed.py [--problems 574] [--samples 1024] [--output FILE]

Prints the seconds of each step and of the whole analysis with 10,000 bootstrap draws, and the
largest memory the process had. On a busy machine the processor's time says more than the clock's.
Verdicts are made up: their answers are drawn from a few dozen values, and every sample states four
facts and two steps.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.differences import compare, difference_at_k
from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.intervals import t_intervals
from vlm_boundary.analysis.stage import SECTIONS, analyze
from vlm_boundary.analysis.verdicts import read_verdicts
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem
from vlm_boundary.store import Partition, RunDirectory, short_hash
from vlm_boundary.verifier.graders import gold_hashes_of


def make_run(path: Path, problems: int, samples: int) -> tuple[RunDirectory, ExperimentConfig]:
    """A run directory with verdicts, and empty samples that they are on."""
    experiment = ExperimentConfig.model_validate(
        {
            "name": "speed",
            "run_dir": str(path),
            "benchmarks": {"mine": None},
            "arms": {
                "base": {"model": "org/base", "role": "base"},
                "rl": {"model": "org/rl", "role": "rl"},
            },
            "sampling": {"n": samples},
        }
    )
    run = RunDirectory(path)
    ids = [f"problem-{place:05d}" for place in range(problems)]
    known = tuple(
        Problem("mine", key, "How many?", str(place % 40), answer_type="integer")
        for place, key in enumerate(ids)
    )
    run.write_problems("mine", known)
    run.write_manifest(
        Manifest.model_validate(
            {
                "experiment": experiment.model_dump(mode="json"),
                "benchmarks": {
                    "mine": {"config": {}, "problems": problems, "unusable": 0, "filters": []}
                },
                "arms": {},
            }
        )
    )
    rng = np.random.default_rng(0)
    easy = rng.beta(0.35, 0.7, problems)
    rows = problems * samples
    for arm, chance in (("base", easy), ("rl", easy**0.7)):
        right = rng.random((problems, samples)) < chance[:, None]
        wrong = rng.integers(100, 140, size=(problems, samples)).astype(str).astype(object)
        gold = np.array([problem.answer for problem in known], dtype=object)[:, None]
        answers = np.where(right, gold, wrong).ravel()
        flat = right.ravel()
        columns: dict[str, Any] = {
            "problem_id": np.repeat(np.array(ids, dtype=object), samples),
            "sample_index": np.tile(np.arange(samples, dtype=np.int32), problems),
            "correct": flat,
            "status": np.where(flat, "correct", "incorrect").astype(object),
            "extracted": answers,
            "normalised": answers,
            "span": pa.array([[0, 1]] * rows, pa.list_(pa.int32())),
            "source": ["box"] * rows,
            "flags": pa.array([[]] * rows, pa.list_(pa.string())),
            "rule": ["equal"] * rows,
            "tolerance": pa.nulls(rows, pa.string()),
            "grader": ["made up"] * rows,
            "text_hash": [short_hash("", "stop")] * rows,
        }
        partition = Partition(arm, "mine")
        hashes = gold_hashes_of(run, partition)
        columns["gold_hash"] = np.repeat(np.array([hashes[key] for key in ids]), samples)
        run.verdicts.replace(partition, pa.table(columns, schema=run.verdicts.schema))
        drawn: dict[str, Any] = {name: columns[name] for name in ("problem_id", "sample_index")}
        drawn |= {
            "token_ids": _token_ids(rng.integers(1, 9, rows)),
            "text": [""] * rows,
            "finish_reason": ["stop"] * rows,
            "written_at": [datetime.now(UTC)] * rows,
            "text_hash": columns["text_hash"],
        }
        schema = run.samples.schema
        filled = [drawn.get(one.name, pa.nulls(rows, one.type)) for one in schema]
        run.samples.replace(partition, pa.table(filled, schema=schema))
        stated = drawn | {
            "names": _lists(np.tile(np.array(["AB", "BC", "CD", "DE"], dtype=object), rows), 4),
            "values": _lists(rng.integers(1, 9, 4 * rows).astype(str).astype(object), 4),
            "steps": _lists(rng.integers(1, 9, 2 * rows).astype(str).astype(object), 2),
            "first_false": np.where(flat, "none", "seeing").astype(object),
            "checker": ["made up"] * rows,
            "basis_hash": [""] * rows,
        }
        schema = run.statements.schema
        filled = [stated.get(one.name, pa.nulls(rows, one.type)) for one in schema]
        run.statements.replace(partition, pa.table(filled, schema=schema))
    return run, experiment


def _lists(values: Any, each: int) -> pa.ListArray:
    """Lists of so many values each."""
    offsets = np.arange(0, len(values) + 1, each, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


def _token_ids(lengths: Any) -> pa.ListArray:
    """Responses of so many tokens: few, since only how many there are matters."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = pa.array(np.zeros(offsets[-1], dtype=np.int32))
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def timed(name: str, action: Callable[[], Any], lines: list[str]) -> Any:
    """Run an action and note how long it took."""
    start, busy = time.perf_counter(), time.process_time()
    result = action()
    wall, busy = time.perf_counter() - start, time.process_time() - busy
    lines.append(f"{name:42} {wall:7.2f} s, {busy:7.2f} s of processor")
    print(lines[-1], flush=True)
    return result


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=574)
    parser.add_argument("--samples", type=int, default=1024)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        run, experiment = make_run(Path(folder) / "run", options.problems, options.samples)
        import scipy.stats  # noqa: F401  an import is no part of a computation

        arms = [Partition(arm, "mine") for arm in ("base", "rl")]
        read = timed("verdicts from Parquet", lambda: [read_verdicts(run, a) for a in arms], lines)
        counts = [found.verdicts.counts for found in read if found.verdicts]
        ks = np.arange(1, options.samples + 1)

        def curves_and_pair() -> None:
            for one in counts:
                t_intervals(pass_at_k(one.correct, one.samples, ks), 0.95, (0, 1))
            base, other = counts
            values = difference_at_k(base, other, ks)
            compare(values, 0.95, None, 10_000, np.random.default_rng(0))

        timed("curves and the pair, every k, 10,000 draws", curves_and_pair, lines)
        timed("whole analysis, analysis.json and tables", lambda: analyze(run, experiment), lines)
        data = BenchmarkData.read(run, experiment, "mine")
        assert data is not None
        for key, section in SECTIONS.items():
            timed(f"  of that, {key}", partial(section, data), lines)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    lines.append(f"largest memory, making the run included     {peak:6.2f} GiB")
    print(lines[-1])
    if options.output:
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
