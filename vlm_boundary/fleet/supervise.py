"""Engine processes watched from outside: their progress, their end, and nothing left of them."""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from tqdm import tqdm

from vlm_boundary.config import Timeouts
from vlm_boundary.errors import PlaceError, UserError
from vlm_boundary.fleet.places import Place
from vlm_boundary.fleet.process import EngineProcess
from vlm_boundary.fleet.work import Job
from vlm_boundary.interrupts import heeded, look
from vlm_boundary.progress import progress_bar
from vlm_boundary.store import RunDirectory
from vlm_boundary.writing import place_errors

# How long a worker that was asked to stop may take to store what it has.
STOP_SECONDS = 60.0
# How often an engine may end without one new stored sample before its job is given up.
MAX_IN_VAIN = 3


class EngineDied(Exception):
    """An engine's process ended by itself; what it had stored stays."""


@dataclass(frozen=True)
class _Attempt:
    """What is left of a job of so many samples, of which so many are done.

    `in_vain` is how often in a row its engine ended without doing more; `apart` asks for a process
    that has done nothing before.
    """

    job: Job
    samples: int
    in_vain: int = 0
    done: int = 0
    apart: bool = False


class Crew(ExitStack):
    """Engines' processes at their places, one at each; at the end of the context they end too.

    Args:
        run: where results are stored.
        places: where processes may run.
        timeouts: how long an engine may do nothing.
    """

    def __init__(self, run: RunDirectory, places: Sequence[Place], timeouts: Timeouts) -> None:
        super().__init__()
        self.active: list[_Worker] = []
        self.idle: list[_Worker] = []
        self._run = run
        self._timeouts = timeouts
        self._free = deque(enumerate(places))
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        """Begin: from now on SIGTERM, by which schedulers end a job, does what Ctrl-C does."""
        self.enter_context(self._selector)
        self.enter_context(_ending(self))
        return self

    def start(self, jobs: Sequence[Job], kinds: Mapping[str, str]) -> None:
        """Start processes for the first jobs, which they are not given yet.

        Args:
            kinds: of each arm's engine; what the job's is made of is imported meanwhile.
        """
        for job in jobs[: len(self._free)]:
            worker = self._start(_Attempt(job, job.samples))
            self.idle.append(worker)
            worker.import_ahead(kinds[job.engines[0]])

    def work_off(self, jobs: Sequence[Job]) -> None:
        """Run every job of a round.

        A process that has done a job is given the next one, with an engine of its own: what comes
        before a process can start its first engine takes longer than the start. An engine that
        ends, or that does nothing for too long, is started again, in a process of its own, as long
        as it gets on; one that fails for good does not stop the others, and its error is raised
        when they are done. Where results cannot be written all end at once: no engine mends a disk.

        Raises:
            PlaceError: results cannot be stored.
            UserError: a worker found a mistake in the experiment.
            EngineDied: an engine ended by itself, again and again.
        """
        pending = deque(_Attempt(job, job.samples) for job in jobs)
        failures: list[UserError | EngineDied] = []
        while pending or self.active:
            look()
            while pending and (self._free or any(not one.importing for one in self.idle)):
                self._hand_out(pending.popleft())
            for worker in (*self.active, *(one for one in self.idle if one.importing)):
                worker.watch()
            for key, _ in self._selector.select(timeout=1.0):
                worker = key.data
                if worker.read():
                    if worker.done:
                        self.active.remove(worker)
                        self.idle.append(worker)
                    continue
                at_work = worker in self.active
                failure = self._leave(worker)
                if not at_work:
                    continue
                if isinstance(failure, PlaceError):
                    raise failure
                if worker.unfit:
                    pending.appendleft(worker.apart())
                    continue
                if isinstance(failure, EngineDied):
                    left = worker.job.left(self._run)
                    if left is None:
                        continue  # it ended after its last result
                    if again := worker.next_attempt(left):
                        tqdm.write(f"{failure}\nStarting it again.", file=sys.stderr)
                        pending.appendleft(again)
                        continue
                if failure:
                    failures.append(failure)
        if failures:
            # A mistake that can be mended comes before an engine that died, perhaps of the same.
            raise min(failures, key=lambda failure: not isinstance(failure, UserError))

    def _hand_out(self, attempt: _Attempt) -> None:
        at_hand = [one for one in self.idle if not one.importing]
        if at_hand and not attempt.apart:
            worker = at_hand[0]
            self.idle.remove(worker)
        else:
            if not self._free:
                at_hand[-1].process.kill()
                self._leave(at_hand[-1])
            worker = self._start(attempt)
        self.active.append(worker)  # before it is told anything: whoever is here can be ended
        worker.take_on(attempt)

    def _start(self, attempt: _Attempt) -> _Worker:
        worker = _Worker(self._run, attempt, *self._free.popleft(), self._timeouts)
        self._selector.register(worker.process.messages, selectors.EVENT_READ, worker)
        return worker

    def _leave(self, worker: _Worker) -> UserError | EngineDied | None:
        self._selector.unregister(worker.process.messages)
        (self.active if worker in self.active else self.idle).remove(worker)
        self._free.append((worker.row, worker.place))
        return worker.finish()


