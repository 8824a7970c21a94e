"""Engine processes watched from outside: their progress, their end, and nothing left of them."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vlm_boundary.errors import UserError
from vlm_boundary.progress import progress_bar
from vlm_boundary.store import RunDirectory

# How long a worker that was asked to stop may take to store what it has.
STOP_SECONDS = 60.0


class EngineDied(Exception):
    """An engine's process ended by itself; what it had finished is stored."""


@dataclass(frozen=True)
class Job:
    """Arms that one engine process works for, and how many samples that concerns.

    `options` are further options of `sampling.worker`; `activity` is what its bar says it does.
    """

    arms: tuple[str, ...]
    samples: int
    options: tuple[str, ...] = ()
    activity: str = "sampling"

    @property
    def label(self) -> str:
        """The arms' names."""
        return ", ".join(self.arms)


def run_jobs(
    run: RunDirectory,
    jobs: Sequence[Job],
    *,
    at_once: int,
    threads: int | None,
    limit: int | None,
) -> None:
    """Run every job in a process of its own, at most `at_once` of them side by side.

    One that fails does not stop the others; its error is raised when they are done.

    Raises:
        UserError: a worker found a mistake in the experiment.
        EngineDied: an engine ended by itself.
    """
    pending = deque(enumerate(jobs))
    active: list[_Worker] = []
    failures: list[UserError | EngineDied] = []
    with selectors.DefaultSelector() as selector, _ending(active):
        while pending or active:
            while pending and len(active) < at_once:
                place, job = pending.popleft()
                worker = _Worker(run, job, place, threads, limit)
                selector.register(worker.channel, selectors.EVENT_READ, worker)
                active.append(worker)
            for key, _ in selector.select(timeout=1.0):
                worker = key.data
                if worker.read():
                    continue
                selector.unregister(worker.channel)
                active.remove(worker)
                if failure := worker.finish():
                    failures.append(failure)
    if failures:
        # A mistake that can be mended comes before an engine that died, perhaps of the same.
        raise min(failures, key=lambda failure: not isinstance(failure, UserError))


class _Worker:
    """One engine process and its progress bar."""

    def __init__(
        self, run: RunDirectory, job: Job, place: int, threads: int | None, limit: int | None
    ) -> None:
        self._job = job
        run.logs.mkdir(parents=True, exist_ok=True)
        began = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        self._log = run.logs / f"{job.activity}-{job.arms[0]}-{began}.log"
        self.channel, write_end = os.pipe()
        command = [sys.executable, "-m", "vlm_boundary.sampling.worker", str(run.path), *job.arms]
        command += ["--progress-fd", str(write_end), *job.options]
        if limit is not None:
            command += ["--limit", str(limit)]
        with self._log.open("w") as output:
            # A session of its own: its engine's processes end with it, and Ctrl-C reaches it
            # from here, once.
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                pass_fds=[write_end],
                start_new_session=True,
                env=_environment(threads),
            )
        os.close(write_end)
        self._buffer = b""
        self._error: str | None = None
        self._tokens = 0
        self._bar = progress_bar(
            f"{job.label}: starting the engine", total=job.samples, unit="sample", place=place
        )

    def read(self) -> bool:
        """Take what the process has said; False when it has said its last."""
        data = os.read(self.channel, 1 << 16)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))
        return bool(data)

    def finish(self) -> UserError | EngineDied | None:
        """Wait for the process, end whatever it started, and say what went wrong, if anything."""
        code = self.process.wait()
        self.kill()
        self._bar.close()
        os.close(self.channel)
        if code == 0:
            return None
        if code == 2 and self._error:
            return UserError(self._error)
        return EngineDied(
            f"the engine of {self._job.label} ended with {_code(code)}: {_last_line(self._log)} "
            f"(all it printed is in {self._log}); finished samples are stored, run the same "
            f"command to go on"
        )

    def kill(self) -> None:
        """Leave nothing behind of the process and its children."""
        with suppress(ProcessLookupError):  # already gone, with all its children
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _take(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self._bar.set_description(f"{self._job.activity} {self._job.label}")
            self._bar.reset(total=self._job.samples)  # the rate counts from the first sample
        elif "sample" in message:
            self._tokens += message["sample"]
            self._bar.update()
            elapsed = self._bar.format_dict["elapsed"]
            if elapsed > 0:
                self._bar.set_postfix_str(f"{self._tokens / elapsed:,.0f} tokens/s", refresh=False)
        else:
            self._error = message["error"]


@contextmanager
def _ending(active: list[_Worker]) -> Iterator[None]:
    """Let workers store what they have when we are interrupted, and leave none of them behind."""
    previous = signal.signal(signal.SIGTERM, _raise_interrupt)
    try:
        yield
    except KeyboardInterrupt:
        for worker in active:
            worker.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for worker in active:
            with suppress(subprocess.TimeoutExpired):  # then it is killed below
                worker.process.wait(timeout=max(0.0, deadline - time.monotonic()))
        raise
    finally:
        signal.signal(signal.SIGTERM, previous)
        for worker in active:
            worker.kill()


def _raise_interrupt(signum: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _environment(threads: int | None) -> dict[str, str]:
    environment = dict(os.environ)
    if threads is not None:
        environment.setdefault("OMP_NUM_THREADS", str(threads))
    return environment


def _code(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "no output"
