"""What ending problems early costs and saves, by simulation, against a fixed n on the same samples.

    python tests/analysis/stopping_simulation.py [--repetitions 500] [--output FILE]

prints the tables of docs/stopping.md: for the populations of `simulation.py` and those of a base,
an RL model and a hard benchmark, bias of the difference in pass@k at every k, coverage of
intervals, bands and crossovers, width of intervals, samples saved; and how often pure guessers are
said to solve a problem above their guess floor. Every row is what it came to, whatever that is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from simulation import SCENARIOS, Population

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.differences import crossover
from vlm_boundary.analysis.estimators import paper_grid, pass_at_k
from vlm_boundary.analysis.guessing import Exchange
from vlm_boundary.analysis.intervals import Clustered, t_intervals
from vlm_boundary.analysis.resampling import simultaneous_level
from vlm_boundary.analysis.stopping import stopped_pass_at_k
from vlm_boundary.stopping import StoppingRule

RULE = StoppingRule((32, 64, 128, 256), 4)
N = RULE.n
KS = np.arange(1, N + 1)
SHOWN = (1, 8, 32, 64, 128, 256)
SIZES = (114, 460)


def of_a_base(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A base of the reference simulation, and an RL model that is right more often."""
    base = np.where(rng.random(size) < 0.12, 0.0, rng.beta(0.6, 0.8, size))
    rl = np.where((base == 0) | (rng.random(size) < 0.05), 0.0, base**0.7)
    return base, rl


