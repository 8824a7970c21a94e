"""The same work on many items, shared out over forks of this process."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")


def usable_cores() -> int:
    """How many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def in_forks(
    shares: Sequence[Sequence[Item]], work: Callable[[Item], Any]
) -> Iterator[tuple[Item, Any]]:
    """Each item with what `work` says of it, by way of JSON; without those of a fork that failed.

    `work` must wait for no other thread: a fork has only the one that made it. It has its share
    already, answers through a pipe and ends: nothing outlives the call, and nobody waits for a
    fork that was killed. The caller does the first share itself.
    """
    own, *others = shares
    started = [_Fork(items, work) for items in others]
    yield from [(item, work(item)) for item in own]
    for items, fork in zip(others, started, strict=True):
        yield from zip(items, fork.results() or (), strict=False)


class _Fork:
    def __init__(self, items: Sequence[Item], work: Callable[[Item], Any]) -> None:
        self._reading, writing = os.pipe()
        with warnings.catch_warnings():
            # A fork has none of the other threads (Arrow's, BLAS's), and waits for none of them.
            warnings.filterwarnings("ignore", r"This process .* multi-threaded", DeprecationWarning)
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
