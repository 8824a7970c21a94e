"""One engine on a cluster: a Ray actor that draws what it is given into the run directory."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import ray
from ray.util.metrics import Counter as Metric

from vlm_boundary import __version__
from vlm_boundary.cluster.pieces import Piece
from vlm_boundary.cluster.storage import Storage
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.errors import UserError
from vlm_boundary.fleet.session import EngineSession, Listener, OpenedEngine, OpenEngine
from vlm_boundary.fleet.worker import leave_nothing_behind
from vlm_boundary.interrupts import ask, look
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.plan import Span
from vlm_boundary.sampling.work import Draw, Drawer, problems_of
from vlm_boundary.store import RunDirectory

# Two threads: one that draws, and one that answers while it does.
GROUPS = {"work": 1, "watch": 1}


@dataclass(frozen=True)
class Opened:
    """An engine that is ready, and how many samples it draws at a time if it says so."""

    sequences: int | None


@dataclass
class Heard:
    """Where an engine is, what it did since it was asked last, and since when it does nothing.

    The thread that draws gathers it.
    """

    node: str
    begun: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    samples: int = 0
    tokens: int = 0
    idle_seconds: float = 0.0


@dataclass(frozen=True)
class _AsGiven(Iterator[Span]):
    """Spans that were given; it may end and still have more later."""

    take: Callable[[], Span | None]

    def __next__(self) -> Span:
        if (span := self.take()) is None:
            raise StopIteration
        return span


class ClusterEngine:
    """Draws pieces of one model with an engine that stays open.

    Args:
        run: the run directory, which this machine must see too unless there is storage.
        storage: where inputs come from and results go, in place of a shared file system.
        version: the package's, where the run was started.
        opener: what opens the engine.
    """

    def __init__(
        self, run: Path, storage: str | None, version: str, opener: OpenEngine = open_engine
    ) -> None:
        self._path = run
        self._storage = storage
        self._version = version
        self._opener = opener
        self._given: deque[tuple[int, Piece]] = deque()
        self._lock = threading.Lock()
        self._told = Listener()
        self._alive = time.monotonic()
        self._open = ExitStack()
        self._node = str(ray.get_runtime_context().get_node_id())
        self._news = Heard(self._node)

    @ray.method(concurrency_group="work")
    def open(self, units: Sequence[Draw]) -> Opened:
        """Start the engine.

        Raises:
            UserError: it cannot be had, or this machine is not set up like the driver's.
        """
        os.setpgid(0, 0)  # whatever the engine starts ends with this process, however it ends
        self._guard = leave_nothing_behind()
        host = os.uname().nodename
        if self._version != __version__:
            raise UserError(
                f"{host} has vlm-boundary {__version__}, the driver {self._version}; install the "
                f"same everywhere"
            )
        run = self._directory(host)
        self._drawer = Drawer(run, units)
        self._engine = OpenedEngine(self._opener)
        self._session = EngineSession(self._drawer, self._drawer.opening(), self._engine)
        self._problems: dict[tuple[str, str], dict[str, Problem]] = {}
        tags = {"arm": units[0].engine}
        self._samples = Metric("vlm_boundary_samples", "Samples drawn", tag_keys=("arm",))
        self._tokens = Metric("vlm_boundary_tokens", "Tokens drawn", tag_keys=("arm",))
        for metric in (self._samples, self._tokens):
            metric.set_default_tags(tags)
        self._alive = time.monotonic()
        return Opened(self._session.sequences)

    @ray.method(concurrency_group="work")
    def draw(self) -> None:
        """Draw what has been given and what is given meanwhile; return when there is no more."""
        try:
            while self._given:
                look()
                self._draw_partition()
        except KeyboardInterrupt:
            return  # the driver asked for it

    @ray.method(concurrency_group="work")
    def close(self) -> None:
        """Record what was done, and end the engine."""
        with closing(self._engine):
            self._session.record(self._told)
        self._open.close()
        if self._guard is not None:
            self._guard.kill()

    @ray.method(concurrency_group="watch")
    def give(self, pieces: dict[int, Piece]) -> None:
        """Add pieces, by the driver's numbers for them, to what is to be drawn."""
        self._given.extend(pieces.items())

    @ray.method(concurrency_group="watch")
    def heard(self) -> Heard:
        """What happened since the last call."""
        with self._lock:
            news, self._news = self._news, Heard(self._node)
        news.idle_seconds = time.monotonic() - self._alive
        if news.samples:
            self._samples.inc(news.samples)
            self._tokens.inc(news.tokens)
        return news

    @ray.method(concurrency_group="watch")
    def stop(self) -> None:
        """Store what is finished and draw no more."""
        ask()

    def _directory(self, host: str) -> RunDirectory:
        if self._storage:
            return self._open.enter_context(Storage(self._storage).scratch())
        run = RunDirectory(self._path)
        if not run.begun:
            raise UserError(
                f"{host} does not see the run directory {self._path}; keep it on a file system "
                f"that all machines share, or give ray.storage a URI, as in s3://BUCKET/RUN"
            )
        return run

    def _draw_partition(self) -> None:
        """Draw pieces until the next one given is another partition's, or none is."""
        partition = self._given[0][1].partition
        shown = partition.benchmark, partition.condition
        if shown not in self._problems:
            self._problems[shown] = problems_of(self._drawer, partition)
        problems = self._problems[shown]
        rule = self._given[0][1].rule
        to_come: Counter[str] = Counter()  # samples, by problem
        numbers: dict[str, list[int]] = {}
        taken: deque[Span] = deque()

        def take() -> Span | None:
            while not taken and self._given and self._given[0][1].partition == partition:
                number, piece = self._given.popleft()
                to_come[piece.problem_id] += piece.samples
                numbers.setdefault(piece.problem_id, []).append(number)
                with self._lock:
                    self._news.begun.append(number)
                taken.extend(Span(problems[piece.problem_id], span) for span in piece.spans)
            return taken.popleft() if taken else None

        def done(problem_id: str, tokens: int) -> None:
            self._told.done(tokens)
            with self._lock:
                self._news.samples += 1
                self._news.tokens += tokens
            spared(problem_id, 1)

        def spared(problem_id: str, samples: int) -> None:
            to_come[problem_id] -= samples
            if not to_come[problem_id]:
                with self._lock:
                    self._news.finished.extend(numbers.pop(problem_id))

        engine = self._session.engine
        self._drawer.draw(partition, _AsGiven(take), engine, done, self._still_alive, rule, spared)
        with self._lock:  # what is left could not be drawn, and is recorded so
            self._news.finished.extend(number for left in numbers.values() for number in left)

    def _still_alive(self) -> None:
        self._alive = time.monotonic()
        look()
