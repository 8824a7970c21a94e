"""How often a report makes a false claim, by simulation: models that are all the same.

    python tests/claims_simulation.py [--repetitions 400] [--pairs 5] [--benchmarks 2] [--sizes 30]

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

from vlm_boundary.analysis.counts import Bools, Floats, Ints
from vlm_boundary.analysis.differences import crossover
from vlm_boundary.analysis.estimators import paper_grid, pass_at_k
from vlm_boundary.analysis.intervals import Clustered, intervals_of
from vlm_boundary.analysis.significance import equivalence_p, in_turn, no_crossover_p, p_values

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


def reports(
    model: Model,
    problems: int,
    n: int,
    pairs: int,
    benchmarks: int,
    times: int,
    rng: np.random.Generator,
    margin: float = 0.02,
) -> Bools:
    """Whether reports of one model against itself claim a difference, shape (times, 3).

    By the rule, by the rule with a margin stated, and were each claim alone.
    """
    ks: Ints = paper_grid(n)
    every = np.arange(n + 1)
    curve = pass_at_k(every, np.full(n + 1, n), ks)
    ends, never = [], []
    for _ in range(times * benchmarks):
        chances = model(problems, rng)
        base, *others = (curve[rng.binomial(n, chances)] for _ in range(pairs + 1))
        values = np.stack([other - base for other in others], axis=1)
        ends.append(values[:, :, [0, -1]])
        never.append(_never(values))
    whole = Clustered.of(np.concatenate([one.reshape(problems, -1) for one in ends], axis=1))
    shape = (times, benchmarks * pairs, 2)
    differ = p_values(whole, (-1, 1)).reshape(shape)
    alike = equivalence_p(whole, margin, (-1, 1)).reshape(shape)
    crossing = np.concatenate(never).reshape(*shape[:2], 1)
    return np.array([_claimed(*one) for one in zip(differ, crossing, alike, strict=True)])


def _never(values: Floats) -> Floats:
    """P-values of "they never cross", from values of shape (problems, pairs, ks)."""
    found = []
    for pair in range(values.shape[1]):
        sums = Clustered.of(values[:, pair])
        if crossover(intervals_of(sums, LEVEL, (-1, 1))).excluded:
            p = no_crossover_p(sums.mean(), p_values(sums, (-1, 1)), True)
        else:
            p = 1.0
        found.append(np.nan if p is None else p)
    return np.array(found)


def _claimed(differ: Floats, crossing: Floats, alike: Floats) -> tuple[bool, bool, bool]:
    """Of one report, its pairs a row each: see `reports`."""
    plain = np.concatenate([differ, crossing], axis=1).ravel()
    after = [(i - 2, i - 1) if i % 3 == 2 else () for i in range(len(plain))]
    stated = np.concatenate([differ, crossing, alike], axis=1)
    groups = [(row, end) for row in range(len(stated)) for end in ("1", "n", "never", "1", "n")]
    adjusted = in_turn(stated.ravel(), [()] * stated.size, groups).reshape(stated.shape)
    return (
        bool((in_turn(plain, after) <= 1 - LEVEL).any()),
        bool((adjusted[:, :3] <= 1 - LEVEL).any()),
        bool((plain <= 1 - LEVEL).any()),
    )


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
    parser.add_argument("--sizes", type=int, nargs="+", help="of both tables")
    options = parser.parse_args()
    print(
        "| model | N | reports with a false claim (%) | with a margin stated "
        "| were each claim alone (%) |\n|---|---:|---:|---:|---:|"
    )
    for name, model in MODELS.items():
        for problems in options.sizes or (30, 114, 460):
            rng = np.random.default_rng([options.seed, problems])
            of = (options.samples, options.pairs, options.benchmarks, options.repetitions)
            found = reports(model, problems, *of, rng, options.margin)
            ours, stated, alone = 100 * found.mean(axis=0)
            print(f"| {name} | {problems} | {ours:.1f} | {stated:.1f} | {alone:.1f} |", flush=True)
    error = 100 * np.sqrt(0.05 * 0.95 / options.repetitions)
    print(f"\nOf {options.repetitions} reports; standard error {error:.1f} at 5 %.\n")
    print(
        f"| truth | N | called smaller than {100 * options.margin:g} points where it is just that "
        "(%) | where there is none (%) |\n|---|---:|---:|---:|"
    )
    times = 10 * options.repetitions
    for truth in ("shifted at k = 1", "gained at k = n"):
        for problems in options.sizes or (30, 114, 460, 2000):
            of = (truth, problems, options.samples, options.margin)
            size, power = (equivalent(*of, gap, times) for gap in (options.margin, 0.0))
            print(f"| {truth} | {problems} | {size:.1f} | {power:.1f} |", flush=True)
    print(f"\nOf {times} repetitions.")


if __name__ == "__main__":
    main()
