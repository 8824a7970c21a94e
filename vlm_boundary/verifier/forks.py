"""The same work on many items, shared out over forks of this process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")


def in_forks(items: Sequence[Item], work: Callable[[Item], Any], forks: int) -> list[Any]:
    """What `work` says of each item, in order, by way of JSON; None where a fork ended early.

    A fork has the items already, answers through a pipe and ends: nothing outlives the call, and
    nobody waits for a fork that was killed. The caller does a share itself.
    """
    results: list[Any] = [None] * len(items)
    started = [_Fork(items[share::forks], work) for share in range(1, forks)]
    results[::forks] = [work(item) for item in items[::forks]]
    for share, fork in enumerate(started, start=1):
        found = fork.results()
        if found is not None:
            results[share::forks] = found
    return results


class _Fork:
    def __init__(self, items: Sequence[Item], work: Callable[[Item], Any]) -> None:
        self._reading, writing = os.pipe()
        self._process = os.fork()
        if not self._process:
            try:
                os.close(self._reading)
                with open(writing, "wb") as pipe:
                    pipe.write(json.dumps([work(item) for item in items]).encode())
            finally:
                os._exit(0)  # nothing of the caller's is ended or written twice
        os.close(writing)

    def results(self) -> list[Any] | None:
        with open(self._reading, "rb") as pipe:
            said = pipe.read()
        os.waitpid(self._process, 0)
        try:
            return list(json.loads(said))
        except ValueError:  # it was killed
            return None
