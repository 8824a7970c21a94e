"""How often a gate errs, and what it finds, by simulation of models whose truth is known.

    python tests/gate_simulation.py [--repetitions 1000]

prints the table of docs/gate.md: two rules, pass@1 not lower by 2 points and pass@128 not lower by
5, asked of pairs of models by the gate itself. "The same model" is one model twice. At a margin the
truth is just what a rule forbids: the arm is right less often on every problem by one factor, or
never right on a share of the problems. Of three times the margin it is to be found.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from claims_simulation import LEVEL, MODELS, Model

from vlm_boundary.analysis.counts import Counts, Floats
from vlm_boundary.analysis.data import Pair
from vlm_boundary.analysis.gate import Compared, decide
from vlm_boundary.config.gate import GateRules

N = 128
POINTS = {1: 2.0, N: 5.0}
SIZES = (30, 114, 460)
_POPULATION = 400_000


def rules(*ks: int) -> GateRules:
    """Not lower by the margin at each k."""
    asked = [{"kind": "not_lower", "k": k, "points": POINTS[k]} for k in ks]
    return GateRules.model_validate({"rules": asked})


def pair(base: Floats, other: Floats, rng: np.random.Generator) -> Compared:
    """Draw N samples of every problem from both models, by their success probabilities."""
    ids = tuple(f"{row:04d}" for row in range(len(base)))
    full = np.full(len(base), N)
    drawn = [rng.binomial(N, chances) for chances in (base, other)]
    first, second = (Counts(ids, full, right, np.zeros_like(right), right) for right in drawn)
    return Compared("made", Pair("base", "other", N, first, second), None, (first, second), {})


class Truth:
    """A model, and what makes another one worse than it by a stated gap over all its problems."""

    def __init__(self, model: Model, rng: np.random.Generator) -> None:
        self.model = model
        chances = model(_POPULATION, rng)
        self.accuracy = float(chances.mean())
        self.coverage = float((1 - (1 - chances) ** N).mean())

    def lower(self, k: int, points: float, base: Floats, rng: np.random.Generator) -> Floats:
        """The other model's chances on these problems: pass@k is so many points lower."""
        gap = points / 100
        if k == 1:
            return base * (1 - gap / self.accuracy)
        return np.where(rng.random(len(base)) < gap / self.coverage, 0.0, base)


def decisions(
    truth: Truth, size: int, k: int | None, times: float, repetitions: int, seed: list[int]
) -> Counter[str]:
    """What the gate said: of one model twice (k None), or of one so many margins lower at k."""
    rng = np.random.default_rng(seed)
    said: Counter[str] = Counter()
    asked = rules(*POINTS) if k is None else rules(k)
    for _ in range(repetitions):
        base = truth.model(size, rng)
        other = base if k is None else truth.lower(k, times * POINTS[k], base, rng)
        said[decide([pair(base, other, rng)], asked, LEVEL, "made").decision] += 1
    return said


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options = parser.parse_args()
    print(
        "| model | N | same: NO-GO | same: GO | pass@1 at its margin: GO | pass@128 at its margin: "
        "GO | pass@1 lower by 6: NO-GO | pass@128 lower by 15: NO-GO |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    for name, model in MODELS.items():
        truth = Truth(model, np.random.default_rng(options.seed))
        for size in options.sizes:
            same, *others = (
                decisions(truth, size, k, times, options.repetitions, [options.seed, size, place])
                for place, (k, times) in enumerate([(None, 0), (1, 1), (N, 1), (1, 3), (N, 3)])
            )
            words = ("GO", "GO", "NO-GO", "NO-GO")
            found = [same["NO-GO"], same["GO"]]
            found += [said[word] for said, word in zip(others, words, strict=True)]
            cells = " | ".join(f"{100 * count / options.repetitions:.1f}" for count in found)
            print(f"| {name} | {size} | {cells} |", flush=True)
    error = 100 * np.sqrt(0.025 * 0.975 / options.repetitions)
    print(f"\nOf {options.repetitions} pairs each; standard error {error:.1f} at 2.5 %.")


if __name__ == "__main__":
    main()
