"""What a measured error of the verifier does to accuracy and pass@k."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from vlm_boundary.analysis.counts import Bounds, Counts, Floats, Ints
from vlm_boundary.analysis.data import BenchmarkData, Pair
from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.intervals import known
from vlm_boundary.analysis.labelled_verdicts import labelled_verdicts
from vlm_boundary.config import CheckedVerdicts
from vlm_boundary.records.record import Entry, Interval, Range, where_known
from vlm_boundary.records.sections import ErrorOfArm, ErrorOfPair, LabelledErrors, VerifierErrors


@dataclass(frozen=True)
class ErrorRates:
    """How often the verifier errs: on wrong answers (false positives), on right ones."""

    false_positive: float
    false_negative: float


def corrected_share(observed: Floats, rates: ErrorRates) -> Floats:
    """The true share of right answers behind an observed one, any shape.

    (q - α) / (1 - α - β), from q = p·(1 - β) + (1 - p)·α (Rogan & Gladen 1978). An estimate outside
    [0, 1] is not cut off, which would bias means.

    Raises:
        ValueError: α + β is 1 or more, with which verdicts say nothing.
    """
    informative = 1 - rates.false_positive - rates.false_negative
    if informative <= 0:
        raise ValueError("with α + β of 1 or more, verdicts say nothing")
    return np.asarray((np.asarray(observed) - rates.false_positive) / informative)


def pass_at_k_range(
    correct: Ints, samples: Ints, ks: Ints, rates: ErrorRates
) -> tuple[Floats, Floats]:
    """The least and the largest mean pass@k that error rates leave possible.

    Of S samples α·(1 - p)·S are wrongly accepted and β·p·S wrongly rejected, p the corrected share.
    The least value takes all of the first away where that costs most: whole problems, those with
    the most pass@k for each correct sample first. The largest gives all of the second back where
    that adds most: to problems with the fewest, since pass@k is concave in their number.

    Args:
        correct, samples: shape (problems,); problems with fewer than k are left out of that k.
        ks: ascending, shape (ks,).

    Returns:
        low and high, shape (ks,); NaN where no problem has k samples.
    """
    values = pass_at_k(correct, samples, ks)
    # By sample count n: what one more correct sample adds to pass@k, shape (n, ks).
    gains = {
        n: np.diff(pass_at_k(np.arange(n + 1), np.full(n + 1, n), ks), axis=0)
        for n in np.unique(samples).tolist()
    }
    low, high = np.full(len(ks), np.nan), np.full(len(ks), np.nan)
    for column, k in enumerate(ks):
        kept = samples >= k
        c, n = correct[kept], samples[kept]
        if c.size == 0:
            continue
        right = float(np.clip(corrected_share(c.sum() / n.sum(), rates), 0, 1)) * int(n.sum())
        accepted = rates.false_positive * (int(n.sum()) - right)
        rejected = rates.false_negative * right
        found, solved = values[kept, column], c > 0
        lost = _largest(found[solved] / c[solved], c[solved], accepted)
        at_k = {size: each[:, column] for size, each in gains.items()}
        gained = _largest_gain(c, n, at_k, rejected)
        low[column] = max(float(found.sum()) - lost, 0.0) / c.size
        high[column] = min((float(found.sum()) + gained) / c.size, 1.0)
    return low, high


def _largest(worth: Floats, units: Ints, budget: float) -> float:
    """What so many units are worth at most, the last of them in part."""
    order = np.argsort(-worth, kind="stable")
    units = units[order]
    taken = np.clip(budget - (np.cumsum(units) - units), 0, units)
    return float((taken * worth[order]).sum())


def _largest_gain(correct: Ints, samples: Ints, gains: dict[int, Floats], budget: float) -> float:
    """What giving this many samples to problems as correct can add."""
    sizes = np.unique(samples).tolist()
    # How many problems can be lifted from c to c + 1: all that have c or fewer.
    units = np.concatenate(
        [np.cumsum(np.bincount(correct[samples == n], minlength=n + 1))[:-1] for n in sizes]
    )
    return _largest(np.concatenate([gains[n] for n in sizes]), units, budget)


@dataclass(frozen=True)
class _Measured:
    """What a check of verdicts found: α and β with intervals, as rates, corners, the worst."""

    alpha: Interval
    beta: Interval
    point: ErrorRates
    corners: tuple[ErrorRates, ...]
    worst: ErrorRates

    @classmethod
    def of(cls, checked: CheckedVerdicts, level: float) -> _Measured:
        alphas = _rate(checked.wrong_accepted, checked.wrong, level)
        return cls._between(alphas, _rate(checked.right_rejected, checked.right, level))

    @classmethod
    def by_labels(cls, found: LabelledErrors) -> _Measured | None:
        """None where a rate is not known, or verdicts say nothing."""
        alphas, betas = _whole(found.false_positive), _whole(found.false_negative)
        if alphas is None or betas is None or alphas[0] + betas[0] >= 1:
            return None
        return cls._between(alphas, betas)

    @classmethod
    def _between(
        cls, alphas: tuple[float, float, float], betas: tuple[float, float, float]
    ) -> _Measured:
        """From both rates, each with its interval."""
        at, low, high = zip(alphas, betas, strict=True)
        alpha, beta = (
            Interval(estimate=at[place], low=low[place], high=high[place]) for place in (0, 1)
        )
        corners = [ErrorRates(*pair) for pair in product(alphas[1:], betas[1:]) if sum(pair) < 1]
        return cls(alpha, beta, ErrorRates(*at), tuple(corners), ErrorRates(*high))


def verifier_error(data: BenchmarkData) -> VerifierErrors | None:
    """The section `verifier_error`: accuracies corrected for it, the range that it leaves pass@k.

    Intervals of corrected values span those of the corners of the rates' intervals, and ranges are
    worked out with the largest rates. An arm whose own verdicts were checked has its own rates.
    Arms of which nothing is known are left out. None where no error was measured.
    """
    checked, labelled = data.settings.verifier_error, labelled_verdicts(data)
    if checked is None and not labelled:
        return None
    level = data.settings.confidence
    by_labels = {arm: _Measured.by_labels(one) for arm, one in labelled.items()}
    own = {arm: one for arm, one in by_labels.items() if one is not None}
    whole = None
    if checked is not None:
        whole = _Measured.of(checked, level)
        own |= {arm: _Measured.of(one, level) for arm, one in checked.arms.items()}
    rates_of = {arm: one for arm in data.arms if (one := own.get(arm, whole)) is not None}
    found, pairs = {}, []
    for arm, measured in rates_of.items():
        rates_of_arm = {"false_positive": measured.alpha, "false_negative": measured.beta}
        ks = data.grid(data.n(arm))
        found[arm] = ErrorOfArm(
            pass_at_1=_corrected(data, arm, measured),
            pass_at_k_range=_ranges(ks, *_reach(data.counts(arm), ks, measured.worst)),
            **(rates_of_arm if arm in own else {}),
        )
    for pair in data.pairs():
        if pair.base in rates_of and pair.other in rates_of:
            rates = rates_of[pair.base], rates_of[pair.other]
            pairs.append(
                ErrorOfPair(
                    base=pair.base,
                    other=pair.other,
                    difference_at_1=_corrected_difference(data, pair, rates),
                    difference_range=_difference_range(pair, data.grid(pair.n), rates),
                )
            )
    alpha, beta = (whole.alpha, whole.beta) if whole else (None, None)
    said = where_known(labelled=labelled or None, false_positive=alpha, false_negative=beta)
    return VerifierErrors(arms=found, pairs=pairs, **said)


def _whole(one: Interval) -> tuple[float, float, float] | None:
    if one.estimate is None or one.low is None or one.high is None:
        return None
    return one.estimate, one.low, one.high


def _rate(errors: int, checked: int, level: float) -> tuple[float, float, float]:
    """A share with its exact interval (Clopper and Pearson 1934)."""
    from scipy.stats import binomtest

    interval = binomtest(errors, checked).proportion_ci(level, method="exact")
    return errors / checked, float(interval.low), float(interval.high)


def _reach(counts: Counts, ks: Ints, rates: ErrorRates) -> tuple[Floats, Floats]:
    """`pass_at_k_range`; NaN where the rates say nothing."""
    if rates.false_positive + rates.false_negative >= 1:
        return np.full(len(ks), np.nan), np.full(len(ks), np.nan)
    return pass_at_k_range(counts.correct, counts.samples, ks, rates)


def _ranges(ks: Ints, low: Floats, high: Floats) -> dict[int, Range]:
    ends = zip(ks.tolist(), known(low), known(high), strict=True)
    return {k: Range(low=least, high=largest) for k, least, largest in ends}


def _difference_range(pair: Pair, ks: Ints, rates: tuple[_Measured, _Measured]) -> dict[int, Range]:
    """From the one's least minus the other's largest to the reverse, on the shared problems."""
    low, high = _reach(pair.base_counts, ks, rates[0].worst)
    least, largest = _reach(pair.other_counts, ks, rates[1].worst)
    return _ranges(ks, least - high, largest - low)


def _corrected(data: BenchmarkData, arm: str, measured: _Measured) -> Entry:
    counts = data.counts(arm)
    shares = np.where(counts.samples > 0, counts.correct / np.maximum(counts.samples, 1), np.nan)

    def interval(rates: ErrorRates) -> Entry:
        none, every = corrected_share(np.array([0.0, 1.0]), rates)
        values = corrected_share(shares, rates)
        return data.mean(values, counts.problem_ids, (none, every))

    corners = [interval(rates) for rates in measured.corners]
    return _spanning(interval(measured.point), corners, (0, 1))


def _corrected_difference(
    data: BenchmarkData, pair: Pair, rates: tuple[_Measured, _Measured]
) -> Entry:
    """Where both arms have the same rates they err together, else each at any of its corners."""
    base, other = pair.base_counts, pair.other_counts
    first = pass_at_k(base.correct, base.samples, np.array([1]))[:, 0]
    second = pass_at_k(other.correct, other.samples, np.array([1]))[:, 0]

    def interval(of_base: ErrorRates, of_other: ErrorRates) -> Entry:
        none, every = corrected_share(np.array([0.0, 1.0]), of_base)
        nothing, all_ = corrected_share(np.array([0.0, 1.0]), of_other)
        values = corrected_share(second, of_other) - corrected_share(first, of_base)
        bounds = (float(nothing - every), float(all_ - none))
        return data.mean(values, pair.problem_ids, bounds)

    one, two = rates
    if one is two:
        corners = [(corner, corner) for corner in one.corners]
    else:
        corners = list(product(one.corners, two.corners))
    each = [interval(*pair_of) for pair_of in corners]
    return _spanning(interval(one.point, two.point), each, (-1, 1))


def _spanning(point: Entry, corners: list[Entry], bounds: Bounds) -> Entry:
    """The point with an interval that holds all of these, cut off at what a value can be."""
    lows = [one.low for one in [point, *corners] if one.low is not None]
    highs = [one.high for one in [point, *corners] if one.high is not None]
    ends = {
        "low": max(min(lows), bounds[0]) if lows else None,
        "high": min(max(highs), bounds[1]) if highs else None,
    }
    return point.model_copy(update=ends)
