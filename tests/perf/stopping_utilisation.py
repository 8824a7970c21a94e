"""How busy an engine is kept while problems end by a rule, against drawing all n.

    python tests/perf/stopping_utilisation.py

The real loop, store and verifier drive a made-up engine whose responses take the time of a 7B
model's: lengths are log-normal with a heavy tail (mean about 600 tokens, cut at 4,096), 30 tokens a
second and sequence, all in time made FACTOR times as fast, flushes included; grading is not made
faster, so that verdicts come FACTOR times too late. Slots are counted as used until the last
request is handed over: what follows is the tail that a run of a fixed n has too. Prints the used
share of both ways and their ratio, for several numbers of sequences in flight.
"""

from __future__ import annotations

import argparse
import heapq
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulated_engine import Feed
from stopping_parts import DrawnHere, experiment_of

from vlm_boundary.engines.base import Completion, Request, Requests
from vlm_boundary.sampling import sample
from vlm_boundary.store import RunDirectory

LONGEST, TOKENS_A_SECOND = 4096, 30.0
_TICK = 0.002


class Simulated(DrawnHere):
    """Holds so many sequences at once, each for as long as its response takes."""

    def __init__(self, sequences: int, factor: float) -> None:
        self.sequences = sequences
        self.factor = factor
        self.used = self.possible = 0.0
        self.finished = 0

    def generate(
        self, requests: Requests, sampling: Any, alive: Callable[[], None]
    ) -> Iterator[Completion]:
        """Finish each sample when its time has come."""
        flying: list[tuple[float, int, Request, int]] = []
        feed = Feed(requests)
        used = possible = 0.0
        before = time.monotonic()
        while True:
            while len(flying) < self.sequences and (fed := feed.take()):
                request, index = fed
                seed = request.seed + index
                length = min(Random(f"{seed}").lognormvariate(5.9, 1.0), LONGEST)
                end = time.monotonic() + length / TOKENS_A_SECOND / self.factor
                heapq.heappush(flying, (end, seed, request, index))
                self.used, self.possible = used, possible  # as of the last that was handed over
            if feed.over and not flying:
                return
            alive()
            ahead = flying[0][0] - time.monotonic() if flying else _TICK
            time.sleep(min(max(ahead, 0.0), _TICK))
            now = time.monotonic()
            used += (now - before) * len(flying)
            possible += (now - before) * self.sequences
            before = now
            while flying and flying[0][0] <= now:
                _, seed, request, index = heapq.heappop(flying)
                problem = int(request.problem_id[1:])
                # A third is nearly never solved, the others from now and then to always.
                chance = 0.002 if problem % 3 == 0 else Random(problem).random()
                answer = 7 if Random(f"right {seed}").random() < chance else 5
                text = f"We count the boxes one by one. {seed} So \\boxed{{{answer}}}"
                self.finished += 1
                yield Completion(request.request_id, index, seed, [1], text, "stop", None)


def main() -> None:
    """Draw both ways and print how busy the engine was."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--problems", type=int, default=96, help="of which a third is hard")
    parser.add_argument("--factor", type=float, default=50.0)
    parser.add_argument("--sequences", type=int, nargs="+", default=[64, 256, 512])
    options = parser.parse_args()
    for sequences in options.sequences:
        shares = {}
        for name, stop in (("fixed", None), ("rule", {"after": [32, 64, 128], "right": 4})):
            with tempfile.TemporaryDirectory() as folder:
                engine = Simulated(sequences, options.factor)
                experiment = experiment_of(
                    Path(folder),
                    options.problems,
                    n=256,
                    stop=stop,
                    flush_seconds=5.0 / options.factor,
                )
                sample(RunDirectory(experiment.run_path), experiment, scheduler=engine)
                shares[name] = engine.used / engine.possible
                print(f"{sequences} sequences, {name}: {engine.finished:,} samples", flush=True)
        print(
            f"{sequences} sequences: slots used {shares['fixed']:.3f} with a fixed n, "
            f"{shares['rule']:.3f} by the rule, ratio {shares['rule'] / shares['fixed']:.3f}"
        )


if __name__ == "__main__":
    main()
