"""What a cluster costs its driver, with engines that take time and compute nothing.

    python tests/perf/cluster_simulation.py [--engines 12] [--samples 1000000] [--problems 1000]

Ray on this machine, as many engines as are asked for, two models of a pair as one job, every part
written by the engines. Prints the driver's memory as samples come in, how much of the engines'
time was used (their slots, from the first second that all of them work until nothing is left to
give out, and over the whole), and the throughput against the sum of what the engines can do.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import ray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import simulated_engine
from simulated_engine import Opener

from vlm_boundary.benchmarks import load_benchmark
from vlm_boundary.cluster import draw_models
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.plan import plan_task
from vlm_boundary.sampling.work import Draw
from vlm_boundary.store import Partition, RunDirectory

ARMS = ("base", "rl")


def main() -> None:
    """Simulate, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--engines", type=int, default=12)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--problems", type=int, default=1_000)
    parser.add_argument("--sequences", type=int, default=256, help="samples at once, an engine")
    parser.add_argument("--seconds", type=float, default=1.5, help="a sample takes, on average")
    parser.add_argument("--tokens", type=int, default=200, help="in a sample")
    options = parser.parse_args()
    n = options.samples // (options.problems * len(ARMS))
    opener = Opener(options.sequences, options.seconds, options.tokens)
    with tempfile.TemporaryDirectory() as folder:
        run, experiment = _made(Path(folder) / "run", options, n)
        problems = run.read_problems("mine")

        def missing() -> list[list[Draw]]:
            tasks = [plan_task(run, Partition(arm, "mine"), n, problems) for arm in ARMS]
            return [[Draw(task.partition, task.spans_by_problem())] for task in tasks]

        ray.init(num_cpus=options.engines, log_to_driver=False)
        ray.cloudpickle.register_pickle_by_value(simulated_engine)  # type: ignore[no-untyped-call]
        started = time.time()
        used = time.process_time()
        with _Watched(run, 2 * n * options.problems) as watched:
            draw_models(run, experiment, missing(), opener)
        took, used = time.time() - started, time.process_time() - used
        print(f"{2 * n * options.problems:,} samples, {took:.0f} s in all")
        print(f"driver: {1000 * used / took / options.engines:.2f} ms of CPU a second an engine")
        watched.say()
        _use(run, options)
        left = missing()
        print(f"missing: {sum(unit.samples for (unit,) in left)}")


def _made(path: Path, options: argparse.Namespace, n: int) -> tuple[RunDirectory, ExperimentConfig]:
    run = RunDirectory(path)
    raw: dict[str, Any] = {
        "name": "simulated",
        "run_dir": str(path),
        "benchmarks": {"mine": None},
        "arms": {arm: {"model": f"org/{arm}", "role": arm} for arm in ARMS},
        "sampling": {"n": n},
        "ray": {"gpus_per_engine": 0, "max_engines": options.engines},
    }
    experiment = ExperimentConfig.model_validate(raw)
    problems = [Problem("mine", f"p{i:05d}", "?", "1") for i in range(options.problems)]
    run.write_problems("mine", tuple(problems))
    benchmark = load_benchmark("procedural").model_dump(mode="json") | {"name": "mine"}
    arms = {arm: {"identity": {"weights": arm}, "checkpoint": None} for arm in ARMS}
    manifest = {"experiment": raw, "benchmarks": {"mine": {"config": benchmark}}, "arms": arms}
    run.write_manifest(Manifest.model_validate(manifest))
    return run, experiment


class _Watched:
    """The driver's resident memory beside how much of the work is stored, every few seconds."""

    def __init__(self, run: RunDirectory, total: int) -> None:
        self._run = run
        self._total = total
        self._seen: list[tuple[float, int, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        process, started = psutil.Process(), time.time()
        while not self._over.wait(5.0):
            parts = sum(1 for _ in self._run.samples.root.rglob("part-*.parquet"))
            memory = process.memory_info().rss
            self._seen.append((time.time() - started, parts, memory / 2**20))

    def say(self) -> None:
        """Print memory at every tenth of the time, and the most."""
        step = max(1, len(self._seen) // 10)
        for seconds, parts, memory in self._seen[step - 1 :: step]:
            print(f"  after {seconds:4.0f} s: {parts:5,} parts, driver {memory:6.0f} MiB")
        half = self._seen[len(self._seen) // 2][2]
        print(f"driver, end / half way: {self._seen[-1][2] / half:.3f}")


def _use(run: RunDirectory, options: argparse.Namespace) -> None:
    """How busy the engines were, by the seconds of the clock that they counted; what came of it."""
    busy = [json.loads(path.read_text())["work"]["busy"] for path in run.writers()]
    engines = [{int(second): slots for second, slots in one.items()} for one in busy if one]
    begin, end = min(map(min, engines)), max(map(max, engines))
    total = np.array([sum(one.get(s, 0.0) for one in engines) for s in range(begin, end + 1)])
    capacity = options.engines * options.sequences
    # From when all engines are at work until the first of them is given no more, which is when it
    # begins to drain: ten times the mean before it ends, as the longest of its last samples take.
    first = max(sorted(map(min, engines))[: options.engines]) + 1 - begin
    last = min(map(max, engines)) - round(10 * options.seconds) - begin
    steady = total[first:last]
    print(f"engines: {len(engines)}; all at work after {first} s, work for all until {last} s")
    print(f"slots used while there was work for all: {steady.mean() / capacity:.1%}")
    print(f"  least in a second: {steady.min() / capacity:.1%}")
    print(f"slots used from the first sample to the last: {total.mean() / capacity:.1%}")
    written = np.concatenate(
        [
            rows["written_at"].cast("int64").to_numpy() // 10**6
            for partition in run.samples.partitions()
            for rows in run.samples.batches(partition, ["written_at"])
        ]
    )
    done = np.bincount(written - begin, minlength=last)[first:last].mean()
    able = capacity / options.seconds
    print(f"samples/s while there was work for all: {done:,.0f}")
    print(f"sum of what the engines can do: {able:,.0f}; ratio {done / able:.3f}")


if __name__ == "__main__":
    main()
