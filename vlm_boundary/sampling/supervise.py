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
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vlm_boundary.config import Timeouts
from vlm_boundary.errors import PlaceError, UserError
from vlm_boundary.progress import progress_bar
from vlm_boundary.sampling.jobs import Job
from vlm_boundary.sampling.places import Place
from vlm_boundary.store import RunDirectory
from vlm_boundary.writing import place_errors

# How long a worker that was asked to stop may take to store what it has.
STOP_SECONDS = 60.0
# What each activity stores.
RESULTS = {"sampling": "samples", "scoring": "scores", "judging": "judgements"}
# How often an engine may end without one new stored sample before its job is given up.
MAX_IN_VAIN = 3


class EngineDied(Exception):
    """An engine's process ended by itself; what it had stored stays."""


def run_jobs(
    run: RunDirectory, jobs: Sequence[Job], places: Sequence[Place], timeouts: Timeouts
) -> None:
    """Run every job in a process of its own, one at each place.

    An engine that ends, or that does nothing for too long, is started again as long as it gets on;
    one that fails for good does not stop the others, and its error is raised when they are done.
    Where results cannot be written all end at once: no engine mends a disk.

    Raises:
        PlaceError: results cannot be stored.
        UserError: a worker found a mistake in the experiment.
        EngineDied: an engine ended by itself, again and again.
    """
    pending = deque(_Attempt(job) for job in jobs)
    free = deque(enumerate(places))
    active: list[_Worker] = []
    failures: list[UserError | EngineDied] = []
    with selectors.DefaultSelector() as selector, _ending(active):
        while pending or active:
            while pending and free:
                worker = _Worker(run, pending.popleft(), *free.popleft(), timeouts)
                selector.register(worker.channel, selectors.EVENT_READ, worker)
                active.append(worker)
            for worker in active:
                worker.watch()
            for key, _ in selector.select(timeout=1.0):
                worker = key.data
                if worker.read():
                    continue
                selector.unregister(worker.channel)
                active.remove(worker)
                free.append((worker.row, worker.place))
                failure = worker.finish()
                if isinstance(failure, PlaceError):
                    raise failure
                if again := worker.next_attempt(failure):
                    tqdm.write(f"{failure}\nStarting it again.", file=sys.stderr)
                    pending.appendleft(again)
                elif failure:
                    failures.append(failure)
    if failures:
        # A mistake that can be mended comes before an engine that died, perhaps of the same.
        raise min(failures, key=lambda failure: not isinstance(failure, UserError))


@dataclass(frozen=True)
class _Attempt:
    """A job, what of it is done, and how often in a row its engine ended without doing more."""

    job: Job
    in_vain: int = 0
    done: int = 0


class _Worker:
    """One engine process and its progress bar."""

    def __init__(
        self, run: RunDirectory, attempt: _Attempt, row: int, place: Place, timeouts: Timeouts
    ) -> None:
        self.row = row
        self.place = place
        self._attempt = attempt
        self._timeouts = timeouts
        self._label = ", ".join(attempt.job.arms)
        with place_errors(run.logs):
            run.logs.mkdir(parents=True, exist_ok=True)
        began = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        self._log = run.logs / f"{attempt.job.activity}-{attempt.job.arms[0]}-{began}-{row}.log"
        self.channel, write_end = os.pipe()
        command = [sys.executable, "-m", "vlm_boundary.sampling.worker", str(run.path)]
        command += ["--progress-fd", str(write_end)]
        with self._log.open("w") as output:
            # A session of its own: its engine's processes end with it, and Ctrl-C reaches it
            # from here, once.
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.PIPE,
                pass_fds=[write_end],
                start_new_session=True,
                env=dict(os.environ) | place.environment,
            )
        os.close(write_end)
        _give(self.process, [asdict(assignment) for assignment in attempt.job.assignments])
        self._buffer = b""
        self._error: UserError | None = None
        self._stuck: str | None = None
        self._ready = False
        self._heard = time.monotonic()
        self._samples = 0
        self._tokens = 0
        self._bar = progress_bar(
            f"{self._label}: starting the engine",
            total=attempt.job.samples,
            unit="sample",
            place=row,
        )

    def watch(self) -> None:
        """End the process when nothing has been heard of it for too long."""
        limit = self._timeouts.stall_seconds if self._ready else self._timeouts.start_seconds
        if self._stuck is None and time.monotonic() - self._heard > limit:
            doing = "did nothing" if self._ready else "did not start"
            self._stuck = f"{doing} for {limit:g} s and was ended"
            self.kill()

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
            return self._error
        happened = self._stuck or f"ended with {_code(code)}: {_last_line(self._log)}"
        return EngineDied(
            f"the engine of {self._label} {happened} (all it printed is in {self._log}); "
            f"{self._attempt.done + self._samples:,} of {self._attempt.job.samples:,} "
            f"{RESULTS[self._attempt.job.activity]} are stored, run the same command to go on"
        )

    def next_attempt(self, failure: UserError | EngineDied | None) -> _Attempt | None:
        """The same job once more, if its engine died of something that may not come back."""
        if not isinstance(failure, EngineDied) or not self._ready:
            return None
        in_vain = 0 if self._samples else self._attempt.in_vain + 1
        if in_vain == MAX_IN_VAIN:
            return None
        return _Attempt(self._attempt.job, in_vain, self._attempt.done + self._samples)

    def kill(self) -> None:
        """Leave nothing behind of the process and its children."""
        with suppress(ProcessLookupError):  # already gone, with all its children
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _take(self, message: dict[str, Any]) -> None:
        self._heard = time.monotonic()
        if "ready" in message:
            self._ready = True
            self._bar.set_description(f"{self._attempt.job.activity} {self._label}")
            # The rate counts from the first sample.
            self._bar.reset(total=self._attempt.job.samples)
            self._bar.update(self._attempt.done)
        elif "sample" in message:
            self._samples += 1
            self._tokens += message["sample"]
            self._bar.update()
            elapsed = self._bar.format_dict["elapsed"]
            if elapsed > 0:
                self._bar.set_postfix_str(f"{self._tokens / elapsed:,.0f} tokens/s", refresh=False)
        elif "error" in message:
            kind = PlaceError if message["place"] else UserError
            self._error = kind(message["error"])


def _give(process: subprocess.Popen[bytes], content: Any) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as pipe:  # it ended at once; `finish` says why
        pipe.write(json.dumps(content).encode())


@contextmanager
def _ending(active: list[_Worker]) -> Iterator[None]:
    """Let workers store what they have when all is to end, and leave none of them behind."""
    try:
        with terminated_as_interrupted():
            yield
    except (KeyboardInterrupt, PlaceError):
        for worker in active:
            worker.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for worker in active:
            with suppress(subprocess.TimeoutExpired):  # then it is killed below
                worker.process.wait(timeout=max(0.0, deadline - time.monotonic()))
        raise
    finally:
        for worker in active:
            worker.kill()


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM, by which schedulers end a job, do what Ctrl-C does."""
    previous = signal.signal(signal.SIGTERM, _raise_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _raise_interrupt(signum: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _code(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "no output"
