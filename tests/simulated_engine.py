"""An engine that takes time and computes nothing: as many samples at once as a real one draws."""

from __future__ import annotations

import heapq
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from vlm_boundary.config import SamplingConfig
from vlm_boundary.engines import Completion, Request
from vlm_boundary.errors import UserError


@dataclass(frozen=True)
class SimulatedEngine:
    """Samples take exponential times, of which only the seed decides, and so does the text.

    `poison` is a problem whose samples end the process.
    """

    sequences: int = 16
    mean_seconds: float = 0.02
    tokens: int = 20
    poison: str | None = None

    def generate(
        self, requests: Iterable[Request], sampling: SamplingConfig, alive: Callable[[], None]
    ) -> Iterator[Completion]:
        """Finish each sample when its time has come."""
        feed = ((request, index) for request in requests for index in request.indices)
        serial = count()
        running: list[tuple[float, int, Request, int]] = []
        while True:
            while len(running) < self.sequences and (fed := next(feed, None)):
                if fed[0].problem_id == self.poison:
                    os._exit(1)
                seconds = Random(fed[0].seed + fed[1]).expovariate(1 / self.mean_seconds)
                heapq.heappush(running, (time.monotonic() + seconds, next(serial), *fed))
            if not running:
                return
            alive()
            if (wait := running[0][0] - time.monotonic()) > 0:
                time.sleep(wait)
            _, _, request, index = heapq.heappop(running)
            yield self._sample(request, index)

    def describe(self) -> dict[str, Any]:
        """Nothing but what is needed."""
        return {"engine": "simulated", "device": "none", "max_num_seqs": self.sequences}

    def usage(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def close(self) -> None:
        """Nothing."""

    def _sample(self, request: Request, index: int) -> Completion:
        seed = request.seed + index
        text = f"{request.problem_id} by {seed} \\boxed{{{seed % 10}}}"
        tokens = [seed % 1000] * self.tokens
        return Completion(request.request_id, index, seed, tokens, text, "stop", -1.0)


@dataclass(frozen=True)
class Opener:
    """Opens simulated engines, noting each in a folder; not for models named `refused`."""

    engine: SimulatedEngine = SimulatedEngine()
    notes: Path | None = None
    dies: bool = False

    def __call__(self, model: str, *_: object) -> SimulatedEngine:
        """Open one."""
        if model == "refused":
            raise UserError("refused: there is no such checkpoint")
        if self.dies:
            os._exit(1)
        if self.notes is not None:
            (self.notes / f"{os.getpid()}-{time.time_ns()}").write_text(model)
        return self.engine
