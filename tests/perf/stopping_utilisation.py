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
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from vlm_boundary.config import ExperimentConfig, build_experiment
from vlm_boundary.engines.base import Completion, Requests
from vlm_boundary.sampling import sample
from vlm_boundary.sampling.stage import Wanted
from vlm_boundary.sampling.work import Drawer
from vlm_boundary.store import RunDirectory

LONGEST, TOKENS_A_SECOND = 4096, 30.0
_TICK = 0.002


class Simulated:
    """Holds so many sequences at once, each for as long as its response takes."""

    def __init__(self, sequences: int, factor: float) -> None:
        self.sequences = sequences
        self.factor = factor
        self.used = self.possible = 0.0
        self.finished = 0

    def __call__(self, run: RunDirectory, experiment: ExperimentConfig, wanted: Wanted) -> None:
        """Draw in this process: a scheduler for `sample`."""
        for units in wanted:
            drawer = Drawer(run, units)
            for unit in units:
                drawer.do(unit, self, self)  # type: ignore[arg-type]

    def generate(
        self, requests: Requests, sampling: Any, alive: Callable[[], None]
    ) -> Iterator[Completion]:
        """Finish each sample when its time has come."""
        flying: list[tuple[float, int, str, int]] = []
        feed, waiting = iter(requests), list[tuple[str, int, int]]()
        over = False
        used = possible = 0.0
        before = time.monotonic()
        while True:
            while len(flying) < self.sequences and not (over and not waiting):
                if not waiting:
                    try:
                        request = next(feed)
                    except StopIteration:
                        over = True
                        break
                    if request is None:
                        break
                    waiting = [(request.request_id, request.seed, i) for i in request.indices][::-1]
                key, seed, index = waiting.pop()
                length = min(Random(f"{seed + index}").lognormvariate(5.9, 1.0), LONGEST)
                end = time.monotonic() + length / TOKENS_A_SECOND / self.factor
                heapq.heappush(flying, (end, seed + index, key, index))
                self.used, self.possible = used, possible  # as of the last that was handed over
            if over and not flying:
                return
            alive()
            ahead = flying[0][0] - time.monotonic() if flying else _TICK
            time.sleep(min(max(ahead, 0.0), _TICK))
            now = time.monotonic()
            used += (now - before) * len(flying)
            possible += (now - before) * self.sequences
            before = now
            while flying and flying[0][0] <= now:
                _, seed, key, index = heapq.heappop(flying)
                problem = int(key.split(":")[0][1:])
                # A third is nearly never solved, the others from now and then to always.
                chance = 0.002 if problem % 3 == 0 else Random(problem).random()
                answer = 7 if Random(-seed).random() < chance else 5
                text = f"We count the boxes one by one. {seed} So \\boxed{{{answer}}}"
                self.finished += 1
                yield Completion(key, index, seed, [1], text, "stop", None)

    def done(self, tokens: int) -> None:
        """Nothing is told of it."""

    def spared(self, samples: int) -> None:
        """Nor of this."""

    def alive(self) -> None:
        """Nor of this."""


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
                experiment = _experiment(Path(folder), options.problems, stop, options.factor)
                sample(RunDirectory(experiment.run_path), experiment, scheduler=engine)
                shares[name] = engine.used / engine.possible
                print(f"{sequences} sequences, {name}: {engine.finished:,} samples", flush=True)
        print(
            f"{sequences} sequences: slots used {shares['fixed']:.3f} with a fixed n, "
            f"{shares['rule']:.3f} by the rule, ratio {shares['rule'] / shares['fixed']:.3f}"
        )


def _experiment(
    folder: Path, problems: int, stop: dict[str, Any] | None, factor: float
) -> ExperimentConfig:
    lines = (json.dumps({"id": f"p{i}", "q": "How many?", "a": "7"}) for i in range(problems))
    (folder / "data.jsonl").write_text("\n".join(lines) + "\n")
    fields = {"question": "q", "answer": "a", "problem_id": "id"}
    raw = {
        "name": "busy",
        "run_dir": str(folder / "run"),
        "benchmarks": {"made": {"dataset_path": str(folder / "data.jsonl"), "fields": fields}},
        "arms": {"base": {"model": "m", "role": "base"}},
        "engine": {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"},
        "sampling": {"n": 256, "stop": stop},
        "waves": [],
        "timeouts": {"flush_seconds": 5.0 / factor},
    }
    return build_experiment(raw, (), where="busy.yaml")


if __name__ == "__main__":
    main()
