"""How often the analysis is right, by simulation: coverage of intervals, share resolved, A/A.

    python tests/analysis/simulation.py [--repetitions 2000] [--output FILE]
    python tests/analysis/simulation.py --scenarios "both saturated" --sizes 15 --repetitions 4000

prints the tables of docs/analysis.md. Problems are drawn from a population of pairs of success
probabilities, n answers of each problem from both models, and the intervals of the package computed
from the counts; the truth is the population's. The second table needs no draws: how often the
interval holds where a share of the problems is gained or lost for good, at the worst such share.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from vlm_boundary.analysis.counts import Floats
from vlm_boundary.analysis.differences import crossover
from vlm_boundary.analysis.estimators import all_of, paper_grid
from vlm_boundary.analysis.intervals import Clustered, t_intervals
from vlm_boundary.analysis.resampling import bootstrap_t, simultaneous_level

N_SAMPLES = 128
SIZES = (15, 30, 60, 114, 460)
SHOWN = (1, 8, 32, 128)
Population = Callable[[int, np.random.Generator], tuple[Floats, Floats]]


def _skilled(size: int, rng: np.random.Generator) -> Floats:
    """Problems of all difficulties, one in ten out of reach."""
    return np.where(rng.random(size) < 0.1, 0.0, rng.beta(0.35, 0.7, size))


def _sharpened(p: Floats, power: float, centre: float) -> Floats:
    """Odds to a power, about a centre: what is often right becomes more so, what is rare, rarer."""
    odds = (p / (1 - p) / (centre / (1 - centre))) ** power * (centre / (1 - centre))
    return np.where(p < 1, odds / (1 + odds), 1.0)


def same(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The same model twice."""
    p = _skilled(size, rng)
    return p, p


