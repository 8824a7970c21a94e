"""One engine's process: `python -m vlm_boundary.sampling.worker RUN --progress-fd N`.

It reads what to draw, to score or to judge from its standard input, as JSON, does what of that the
run lacks, and stores it. What it tells its parent goes through a pipe as JSON lines; what engines
print goes wherever the parent sent it.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from vlm_boundary.benchmarks import BenchmarkConfig, load_benchmark
from vlm_boundary.checkpoints import Checkpoint
from vlm_boundary.config import (
    EngineConfig,
    ExperimentConfig,
    JudgeConfig,
    PrmConfig,
    SamplingConfig,
)
from vlm_boundary.engines.base import Completion, ScoringEngine, Workload
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.errors import UserError
from vlm_boundary.planning.efficiency import Tally
from vlm_boundary.reasoning.judging import judge_chains, plan_judging, stored_judge
from vlm_boundary.sampling.conditions import put
from vlm_boundary.sampling.jobs import Assignment, Job
from vlm_boundary.sampling.loop import draw
from vlm_boundary.sampling.plan import Task, plan_task
from vlm_boundary.scoring.loop import plan_scores, score_responses
from vlm_boundary.store import Partition, RunDirectory, write_json

_PR_SET_PDEATHSIG = 1
_BEAT_SECONDS = 1.0
# Ends the process group named by its argument as soon as its standard input is closed.
_GUARD = 'read -r _; kill -s KILL -- "-$1"'


class Stopped(Exception):
    """The parent, or a scheduler, asked the worker to stop."""


def main(arguments: list[str] | None = None) -> int:
    """Run the worker; returns the exit code: 0 done, 2 a user's mistake, 130 stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--progress-fd", type=int, required=True)
    options = parser.parse_args(arguments)
    assignments = [
        Assignment(**fields | {"problems": tuple(fields["problems"])})
        for fields in json.load(sys.stdin)
    ]
    stop_cleanly()
    guard = leave_nothing_behind()
    os.set_inheritable(options.progress_fd, False)
    with os.fdopen(options.progress_fd, "w", buffering=1) as file:
        channel = _Channel(file)
        try:
            _work(RunDirectory(options.run), assignments, channel)
        except UserError as error:
            channel.tell(error=str(error))
            code = 2
        except Stopped:
            return 130  # perhaps because the parent is gone: the guard sees to what is left
        else:
            code = 0
    if guard is not None:
        guard.kill()  # an end of our own, and the parent lives to see to what is left
    return code


