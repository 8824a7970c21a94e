"""A stop whose exception is swallowed is looked for again: real processes, and signals to them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vlm_boundary.interrupts import ask, heeded, look

BEGIN = """
import os, signal, sys
from contextlib import suppress
from pathlib import Path
from vlm_boundary.interrupts import heeded, look

signal.signal(signal.SIGINT, signal.default_int_handler)  # as at a terminal
folder, signum = Path(sys.argv[1]), int(sys.argv[2])


def swallow(*_):
    with suppress(BaseException):
        os.kill(os.getpid(), signum)
        print("not interrupted")


class Swallows:
    __del__ = swallow


"""
LOOP = """
with heeded():
    for step in range(3):
        look()
        Swallows()
        print(step)
"""
NESTED = """
with heeded():
    with suppress(KeyboardInterrupt):
        with heeded():
            swallow()
    print(0)
    look()
    print(1)
"""
AT_THE_END = """
with heeded():
    print(0)
    swallow()
print(1)
"""
CREW = """
from vlm_boundary.config import Timeouts
from vlm_boundary.fleet import Crew
from vlm_boundary.store import RunDirectory

with Crew(RunDirectory(folder), [], Timeouts()):
    print(0)
    swallow()
print(1)
"""
WATCH = """
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.store import RunDirectory
from vlm_boundary.watch import Watched, follow

experiment = ExperimentConfig.model_validate({
    "name": "watched",
    "benchmarks": {"procedural": None},
    "arms": {"base": {"model": "tiny:base", "role": "base"}},
    "sampling": {"n": 4},
})
with heeded():
    follow(
        RunDirectory(folder / "run"), experiment, Watched(folder),
        lambda *_: print(0), swallow, lambda line: print(line),
    )
print(1)
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("program", [LOOP, NESTED, AT_THE_END, CREW, WATCH])
def test_a_swallowed_stop_stops_at_the_next_step(
    tmp_path: Path, program: str, signum: signal.Signals
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program, str(tmp_path), str(int(signum))],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "0\n"
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("once", [False, True])
def test_a_second_signal_interrupts_unless_results_are_being_stored(once: bool) -> None:
    ends = []

    def stopped_twice() -> None:
        with heeded(once=once):
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGTERM)
                ends.append("stored")

    with pytest.raises(KeyboardInterrupt):
        stopped_twice()
    assert ends == ["stored"] * once


def test_a_stop_is_forgotten_with_what_was_stopped() -> None:
    with pytest.raises(KeyboardInterrupt), heeded():
        ask()
    with heeded():
        look()