def heavy_tail(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Most problems hard, many probabilities near zero; RL sharper."""
    p = np.where(rng.random(size) < 0.2, 0.0, rng.beta(0.15, 1.0, size))
    return p, _sharpened(p, 1.4, 0.05)


def sharper(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """RL solves more often what it solves, and loses some problems."""
    p = _skilled(size, rng)
    return p, _sharpened(p, 1.5, 0.2)


def saturated(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Both solve nearly every problem; RL is sharper."""
    p = np.where(rng.random(size) < 0.03, rng.beta(0.5, 60.0, size), rng.beta(4.0, 1.5, size))
    return p, _sharpened(p, 1.4, 0.3)


# Drawn up after the intervals' rules were settled, and no rule was changed for what they gave.


def rare_gains(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """RL solves one problem in twenty that its base never does, and the rest as often."""
    p = _skilled(size, rng)
    gained = rng.random(size) < 0.05
    return np.where(gained, 0.0, p), np.where(gained, 0.3, p)


def rare_losses(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Of problems of middling difficulty RL loses one in twelve for good."""
    p = rng.beta(2.0, 2.0, size)
    return p, np.where(rng.random(size) < 1 / 12, 0.0, p)


def either_or(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Nearly never or nearly always right, and one problem in ten the other way with RL."""
    easy = rng.random(size) < 0.5
    p = np.where(easy, 0.98, 0.002)
    return p, np.where(rng.random(size) < 0.1, 0.98 + 0.002 - p, p)


# Drawn up before the rule for sets below 60 problems, which was chosen on the seven above.


def give_and_take(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Training on a mixture: new skills and forgotten ones, in different problems and unlike sizes.

    One problem in 25, out of the base's reach, RL solves one time in fifty to every second time;
    of another one in 25 it loses nine tenths; the rest it solves as often.
    """
    p, luck = _skilled(size, rng), rng.random(size)
    gained, lost = luck < 0.04, luck > 0.96
    base = np.where(gained, 0.0, p)
    return base, np.where(gained, rng.uniform(0.02, 0.5, size), np.where(lost, p / 10, p))


def halfway(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A narrow skill: of hard problems one in ten gains half of what it lacks."""
    p = rng.beta(0.6, 3.0, size)
    return p, np.where(rng.random(size) < 0.1, (1 + p) / 2, p)


def drift(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A longer training: every problem shifts a little, its own way, and one in 30 by a lot.

    Log odds by 0.1 and their standard deviation of 0.3; by 4 either way, losses twice as often.
    """
    p = rng.beta(1.0, 1.0, size)
    shift = rng.normal(0.1, 0.3, size)
    large = np.where(rng.random(size) < 2 / 3, -4.0, 4.0)
    odds = p / (1 - p) * np.exp(np.where(rng.random(size) < 1 / 30, large, shift))
    return p, odds / (1 + odds)


def collapse(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A saturated base, of which RL breaks one problem in 15: a format it no longer follows."""
    p = rng.beta(20.0, 1.0, size)
    return p, np.where(rng.random(size) < 1 / 15, p / 50, p)


SCENARIOS: dict[str, Population] = {
    "A/A": same,
    "heavy tail at 0": heavy_tail,
    "RL sharper": sharper,
    "both saturated": saturated,
    "rare gains": rare_gains,
    "rare losses": rare_losses,
    "either or": either_or,
    "give and take": give_and_take,
    "halfway": halfway,
    "drift": drift,
    "collapse": collapse,
}


Bools = npt.NDArray[np.bool_]
SHARES = np.linspace(0.0, 1.0, 401)


def held(problems: int, unlike: float, spread: float) -> Floats:
    """How often the interval holds where each problem differs by `unlike` with a chance of SHARES.

    Added up over how many of the problems do; the others' differences are evenly spread about zero,
    as far as `spread` to both sides.
    """
    columns = [
        np.append(np.full(count, unlike), np.linspace(-spread, spread, problems - count))
        for count in range(problems + 1)
    ]
    found = t_intervals(np.stack(columns, axis=1), 0.95, (-1, 1))
    truth = SHARES * unlike
    holds = (found.low[:, None] <= truth + 1e-12) & (truth - 1e-12 <= found.high[:, None])
    chances = binom.pmf(np.arange(problems + 1)[:, None], problems, SHARES)
    return np.asarray((chances * holds).sum(axis=0))


def worst(problems: int) -> str:
    """Of `held`: where it holds least often, and where it does of shares of one in twenty or more.

    For others that do not differ, and for spreads of 2 and 20 points.
    """
    cells = [str(problems)]
    for spread in (0.0, 0.02, 0.2):
        every = held(problems, 1.0, spread)
        cells += [
            f"{100 * every.min():.1f} (at {100 * SHARES[every.argmin()]:.2f})",
            f"{100 * every[SHARES >= 0.05].min():.1f}",
        ]
    return "| " + " | ".join(cells) + " |"


@dataclass
class Outcome:
    """What happened in each repetition; arrays over repetitions and k."""

    t: list[Bools]
    width: list[Floats]
    estimate: list[Floats]
    alone: list[Bools]
    bootstrap: list[Floats]
    band: list[bool]
    found: list[Bools]
    crossing: list[bool]
    resolved: list[bool]


def simulate(
    population: Population, problems: int, repetitions: int, draws: int, seed: int
) -> tuple[Outcome, int | None]:
    """Repeat an experiment; returns the outcomes and the population's crossover."""
    rng = np.random.default_rng([seed, problems])
    ks = np.arange(1, N_SAMPLES + 1)
    truth = _truth(population, ks)
    turning = np.flatnonzero((truth[:-1] > 0) & (truth[1:] <= 0))
    true_k = int(turning[0]) + 2 if len(turning) else None
    every = np.arange(N_SAMPLES + 1)
    curve = 1 - all_of(N_SAMPLES - every, np.full_like(every, N_SAMPLES), ks)
    grid = paper_grid(N_SAMPLES) - 1
    alone = _truth_alone(population, ks[grid])
    out = Outcome([], [], [], [], [], [], [], [], [])
    for _ in range(repetitions):
        p_base, p_rl = population(problems, rng)
        base = curve[rng.binomial(N_SAMPLES, p_base)]
        values = curve[rng.binomial(N_SAMPLES, p_rl)] - base
        found = t_intervals(values, 0.95, (-1, 1))
        out.t.append((found.low <= truth) & (truth <= found.high))
        out.width.append(found.high - found.low)
        out.estimate.append(found.estimate)
        one = t_intervals(base[:, grid], 0.95, (0, 1))
        out.alone.append((one.low <= alone) & (alone <= one.high))
        out.found.append((found.low > 0) | (found.high < 0))
        sums = Clustered.of(values[:, grid])
        low, high = bootstrap_t(sums, 0.95, (-1, 1), draws, rng)
        covered = (low <= truth[grid]) & (truth[grid] <= high)
        # Not reported where few problems carry the spread.
        out.bootstrap.append(np.where(np.isnan(low) | found.few[grid], np.nan, covered))
        band = t_intervals(values, simultaneous_level(sums, 0.95, draws, rng), (-1, 1))
        out.band.append(bool(((band.low <= truth) & (truth <= band.high)).all()))
        turn = crossover(found)
        out.resolved.append(turn.status == "resolved")
        if true_k is not None:
            low_k, high_k = turn.low or 0, turn.high or np.inf
            out.crossing.append(not turn.excluded and low_k <= true_k <= high_k)
    return out, true_k


def _truth(population: Population, ks: np.ndarray) -> Floats:
    rng = np.random.default_rng(7)
    base, rl = population(2_000_000, rng)
    # k by k: the whole matrix would not fit in memory.
    return np.array([0.0 if base is rl else np.mean((1 - base) ** k - (1 - rl) ** k) for k in ks])


def _truth_alone(population: Population, ks: np.ndarray) -> Floats:
    base, _ = population(1_000_000, np.random.default_rng(7))
    return np.array([1 - np.mean((1 - base) ** k) for k in ks])


def _widths(out: Outcome, at: np.ndarray) -> str:
    """Mean widths over those that the estimate's true spread between repetitions needs."""
    needed = 2 * 1.959964 * np.std(np.array(out.estimate), axis=0)
    ratio = np.mean(np.array(out.width), axis=0) / needed
    return ", ".join(f"{ratio[i]:.2f}" for i in at)


def _percent(values: object) -> str:
    values = np.asarray(values, dtype=float)
    known = values[~np.isnan(values)]
    # Of a handful of repetitions a share says nothing.
    return f"{100 * known.mean():.1f}" if len(known) >= len(values) / 10 else "–"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=999, help="bootstrap draws a repetition")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    shown = ", ".join(map(str, SHOWN))
    lines = [
        f"| scenario | N | interval covers at k = {shown} | at the worst k | width to the true "
        f"spread's | one curve's covers at the worst k | bootstrap-t | band covers all k | "
        f"difference found at k = {shown} | true crossover | interval covers it | resolved |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    at = np.array(SHOWN) - 1
    grid = paper_grid(N_SAMPLES)
    on_grid = [int(np.flatnonzero(grid == k)[0]) for k in SHOWN]
    for name in options.scenarios:
        for problems in options.sizes:
            out, true_k = simulate(
                SCENARIOS[name], problems, options.repetitions, options.draws, options.seed
            )
            cells = [
                name,
                str(problems),
                ", ".join(_percent(np.array(out.t)[:, i]) for i in at),
                f"{100 * np.mean(out.t, axis=0).min():.1f}",
                _widths(out, at),
                f"{100 * np.mean(out.alone, axis=0).min():.1f}",
                ", ".join(_percent(np.array(out.bootstrap)[:, i]) for i in on_grid),
                _percent(out.band),
                ", ".join(_percent(np.array(out.found)[:, i]) for i in at),
                str(true_k or "none"),
                _percent(out.crossing) if out.crossing else "–",
                _percent(out.resolved),
            ]
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    error = 100 * np.sqrt(0.95 * 0.05 / options.repetitions)
    print(f"\nPercent of {options.repetitions:,} repetitions; standard error {error:.1f} at 95 %.")
    print("\n| N | others alike: holds | of one in twenty or more | within 2 points | the same "
          "| within 20 points | the same |\n|---:|---:|---:|---:|---:|---:|---:|")  # fmt: skip
    print("\n".join(map(worst, options.sizes)))
    if options.output:
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
