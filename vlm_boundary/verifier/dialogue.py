"""One process of a grader program: a line in, a line out, under limits that really kill."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

from vlm_boundary.records.verdict import GraderProgram

# What a fresh process may take longer with its first line: it imports what it needs.
START_SECONDS = 30.0
_ENDING_SECONDS = 1.0
_LONGEST_LINE = 1 << 20
_TAIL = 4096  # bytes of what it said on standard error last
_LAUNCHER = Path(__file__).with_name("limited.py")


class NoVerdict(Exception):
    """Why there is no verdict: the kind (timeout, died, bad_line), and what happened."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind = kind


class Dialogue:
    """A process of the program, started at once, in a session of its own.

    It is started in the folder of the first file among its arguments. `python` is the one that
    runs this package. Where anything goes wrong the process is good for nothing more: `kill` it.
    """

    def __init__(self, program: GraderProgram) -> None:
        self._program = program
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "PATH": search_path()}
        files = program.files
        memory = str(program.memory_mib << 20)
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_LAUNCHER), memory, *program.argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=files[0].resolve().parent if files else None,
            env=environment,
            start_new_session=True,
            bufsize=0,
        )
        pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._input, self._output, self._errors = (p.fileno() for p in pipes if p is not None)
        for fd in (self._input, self._output, self._errors):
            os.set_blocking(fd, False)
        self._asked = 0
        self._read = b""
        self._said = b""
        self._allowance = START_SECONDS

    @property
    def asked(self) -> int:
        """How many lines it was sent."""
        return self._asked

    def ask(self, line: bytes) -> bytes:
        """Send a line, and return the one that comes back.

        Raises:
            NoVerdict: none comes within the time, the process ends, or the line is too long.
        """
        self._asked += 1
        deadline = time.monotonic() + self._program.seconds + self._allowance
        self._allowance = 0.0
        left = memoryview(line + b"\n")
        with selectors.DefaultSelector() as selector:
            selector.register(self._input, selectors.EVENT_WRITE)
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(self._errors, selectors.EVENT_READ)
            while left or b"\n" not in self._read:
                pause = deadline - time.monotonic()
                ready = [key.fd for key, _ in selector.select(pause)] if pause > 0 else []
                if not ready:
                    if time.monotonic() < deadline:
                        continue
                    raise NoVerdict("timeout", f"no verdict in {self._program.seconds:g} s")
                if self._errors in ready and not self._listen():
                    selector.unregister(self._errors)
                if self._input in ready:
                    left = left[self._write(left) :]
                    if not left:
                        selector.unregister(self._input)
                if self._output in ready:
                    self._receive()
        answer, _, self._read = self._read.partition(b"\n")
        return answer

    def _write(self, data: memoryview) -> int:
        try:
            return os.write(self._input, data)
        except BrokenPipeError:
            raise NoVerdict("died", self._end()) from None

    def _receive(self) -> None:
        data = os.read(self._output, 1 << 16)
        if not data:
            raise NoVerdict("died", self._end())
        self._read += data
        if len(self._read) > _LONGEST_LINE:
            raise NoVerdict("bad_line", f"a line of more than {_LONGEST_LINE:,} bytes")

    def _listen(self) -> bool:
        """Read what it says on standard error; False once that is closed."""
        data = os.read(self._errors, 1 << 16)
        self._said = (self._said + data)[-_TAIL:]
        return bool(data)

    def _end(self) -> str:
        """How a process that no longer answers ended, with its last words."""
        try:
            code = self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            how = "it closed its pipes"
        else:
            how = f"exit code {code}" if code >= 0 else f"killed by {_signal_name(-code)}"
        with contextlib.suppress(BlockingIOError):
            while self._listen():
                pass
        words = self._said.decode("utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(words) if line.strip()), "")
        return f"{how}: {last}" if last else how

    def kill(self) -> None:
        """End the process and what it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._process.wait()


def search_path() -> str:
    """Where programs are looked for: beside this package's Python first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
