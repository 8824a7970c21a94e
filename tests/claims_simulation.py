"""How often a report makes a false claim, by simulation: models that are all the same.

    python tests/claims_simulation.py [--repetitions 400] [--pairs 5] [--benchmarks 2]

prints the table of docs/analysis.md. A report compares a base with several other arms on several
benchmarks; all arms are one model, so that whatever it claims is false. "One by one" is what the
intervals would claim if each stood alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.crossover import crossover
from vlm_boundary.analysis.estimators import paper_grid, pass_at_k
from vlm_boundary.analysis.intervals import Clustered, intervals_of
from vlm_boundary.analysis.multiplicity import in_turn
from vlm_boundary.analysis.significance import no_crossover_p, p_values

LEVEL = 0.95
Model = Callable[[int, np.random.Generator], Floats]


def of_all_kinds(size: int, rng: np.random.Generator) -> Floats:
    """Problems of all difficulties, one in ten out of reach."""
    return np.where(rng.random(size) < 0.1, 0.0, rng.beta(0.35, 0.7, size))


def hard(size: int, rng: np.random.Generator) -> Floats:
    """Most problems hard, many probabilities near zero."""
    return np.where(rng.random(size) < 0.2, 0.0, rng.beta(0.15, 1.0, size))


def saturated(size: int, rng: np.random.Generator) -> Floats:
    """Nearly every problem is solved."""
    return np.where(rng.random(size) < 0.03, rng.beta(0.5, 60.0, size), rng.beta(4.0, 1.5, size))


MODELS: dict[str, Model] = {
    "all difficulties": of_all_kinds,
    "heavy tail at 0": hard,
    "saturated": saturated,
}


def claims(values: Floats) -> Floats:
    """P-values of a pair's claims: at k = 1, at k = n, no crossover.

    Args:
        values: a row a problem, a column for each k of the published figures.
    """
    sums = Clustered.of(values)
    p = p_values(sums, (-1, 1))
    turn = crossover(intervals_of(sums, LEVEL, (-1, 1)))
    never = no_crossover_p(sums.mean(), p, turn.excluded)
    return np.array([p[0], p[-1], np.nan if never is None else never])


def report(
    model: Model, problems: int, n: int, pairs: int, benchmarks: int, rng: np.random.Generator
) -> tuple[bool, bool]:
    """Whether a report of one model against itself claims anything: by the rule, one by one."""
    ks: Ints = paper_grid(n)
    every = np.arange(n + 1)
    curve = pass_at_k(every, np.full(n + 1, n), ks)
    found = []
    for _ in range(benchmarks):
        chances = model(problems, rng)
        base, *others = (curve[rng.binomial(n, chances)] for _ in range(pairs + 1))
        found += [claims(other - base) for other in others]
    p = np.concatenate(found)
    after = [(i - 2, i - 1) if i % 3 == 2 else () for i in range(len(p))]
    return bool((in_turn(p, after) <= 1 - LEVEL).any()), bool((p <= 1 - LEVEL).any())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--benchmarks", type=int, default=2)
    parser.add_argument("--samples", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(
        "| model | N | reports with a false claim (%) | were each claim alone (%) |\n"
        "|---|---:|---:|---:|"
    )
    for name, model in MODELS.items():
        for problems in (30, 114, 460):
            rng = np.random.default_rng([options.seed, problems])
            found = np.array(
                [
                    report(model, problems, options.samples, options.pairs, options.benchmarks, rng)
                    for _ in range(options.repetitions)
                ]
            )
            ours, alone = 100 * found.mean(axis=0)
            print(f"| {name} | {problems} | {ours:.1f} | {alone:.1f} |", flush=True)
    print(f"\nOf {options.repetitions} reports; standard error 1.1 at 5 % of 400.")


if __name__ == "__main__":
    main()
