"""The driver: a pool of engines that grows and shrinks with the cluster, kept in work."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError
from tqdm import tqdm

from vlm_boundary import __version__
from vlm_boundary.cluster.actor import GROUPS, ClusterEngine, Heard, Opened
from vlm_boundary.cluster.pieces import Piece, Queue
from vlm_boundary.config import ExperimentConfig, RayConfig
from vlm_boundary.errors import UserError
from vlm_boundary.fleet import Job
from vlm_boundary.fleet.session import OpenEngine
from vlm_boundary.fleet.supervise import MAX_IN_VAIN, STOP_SECONDS, EngineDied
from vlm_boundary.interrupts import heeded, look
from vlm_boundary.progress import progress_bar
from vlm_boundary.store import RunDirectory

_OPTIONS: dict[str, Any] = {"concurrency_groups": GROUPS, "max_restarts": 0}
_ACTOR: Any = ray.remote(**_OPTIONS)(ClusterEngine)
# How often each engine is asked what it did; with very many, so many in a second altogether.
_BEAT_SECONDS, _BEATS_A_SECOND = 1.0, 100
# Engines that are asked for beyond those that run; as these come up, others are asked for.
_ASKED_AHEAD = 4
_WAITING_SECONDS = _FETCH_SECONDS = 30.0
# How often an engine may be gone before its process answers, as where machines come and go.
_MAX_UNSEEN = 10
# What an engine has in hand when it does not say how many samples it draws at a time.
_SEQUENCES = 64


@dataclass
class Model:
    """One model's share of the work: what its engines are opened for, what they need, its pieces.

    `resources` are options of a Ray actor: num_cpus, num_gpus, resources.
    """

    job: Job
    resources: dict[str, Any]
    queue: Queue
    failed: UserError | EngineDied | None = None
    unopened: int = 0
    """Engines since the last one that was ready that ended while they were opened."""
    unseen: int = 0
    """And those that were gone before their process answered, for whatever reason."""
    in_vain: int = 0
    """Engines in a row that ended before they drew anything."""

    @property
    def label(self) -> str:
        """Its arms."""
        return ", ".join(self.job.engines)


@dataclass
class Lost:
    """What one call of `Pool.draw` could not bring to its end."""

    poisoned: list[Piece] = field(default_factory=list)
    """Pieces that ended their engines again and again."""
    engines: int = 0
    """Engines that ended by themselves, or with their machine."""


class _Engine:
    """The driver's view of one actor."""

    def __init__(self, handle: Any, model: Model) -> None:
        self.handle = handle
        self.model = model
        self.node: str | None = None
        self.sequences = _SEQUENCES
        self.given: dict[int, Piece] = {}
        self.begun: set[int] = set()
        self.drew = False
        self.alone = False  # with a suspect
        self.closing = False
        self.asked = time.monotonic()
        self.started: float | None = None  # its process answered
        self.answered = time.monotonic()
        self.next_beat = 0.0
        self.opening: Any = handle.open.remote(model.job.units)
        self.drawing: Any = None
        self.beat: Any = handle.heard.remote()

    @property
    def ready(self) -> bool:
        """Whether it may be given work."""
        return self.opening is None and not self.closing

    @property
    def waiting(self) -> int:
        """Samples it has in hand and has not begun."""
        return sum(p.samples for number, p in self.given.items() if number not in self.begun)


