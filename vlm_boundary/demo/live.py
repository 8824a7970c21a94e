"""Engines kept warm for the live tab, each in a process of its own."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from vlm_boundary.benchmarks import load_benchmark, messages, pictures_shown
from vlm_boundary.config import ExperimentConfig, ReplayConfig, build_experiment
from vlm_boundary.demo.drawn import RESPONSE, Response
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.errors import UserError
from vlm_boundary.fleet.places import Place, engine_places
from vlm_boundary.fleet.process import EngineProcess
from vlm_boundary.records.problem import Problem

MAX_SAMPLES = 16
_MAX_IMAGES = 1
STARTING = "loading the checkpoint into its engine (about half a minute the first time)"
STOPPED = "Stopped; the engines have ended."
_TICK = 0.1


@dataclass(frozen=True)
class Question:
    """A question for both models, and how it is drawn.

    `pictures` are file names in `folder`.
    """

    problem: Problem
    folder: Path
    n: int
    temperature: float
    max_tokens: int
    seed: int


@dataclass(eq=False)
class _Turn:
    """A question under way, and who may stop it; over, it begins no engine and says nothing more.

    A page may take a step of a question after it was stopped, when the next has begun.
    """

    asker: str
    over: bool = False


class LiveEngines:
    """The engines of a run's arms, started when first asked; close it at the end.

    Args:
        overrides: settings of the experiment as KEY=VALUE, as in
            `arms.rl.engine={kind: openai, base_url: "http://gpu-2:8000/v1"}`.
    """

    def __init__(self, runs: Mapping[str, RunIndex], overrides: tuple[str, ...] = ()) -> None:
        self._runs = runs
        self._overrides = overrides
        self._engines: OrderedDict[tuple[str, str], _LiveEngine] = OrderedDict()
        # A process told to end with its parent ends with the thread that started it.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="engines")
        self._folder = tempfile.TemporaryDirectory(prefix="vlm-boundary-live-")
        self._lock = threading.Lock()
        self._turn = _Turn("", over=True)

    @property
    def folder(self) -> Path:
        """Where pictures are kept until the end."""
        return Path(self._folder.name)

    def sample(
        self, run: str, arms: tuple[str, str], benchmark: str, asked: Question, asker: str = ""
    ) -> Iterator[tuple[int, Response | str]]:
        """Samples of both arms as they finish, and how far they are: (0 or 1 for which arm, it).

        When nothing happens, (−1, "") comes every moment. One is asked after the other.

        Args:
            asker: who may `stop` it.

        Raises:
            UserError: an arm's samples are replayed, or settings are not valid.
        """
        experiment = self._experiment(run)
        places = engine_places(experiment)
        sides = dict(enumerate(arms))
        # With one place: one after the other.
        apart = len(places) < 2 and arms[0] != arms[1]
        rounds = [{side: arm} for side, arm in sides.items()] if apart else [sides]
        turn = _Turn(asker)
        with self._lock:
            self._turn.over = True
            self._turn = turn
        try:
            for drawn in rounds:
                for said in self._draw(turn, run, drawn, benchmark, asked, experiment, places):
                    if turn.over:
                        break
                    yield said
            if turn.over:
                yield from ((side, STOPPED) for side in sides)
        finally:
            turn.over = True

    def stop(self, asker: str = "") -> bool:
        """End every engine at once, unless they work for somebody else; whether they have ended.

        The next question starts them again.
        """
        with self._lock:  # an engine that is being made is ended too
            if not self._turn.over and self._turn.asker != asker:
                return False
            self._end()
            return True

    def _end(self) -> None:
        self._turn.over = True
        for engine in list(self._engines.values()):
            engine.end()
        self._engines.clear()

    def close(self) -> None:
        """End the engines and forget the pictures."""
        with self._lock:
            self._end()
        self._starter.shutdown(wait=False, cancel_futures=True)
        self._folder.cleanup()

    def _draw(
        self,
        turn: _Turn,
        run: str,
        sides: dict[int, str],
        benchmark: str,
        asked: Question,
        experiment: ExperimentConfig,
        places: list[Place],
    ) -> Iterator[tuple[int, Response | str]]:
        waiting: dict[int, tuple[_LiveEngine, str]] = {}
        for side, arm in sides.items():
            request = self._request(arm, benchmark, asked, experiment)
            with self._lock:
                if turn.over:
                    return
                engine = self._engine(run, arm, experiment, places, side)
                ready = engine.ready
                engine.ask(request)
            waiting[side] = (engine, request["id"])
            if not ready:
                yield side, STARTING
        while waiting:
            heard = False
            for side, (engine, request_id) in list(waiting.items()):
                for message in engine.heard(request_id):
                    heard = True
                    yield side, _said(message)
                    if message.keys() & {"done", "error"}:
                        waiting.pop(side, None)
            if not heard:
                yield -1, ""
                threading.Event().wait(_TICK)

    def _experiment(self, run: str) -> ExperimentConfig:
        return build_experiment(
            self._runs[run].manifest.experiment, self._overrides, where=f"run {run}"
        )

    def _engine(
        self,
        run: str,
        arm: str,
        experiment: ExperimentConfig,
        places: list[Place],
        side: int,
    ) -> _LiveEngine:
        key = (run, arm)
        engine = self._engines.get(key)
        if engine is not None and engine.running:
            self._engines.move_to_end(key)
            return engine
        if isinstance(experiment.arm_engine(arm), ReplayConfig):
            raise UserError(
                f"{arm}: its samples were replayed; name a checkpoint or a server for the live tab "
                f"with -o arms.{arm}.model=… and -o 'arms.{arm}.engine={{kind: openai, …}}'"
            )
        self._engines.pop(key, None)
        while len(self._engines) >= min(2, len(places)):
            _, oldest = self._engines.popitem(last=False)
            oldest.end()
        order = {
            "experiment": experiment.model_dump(mode="json"),
            "arm": arm,
            "max_images": _MAX_IMAGES,
        }
        place = places[side % len(places)]
        made = self._starter.submit(_LiveEngine, order, place, self.folder).result()
        self._engines[key] = made
        return made

    def _request(
        self, arm: str, benchmark: str, asked: Question, experiment: ExperimentConfig
    ) -> dict[str, Any]:
        config = load_benchmark(benchmark, experiment.benchmarks[benchmark])
        prompt = config.worded(experiment.prompt(arm, "full"))
        turns = messages(asked.problem, prompt, config.images)
        sampling = experiment.arm_sampling(arm).model_dump(mode="json")
        n = 1 if asked.temperature == 0 else asked.n
        sampling |= {
            "n": n,
            "temperature": asked.temperature,
            "max_tokens": min(asked.max_tokens, sampling["max_tokens"]),
            "token_logprobs": 0,
        }
        return {
            "id": uuid4().hex,
            "messages": turns,
            "pictures": [str(asked.folder / name) for name in pictures_shown(turns)],
            "n": n,
            "seed": asked.seed,
            "budget": vars(config.images.budget),
            "chat_template_args": experiment.arm_chat_template_args(arm),
            "sampling": sampling,
        }


def _said(message: dict[str, Any]) -> Response | str:
    if "text" in message:
        return Response(**{name: message[name] for name in RESPONSE})
    if "done" in message:
        return "done"
    return str(message.get("status") or message.get("failure") or message.get("error"))


class _LiveEngine:
    """One engine's process, what it said kept by request."""

    def __init__(self, order: dict[str, Any], place: Place, folder: Path) -> None:
        log = folder / f"engine-{uuid4().hex[:8]}.log"
        self._process = EngineProcess("vlm_boundary.demo.live_worker", (), place, log)
        self.ready = False
        self._inboxes: dict[str, list[dict[str, Any]]] = {}
        self._ended: str | None = None
        self._lock = threading.Lock()
        self._process.tell(order)
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether it can be asked."""
        return self._process.running

    def ask(self, request: dict[str, Any]) -> None:
        """Hand over a request; its answers come through `heard`."""
        with self._lock:
            self._inboxes[request["id"]] = []
        self._process.tell(request)

    def heard(self, request_id: str) -> list[dict[str, Any]]:
        """What it has said of a request since the last time."""
        with self._lock:
            found = self._inboxes.get(request_id, [])
            self._inboxes[request_id] = []
            if any("done" in message for message in found):
                del self._inboxes[request_id]
            elif not found and self._ended is not None:
                return [{"error": self._ended}]
        return found

    def end(self) -> None:
        """End it and whatever it started."""
        self._process.kill()

    def _listen(self) -> None:
        said: str | None = None
        with os.fdopen(self._process.messages) as lines:
            for line in lines:
                message = json.loads(line)
                with self._lock:
                    if "ready" in message:
                        self.ready = True
                        for inbox in self._inboxes.values():
                            inbox.append({"status": "sampling"})
                    elif "error" in message:
                        said = message["error"]
                    elif message["id"] in self._inboxes:
                        self._inboxes[message["id"]].append(message)
        self._process.wait()
        with self._lock:
            self._ended = said or f"the engine ended: {self._process.last_line()}"
