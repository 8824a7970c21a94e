"""An engine that takes time and computes nothing: as many samples at once as a real one draws."""

from __future__ import annotations

import heapq
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from vlm_boundary.config import SamplingConfig
from vlm_boundary.engines.base import AGAIN_SECONDS, Completion, Request, Requests
from vlm_boundary.errors import UserError


class Feed:
    """Requests as single samples; `over` once there are no more."""

    def __init__(self, requests: Requests) -> None:
        self._requests = iter(requests)
        self._waiting: deque[tuple[Request, int]] = deque()
        self.over = False

    def take(self) -> tuple[Request, int] | None:
        """The next sample; None where there is none, or none just now."""
        if not self._waiting and not self.over:
            try:
                request = next(self._requests)
            except StopIteration:
                self.over = True
                return None
            if request is not None:
                self._waiting.extend((request, i) for i in request.indices)
        return self._waiting.popleft() if self._waiting else None


@dataclass(frozen=True)
class Opener:
    """Opens simulated engines, noting each in a folder; not for models named `refused`.

    Samples take exponential times, which the seed decides alone, as it does the text. `poison` is
    a problem whose samples end the process; with `dies`, opening an engine ends it; with
    `swallows`, it goes on after it was first stopped.
    """

    sequences: int = 16
    mean_seconds: float = 0.02
    tokens: int = 20
    poison: str | None = None
    dies: bool = False
    swallows: bool = False
    notes: Path | None = None

    def __call__(self, model: str, *_: object) -> SimulatedEngine:
        """Open one."""
        if self.dies:
            os._exit(1)
        if model == "refused":
            raise UserError("refused: there is no such checkpoint")
        if self.notes is not None:
            (self.notes / f"{os.getpid()}-{time.time_ns()}").write_text(model)
        return SimulatedEngine(self)


class SimulatedEngine:
    """An engine as its opener says; it counts, by second of the clock, how busy it was."""

    def __init__(self, how: Opener) -> None:
        self._how = how
        self._busy: Counter[int] = Counter()  # seconds of its slots, by second

    def generate(
        self, requests: Requests, sampling: SamplingConfig, alive: Callable[[], None]
    ) -> Iterator[Completion]:
        """Finish each sample when its time has come."""
        feed = Feed(requests)
        serial = count()
        running: list[tuple[float, int, Request, int]] = []
        before = time.time()
        swallows = self._how.swallows
        while True:
            while len(running) < self._how.sequences and (fed := feed.take()):
                request, index = fed
                if request.problem_id == self._how.poison:
                    os._exit(1)
                seconds = Random(request.seed + index).expovariate(1 / self._how.mean_seconds)
                heapq.heappush(running, (time.time() + seconds, next(serial), request, index))
            try:
                alive()
            except KeyboardInterrupt:
                if not swallows:
                    raise
                swallows = False
            if not running:
                if feed.over:
                    return
                time.sleep(AGAIN_SECONDS)
                continue
            if (wait := running[0][0] - time.time()) > 0:
                time.sleep(wait)
            now = time.time()
            self._busy[int(now)] += round(1e6 * (now - before) * len(running))
            before = now
            _, _, request, index = heapq.heappop(running)
            yield self._sample(request, index)

    def describe(self) -> dict[str, Any]:
        """Only what is needed."""
        sequences = self._how.sequences
        return {"engine": "simulated", "device": "none", "max_num_seqs": sequences}

    def usage(self) -> dict[str, Any]:
        """How many of its slots were busy, on average, in each second of the clock."""
        return {"busy": {str(second): busy / 1e6 for second, busy in self._busy.items()}}

    def close(self) -> None:
        """Nothing to end."""

    def _sample(self, request: Request, index: int) -> Completion:
        seed = request.seed + index
        text = f"{request.problem_id} by {seed} \\boxed{{{seed % 10}}}"
        tokens = [seed % 1000] * self._how.tokens
        return Completion(request.request_id, index, seed, tokens, text, "stop", -1.0)