def hard(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A hard set: three in ten never solved, most others rarely."""
    base = np.where(rng.random(size) < 0.3, 0.0, rng.beta(0.3, 1.5, size))
    return base, base**0.85


POPULATIONS: dict[str, Population] = {**SCENARIOS, "base and RL": of_a_base, "hard set": hard}


class Curves:
    """pass@k of every ending there is, computed once: by a fixed n and by the rule."""

    def __init__(self) -> None:
        every = np.arange(N + 1)
        self.fixed = pass_at_k(every, np.full(N + 1, N), KS)
        self.stopped = np.full((len(RULE.looks), N + 1, N), np.nan)
        for place, look in enumerate(RULE.looks):
            ends = np.array([c for c in every.tolist() if RULE.ends_with(look, c)])
            self.stopped[place, ends] = stopped_pass_at_k(ends, np.full(len(ends), look), KS, RULE)


def drawn(p: Floats, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Right samples of n; the place of the look at which each problem ends, and those there."""
    blocks = np.diff([0, *RULE.looks])
    right = rng.binomial(blocks, p[:, None]).cumsum(axis=1)
    ends = np.concatenate([right[:, :-1] >= RULE.right, np.ones((len(p), 1), bool)], axis=1)
    place = ends.argmax(axis=1)
    return right[:, -1], place, right[np.arange(len(p)), place]


@dataclass
class Outcome:
    """What came of each repetition, of one way of sampling."""

    errors: list[Floats] = field(default_factory=list)
    covered: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    widths: list[Floats] = field(default_factory=list)
    curves: list[Floats] = field(default_factory=list)
    band: list[bool] = field(default_factory=list)
    crossing: list[bool] = field(default_factory=list)
    samples: list[float] = field(default_factory=list)

    def add(
        self,
        arms: tuple[Floats, Floats],
        expected: Floats,
        truth: Floats,
        true_k: int | None,
        draws: int,
        rng: np.random.Generator,
    ) -> None:
        """One repetition: both arms' estimates on problems whose mean difference is known."""
        values = arms[1] - arms[0]
        alone = [t_intervals(arm, 0.95, (0, 1)) for arm in arms]
        self.curves.append(np.mean([one.high - one.low for one in alone], axis=0))
        self.errors.append(values.mean(axis=0) - expected)
        found = t_intervals(values, 0.95, (-1, 1))
        self.covered.append((found.low <= truth) & (truth <= found.high))
        self.widths.append(found.high - found.low)
        sums = Clustered.of(values[:, paper_grid(N) - 1])
        band = t_intervals(values, simultaneous_level(sums, 0.95, draws, rng), (-1, 1))
        self.band.append(bool(((band.low <= truth) & (truth <= band.high)).all()))
        turn = crossover(found)
        if true_k is not None:
            low, high = turn.low or 0, turn.high or np.inf
            self.crossing.append(not turn.excluded and low <= true_k <= high)

    def largest_bias(self) -> tuple[float, float]:
        """In points, at the k where it is largest in standard errors; and those."""
        errors = np.array(self.errors)
        mean, error = errors.mean(axis=0), errors.std(axis=0, ddof=1) / np.sqrt(len(errors))
        z = np.divide(mean, error, out=np.zeros_like(mean), where=error > 0)
        worst = int(np.abs(z).argmax())
        return 100 * float(mean[worst]), float(z[worst])


def _truth(population: Population) -> Floats:
    base, rl = population(500_000, np.random.default_rng(7))
    if base is rl:
        return np.zeros(N)
    return np.array([np.mean((1 - base) ** k - (1 - rl) ** k) for k in KS])


def simulate(
    population: Population, truth: Floats, problems: int, repetitions: int, draws: int, seed: int
) -> tuple[Outcome, Outcome, int | None]:
    """A fixed n and the rule, on the same samples; and the population's crossover."""
    rng, curves = np.random.default_rng([seed, problems]), Curves()
    turning = np.flatnonzero((truth[:-1] > 0) & (truth[1:] <= 0))
    true_k = int(turning[0]) + 2 if len(turning) else None
    fixed, stopped = Outcome(), Outcome()
    looks = np.array(RULE.looks)
    for _ in range(repetitions):
        arms = [(p, *drawn(p, rng)) for p in population(problems, rng)]
        solved = [(1 - (1 - p)[:, None] ** KS).mean(axis=0) for p, *_ in arms]
        expected = solved[1] - solved[0]
        one, two = (curves.fixed[right] for _, right, _, _ in arms)
        fixed.add((one, two), expected, truth, true_k, draws, rng)
        one, two = (curves.stopped[place, there] for _, _, place, there in arms)
        stopped.add((one, two), expected, truth, true_k, draws, rng)
        stopped.samples.append(float(np.mean([looks[place].mean() for _, _, place, _ in arms])))
    return fixed, stopped, true_k


def guessers(problems: int, repetitions: int, seed: int) -> Iterator[tuple[str, float, float]]:
    """How often guessers that never look are said to solve any problem above their floor, in %.

    All problems are one kind; gold answers and guesses are of the same ten or fifty answers,
    guesses with unlike chances. The test is of the first look's samples, and of n for comparison.
    """
    for answers in (10, 50):
        found: dict[int, list[bool]] = {RULE.first: [], N: []}
        rng = np.random.default_rng([seed, answers])
        for _ in range(repetitions):
            chances = rng.dirichlet(np.full(answers, 0.7))
            gold = rng.choice(answers, problems, p=rng.dirichlet(np.full(answers, 2.0)))
            right = np.arange(answers)[:, None] == gold[None, :]
            for n, said in found.items():
                given = rng.multinomial(n, chances, problems)
                hits, same = given @ right, gold[:, None] == gold[None, :]
                lists = Exchange(n, hits.diagonal().copy(), hits, np.ones_like(same), same)
                said.append(bool(lists.above(0.05)[1].any()))
        early, late = (100 * float(np.mean(said)) for said in found.values())
        yield f"{answers} answers", early, late


def _widths(stopped: list[Floats], fixed: list[Floats]) -> str:
    """How much wider intervals are: on average over k, and at some."""
    ratio = np.nanmean(stopped, axis=0) / np.nanmean(fixed, axis=0)
    some = ", ".join(f"{ratio[k - 1]:.3f}" for k in (1, 8, 64))
    return f"{ratio.mean():.3f} ({some})"


def _percent(values: Floats | npt.NDArray[np.bool_] | list[bool]) -> str:
    return f"{100 * float(np.mean(values)):.1f}"


def rows(repetitions: int, draws: int, seed: int) -> Iterator[str]:
    """The tables, line by line."""
    shown = ", ".join(map(str, SHOWN))
    yield (
        f"| scenario | N | mean n | saved | largest bias (points; standard errors) | t covers at "
        f"k = {shown}: fixed | by the rule | band covers: fixed / rule | true crossover | covered: "
        f"fixed / rule | width of a curve's interval, mean over k (at k = 1, 8, 64) | of the "
        f"difference's |"
    )
    yield "|---|---:|---:|---:|---:|---|---|---:|---:|---:|---|---|"
    at = np.array(SHOWN) - 1
    for name, population in POPULATIONS.items():
        truth = _truth(population)
        for problems in SIZES:
            fixed, stopped, true_k = simulate(population, truth, problems, repetitions, draws, seed)
            covers = [
                ", ".join(_percent(np.array(one.covered)[:, i]) for i in at)
                for one in (fixed, stopped)
            ]
            bias, z = stopped.largest_bias()
            mean = float(np.mean(stopped.samples))
            crossing = [_percent(one.crossing) if one.crossing else "–" for one in (fixed, stopped)]
            cells = [
                name,
                str(problems),
                f"{mean:.0f}",
                f"{1 - mean / N:.0%}",
                f"{bias:+.3f}; {z:+.1f}",
                *covers,
                f"{_percent(fixed.band)} / {_percent(stopped.band)}",
                str(true_k or "none"),
                " / ".join(crossing),
                _widths(stopped.curves, fixed.curves),
                _widths(stopped.widths, fixed.widths),
            ]
            yield "| " + " | ".join(cells) + " |"
    yield ""
    yield "| pure guessers over | N | any above the floor, first look (%) | n samples (%) |"
    yield "|---|---:|---:|---:|"
    for problems in SIZES:
        for name, first, whole in guessers(problems, repetitions, seed):
            yield f"| {name} | {problems} | {first:.1f} | {whole:.1f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--draws", type=int, default=499, help="draws behind a band")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    lines = []
    for line in rows(options.repetitions, options.draws, options.seed):
        lines.append(line)
        print(line, flush=True)
    error = 100 * np.sqrt(0.95 * 0.05 / options.repetitions)
    print(f"\nPercent of {options.repetitions:,} repetitions; standard error {error:.1f} at 95 %.")
    if options.output:
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
