"""The sampling stage: one process an engine, one after the other, watched from here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.progress import progress_bar
from vlm_boundary.sampling.loop import plan_task
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.store import Partition, RunDirectory


class EngineDied(Exception):
    """An engine's process ended by itself; what it had finished is stored."""


def sample(run: RunDirectory, experiment: ExperimentConfig, *, limit: int | None = None) -> int:
    """Draw every sample that the experiment asks for and the run lacks; returns how many.

    Args:
        limit: sample only each benchmark's first problems.

    Raises:
        UserError: something in the experiment cannot be run as it stands.
        EngineDied: an engine failed; running the stage again goes on from there.
    """
    with run.writing():
        manifest = prepare(run, experiment)
        missing = {arm: _missing(run, experiment, arm, limit) for arm in experiment.arms}
        total = sum(missing.values())
        for arms in _engines(experiment, manifest, [arm for arm in missing if missing[arm]]):
            _run_worker(run, arms, sum(missing[arm] for arm in arms), limit)
        return total


def _missing(run: RunDirectory, experiment: ExperimentConfig, arm: str, limit: int | None) -> int:
    n = experiment.arm_sampling(arm).n
    return sum(
        plan_task(run, Partition(arm, benchmark), n, limit=limit).samples
        for benchmark in experiment.benchmarks
    )


def _engines(
    experiment: ExperimentConfig, manifest: dict[str, Any], arms: list[str]
) -> list[list[str]]:
    """Arms grouped so that those of one checkpoint under one engine setting share a process."""
    groups: dict[str, list[str]] = {}
    for arm in arms:
        key = manifest["arms"][arm]["folder"] + experiment.arm_engine(arm).model_dump_json()
        groups.setdefault(key, []).append(arm)
    return list(groups.values())


def _run_worker(run: RunDirectory, arms: list[str], samples: int, limit: int | None) -> None:
    run.logs.mkdir(parents=True, exist_ok=True)
    log = run.logs / f"sample-{arms[0]}-{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
    read_end, write_end = os.pipe()
    command = [sys.executable, "-m", "vlm_boundary.sampling.worker", str(run.path), *arms]
    command += ["--progress-fd", str(write_end)]
    if limit is not None:
        command += ["--limit", str(limit)]
    label = ", ".join(arms)
    with log.open("w") as output:
        # A session of its own: its engine's processes end with it, and Ctrl-C reaches it from
        # here, once.
        worker = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            pass_fds=[write_end],
            start_new_session=True,
        )
        os.close(write_end)
        with os.fdopen(read_end) as channel, _ending(worker):
            error = _follow(channel, label, samples)
            code = worker.wait()
    if code == 2 and error:
        raise UserError(error)
    if code != 0:
        raise EngineDied(
            f"the engine of {label} ended with {_code(code)}: {_last_line(log)} (all it printed "
            f"is in {log}); finished samples are stored, run the same command to go on"
        )


def _follow(channel: Any, label: str, samples: int) -> str | None:
    """Show a worker's progress until it closes its pipe; returns the mistake it named, if any."""
    tokens = 0
    error = None
    with progress_bar(f"{label}: starting the engine", total=samples, unit="sample") as bar:
        for line in channel:
            message = json.loads(line)
            if "ready" in message:
                bar.set_description(f"sampling {label}")
                bar.reset(total=samples)  # the rate counts from the first sample
            elif "sample" in message:
                tokens += message["sample"]
                bar.update()
                elapsed = bar.format_dict["elapsed"]
                if elapsed > 0:
                    bar.set_postfix_str(f"{tokens / elapsed:,.0f} tokens/s", refresh=False)
            else:
                error = message["error"]
    return error


@contextmanager
def _ending(worker: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let the worker store what it has when we are interrupted, and leave nothing of it behind."""
    previous = signal.signal(signal.SIGTERM, _raise_interrupt)
    try:
        yield
    except KeyboardInterrupt:
        worker.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):  # then it is killed below
            worker.wait(timeout=60)
        raise
    finally:
        signal.signal(signal.SIGTERM, previous)
        with suppress(ProcessLookupError):  # already gone, with all its children
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def _raise_interrupt(signum: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _code(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "no output"