class _Channel:
    """What the parent is told."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._told = 0.0

    def tell(self, **message: Any) -> None:
        """Send one message."""
        self._told = time.monotonic()
        try:
            self._file.write(json.dumps(message) + "\n")
        except BrokenPipeError:
            raise Stopped from None  # nobody listens any more

    def alive(self) -> None:
        """Say so, unless something was said a moment ago."""
        if time.monotonic() - self._told >= _BEAT_SECONDS:
            self.tell(alive=True)


def _work(run: RunDirectory, assignments: list[Assignment], channel: _Channel) -> None:
    manifest = run.read_manifest()
    experiment = ExperimentConfig.model_validate(manifest["experiment"])
    benchmarks = {
        name: load_benchmark(name, changes) for name, changes in experiment.benchmarks.items()
    }
    seed = experiment.seed
    if not any(_task(run, assignment, seed).samples for assignment in assignments):
        return
    job = Job(tuple(assignments), 0)
    model = _model(run, experiment, job)
    started = time.monotonic()
    engine = open_engine(
        model.name,
        model.checkpoint,
        model.engine,
        Workload(
            samplings=model.samplings,
            max_images=_most_pictures(run, assignments, seed) if model.sees else 0,
            **(
                _largest_budget([benchmarks[a.benchmark] for a in assignments])
                if model.sees
                else {}
            ),
        ),
    )
    ready = time.monotonic()
    said = engine.describe()
    begun = datetime.now(UTC).isoformat()
    channel.tell(ready=ready - started)
    tally = Tally()

    def drawn(partition: Partition, problem_id: str, done: Completion) -> None:
        tally.add(partition, problem_id, done)
        channel.tell(sample=len(done.token_ids))

    def done(tokens: int) -> None:
        tally.count(tokens)
        channel.tell(sample=tokens)

    try:
        for assignment in assignments:
            task = _task(run, assignment, seed)  # planned now: the wave before may have drawn some
            benchmark = benchmarks[assignment.benchmark]
            if model.judge is not None:
                variant, problems = assignment.variant, run.read_problems(assignment.benchmark)
                judge_chains(
                    run,
                    model.judge,
                    benchmark.images,
                    task,
                    variant,
                    problems,
                    engine,
                    seed,
                    done,
                    channel.alive,
                )
            elif assignment.under is None:
                progress = partial(drawn, task.partition)
                draw(run, experiment, benchmark, task, engine, progress, channel.alive)
            else:
                assert isinstance(engine, ScoringEngine)  # the stage has seen to that
                under = assignment.under
                score_responses(
                    run, experiment, benchmark, task, under, engine, done, channel.alive
                )
    finally:
        seconds = round(time.monotonic() - ready, 3)
        work = {
            "started": begun,
            "samples": tally.samples,
            "tokens": tally.tokens,
            "start_seconds": round(ready - started, 3),
            "peak_memory_bytes": _peak_memory(),
            **engine.usage(),
        }
        read = list(dict.fromkeys(assignment.arm for assignment in assignments))
        if job.activity == "scoring":
            work |= {"scored": read, "score_seconds": seconds}
        elif job.activity == "judging":
            work |= {"judged": read, "judge_seconds": seconds}
        else:
            folder = model.checkpoint.folder if model.checkpoint else None
            bound = tally.lower_bound(folder, said)
            work |= {"draw_seconds": seconds, "lower_bound": bound}
        record = {"arms": job.arms, "engine": said, "work": work}
        # A file of its own: workers of one run never write the same one.
        name = f"{job.arms[0]}-{os.getpid()}-{int(time.time())}.json"
        write_json(run.path / "writers" / name, record)
        engine.close()


@dataclass(frozen=True)
class _Model:
    """What an engine is opened with: an arm, or the judge."""

    name: str
    checkpoint: Checkpoint | None
    engine: EngineConfig | PrmConfig
    samplings: tuple[SamplingConfig, ...]
    judge: JudgeConfig | None = None

    @property
    def sees(self) -> bool:
        """Whether it is shown pictures."""
        return self.judge is None or self.judge.pictures


def _model(run: RunDirectory, experiment: ExperimentConfig, job: Job) -> _Model:
    manifest, name = run.read_manifest(), job.arms[0]
    if job.activity == "judging":
        entry = manifest["judges"][name]
        judge = stored_judge(run, name)
        engine = judge.engine or experiment.engine
        return _Model(judge.model, _checkpoint(entry), engine, (judge.sampling,), judge)
    entry = manifest["arms"][name]
    draws = job.activity == "sampling"
    samplings = tuple(map(experiment.arm_sampling, job.arms)) if draws else ()
    engine = experiment.arm_engine(name)
    return _Model(experiment.arms[name].model, _checkpoint(entry), engine, samplings)


def _checkpoint(entry: dict[str, Any]) -> Checkpoint | None:
    return Checkpoint.from_record(entry["checkpoint"]) if entry["checkpoint"] else None


def _task(run: RunDirectory, assignment: Assignment, seed: int) -> Task:
    shown = put(run.read_problems(assignment.benchmark), assignment.condition, seed)
    known = {problem.problem_id: problem for problem in shown}
    problems = [known[problem_id] for problem_id in assignment.problems]
    partition = Partition(assignment.arm, assignment.benchmark, assignment.condition)
    if assignment.judge is not None:
        judge = stored_judge(run, assignment.judge)
        whole = run.read_problems(assignment.benchmark)
        task = plan_judging(run, judge, assignment.variant, partition, assignment.n, seed, whole)
        mine = set(assignment.problems)
        return replace(task, spans=[s for s in task.spans if s.problem.problem_id in mine])
    if assignment.under is None:
        return plan_task(run, partition, assignment.n, problems)
    return plan_scores(run, partition, assignment.under, assignment.n, problems)


def _most_pictures(run: RunDirectory, assignments: list[Assignment], seed: int) -> int:
    return max(
        len(span.problem.pictures)
        for assignment in assignments
        for span in _task(run, assignment, seed).spans
    )


def _peak_memory() -> int:
    """The most that this process and any one of its children held, in bytes."""
    scopes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    return sum(resource.getrusage(scope).ru_maxrss for scope in scopes) * unit


def _largest_budget(benchmarks: list[BenchmarkConfig]) -> dict[str, int | None]:
    budgets = [b.images for b in benchmarks]
    if any(images.max_pixels is None for images in budgets):
        return {"min_pixels": None, "max_pixels": None}
    smallest = [images.min_pixels for images in budgets]
    return {
        "min_pixels": None if None in smallest else min(filter(None, smallest), default=None),
        "max_pixels": max(images.max_pixels or 1 for images in budgets),
    }


def stop_cleanly() -> None:
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


def leave_nothing_behind() -> subprocess.Popen[bytes] | None:
    """Have the engine's processes ended with this one, however it ends.

    vLLM's core outlives a killed parent and keeps its GPU. A guard outside our process group holds
    the other end of a pipe that closes with us, and then ends the group.

    Returns:
        The guard, whose pipe must stay open as long as this process is to live.
    """
    if os.getpgid(0) != os.getpid():  # a debugger runs us inside its own group
        return None
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


if __name__ == "__main__":
    sys.exit(main())
