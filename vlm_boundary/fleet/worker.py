"""An engine's process: what it is told, what it tells, and nothing left behind of it.

Each kind of work has a module that is run, as in `python -m vlm_boundary.sampling.worker FD RUN`.
Each line of its standard input says what to do next; the first may say what to import meanwhile.
What it tells its parent goes through the pipe FD as JSON lines; what engines print goes wherever
the parent sent it.
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
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, TextIO

from vlm_boundary.engines.factory import import_ahead, open_engine
from vlm_boundary.errors import PlaceError, UserError, place_error
from vlm_boundary.fleet.session import (
    EngineSession,
    Listener,
    OpenedEngine,
    OpenEngine,
    Opening,
    Operator,
    U,
)
from vlm_boundary.interrupts import ask, heeded, look
from vlm_boundary.store import RunDirectory

_PR_SET_PDEATHSIG = 1
_BEAT_SECONDS = 1.0
# Ends the process group named by its argument as soon as its standard input is closed.
_GUARD = 'read -r _; kill -s KILL -- "-$1"'


class Channel(Listener):
    """What the parent is told."""

    def __init__(self, file: TextIO) -> None:
        super().__init__()
        self._file = file
        self._told = 0.0

    def tell(self, **message: Any) -> None:
        """Send one message."""
        self._told = time.monotonic()
        try:
            self._file.write(json.dumps(message) + "\n")
        except BrokenPipeError:
            ask()  # nobody listens any more
            look()

    def done(self, tokens: int) -> None:
        """A result of so many tokens is stored."""
        super().done(tokens)
        self.tell(sample=tokens)

    def spared(self, samples: int) -> None:
        """So many samples need not be drawn."""
        self.tell(spared=samples)

    def alive(self) -> None:
        """Say so, unless something was said a moment ago, or stop if that was asked for."""
        look()
        if time.monotonic() - self._told >= _BEAT_SECONDS:
            self.tell(alive=True)


def work_off(
    kind: type[U],
    operator: Callable[[RunDirectory, Sequence[U]], Operator[U]],
    opener: OpenEngine = open_engine,
) -> int:
    """Do the units of one kind that each line of standard input names.

    A line's engine is a fresh one, or the one before if that can become it.

    Returns the exit code, as `serve`; 0 too where another engine was to be set up otherwise.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("fd", type=int)
    parser.add_argument("run", type=Path)
    options = parser.parse_args()

    def work(channel: Channel) -> None:
        before: Opening | None = None
        opened = OpenedEngine(opener)
        with ExitStack() as stack:
            while line := sys.stdin.readline():
                told = json.loads(line)
                if isinstance(told, dict):
                    channel.tell(alive=True)  # is the parent?
                    import_ahead(told["ahead"])
                    channel.tell(imported=True)
                    continue
                if before is None:
                    stack.enter_context(heeded(once=True))
                    stack.enter_context(closing(opened))
                units = [kind.from_record(record) for record in told]
                does = operator(RunDirectory(options.run), units)
                opening = does.opening()
                if before is not None and not opening.may_follow(before):
                    return  # the parent has it done by another process
                _do(does, opening, opened, channel)
                before = opening
                look()  # before it waits again
                channel.tell(done=True)

    return serve(options.fd, work)


def _do(operator: Operator[U], opening: Opening, opened: OpenedEngine, channel: Channel) -> None:
    session = EngineSession(operator, opening, opened)
    channel.tell(ready=session.start_seconds)
    channel.samples = channel.tokens = 0  # of this job
    try:
        for unit in operator.units:
            look()
            operator.do(unit, session.engine, channel)
    finally:
        session.record(channel)


def serve(fd: int, work: Callable[[Channel], None]) -> int:
    """Work as an engine's process; returns the exit code: 0 done, 2 a user's mistake, 130 stopped.

    Args:
        fd: the pipe to the parent.
    """
    end_with_parent()
    guard = leave_nothing_behind()
    os.set_inheritable(fd, False)
    with os.fdopen(fd, "w", buffering=1) as file:
        channel = Channel(file)
        code = 0
        try:
            work(channel)
        except UserError as error:
            channel.tell(error=str(error), place=isinstance(error, PlaceError))
            code = 2
        except OSError as error:
            found = place_error(error)
            if found is None:
                raise
            channel.tell(error=str(found), place=True)
            code = 2
        except KeyboardInterrupt:
            return 130  # perhaps because the parent is gone: the guard sees to what is left
    if guard is not None:
        guard.kill()  # an end of our own, and the parent lives to see to what is left
    return code


def end_with_parent() -> None:
    """Get SIGTERM when the parent ends: it ends this process too, or is heeded."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


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
