"""pass@k beyond n from a distribution of problems' accuracies, fitted to raw counts.

Accuracies are draws from Beta(a, b) (Kazdan et al. 2025, arXiv 2510.05197), in the zero-inflated
model except for a share π of problems that are never solved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlm_boundary.analysis.counts import Bools, Counts, Floats, Ints

_STEPS = 60
_TOLERANCE = 1e-8  # of the log-likelihood
_DAMPED_OUT = 1e4  # a step this much shorter than Newton's that still does not gain: the summit
_LONGEST = 2.0
_BOUNDS = np.array([[-12.0, 10.0], [-9.0, 14.0]])  # of log a and log b
_STARTS = [(np.log(a), np.log(b)) for a in (0.05, 0.3, 2.0) for b in (0.1, 1.0, 10.0)]


@dataclass(frozen=True)
class Fit:
    """Fitted distributions of accuracies, one per row: Beta(a, b), and the share never solved.

    All of shape (fits,); NaN where counts do not say anything: all samples wrong, or all right.
    """

    a: Floats
    b: Floats
    never: Floats

    def pass_at_k(self, ks: Ints) -> Floats:
        """Mean pass@k of problems like these, shape (fits, ks).

        (1 - π)·(1 - B(a, b + k) / B(a, b)), for any k.
        """
        from scipy.special import betaln

        a, b, k = self.a[:, None], self.b[:, None], np.asarray(ks)[None, :]
        missed = np.exp(betaln(a, b + k) - betaln(a, b))
        return np.asarray((1 - self.never[:, None]) * (1 - missed), dtype=np.float64)


def count_histogram(correct: Ints, n: int, weights: Floats | None = None) -> Floats:
    """How many problems have each number of correct samples, shape (fits, n + 1).

    Args:
        correct: c, shape (problems,), each of the same n samples.
        weights: how often each problem counts in each fit, shape (fits, problems); by default one
            fit in which each counts once.
    """
    is_count = np.asarray(correct)[:, None] == np.arange(n + 1)[None, :]
    chosen = np.ones((1, len(correct))) if weights is None else weights
    return np.asarray(chosen @ is_count.astype(np.float64))


@dataclass(frozen=True)
class Histograms:
    """What fits are made from, one row per fit: problems by correct, wrong and all samples.

    Each of shape (fits, n + 1); `drawn` is None where all have n. A rule by which problems ended
    adds a factor to the likelihood of (c, L) that does not depend on their accuracy.
    """

    correct: Floats
    wrong: Floats
    drawn: Floats | None

    @classmethod
    def of(cls, histogram: Floats) -> Histograms:
        """Problems by number of correct samples of n, shape (fits, n + 1)."""
        return cls(histogram, histogram[:, ::-1], None)

    @classmethod
    def ended(cls, correct: Ints, samples: Ints, n: int, weights: Floats) -> Histograms:
        """Problems that ended early; those without a correct sample have n, the most there are."""
        sides = (correct, samples - correct, samples)
        return cls(*(count_histogram(each, n, weights) for each in sides))

    @classmethod
    def of_counts(cls, counts: Counts, n: int, weights: Floats) -> Histograms:
        """Problems with all that they need of n samples: all of them, or those up to their end."""
        if counts.rule is None:
            return cls.of(count_histogram(counts.correct, n, weights))
        return cls.ended(counts.correct, counts.samples, n, weights)

    @property
    def n(self) -> int:
        """The most samples that a problem gets."""
        return int(self.correct.shape[1]) - 1

    @property
    def informative(self) -> Bools:
        """Where some samples were right and some wrong; elsewhere there is nothing to fit."""
        sides = (self.correct, self.wrong)
        right, wrong = (side[:, 1:].sum(axis=1) > 0 for side in sides)
        return np.asarray(right & wrong)


def fit_beta_binomial(histograms: Histograms) -> Fit:
    """The beta-binomial of greatest likelihood for each row."""
    a, b = _maximise(histograms, truncated=False)
    return Fit(a, b, np.where(np.isnan(a), np.nan, 0.0))


def fit_zero_inflated(histograms: Histograms, plain: Fit) -> Fit:
    """The zero-inflated beta-binomial of greatest likelihood for each row of counts.

    With a free share π the count 0 is fitted exactly, so a and b follow from the other counts alone
    (a zero-truncated beta-binomial), and 1 - π = (share solved) / (1 - P(0 | a, b)). Where that
    makes π negative, `plain`, the beta-binomial without π, is the best.
    """
    a, b = _maximise(histograms, truncated=True)
    histogram = histograms.correct
    solved = histogram[:, 1:].sum(axis=1) / histogram.sum(axis=1)
    never = 1 - solved / -np.expm1(_log_missed(a, b, histograms.n))
    inflated = never > 0
    return Fit(
        np.where(inflated, a, plain.a),
        np.where(inflated, b, plain.b),
        np.where(inflated, never, plain.never),
    )


@dataclass(frozen=True)
class Likelihood:
    """Log-likelihoods of a and b, up to the binomial coefficients, one row per fit.

    Σ_c h_c·log[B(a + c, b + n - c) / B(a, b)]; truncated, of the counts above 0 alone and less
    their number times log(1 - P(0 | a, b)). The ratio of Betas is Π_{j<c}(a + j) ·
    Π_{j<n-c}(b + j) / Π_{j<n}(a + b + j), so that it matters only how often each factor occurs.

    Attributes:
        above, below: problems with more than j correct and wrong samples, shape (fits, n).
        further: problems with more than j samples, shape (fits, n); None where all have n.
        problems: shape (fits,).
        truncated: whether the count 0 is left out.
    """

    above: Floats
    below: Floats
    further: Floats | None
    problems: Floats
    truncated: bool

    @classmethod
    def of(cls, histograms: Histograms, *, truncated: bool) -> Likelihood:
        """The likelihood of what was seen."""
        right, drawn = histograms.correct, histograms.drawn
        unsolved = right[:, :1] * truncated  # they have n samples, all wrong
        further = None if drawn is None else _more_than(drawn) - unsolved
        problems = right.sum(axis=1) - unsolved[:, 0]
        below = _more_than(histograms.wrong) - unsolved
        return cls(_more_than(right), below, further, problems, truncated)

    def rows(self, which: Bools) -> Likelihood:
        """Some of the fits."""
        further = None if self.further is None else self.further[which]
        return Likelihood(
            self.above[which], self.below[which], further, self.problems[which], self.truncated
        )

    def _divisors(self, a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
        """Σ log(a + b + j) over problems and their samples, its slope, and less its curvature."""
        from scipy.special import digamma, gammaln, polygamma

        n, whole = self.above.shape[1], a + b
        if self.further is None:
            return (
                self.problems * (gammaln(whole + n) - gammaln(whole)),
                self.problems * (digamma(whole + n) - digamma(whole)),
                self.problems * (polygamma(1, whole) - polygamma(1, whole + n)),
            )
        each = whole[:, None] + np.arange(n)
        inverse = 1 / each
        return (
            _dot(self.further, np.log(each)),
            _dot(self.further, inverse),
            _dot(self.further, inverse**2),
        )

    def value(self, x: Floats) -> Floats:
        """At (log a, log b), shape (fits, 2); returns shape (fits,)."""
        n = self.above.shape[1]
        a, b, step = np.exp(x[:, 0]), np.exp(x[:, 1]), np.arange(n)
        value = (
            _dot(self.above, np.log(a[:, None] + step))
            + _dot(self.below, np.log(b[:, None] + step))
            - self._divisors(a, b)[0]
        )
        if self.truncated:
            value -= self.problems * np.log(-np.expm1(_log_missed(a, b, n)))
        return np.asarray(value, dtype=np.float64)

    def derivatives(self, x: Floats) -> tuple[Floats, tuple[Floats, Floats, Floats]]:
        """Gradient (fits, 2) and second derivatives (aa, bb, ab) by log a and log b."""
        from scipy.special import digamma, polygamma

        n = self.above.shape[1]
        a, b, step = np.exp(x[:, 0]), np.exp(x[:, 1]), np.arange(n)
        by_a, by_b = 1 / (a[:, None] + step), 1 / (b[:, None] + step)
        sums = digamma(a + b + n) - digamma(a + b)  # Σ_j 1 / (a + b + j)
        squares = polygamma(1, a + b) - polygamma(1, a + b + n)
        _, slopes, second_ab = self._divisors(a, b)
        first_a = _dot(self.above, by_a) - slopes
        first_b = _dot(self.below, by_b) - slopes
        second_aa = second_ab - _dot(self.above, by_a**2)
        second_bb = second_ab - _dot(self.below, by_b**2)
        if self.truncated:
            # -N·log(1 - q) with log q = Σ log(b + j) - Σ log(a + b + j)
            q_a, q_b = -sums, by_b.sum(axis=1) - sums
            log_q = _log_missed(a, b, n)
            odds = np.exp(log_q) / -np.expm1(log_q)
            slope = odds * (1 + odds)
            first_a += self.problems * odds * q_a
            first_b += self.problems * odds * q_b
            second_aa += self.problems * (slope * q_a**2 + odds * squares)
            second_bb += self.problems * (slope * q_b**2 + odds * (squares - (by_b**2).sum(axis=1)))
            second_ab += self.problems * (slope * q_a * q_b + odds * squares)
        gradient = np.stack([first_a * a, first_b * b], axis=1)
        return gradient, (
            second_aa * a**2 + first_a * a,
            second_bb * b**2 + first_b * b,
            second_ab * a * b,
        )


def _more_than(histogram: Floats) -> Floats:
    """How many have more than j, j = 0 … n - 1."""
    return histogram[:, :0:-1].cumsum(axis=1)[:, ::-1].copy()


def _dot(one: Floats, two: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", one, two), dtype=np.float64)


def _log_missed(a: Floats, b: Floats, n: int) -> Floats:
    """Log P(0 of n correct | a, b) = -Σ log(1 + a / (b + j)), shape (fits,); 0 loses no digits."""
    return np.asarray(-np.log1p(a[:, None] / (b[:, None] + np.arange(n))).sum(axis=1))


def _maximise(histograms: Histograms, *, truncated: bool) -> tuple[Floats, Floats]:
    """Newton's method in log a and log b, damped, for all rows at once until each has settled."""
    likelihood = Likelihood.of(histograms, truncated=truncated)
    x = _best_start(likelihood)
    value = likelihood.value(x)
    damping = np.full(len(x), 1e-3)
    informative = histograms.informative
    moving = informative.copy()
    for _ in range(_STEPS):
        if not moving.any():
            break
        part = likelihood.rows(moving)
        gradient, curvature = part.derivatives(x[moving])
        step = _newton_step(gradient, curvature, damping[moving])
        trial = np.clip(x[moving] + step, _BOUNDS[:, 0], _BOUNDS[:, 1])
        tried = part.value(trial)
        gain = tried - value[moving]
        better = gain > 0
        x[moving] = np.where(better[:, None], trial, x[moving])
        value[moving] = np.where(better, tried, value[moving])
        damping[moving] *= np.where(better, 0.1, 10.0)
        settled = np.where(better, gain < _TOLERANCE, damping[moving] > _DAMPED_OUT)
        moving[np.flatnonzero(moving)[settled]] = False
    found = np.where(informative[:, None], np.exp(x), np.nan)
    return found[:, 0], found[:, 1]


def _best_start(likelihood: Likelihood) -> Floats:
    starts = np.array(_STARTS)
    fits = len(likelihood.problems)
    values = np.array([likelihood.value(np.tile(start, (fits, 1))) for start in starts])
    return np.asarray(starts[values.argmax(axis=0)])


def _newton_step(
    gradient: Floats, curvature: tuple[Floats, Floats, Floats], damping: Floats
) -> Floats:
    """Uphill whatever the curvature: its negative, lifted until it is positive definite."""
    aa, bb, ab = (-part for part in curvature)
    smallest = (aa + bb) / 2 - np.hypot((aa - bb) / 2, ab)
    lift = np.maximum(0.0, -smallest) + damping * (np.abs(aa) + np.abs(bb) + 1e-12)
    aa, bb = aa + lift, bb + lift
    by_a, by_b = gradient[:, 0], gradient[:, 1]
    # Where the likelihood is flat, or steeper than numbers go, what is no number is no step.
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        determinant = aa * bb - ab**2
        step = np.stack([bb * by_a - ab * by_b, aa * by_b - ab * by_a], axis=1)
        step = np.nan_to_num(step / determinant[:, None])
    return np.asarray(np.clip(step, -_LONGEST, _LONGEST), dtype=np.float64)
