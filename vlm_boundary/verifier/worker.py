"""The symbolic worker: a program of its own, which no caller imports.

It reads one JSON request per line and writes one reply per line, in any order. Requests run in
forked children that have math-verify loaded already; a child past the deadline is killed and
replaced in milliseconds. The deadline is in processor time, so that a busy machine changes no
verdict, with a limit on the time that passes. This process itself never runs a model's text. It
ends, with its children, when its standard input closes.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import select
import signal
import sys
import time
from functools import lru_cache
from typing import Any, NamedTuple

MEMORY_LIMIT = 2 << 30
_PATIENCE = 8  # deadlines that may pass on a busy machine before a request is given up


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[Any, ...]:
    from math_verify import parse

    return tuple(parse(text, parsing_timeout=None))


def equal(found: str, gold: str) -> bool | None:
    r"""Whether \boxed{found} equals \boxed{gold}; None where either cannot be parsed.

    Both are boxed: of bare text math-verify mines numbers out of what it cannot parse.
    """
    from math_verify import verify

    expected, answer = _parsed(f"\\boxed{{{gold}}}"), _parsed(f"\\boxed{{{found}}}")
    if not expected or not any(not isinstance(part, str) for part in answer):
        return None
    return bool(verify(list(expected), list(answer), timeout_seconds=None))


def math_verify_itself(output: str, gold: str) -> bool | None:
    """What math-verify says of a whole output, as its users call it."""
    from math_verify import verify

    expected, answer = _parsed(f"\\boxed{{{gold}}}"), _parsed(output)
    return bool(verify(list(expected), list(answer), timeout_seconds=None)) if expected else None


def rounded_equal(found: str, gold: str) -> bool | None:
    """MATH-V's last resort: equal to two decimals once LaTeX is worked out."""
    from latex2sympy2_extended import latex2sympy

    values = [complex(latex2sympy(text).evalf()) for text in (found, gold)]
    return round(values[0].real, 2) == round(values[1].real, 2) and not any(v.imag for v in values)


_WARM = (r"\frac{\sqrt{2}x}{3}", r"\sin{x}+\sqrt[3]{y^2+1}", "(1,2)", "x=5", r"\{1,2\}", "12.5")
TASKS = {"equal": equal, "math_verify": math_verify_itself, "rounded_equal": rounded_equal}


def main(workers: int, deadline: float) -> None:
    """Serve requests until standard input closes."""
    import latex2sympy2_extended  # noqa: F401  # loaded once, for every child
    import math_verify  # noqa: F401

    for name in ("math_verify", "latex2sympy2_extended"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for text in _WARM:  # our own text: what is built lazily is built before children are forked
        equal(text, text + "+1")
        math_verify_itself(f"The answer is ${text}$.", text)
    idle: list[_Child] = []
    busy: dict[int, _Request] = {}
    try:
        with contextlib.suppress(BrokenPipeError):  # nobody reads any more
            _serve_requests(workers, deadline, idle, busy)
    finally:
        for child in [*idle, *(request.child for request in busy.values())]:
            child.kill()


class _Request(NamedTuple):
    """A request that a child works on, and when to look how long it has worked."""

    child: _Child
    until: float
    number: int


def _serve_requests(
    workers: int, deadline: float, idle: list[_Child], busy: dict[int, _Request]
) -> None:
    waiting: list[bytes] = []
    reader = _Lines(sys.stdin.fileno())
    while True:
        while waiting and len(busy) < workers:
            child = idle.pop() if idle else _Child()
            line = waiting.pop(0)
            child.send(line)
            number = json.loads(line)["id"]
            busy[child.output] = _Request(child, time.monotonic() + deadline, number)
        nearest = min((request.until for request in busy.values()), default=None)
        pause = None if nearest is None else max(0.0, nearest - time.monotonic())
        for ready in select.select([*busy, reader.source], [], [], pause)[0]:
            if ready == reader.source:
                lines = reader.read()
                if lines is None:  # nobody waits for an answer any more
                    return
                waiting += lines
            else:
                _finish(busy.pop(ready), idle)
        for request in list(busy.values()):
            if time.monotonic() >= request.until:
                _expire(request, deadline, busy)


def _finish(request: _Request, idle: list[_Child]) -> None:
    answer = request.child.receive()
    if answer is None:
        request.child.kill()
        _reply({"id": request.number, "why": "worker_died"})
    else:
        idle.append(request.child)
        _reply(json.loads(answer))


def _expire(request: _Request, deadline: float, busy: dict[int, _Request]) -> None:
    """Kill a child that has worked for its deadline; on a busy machine it may have worked less."""
    child = request.child
    left = child.started + _PATIENCE * deadline - time.monotonic()
    unused = deadline - child.processor_seconds()
    if unused > 0 and left > 0:
        busy[child.output] = request._replace(until=time.monotonic() + min(unused, left))
        return
    del busy[child.output]
    child.kill()
    _reply({"id": request.number, "why": "deadline"})


def _reply(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


class _Lines:
    """Lines from a file descriptor, as they come."""

    def __init__(self, source: int) -> None:
        self.source = source
        self._rest = b""

    def read(self) -> list[bytes] | None:
        data = os.read(self.source, 1 << 16)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line for line in lines if line]


class _Child:
    """A forked process that answers one request at a time."""

    def __init__(self) -> None:
        request_out, request_in = os.pipe()
        answer_out, answer_in = os.pipe()
        self._process = os.fork()
        if not self._process:
            os.close(request_in)
            os.close(answer_out)
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):  # nothing of a model's text reaches any terminal
                os.dup2(null, descriptor)
            _serve(request_out, answer_in)
            os._exit(0)
        os.close(request_out)
        os.close(answer_in)
        self._input, self.output = request_in, answer_out
        self._lines = _Lines(answer_out)
        self.started = time.monotonic()
        self._before = 0.0

    def processor_seconds(self) -> float:
        """What it has worked since it was sent its request; the time passed where unknown."""
        try:
            with open(f"/proc/{self._process}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            return time.monotonic() - self.started
        total = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return total - self._before

    def send(self, line: bytes) -> None:
        self._before = 0.0
        self._before = self.processor_seconds()
        self.started = time.monotonic()
        with contextlib.suppress(BrokenPipeError):  # it died: its end of file says so
            os.write(self._input, line + b"\n")

    def receive(self) -> bytes | None:
        """The answer; None where the process died."""
        while True:
            lines = self._lines.read()
            if lines is None:
                return None
            if lines:
                return lines[0]

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        os.close(self._input)
        os.close(self.output)
        os.waitpid(self._process, 0)


def _serve(source: int, target: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reader = _Lines(source)
    while True:
        lines = reader.read()
        if lines is None:
            return
        for line in lines:
            request = json.loads(line)
            answer = {"id": request["id"], **_answer(request)}
            os.write(target, json.dumps(answer).encode() + b"\n")


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": TASKS[request["task"]](*request["arguments"])}
    except MemoryError:
        return {"why": "memory"}
    except Exception as error:  # noqa: BLE001  # whatever sympy raised on hostile text
        return {"why": f"math_verify_{type(error).__name__}"}


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller ends this program
    main(int(sys.argv[1]), float(sys.argv[2]))
