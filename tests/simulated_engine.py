"""An engine that takes time and computes nothing: as many samples at once as a real one draws."""

from __future__ import annotations

import heapq
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from vlm_boundary.config import SamplingConfig
from vlm_boundary.engines import Completion, Request
from vlm_boundary.engines.base import AGAIN_SECONDS, Requests
from vlm_boundary.errors import UserError

_OVER: Any = object()


def _one_by_one(requests: Requests) -> Iterator[tuple[Request, int] | None]:
    for request in requests:
        if request is None:
            yield None
        else:
            yield from ((request, index) for index in request.indices)


@dataclass(frozen=True)
class Opener:
    """Opens simulated engines, noting each in a folder; not for models named `refused`.

    Samples take exponential times, which the seed decides alone, as it does the text. `poison` is
    a problem whose samples end the process; with `dies`, opening an engine ends it.
    """

    sequences: int = 16
    mean_seconds: float = 0.02
    tokens: int = 20
    poison: str | None = None
    dies: bool = False
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
        feed, over = _one_by_one(requests), False
        serial = count()
        running: list[tuple[float, int, Request, int]] = []
        before = time.time()
        while True:
            while len(running) < self._how.sequences and not over:
                fed = next(feed, _OVER)
                over = fed is _OVER
                if fed is None or fed is _OVER:
                    break
                request, index = fed
                if request.problem_id == self._how.poison:
                    os._exit(1)
                seconds = Random(request.seed + index).expovariate(1 / self._how.mean_seconds)
                heapq.heappush(running, (time.time() + seconds, next(serial), request, index))
            alive()
            if not running:
                if over:
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
