"""How often a report makes a false claim, by simulation: models that are all the same.

    python tests/claims_simulation.py [--repetitions 400] [--pairs 5] [--benchmarks 2]

prints the tables of docs/analysis.md. A report compares a base with several other arms on several
benchmarks; all arms are one model, so that whatever it claims is false. "One by one" is what the
intervals would claim if each stood alone. With a margin the claims that arms are within it, which
are true of one model, are in the family too.

The second table is how often two one-sided tests claim a difference smaller than the margin, where
it is exactly the margin, and where there is none.
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
from vlm_boundary.analysis.significance import equivalence_p, no_crossover_p, p_values

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


def claims(values: Floats, margin: float | None = None) -> tuple[list[float], list[float]]:
    """P-values of a pair's claims: at k = 1, at k = n, no crossover; and of those with a margin.

    Args:
        values: a row a problem, a column for each k of the published figures.
    """
    sums = Clustered.of(values)
    p = p_values(sums, (-1, 1))
    turn = crossover(intervals_of(sums, LEVEL, (-1, 1)))
    never = no_crossover_p(sums.mean(), p, turn.excluded)
    within = [] if margin is None else equivalence_p(sums.columns([0, -1]), margin, (-1, 1))
    return [p[0], p[-1], np.nan if never is None else never], list(within)


def report(
    model: Model,
    problems: int,
    n: int,
    pairs: int,
    benchmarks: int,
    rng: np.random.Generator,
    margin: float | None = None,
) -> tuple[bool, bool]:
    """Whether a report of one model against itself claims a difference: by the rule, one by one."""
    ks: Ints = paper_grid(n)
    every = np.arange(n + 1)
    curve = pass_at_k(every, np.full(n + 1, n), ks)
    found: list[float] = []
    after: list[tuple[int, ...]] = []
    groups: list[tuple[int, str]] = []
    false: list[bool] = []
    for _ in range(benchmarks):
        chances = model(problems, rng)
        base, *others = (curve[rng.binomial(n, chances)] for _ in range(pairs + 1))
        for other in others:
            first = len(found)
            differ, alike = claims(other - base, margin)
            found += [*differ, *alike]
            after += [(), (), (first, first + 1) if margin is None else (), *[()] * len(alike)]
            groups += [(first, end) for end in ("1", "n", "never", "1", "n")[: 3 + len(alike)]]
            false += [True] * 3 + [False] * len(alike)
    p, wrong = np.array(found), np.array(false)
    claimed = in_turn(p, after, groups) <= 1 - LEVEL
    return bool((claimed & wrong).any()), bool((p[wrong] <= 1 - LEVEL).any())


def shifted(size: int, gap: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Chances of two models, the other's larger on every problem by the same."""
    base = 0.02 + 0.9 * rng.beta(0.35, 0.7, size)
    return base, base + gap


def gained(size: int, gap: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The same on nearly every problem; so many that the base cannot solve the other can."""
    base = rng.beta(0.35, 0.7, size)
    more = rng.random(size) < gap
    return np.where(more, 0.0, base), np.where(more, 0.5, base)


def equivalent(truth: str, problems: int, n: int, margin: float, gap: float, times: int) -> float:
    """How often (%) a difference is claimed to be smaller than the margin, were it `gap`."""
    rng = np.random.default_rng([problems, round(1e4 * gap), len(truth)])
    make, k = {"shifted at k = 1": (shifted, 1), "gained at k = n": (gained, n)}[truth]
    every = np.arange(n + 1)
    value = pass_at_k(every, np.full(n + 1, n), np.array([k]))[:, 0]
    columns = []
    for _ in range(times):
        base, other = (value[rng.binomial(n, chances)] for chances in make(problems, gap, rng))
        columns.append(other - base)
    p = equivalence_p(Clustered.of(np.stack(columns, axis=1)), margin, (-1, 1))
    return float(100 * (p <= 1 - LEVEL).mean())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--benchmarks", type=int, default=2)
    parser.add_argument("--samples", type=int, default=128)
    parser.add_argument("--margin", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(
        "| model | N | reports with a false claim (%) | with a margin stated "
        "| were each claim alone (%) |\n|---|---:|---:|---:|---:|"
    )
    for name, model in MODELS.items():
        for problems in (30, 114, 460):
            shares = []
            for margin in (None, options.margin):
                rng = np.random.default_rng([options.seed, problems])
                of = (options.samples, options.pairs, options.benchmarks, rng, margin)
                found = [report(model, problems, *of) for _ in range(options.repetitions)]
                shares.append(100 * np.array(found).mean(axis=0))
            ours, alone = shares[0]
            print(f"| {name} | {problems} | {ours:.1f} | {shares[1][0]:.1f} | {alone:.1f} |")
    error = 100 * np.sqrt(0.05 * 0.95 / options.repetitions)
    print(f"\nOf {options.repetitions} reports; standard error {error:.1f} at 5 %.\n")
    print(
        f"| truth | N | called smaller than {100 * options.margin:g} points where it is just that "
        "(%) | where there is none (%) |\n|---|---:|---:|---:|"
    )
    times = 10 * options.repetitions
    for truth in ("shifted at k = 1", "gained at k = n"):
        for problems in (30, 114, 460, 2000):
            of = (truth, problems, options.samples, options.margin)
            size, power = (equivalent(*of, gap, times) for gap in (options.margin, 0.0))
            print(f"| {truth} | {problems} | {size:.1f} | {power:.1f} |")
    print(f"\nOf {times} repetitions.")


if __name__ == "__main__":
    main()