class _Worker:
    """One engine process, started for a job, and its progress bar."""

    def __init__(
        self, run: RunDirectory, attempt: _Attempt, row: int, place: Place, timeouts: Timeouts
    ) -> None:
        self.row = row
        self.place = place
        self._timeouts = timeouts
        with place_errors(run.logs):
            run.logs.mkdir(parents=True, exist_ok=True)
        kind, began = attempt.job.kind, f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        log = run.logs / f"{kind.activity}-{attempt.job.engines[0]}-{began}-{row}.log"
        self.process = EngineProcess(kind.worker, [str(run.path)], place, log)
        self._buffer = b""
        self._error: UserError | None = None
        self._stuck: str | None = None
        self._given = self._warm = False
        self.importing = False
        self._begin(attempt)

    def import_ahead(self, kind: str) -> None:
        """Have it import what engines of this kind are made of; it takes no job meanwhile.

        A job fills the pipe that nobody reads then.
        """
        self.importing = True
        self._heard = time.monotonic()
        self.process.tell({"ahead": kind})

    def take_on(self, attempt: _Attempt) -> None:
        """Give it a job, the one that it was started for or one more."""
        self._given, self._warm = True, self.done
        if attempt.job is not self.job:
            self._bar.close()
            self._begin(attempt)
        self._heard = time.monotonic()
        self.process.tell([unit.record() for unit in attempt.job.units])

    def _begin(self, attempt: _Attempt) -> None:
        self._attempt = attempt
        self.job = attempt.job
        self.done = False
        self._label = ", ".join(attempt.job.engines)
        self._ready = False
        self._total = attempt.samples
        self._samples = 0
        self._tokens = 0
        self._bar = progress_bar(
            f"{self._label}: starting the engine",
            total=attempt.samples,
            unit="sample",
            place=self.row,
        )

    @property
    def unfit(self) -> bool:
        """Whether it got no second engine to start, which a process of its own may do."""
        return self._warm and not self._ready

    def apart(self) -> _Attempt:
        """Its attempt, for a process that has done nothing before."""
        return replace(self._attempt, apart=True)

    def watch(self) -> None:
        """End the process when nothing has been heard of it for too long."""
        limit = self._timeouts.stall_seconds if self._ready else self._timeouts.start_seconds
        if self._stuck is None and time.monotonic() - self._heard > limit:
            doing = "did nothing" if self._ready else "did not start"
            self._stuck = f"{doing} for {limit:g} s and was ended"
            self.process.kill()

    def read(self) -> bool:
        """Take what the process has said; False when it has said its last."""
        data = os.read(self.process.messages, 1 << 16)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))
        return bool(data)

    def finish(self) -> UserError | EngineDied | None:
        """Wait for the process, end whatever it started, and say what went wrong, if anything."""
        code = self.process.wait()
        self.process.kill()
        self._bar.leave = self._ready
        self._bar.close()
        os.close(self.process.messages)
        unneeded = not self._given and code == -signal.SIGKILL and not self._stuck
        if unneeded or (self._error and not (self._ready or self._warm)):
            self.process.log.unlink(missing_ok=True)  # it opened no engine, for a known reason
        if code == 0:
            return None
        if code == 2 and self._error:
            return self._error
        assert code is not None
        happened = self._stuck or f"ended with {_code(code)}: {self.process.last_line()}"
        return EngineDied(
            f"the engine of {self._label} {happened} (all it printed is in {self.process.log}); "
            f"{self._attempt.done + self._samples:,} of {self._total:,} "
            f"{self._attempt.job.kind.results} are stored, run the same command to go on"
        )

    def next_attempt(self, left: Job) -> _Attempt | None:
        """What is left once more, if the engine died of something that may not come back."""
        if not self._ready:
            return None
        in_vain = 0 if self._samples else self._attempt.in_vain + 1
        if in_vain == MAX_IN_VAIN:
            return None
        done = self._attempt.done + self._samples
        return _Attempt(left, done + left.samples, in_vain, done)

    def _take(self, message: dict[str, Any]) -> None:
        self._heard = time.monotonic()
        if "ready" in message:
            self._ready = True
            self._bar.set_description(f"{self._attempt.job.kind.activity} {self._label}")
            # The rate counts from the first sample.
            self._bar.reset(total=self._total)
            self._bar.update(self._attempt.done)
        elif "sample" in message:
            self._samples += 1
            self._tokens += message["sample"]
            self._bar.update()
            elapsed = self._bar.format_dict["elapsed"]
            if elapsed > 0:
                self._bar.set_postfix_str(f"{self._tokens / elapsed:,.0f} tokens/s", refresh=False)
        elif "spared" in message:
            self._total -= message["spared"]
            self._bar.total = self._total
            self._bar.refresh()
        elif "imported" in message:
            self.importing = False
        elif "done" in message:
            self.done = True
            self._bar.close()
        elif "error" in message:
            kind = PlaceError if message["place"] else UserError
            self._error = kind(message["error"])


@contextmanager
def _ending(crew: Crew) -> Iterator[None]:
    """Let workers store what they have when all is to end, and leave none of them behind."""
    try:
        with heeded():
            yield
    except (KeyboardInterrupt, PlaceError):
        for worker in crew.active:
            worker.process.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for worker in crew.active:
            worker.process.wait(max(0.0, deadline - time.monotonic()))  # or it is killed below
        raise
    finally:
        for worker in (*crew.active, *crew.idle):
            worker.process.kill()
            worker.finish()


def _code(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
