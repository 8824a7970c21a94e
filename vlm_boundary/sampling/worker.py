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
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from vlm_boundary.errors import PlaceError, UserError, place_error
from vlm_boundary.sampling.jobs import Assignment, Job
from vlm_boundary.sampling.session import EngineSession, anything_missing
from vlm_boundary.store import RunDirectory

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
            channel.tell(error=str(error), place=isinstance(error, PlaceError))
            code = 2
        except OSError as error:
            found = place_error(error)
            if found is None:
                raise
            channel.tell(error=str(found), place=True)
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
    job = Job(tuple(assignments), 0)
    if not anything_missing(run, job):
        return
    session = EngineSession(run, job)
    channel.tell(ready=session.start_seconds)

    def done(tokens: int) -> None:
        channel.tell(sample=tokens)

    try:
        for assignment in assignments:
            session.work(assignment, done, channel.alive)
    finally:
        session.close()


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
