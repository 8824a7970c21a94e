"""One engine's process: `python -m vlm_boundary.sampling.worker RUN ARM… --progress-fd N`.

It reads the run directory, draws what its arms lack and stores it. What it tells its parent goes
through a pipe as JSON lines; what engines print goes wherever the parent sent it.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from vlm_boundary.benchmarks import BenchmarkConfig, load_benchmark
from vlm_boundary.checkpoints import Checkpoint
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.engines.base import Workload
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.errors import UserError
from vlm_boundary.sampling.loop import draw, plan_task
from vlm_boundary.store import Partition, RunDirectory, compact, write_json

_PR_SET_PDEATHSIG = 1


class Stopped(Exception):
    """The parent, or a scheduler, asked the worker to stop."""


def main(arguments: list[str] | None = None) -> int:
    """Run the worker; returns the exit code: 0 done, 2 a user's mistake, 130 stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("arms", nargs="+")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--progress-fd", type=int, required=True)
    options = parser.parse_args(arguments)
    _stop_cleanly()
    os.set_inheritable(options.progress_fd, False)
    with os.fdopen(options.progress_fd, "w", buffering=1) as channel:
        try:
            _work(RunDirectory(options.run), options.arms, options.limit, channel)
        except UserError as error:
            _tell(channel, error=str(error))
            return 2
        except Stopped:
            return 130
    return 0


def _work(run: RunDirectory, arms: list[str], limit: int | None, channel: TextIO) -> None:
    manifest = run.read_manifest()
    experiment = ExperimentConfig.model_validate(manifest["experiment"])
    benchmarks = {
        name: load_benchmark(name, changes) for name, changes in experiment.benchmarks.items()
    }
    tasks = [
        task
        for arm in arms
        for name in benchmarks
        if (
            task := plan_task(
                run, Partition(arm, name), experiment.arm_sampling(arm).n, limit=limit
            )
        ).samples
    ]
    if not tasks:
        return
    entry = manifest["arms"][arms[0]]
    started = time.monotonic()
    engine = open_engine(
        experiment.arms[arms[0]].model,
        Checkpoint.from_record(entry["checkpoint"]) if entry["checkpoint"] else None,
        experiment.arm_engine(arms[0]),
        Workload(
            samplings=tuple(experiment.arm_sampling(arm) for arm in arms),
            max_images=max(len(span.problem.pictures) for task in tasks for span in task.spans),
            **_largest_budget([benchmarks[task.partition.benchmark] for task in tasks]),
        ),
    )
    ready = time.monotonic()
    record = {"arms": arms, "started": datetime.now(UTC).isoformat(), **engine.describe()}
    _tell(channel, ready=ready - started)
    drawn = {"samples": 0, "tokens": 0}

    def progress(tokens: int) -> None:
        drawn["samples"] += 1
        drawn["tokens"] += tokens
        _tell(channel, sample=tokens)

    try:
        for task in tasks:
            draw(run, experiment, benchmarks[task.partition.benchmark], task, engine, progress)
            compact(run.samples, task.partition)
    finally:
        record |= drawn | {
            "start_seconds": round(ready - started, 3),
            "draw_seconds": round(time.monotonic() - ready, 3),
        }
        # A file of its own: workers of one run never write the same one.
        write_json(
            run.path / "writers" / f"{arms[0]}-{os.getpid()}-{int(time.time())}.json", record
        )
        engine.close()


def _largest_budget(benchmarks: list[BenchmarkConfig]) -> dict[str, int | None]:
    budgets = [b.images for b in benchmarks]
    if any(images.max_pixels is None for images in budgets):
        return {"min_pixels": None, "max_pixels": None}
    smallest = [images.min_pixels for images in budgets]
    return {
        "min_pixels": None if None in smallest else min(filter(None, smallest), default=None),
        "max_pixels": max(images.max_pixels or 1 for images in budgets),
    }


def _stop_cleanly() -> None:
    """End with the parent, and turn signals into an exception that lets results be stored."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    def stop(signum: int, frame: Any) -> None:
        # Once: a second signal while results are being stored must not interrupt that.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise Stopped

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _tell(channel: TextIO, **message: Any) -> None:
    try:
        channel.write(json.dumps(message) + "\n")
    except BrokenPipeError:
        raise Stopped from None  # nobody listens any more


if __name__ == "__main__":
    sys.exit(main())
