"""How often "solved above its own guess floor" is wrong, by simulation: guessers, and real solvers.

    python tests/luck_simulation.py [--repetitions 1000] [--problems 100]

prints the table of docs/luck.md. A guesser has answers of its own on each problem, drawn evenly or
from a Dirichlet distribution (the smaller its parameter, the surer the guesser is of one answer,
which has nothing to do with the gold answer); a solved problem is right with probability Beta(2, 1)
and guessed else. Fisher's test takes samples for independent guesses.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from vlm_boundary.analysis.counts import Bools, Ints
from vlm_boundary.analysis.guessing import Exchange, discoveries

RATE = 0.05
SAMPLES = 128


@dataclass(frozen=True)
class Guesser:
    """How answers fall on problems that are not solved, and how common gold answers are.

    `dirichlet` is None for even guesses; `common` is the exponent of Zipf's law for gold answers;
    with `rare_solved` it is the problems with the rarer gold answers that are solved.
    """

    name: str
    answers: int
    dirichlet: float | None
    common: float = 0.0
    rare_solved: bool = False


GUESSERS = (
    Guesser("even over 20", 20, None),
    Guesser("Dirichlet(20) over 20", 20, 1.0),
    Guesser("Dirichlet(4) over 4", 4, 1.0),
    Guesser("Dirichlet(4) over 20, common golds", 20, 0.2, 1.0),
    Guesser("Dirichlet(20) over 20, rare golds solved", 20, 1.0, 1.0, rare_solved=True),
)


def world(
    guesser: Guesser, problems: int, solved: float, rng: np.random.Generator
) -> tuple[Exchange, Bools]:
    """One arm's lists of answers to problems of one type, and which problems it really solves."""
    weight = np.arange(1, guesser.answers + 1) ** -guesser.common
    weight /= weight.sum()
    gold = rng.choice(guesser.answers, size=problems, p=weight)
    chances = np.tile(weight, (problems, 1))
    if guesser.dirichlet is not None:
        chances = rng.dirichlet(guesser.dirichlet * guesser.answers * weight, size=problems)
    share = np.full(problems, solved)
    if guesser.rare_solved:
        share = 2 * solved * (weight[gold] < np.median(weight[gold]))
    real = rng.random(problems) < share
    accuracy = np.where(real, rng.beta(2.0, 1.0, problems), 0.0)
    chances *= (1 - accuracy)[:, None]
    chances[np.arange(problems), gold] += accuracy
    hits = rng.multinomial(SAMPLES, chances)[:, gold]
    same = gold[:, None] == gold[None, :]
    return Exchange(SAMPLES, hits.diagonal().copy(), hits, np.ones_like(same), same), real


def fisher(exchange: Exchange) -> Bools:
    """What a test finds that takes all samples for independent draws from one distribution."""
    problems = len(exchange.own)
    others = exchange.hits.sum(axis=0) - exchange.own
    n, right = exchange.length, exchange.own
    return discoveries(hypergeom.sf(right - 1, n * problems, right + others, n), RATE)


@dataclass(frozen=True)
class Found:
    """Means over repetitions, with the standard error of the false share."""

    false: float
    false_share: float
    error: float
    power: float


def measure(found: list[tuple[Bools, Bools]], problems: int) -> Found:
    """What discoveries are worth, from those of each repetition and what is really solved."""
    wrong = np.array([(which & ~real).sum() for which, real in found], dtype=float)
    total = np.array([which.sum() for which, _ in found])
    power = [(which & real).sum() / real.sum() for which, real in found if real.any()]
    shares = wrong / np.maximum(total, 1)
    return Found(
        false=float(100 * wrong.mean() / problems),
        false_share=float(shares.mean()),
        error=float(shares.std() / np.sqrt(len(shares))),
        power=float(np.mean(power)) if power else float("nan"),
    )


def simulate(
    guesser: Guesser, problems: int, solved: float, repetitions: int, seed: int = 0
) -> tuple[Found, Found, Ints]:
    """By exchange of lists, by Fisher's test, and false ones by exchange in each repetition."""
    rng = np.random.default_rng([seed, problems, guesser.answers, round(100 * solved)])
    exchanged, independent = [], []
    for _ in range(repetitions):
        lists, real = world(guesser, problems, solved, rng)
        exchanged.append((lists.above(RATE)[1], real))
        independent.append((fisher(lists), real))
    wrong = np.array([(which & ~real).sum() for which, real in exchanged])
    return measure(exchanged, problems), measure(independent, problems), wrong


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--solved", type=float, nargs="+", default=(0.0, 0.05, 0.3, 0.7, 0.9, 1.0))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(
        "| guesses | really solved | false per 100 problems: lists / Fisher | "
        "false share: lists | Fisher | found of the solved: lists |\n"
        "|---|---:|---:|---:|---:|---:|"
    )
    for solved in options.solved:
        for guesser in GUESSERS:
            if guesser.rare_solved and not 0 < solved <= 0.5:
                continue
            by_lists, by_fisher, _ = simulate(
                guesser, options.problems, solved, options.repetitions, options.seed
            )
            print(
                f"| {guesser.name} | {solved:.0%} | {by_lists.false:.2f} / {by_fisher.false:.2f} | "
                f"{100 * by_lists.false_share:.1f} ± {100 * by_lists.error:.1f} | "
                f"{100 * by_fisher.false_share:.1f} | "
                f"{'–' if not solved else f'{100 * by_lists.power:.0f}'} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