class Pool:
    """Engines on the cluster that this process is connected to, kept in work.

    Args:
        models: the work; their queues are emptied.
        missing: what of pieces the run directory lacks, asked when an engine is lost.
        opener: opens the engines.
    """

    def __init__(
        self,
        run: RunDirectory,
        models: Sequence[Model],
        experiment: ExperimentConfig,
        missing: Callable[[Sequence[Piece]], Sequence[Piece]],
        opener: OpenEngine,
    ) -> None:
        self._run = run
        self._models = models
        self._config = experiment.ray or RayConfig()
        self._timeouts = experiment.timeouts
        self._missing = missing
        self._opener = ray.put(opener)
        self._engines: list[_Engine] = []
        self._number = 0
        self._serial = 0
        self._said_waiting = False
        self._bars: dict[int, tqdm[Any]] = {}
        self._lost = Lost()

    def draw(self, fetch: Callable[[], object]) -> Lost:
        """Have every piece drawn.

        An engine that ends costs what it had in flight; its pieces are drawn by others. One that
        fails for good does not stop those of other models, and its error is raised when they are
        done.

        Args:
            fetch: called now and then, since results may come through a storage.

        Raises:
            UserError: an engine cannot be had as the experiment asks for it.
            EngineDied: engines of one model ended again and again without drawing anything.
        """
        with self._shown(), self._ending():
            fetched = -inf
            while self.busy:
                look()
                self.step()
                if time.monotonic() - fetched >= _FETCH_SECONDS:
                    fetch()
                    fetched = time.monotonic()
        if failures := [model.failed for model in self._models if model.failed]:
            raise min(failures, key=lambda failure: not isinstance(failure, UserError))
        return self._lost

    @property
    def busy(self) -> bool:
        """Whether anything is left to draw, or an engine to end."""
        return bool(self._engines) or any(m.queue and not m.failed for m in self._models)

    def step(self) -> None:
        """Take what engines have to say, give them work, and ask for more of them."""
        self._ask_for_engines()
        refs = {ref: engine for engine in self._engines for ref in _refs(engine)}
        done, _ = ray.wait(list(refs), num_returns=len(refs), timeout=0.2) if refs else ([], [])
        for ref in done:
            engine = refs[ref]
            if engine in self._engines:
                self._take(engine, ref)
        now = time.monotonic()
        for engine in list(self._engines):
            if engine.opening is not None and not engine.model.queue:
                self._engines.remove(engine)  # others were sooner
                ray.kill(engine.handle)
                continue
            self._watch(engine, now)
            if engine in self._engines and engine.ready:
                self._feed(engine)

    # Engines come and go.

    def _ask_for_engines(self) -> None:
        """One more actor for the model with most samples to an engine, while there may be one."""
        limit = self._config.max_engines or inf
        while len(self._engines) < limit:
            coming = sum(engine.opening is not None for engine in self._engines)
            if coming >= _ASKED_AHEAD:
                return
            model = max(
                (m for m in self._models if not m.failed and self._useful(m)),
                key=lambda m: m.queue.samples / (1 + sum(e.model is m for e in self._engines)),
                default=None,
            )
            if model is None:
                return
            self._ask(model)

    def _useful(self, model: Model) -> bool:
        """Whether there is work for one more engine of a model, and enough for its start."""
        mine = [engine for engine in self._engines if engine.model is model]
        coming = sum(engine.opening is not None for engine in mine)
        worth = (len(mine) + 1) * self._config.samples_per_engine
        left = model.queue.samples + sum(p.samples for e in mine for p in e.given.values())
        return len(model.queue) > coming and (not mine or left >= worth)

    def _ask(self, model: Model) -> None:
        self._serial += 1
        handle = _ACTOR.options(name=f"{model.label} {self._serial}", **model.resources).remote(
            self._run.path.resolve(), self._config.storage, __version__, self._opener
        )
        self._engines.append(_Engine(handle, model))

    def _close(self, engine: _Engine) -> None:
        engine.closing = True
        engine.drawing = engine.handle.close.remote()

    def _lose(self, engine: _Engine, why: str, *, broken: bool = False) -> None:
        """Take back what a lost engine had, and blame what it was at unless its machine went.

        `broken` engines cannot even begin, wherever they are placed.
        """
        self._engines.remove(engine)
        ray.kill(engine.handle)
        self._lost.engines += 1
        gone = engine.node is not None and engine.node not in _living_nodes()
        model = engine.model
        if not gone and engine.opening is not None:
            seen = broken or engine.started is not None
            model.unopened, model.unseen = model.unopened + seen, model.unseen + (not seen)
        elif not gone:
            model.in_vain = 0 if engine.drew else model.in_vain + 1
        why = " ".join(why.split())[:400]
        tqdm.write(f"an engine of {model.label} {why}; its work goes to others.", file=sys.stderr)
        # All that it had: which of them it was at is not known to the last moment.
        returned = [replace(p, crashes=p.crashes + (not gone)) for p in engine.given.values()]
        left = self._missing(returned)
        poisoned = [piece for piece in left if piece.crashes >= self._config.max_crashes]
        for piece in reversed(left):
            if not any(map(piece.same_problem, poisoned)):
                model.queue.put_back(piece)
        for piece in poisoned:
            model.queue.drop(piece)
        self._lost.poisoned += poisoned
        # Some problems in a row may be poisoned; more than a few are not what is wrong.
        most = MAX_IN_VAIN * self._config.max_crashes
        counts = (model.unopened, model.unseen, model.in_vain)
        if any(c >= m for c, m in zip(counts, (MAX_IN_VAIN, _MAX_UNSEEN, most), strict=True)):
            ended = max(model.unopened + model.unseen, model.in_vain)
            self._fail(
                model,
                EngineDied(
                    f"{ended} engines of {model.label} in a row ended before they drew anything, "
                    f"the last because it {why}; what was finished is stored, run the same "
                    f"command to go on"
                ),
            )

    def _fail(self, model: Model, failure: UserError | EngineDied) -> None:
        model.failed = failure
        for engine in [e for e in self._engines if e.model is model]:
            self._engines.remove(engine)
            ray.kill(engine.handle)

    # What they say.

    def _take(self, engine: _Engine, ref: Any) -> None:
        try:
            result = ray.get(ref)
        except RayActorError as error:
            self._lose(engine, f"ended: {_one_line(error)}", broken=error.actor_init_failed)
            return
        except RayTaskError as error:
            if isinstance(error.cause, UserError):
                self._fail(engine.model, error.cause)
            else:
                self._lose(engine, f"failed: {type(error.cause).__name__}: {error.cause}")
            return
        except RayError as error:
            self._lose(engine, f"cannot be reached: {_one_line(error)}")
            return
        if ref == engine.beat:
            self._note(engine, result)
        elif ref == engine.opening:
            self._welcome(engine, result)
        elif engine.closing:
            self._engines.remove(engine)
            ray.kill(engine.handle)
        else:
            engine.drawing = None

    def _welcome(self, engine: _Engine, opened: Opened) -> None:
        engine.opening = None
        engine.model.unopened = engine.model.unseen = 0
        engine.sequences = opened.sequences or _SEQUENCES
        bar = self._bars[id(engine.model)]
        if bar.n == 0:  # the rate counts from the first engine's first sample
            bar.reset(total=bar.total)

    def _note(self, engine: _Engine, heard: Heard) -> None:
        now = time.monotonic()
        engine.beat = None
        engine.next_beat = now + max(_BEAT_SECONDS, len(self._engines) / _BEATS_A_SECOND)
        engine.answered = now
        engine.started = engine.started or now
        engine.node = heard.node
        engine.begun.update(heard.begun)
        for number in heard.finished:
            engine.given.pop(number)
            engine.begun.discard(number)
        engine.drew = engine.drew or heard.samples > 0
        bar = self._bars[id(engine.model)]
        bar.update(heard.samples)
        running = sum(e.model is engine.model and e.ready for e in self._engines)
        bar.set_postfix_str(f"{running} engines", refresh=False)
        if engine.ready and engine.drawing and heard.idle_seconds > self._timeouts.stall_seconds:
            self._lose(engine, f"did nothing for {self._timeouts.stall_seconds:g} s and was ended")

    def _watch(self, engine: _Engine, now: float) -> None:
        if engine.started is None:  # its machine has no room for it yet
            if now - engine.asked > _WAITING_SECONDS and not self._said_waiting:
                self._said_waiting = True
                tqdm.write(
                    f"waiting for room for an engine, which needs {engine.model.resources}; the "
                    f"cluster has {_resources()}",
                    file=sys.stderr,
                )
            return
        if engine.opening is not None:
            if now - engine.started > self._timeouts.start_seconds:
                self._lose(engine, f"did not start in {self._timeouts.start_seconds:g} s")
                return
        elif now - engine.answered > self._timeouts.stall_seconds:
            self._lose(engine, f"did not answer for {self._timeouts.stall_seconds:g} s")
            return
        if engine.beat is None and now >= engine.next_beat:
            engine.beat = engine.handle.heard.remote()

    # What they are given.

    def _feed(self, engine: _Engine) -> None:
        """Keep as much in hand as the engine draws at a time, beyond what it has begun."""
        queue = engine.model.queue
        if engine.alone:
            engine.alone = bool(engine.given)
        if not engine.given and (suspect := queue.take_suspect()):
            engine.alone = True
            self._give(engine, [suspect])
        if not engine.alone:
            self._give(engine, queue.take(engine.sequences - engine.waiting))
        if engine.drawing is None:
            if engine.given:
                engine.drawing = engine.handle.draw.remote()
            elif not queue:
                self._close(engine)

    def _give(self, engine: _Engine, pieces: Sequence[Piece]) -> None:
        if pieces:
            numbered = dict(enumerate(pieces, start=self._number))
            self._number += len(pieces)
            engine.given |= numbered
            engine.handle.give.remote(numbered)

    # The terminal.

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """A progress bar a model."""
        for place, model in enumerate(self._models):
            self._bars[id(model)] = progress_bar(
                f"sampling {model.label}", total=model.queue.samples, unit="sample", place=place
            )
        try:
            yield
        finally:
            for bar in self._bars.values():
                bar.close()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Let engines store what they have when we are interrupted, and leave none behind."""
        try:
            with heeded():
                yield
        except KeyboardInterrupt:
            stopping = []
            for engine in self._engines:
                if engine.opening is None:
                    engine.handle.stop.remote()
                    stopping += [ref for ref in (engine.drawing,) if ref is not None]
                    stopping.append(engine.handle.close.remote())
            if stopping:
                ray.wait(stopping, num_returns=len(stopping), timeout=STOP_SECONDS)
            raise
        finally:
            for engine in self._engines:
                ray.kill(engine.handle)


def _refs(engine: _Engine) -> list[Any]:
    return [ref for ref in (engine.opening, engine.drawing, engine.beat) if ref is not None]


def _living_nodes() -> set[str]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return {node["NodeID"] for node in nodes if node["Alive"]}


def _resources() -> dict[str, float]:
    """What the cluster has of each resource, its bookkeeping of single machines left out."""
    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return {name: amount for name, amount in found.items() if ":" not in name}


def _one_line(error: Exception) -> str:
    """What Ray says of an engine's end, without its names and addresses of processes."""
    lines = str(error).partition("Some common causes")[0].strip().splitlines()
    return lines[-1] if lines else type(error).__name__
