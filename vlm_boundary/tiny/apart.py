"""What was changed: `python -m vlm_boundary.tiny.apart CONDITION BASE OTHER…` on the watched slice.

Right samples of embedded checkpoints under a condition, and each one's difference to the first.
"""

from __future__ import annotations

import sys
from statistics import fmean, stdev

from vlm_boundary.config import Condition
from vlm_boundary.tiny import find
from vlm_boundary.tiny.data import ProblemSet, validation
from vlm_boundary.tiny.reward import Rewarder
from vlm_boundary.tiny.train import load

SAMPLES = 8  # a problem, at temperature 1


def shares(name: str, condition: Condition, rewarder: Rewarder) -> list[float]:
    """The share of right samples of each watched problem; the draws follow from a fixed seed."""
    watched = ProblemSet.of(validation()).under(condition)
    model = load(find(name)).eval()
    parts = rewarder.graded(model, watched, SAMPLES, seed=1, max_tokens=96)
    return [fmean(group) for _, groups in parts for group in groups]


def main(condition: Condition, base: str, others: list[str]) -> None:
    """Print each mean, with the paired difference to the base and its standard error."""
    with Rewarder() as rewarder:
        first = shares(base, condition, rewarder)
        print(f"{condition} {base}: {fmean(first):.4f}")
        for name in others:
            found = shares(name, condition, rewarder)
            apart = [one - other for one, other in zip(found, first, strict=True)]
            error = stdev(apart) / len(apart) ** 0.5
            print(f"{condition} {name}: {fmean(found):.4f}, {fmean(apart):+.4f} (se {error:.4f})")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])  # type: ignore[arg-type]
