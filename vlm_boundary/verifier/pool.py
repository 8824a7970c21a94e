"""Processes for the symbolic tail, each request under a deadline that really kills."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DEADLINE_SECONDS = 0.8
_MAX_WORKERS = 8
_WORKER = Path(__file__).with_name("worker.py")
_ENDING_SECONDS = 5.0
_AT_ONCE = 64  # requests written before their answers are read, so that no pipe fills up

Answer = tuple[bool | None, str | None]
"""What a request came to, or None and why: deadline, memory, worker_died, math_verify_…"""


class KillingPool:
    """Worker processes, started when first needed and killed past a deadline.

    The program they belong to is not the caller's, so that no module of the caller's is imported
    again; no signal is used, so that any thread may call. A fork of the caller starts its own.

    Args:
        workers: how many processes; by default one per core, eight at most.
        deadline: seconds that one request may take.
    """

    def __init__(self, workers: int | None = None, deadline: float = DEADLINE_SECONDS) -> None:
        self._workers = workers or min(os.cpu_count() or 1, _MAX_WORKERS)
        self._deadline = deadline
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        _POOLS.add(self)

    def start(self) -> None:
        """Start the processes already, without waiting for them."""
        with self._lock:
            self._started()

    def ask(self, task: str, requests: Sequence[tuple[str, str]]) -> list[Answer]:
        """The answer to each request, in order."""
        with self._lock:
            answers: list[Answer] = []
            for start in range(0, len(requests), _AT_ONCE):
                answers += self._ask(task, requests[start : start + _AT_ONCE])
            return answers

    def _ask(self, task: str, requests: Sequence[tuple[str, str]]) -> list[Answer]:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it has died; reading says so
            for place, arguments in enumerate(requests):
                line = json.dumps({"id": place, "task": task, "arguments": arguments})
                process.stdin.write(line + "\n")
            process.stdin.flush()
        answers: list[Answer] = [(None, "worker_died")] * len(requests)
        for _ in requests:
            line = process.stdout.readline()
            if not line:  # the program itself was killed, by whoever is short of memory
                self.close()
                break
            answer: dict[str, Any] = json.loads(line)
            answers[answer["id"]] = (answer.get("result"), answer.get("why"))
        return answers

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_WORKER), str(self._workers), str(self._deadline)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        return self._process

    def forget(self) -> None:
        """In a fork of the caller: leave the processes to the caller."""
        self._lock = threading.Lock()  # the caller's other threads do not go on here
        process, self._process = self._process, None
        if process is not None:
            null = os.open(os.devnull, os.O_RDWR)
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                os.dup2(null, pipe.fileno(), inheritable=False)  # what is buffered goes nowhere
                pipe.close()
            os.close(null)
            process.returncode = 0  # no child of this process, so that nobody waits for it

    def close(self) -> None:
        """End the processes."""
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()  # it ends at once, with its children
            try:
                self._process.wait(_ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
            self._process = None


_POOLS: weakref.WeakSet[KillingPool] = weakref.WeakSet()


def _forget_all() -> None:
    for pool in list(_POOLS):
        pool.forget()


os.register_at_fork(after_in_child=_forget_all)
