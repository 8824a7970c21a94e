"""The cheapest ways to find a gap of a given size: how many problems, n, and a stopping rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vlm_boundary.analysis.beyond_n import Extrapolation
from vlm_boundary.analysis.counts import Counts, Floats, Ints
from vlm_boundary.analysis.extrapolation import Histograms
from vlm_boundary.analysis.power import problems_for
from vlm_boundary.analysis.stopping import stopped_pass_at_k
from vlm_boundary.stopping import StoppingRule

_RIGHT = 4
_FIRST_LOOKS = (16, 32)
_DEEPER = (1, 2, 4)  # n as a multiple of k
_DRAWS = 20_000
_GRID = 257  # accuracies at which a design is worked out exactly; between them it is interpolated
_ALIKE = 0.8


@dataclass(frozen=True)
class Accuracies:
    """Pairs of success probabilities of problems like these, for a base and another model."""

    base: Floats
    other: Floats

    @classmethod
    def of_pilot(cls, base: Counts, other: Counts, rng: np.random.Generator) -> Accuracies:
        """As samples of both on the same problems suggest.

        Each problem's are drawn from what its counts leave possible, with a zero-inflated Beta
        fitted to its model's counts as the prior; for the two models apart, so that with few
        samples they seem less alike than they are, and designs are on the safe side.
        """
        rows = rng.integers(len(base.problem_ids), size=_DRAWS)
        return cls(*(possible_accuracies(counts, rows, rng) for counts in (base, other)))

    @classmethod
    def of_prior(cls, never: float, a: float, b: float, rng: np.random.Generator) -> Accuracies:
        """By a stated prior: a share of problems that is never solved, the others from Beta(a, b).

        In eight of ten problems both models are as good as each other, in the others they are
        independent.
        """
        one, two = (prior_accuracies(never, a, b, rng) for _ in range(2))
        return cls(one, np.where(rng.random(_DRAWS) < _ALIKE, one, two))


@dataclass(frozen=True)
class Design:
    """A way of sampling, and what it takes to find a gap by it.

    Attributes:
        rule: with its n; of one look where n is fixed.
        problems: how many it takes.
        samples: expected samples per problem, of the base and of the other model.
        variance: of one problem's difference in pass@k.
        from_problems: the part of that which no further samples would take away.
    """

    rule: StoppingRule
    problems: int
    samples: tuple[float, float]
    variance: float
    from_problems: float

    @property
    def total(self) -> float:
        """Expected samples in all."""
        return self.problems * sum(self.samples)


def designs(
    accuracies: Accuracies, gap: float, k: int, confidence: float, power: float
) -> list[Design]:
    """Ways to find a gap in pass@k, the one with fewest samples first.

    The variance of a problem's difference is that between problems plus what samples add, which is
    E f_k² - (1 - p)^2k of each model; `analysis.power` says how many problems that takes.

    Args:
        gap: as a share, 0.05 for five points.
        k: of pass@k.
    """
    missed = [(1 - p) ** k for p in (accuracies.base, accuracies.other)]
    between = float(np.var(missed[0] - missed[1]))
    found = []
    for rule in _rules(k):
        grid, spread, length = _on_grid(rule, k)
        noise, drawn = 0.0, []
        for p in (accuracies.base, accuracies.other):
            noise += float(np.interp(p, grid, spread).mean())
            drawn.append(float(np.interp(p, grid, length).mean()))
        variance = between + noise
        found.append(
            Design(
                rule,
                problems_for(gap, variance, confidence, power),
                (drawn[0], drawn[1]),
                variance,
                between / variance if variance else 1.0,
            )
        )
    return sorted(found, key=lambda one: one.total)


def _rules(k: int) -> Iterator[StoppingRule]:
    """A fixed n and two rules, for n = k and a few times that."""
    for n in (times * k for times in _DEEPER):
        yield StoppingRule((n,), _RIGHT)
        for first in _FIRST_LOOKS:
            looks = [first * 2**i for i in range(n.bit_length()) if first * 2**i < n]
            if looks:
                yield StoppingRule((*looks, n), _RIGHT)


def _on_grid(rule: StoppingRule, k: int) -> tuple[Floats, Floats, Floats]:
    """Accuracies, and at each the variance of the estimate of pass@k and the expected samples."""
    grid = _grid()
    second, length = np.zeros(_GRID), np.zeros(_GRID)
    for look, correct, chances in endings(rule, grid):
        f = 1 - stopped_pass_at_k(correct, np.full(len(correct), look), np.array([k]), rule)[:, 0]
        second += chances @ f**2
        length += look * chances.sum(axis=1)
    return grid, np.maximum(second - (1 - grid) ** (2 * k), 0.0), length


def endings(rule: StoppingRule, p: Floats) -> Iterator[tuple[int, Ints, Floats]]:
    """By look: the numbers of right samples that a problem can end with there, and how likely.

    Args:
        p: accuracies, shape (P,).

    Returns:
        The look, c of shape (C,), chances of shape (P, C).
    """
    from scipy.stats import binom

    for look in rule.looks:
        before = rule.before(look)
        block = look - before
        correct = np.array([c for c in range(look + 1) if rule.ends_with(look, c)])
        chances = np.zeros((len(p), len(correct)))
        for s in range(min(rule.right, before + 1) if before else 1):
            here = binom.pmf(s, before, p) if before else np.ones(len(p))
            chances += here[:, None] * binom.pmf(correct[None, :] - s, block, p[:, None])
        yield look, correct, chances


def expected_samples(rule: StoppingRule, accuracies: Floats) -> float:
    """Samples a problem that a rule draws on average, of problems with these accuracies."""
    grid = _grid()
    length = np.zeros(len(grid))
    for look, _, chances in endings(rule, grid):
        length += look * chances.sum(axis=1)
    return float(np.interp(accuracies, grid, length).mean())


def prior_accuracies(never: float, a: float, b: float, rng: np.random.Generator) -> Floats:
    """Accuracies by a stated prior, of one model; see `Accuracies.of_prior`."""
    return np.where(rng.random(_DRAWS) < never, 0.0, rng.beta(a, b, _DRAWS))


def _grid() -> Floats:
    """Accuracies, dense near zero."""
    return np.asarray(np.sin(np.linspace(0, np.pi / 2, _GRID)) ** 4)


def possible_accuracies(counts: Counts, rows: Ints, rng: np.random.Generator) -> Floats:
    """Accuracies of these problems, one draw each from what their counts leave possible."""
    from scipy.special import betaln

    n = int(counts.depths.max())
    weights = np.ones((1, len(counts.problem_ids)))
    histograms = Histograms.ended(counts.correct, counts.samples, n, weights)
    fit = Extrapolation.to(histograms).fits["zero_inflated"]
    a, b, never = (float(part[0]) for part in (fit.a, fit.b, fit.never))
    if np.isnan(a):  # all right or all wrong: nothing to fit
        a, b, never = 0.5, 0.5, 0.0
    correct, samples = counts.correct[rows], counts.samples[rows]
    drawn = rng.beta(a + correct, b + samples - correct)
    missed = (1 - never) * np.exp(betaln(a, b + samples) - betaln(a, b))
    chance = np.where(correct == 0, never / np.maximum(never + missed, 1e-300), 0.0)
    return np.where(rng.random(len(rows)) < chance, 0.0, drawn)
