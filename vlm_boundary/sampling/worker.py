"""One engine's process: `python -m vlm_boundary.sampling.worker RUN ARM… --progress-fd N`.

It reads the run directory, draws what its arms lack and stores it; with --responses-of it scores
what other arms drew instead. What it tells its parent goes through a pipe as JSON lines; what
engines print goes wherever the parent sent it.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from vlm_boundary.benchmarks import BenchmarkConfig, load_benchmark
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.engines.base import Completion, Engine, ScoringEngine
from vlm_boundary.errors import UserError
from vlm_boundary.planning.efficiency import Tally
from vlm_boundary.sampling.loop import Task, draw, plan_task
from vlm_boundary.scoring.loop import plan_scores, score_responses
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
    parser.add_argument("--responses-of", action="append")
    parser.add_argument("--per-problem", type=int)
    parser.add_argument("--progress-fd", type=int, required=True)
    options = parser.parse_args(arguments)
    _stop_cleanly()
    os.set_inheritable(options.progress_fd, False)
    with os.fdopen(options.progress_fd, "w", buffering=1) as channel:
        try:
            _work(RunDirectory(options.run), options, channel)
        except UserError as error:
            _tell(channel, error=str(error))
            return 2
        except Stopped:
            return 130
    return 0


def _work(run: RunDirectory, options: argparse.Namespace, channel: TextIO) -> None:
    arms: list[str] = options.arms
    manifest = run.read_manifest()
    experiment = ExperimentConfig.model_validate(manifest["experiment"])
    benchmarks = {
        name: load_benchmark(name, changes) for name, changes in experiment.benchmarks.items()
    }
    tasks = [task for task in _tasks(run, experiment, options) if task.samples]
    if not tasks:
        return
    from vlm_boundary.engines.vllm import VllmEngine

    folder = Path(manifest["arms"][arms[0]]["folder"])
    started = time.monotonic()
    engine = VllmEngine(
        folder,
        experiment.arm_engine(arms[0]),
        max_images=max(len(span.problem.pictures) for task in tasks for span in task.spans),
        **_largest_budget([benchmarks[task.partition.benchmark] for task in tasks]),
    )
    ready = time.monotonic()
    record = {"arms": arms, "started": datetime.now(UTC).isoformat(), **engine.describe()}
    _tell(channel, ready=ready - started)
    tally = Tally()
    try:
        for task in tasks:
            benchmark = benchmarks[task.partition.benchmark]
            if options.responses_of:
                _score(run, experiment, benchmark, task, arms[0], engine, channel, tally)
            else:
                _draw(run, experiment, benchmark, task, engine, channel, tally)
    finally:
        seconds = round(time.monotonic() - ready, 3)
        record |= {"samples": tally.samples, "tokens": tally.tokens}
        record["start_seconds"] = round(ready - started, 3)
        if options.responses_of:
            record |= {"scored": options.responses_of, "score_seconds": seconds}
        else:
            bound = tally.lower_bound(folder, record)
            record |= {"draw_seconds": seconds, "lower_bound": bound}
        # A file of its own: workers of one run never write the same one.
        write_json(
            run.path / "writers" / f"{arms[0]}-{os.getpid()}-{int(time.time())}.json", record
        )
        engine.close()


def _draw(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    task: Task,
    engine: Engine,
    channel: TextIO,
    tally: Tally,
) -> None:
    def progress(problem_id: str, done: Completion) -> None:
        tally.add(task.partition, problem_id, done)
        _tell(channel, sample=len(done.token_ids))

    draw(run, experiment, benchmark, task, engine, progress)
    compact(run.samples, task.partition)


def _score(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    task: Task,
    under: str,
    engine: Engine,
    channel: TextIO,
    tally: Tally,
) -> None:
    if not isinstance(engine, ScoringEngine):
        raise UserError(f"the engine of arm {under!r} cannot score responses; use vllm")

    def progress(tokens: int) -> None:
        tally.count(tokens)
        _tell(channel, sample=tokens)

    score_responses(run, experiment, benchmark, task, under, engine, progress)


def _tasks(
    run: RunDirectory, experiment: ExperimentConfig, options: argparse.Namespace
) -> Iterator[Task]:
    """What is missing of what the process was started for."""
    for arm in options.responses_of or options.arms:
        for name in experiment.benchmarks:
            partition = Partition(arm, name)
            if options.responses_of:
                under, per_problem = options.arms[0], options.per_problem
                yield plan_scores(run, partition, under, per_problem, limit=options.limit)
            else:
                n = experiment.arm_sampling(arm).n
                yield plan_task(run, partition, n, limit=options.limit)


def _largest_budget(benchmarks: list[BenchmarkConfig]) -> dict[str, int | None]:
    budgets = [b.images for b in benchmarks]
    if any(images.max_pixels is None for images in budgets):
        return {"min_pixels": None, "max_pixels": None}
    return {
        "min_pixels": min(images.min_pixels or 1 for images in budgets),
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
