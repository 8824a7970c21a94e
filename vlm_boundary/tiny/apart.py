"""What was changed: `python -m vlm_boundary.tiny.apart CONDITION BASE OTHER…` on the watched slice.

Right samples of embedded checkpoints under a condition, and each one's difference to the first.
"""

from __future__ import annotations

import argparse
from statistics import fmean, stdev

from vlm_boundary.config import Condition
from vlm_boundary.tiny import find, trained
from vlm_boundary.tiny.data import DrawnProblems, validation
from vlm_boundary.tiny.rollout import Rewarder
from vlm_boundary.tiny.train import load

SAMPLES = 8  # a problem, at temperature 1


def shares(name: str, condition: Condition, rewarder: Rewarder) -> list[float]:
    """The share of right samples of each watched problem; the draws follow from a fixed seed."""
    watched = DrawnProblems.of(validation()).under(condition)
    model = load(find(name)).eval()
    parts = rewarder.graded(model, watched, SAMPLES, seed=1)
    return [fmean(group) for _, groups in parts for group in groups]


def main(arguments: list[str] | None = None) -> None:
    """Print each mean, with the paired difference to the base and its standard error."""
    parser = argparse.ArgumentParser(prog="python -m vlm_boundary.tiny.apart", description=__doc__)
    parser.add_argument("condition", choices=("full", "described", "no_image"))
    parser.add_argument("base", choices=trained(), help="what the others are held against")
    parser.add_argument("others", nargs="+", choices=trained(), help="of the same start")
    chosen = parser.parse_args(arguments)
    with Rewarder() as rewarder:
        first = shares(chosen.base, chosen.condition, rewarder)
        print(f"{chosen.condition} {chosen.base}: {fmean(first):.4f}")
        for name in chosen.others:
            found = shares(name, chosen.condition, rewarder)
            apart = [one - other for one, other in zip(found, first, strict=True)]
            error = stdev(apart) / len(apart) ** 0.5
            said = f"{fmean(found):.4f}, {fmean(apart):+.4f} (se {error:.4f})"
            print(f"{chosen.condition} {name}: {said}")


if __name__ == "__main__":
    main()
