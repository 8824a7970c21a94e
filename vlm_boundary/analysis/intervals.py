"""Means over problems with intervals, for every column of a matrix at once.

Rows are problems, columns are usually k. Problems are taken as a sample of their kind ("problems
like these"); problems of one origin (a cluster) are drawn together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Bools, Bounds, Codes, Floats, Ids, Ints
from vlm_boundary.analysis.quantiles import SMALL, WithOneMore, gamma, normal, student
from vlm_boundary.records.record import Curve, Entry

NOTHING = 1e-12
"""Standard errors below this are rounding, not spread."""
FEW = 5.0
"""Below this many problems that effectively carry the spread, t is not relied upon at 95 %."""


@dataclass(frozen=True)
class Intervals:
    """An estimate with its interval in each column; NaN where it is not known.

    `error` is the standard error and `freedom` its degrees of freedom (see `t_intervals`). `few`
    marks the columns of so few problems, or so few that carry the spread, that the interval is not
    Student's t.
    """

    estimate: Floats
    low: Floats
    high: Floats
    problems: Ints
    error: Floats
    freedom: Floats
    few: Bools

    def entries(self) -> list[Entry]:
        """A record a column; None where something is not known."""
        columns = zip(
            known(self.estimate),
            known(self.low),
            known(self.high),
            self.problems.tolist(),
            self.few.tolist(),
            strict=True,
        )
        return [
            Entry(estimate=estimate, low=low, high=high, problems=problems, few=few)
            for estimate, low, high, problems, few in columns
        ]

    def by(self, names: Iterable[str]) -> dict[str, Entry]:
        """The records of the columns under these names."""
        return dict(zip(names, self.entries(), strict=True))

    def curve(self, ks: Ints) -> Curve:
        """The records of the columns by k."""
        return dict(zip(ks.tolist(), self.entries(), strict=True))


@dataclass(frozen=True)
class Clustered:
    """A matrix of values added up by cluster: what every interval here is computed from.

    Attributes:
        total: sum of the known values, shape (clusters, columns).
        size: how many there are, same shape.
    """

    total: Floats
    size: Floats

    @classmethod
    def of(cls, values: Floats, groups: Codes | None = None) -> Clustered:
        """Add up the rows of each group; NaN marks a problem that has no value in a column.

        Args:
            values: shape (problems, columns).
            groups: the cluster of each row, shape (problems,); by default each is its own.
        """
        missing = np.isnan(values)
        total = np.where(missing, 0.0, values)
        size = (~missing).astype(np.float64)
        if groups is not None and len(groups):
            order = np.argsort(groups, kind="stable")
            starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
            total = np.add.reduceat(total[order], starts, axis=0)
            size = np.add.reduceat(size[order], starts, axis=0)
        return cls(total, size)

    @property
    def clusters(self) -> Ints:
        """How many clusters have a value in each column."""
        return np.asarray(np.count_nonzero(self.size, axis=0), dtype=np.int64)

    def columns(self, which: Bools | slice | Ints) -> Clustered:
        """Only these columns."""
        return Clustered(self.total[:, which], self.size[:, which])

    def mean(self) -> Floats:
        """Mean over problems, NaN for an empty column."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.total.sum(axis=0) / self.size.sum(axis=0))

    def residuals(self) -> Floats:
        """What each cluster adds to the mean's error, shape (clusters, columns)."""
        return self.total - self.size * np.nan_to_num(self.mean())

    def error(self) -> Floats:
        """Standard error of the mean: sqrt(G/(G-1) · Σ r²) / N, NaN below two clusters.

        r is a cluster's sum less its size times the mean; with clusters of one problem this is the
        standard deviation over sqrt(N) (Liang and Zeger 1986; Miller 2024, arXiv 2411.00640).
        """
        groups = self.clusters
        with np.errstate(invalid="ignore", divide="ignore"):
            correction = np.where(groups > 1, groups / (groups - 1), np.nan)
            squares = (self.residuals() ** 2).sum(axis=0)
            return np.asarray(np.sqrt(correction * squares) / self.size.sum(axis=0))

    def skewness(self) -> Floats:
        """Skewness of the mean, Σ r³ / (Σ r²)^(3/2) with r as in `error`; NaN without spread."""
        residuals = self.residuals()
        squares = residuals**2
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((squares * residuals).sum(axis=0) / squares.sum(axis=0) ** 1.5)


def t_intervals(
    values: Floats, confidence: float, bounds: Bounds, groups: Codes | None = None
) -> Intervals:
    """Mean over problems with Student's t interval, for each column; docs/analysis.md says why so.

    Its degrees of freedom are how many clusters effectively carry the spread, (Σ r²)² / Σ r⁴ of
    the residuals r, and no more than there are less one. Below `SMALL` problems each end is that of
    `WithOneMore` instead; where few carry the spread (`_needed`) the interval is the wider one of t
    with all degrees of freedom and `gamma_intervals`. Of values of one sign each end is the outer
    one of Student's and of Hall's interval (`unskewed`), Hall's no further out than
    `gamma_intervals`. Every interval holds the mean with one more problem at either bound.

    Args:
        values: shape (problems, columns); NaN marks a problem that has no value.
        confidence: level, as 0.95.
        bounds: what a value can be at all, (0, 1) for a probability; the interval stays inside.
        groups: the cluster of each problem, shape (problems,).
    """
    return intervals_of(Clustered.of(values, groups), confidence, bounds)


def intervals_of(
    sums: Clustered, confidence: float | Floats, bounds: Bounds, *, each_end: bool = False
) -> Intervals:
    """`t_intervals` of values added up by cluster already, at one level or one for each column.

    Args:
        each_end: each end is to hold by itself, for a test on one side: the outer one of Student's
            and of Hall's, which takes out that a skewed mean is beyond one end more often.
    """
    confidence = np.broadcast_to(confidence, sums.total.shape[1:])
    estimate, error, clusters = sums.mean(), sums.error(), sums.clusters
    carriers = _carriers(sums)
    bounded = bool(np.isfinite(bounds).all())
    small = few = np.zeros(len(estimate), dtype=bool)
    if bounded:
        small = is_small(sums)
        carried = carriers >= _needed(clusters, confidence)
        few = (clusters > 1) & ((error < NOTHING) | ~carried) & ~small
    freedom = np.where(few, clusters - 1, np.fmin(clusters - 1, carriers))
    t = student(0.5 + confidence / 2, np.fmax(freedom, 1))
    low, high = estimate - t * error, estimate + t * error
    one_sign = bounded and bounds[0] >= 0
    if each_end or one_sign:
        skewness = sums.skewness()
        hall_low = estimate - _skewed(t, skewness) * error
        hall_high = estimate + _skewed(t, -skewness) * error
        if one_sign and len(sums.total):
            gamma_low, gamma_high = gamma_intervals(sums, confidence, bounds)
            hall_low, hall_high = np.fmax(hall_low, gamma_low), np.fmin(hall_high, gamma_high)
        low, high = np.minimum(low, hall_low), np.maximum(high, hall_high)
    low, high = np.where(error < NOTHING, np.nan, low), np.where(error < NOTHING, np.nan, high)
    if few.any():
        exact_low, exact_high = gamma_intervals(sums.columns(few), confidence[few], bounds)
        low[few] = np.fmin(low[few], exact_low)
        high[few] = np.fmax(high[few], exact_high)
    if bounded:
        lowest, highest = weighted_at_random(sums.columns(small), bounds)
        tail = (1 - confidence[small]) / 2
        low[small], high[small] = -lowest.quantile(tail), highest.quantile(tail)
        worst, best = with_one_more(sums, bounds)
        low, high = np.minimum(low, worst), np.maximum(high, best)
    return Intervals(
        estimate,
        np.maximum(low, bounds[0]),
        np.minimum(high, bounds[1]),
        sums.size.sum(axis=0).astype(np.int64),
        error,
        freedom,
        few | small,
    )


def is_small(sums: Clustered) -> Bools:
    """The columns with fewer than `SMALL` clusters, but two or more."""
    clusters = sums.clusters
    return np.asarray((clusters > 1) & (clusters < SMALL))


def weighted_at_random(sums: Clustered, bounds: Bounds) -> tuple[WithOneMore, WithOneMore]:
    """What bounds each mean from below, turned about zero, and what bounds it from above."""
    mean, clusters = sums.mean(), sums.clusters
    away = sums.residuals() * clusters / sums.size.sum(axis=0)
    return (
        WithOneMore.of(-mean, -away, clusters, -bounds[0]),
        WithOneMore.of(mean, away, clusters, bounds[1]),
    )


def with_one_more(sums: Clustered, bounds: Bounds) -> tuple[Floats, Floats]:
    """The lowest and the highest mean, shape (columns,), with one more cluster of mean size."""
    mean, clusters = sums.mean(), sums.clusters
    low, high = ((clusters * mean + bound) / (clusters + 1) for bound in bounds)
    return low, high


def unskewed(studentised: Floats, skewness: Floats) -> Floats:
    """A studentised mean T with the skewness s of its values taken out, to first order.

    T + s (2T² + 1)/6 + s² T³/27, which grows with T (Hall 1992, J. R. Stat. Soc. B 54, 221-228).
    """
    cubic = skewness**2 * studentised**3 / 27
    return np.asarray(studentised + skewness * (2 * studentised**2 + 1) / 6 + cubic)


def _skewed(value: Floats, skewness: Floats) -> Floats:
    """The studentised mean of which `unskewed` makes this value."""
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.cbrt(1 + skewness * (value - skewness / 6)) - 1
        return np.where(np.abs(skewness) < NOTHING, value, 3 * root / skewness)


def gamma_intervals(
    sums: Clustered, confidence: float | Floats, bounds: Bounds
) -> tuple[Floats, Floats]:
    """Interval of means whose values are mostly alike, with rare others.

    What lies above the median and what lies below are each a sum of rare events of unlike sizes,
    with the gamma interval of Fay and Feuer 1997: lower end from a gamma distribution with the
    sum's mean y and variance v, upper end from one with y + w and v + w², where w is the largest
    that one more could be. The two are combined by squaring and adding (Zou and Donner 2008).

    Returns:
        low and high, shape (columns,), not yet cut off at the bounds.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.median(np.where(sums.size > 0, sums.total / sums.size, np.nan), axis=0)
        if np.isnan(centre).any():
            centre = _known_median(np.where(sums.size > 0, sums.total / sums.size, np.nan))
    away = sums.total - sums.size * centre
    largest = sums.size.max(axis=0)
    above = _gamma_sum(np.maximum(away, 0.0), largest * (bounds[1] - centre), confidence)
    below = _gamma_sum(np.maximum(-away, 0.0), largest * (centre - bounds[0]), confidence)
    mean, problems = sums.mean(), sums.size.sum(axis=0)
    less = np.hypot(above[0] - above[1], below[2] - below[0]) / problems
    more = np.hypot(above[2] - above[0], below[0] - below[1]) / problems
    return mean - less, mean + more


def _known_median(means: Floats) -> Floats:
    """Median of each column's known values, NaN for an empty column."""
    found = np.full(means.shape[1], np.nan)
    some = ~np.isnan(means).all(axis=0)
    found[some] = np.nanmedian(means[:, some], axis=0)
    return found


def _gamma_sum(
    parts: Floats, largest: Floats, confidence: float | Floats
) -> tuple[Floats, Floats, Floats]:
    """Sum of each column with its interval: y, low, high; see `gamma_intervals`."""
    tail = (1 - confidence) / 2
    y, v = parts.sum(axis=0), (parts**2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.where(y > 0, gamma(tail, y**2 / v, v / y), 0.0)
        more, spread = y + largest, v + largest**2
        high = gamma(1 - tail, more**2 / spread, spread / more)
    return y, low, np.where(more > 0, high, 0.0)


def _carriers(sums: Clustered) -> Floats:
    """How many clusters effectively carry each column's spread: (Σ r²)² / Σ r⁴."""
    squares = sums.residuals() ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(squares.sum(axis=0) ** 2 / (squares**2).sum(axis=0))


def _needed(clusters: Ints, confidence: Floats) -> Floats:
    """How many must carry the spread for t to be relied upon: FEW, or a tenth of all if less.

    Of n values with skewness γ, the quantile z of the studentised mean is off by about γz²/(3√n)
    (Cornish and Fisher 1938; Hall 1992, section 2.3). For an error as small as at 95 %, another
    level needs (z / 1.96)⁴ times as many.
    """
    further = normal(0.5 + confidence / 2) / normal(0.975)
    return np.asarray(np.minimum(FEW * further**4, clusters / 10))


def cluster_codes(problem_ids: Ids, clusters: Mapping[str, Any] | None) -> Codes | None:
    """The cluster of each of these problems as a number; None where there are no clusters.

    `clusters` has what problems of one origin share; a problem with None, or not among them, is a
    cluster of its own.
    """
    if clusters is None:
        return None
    known: dict[str, int] = {}
    origins = ((key, clusters.get(key)) for key in problem_ids)
    names = [repr(("alone", key) if origin is None else origin) for key, origin in origins]
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int32)


def same_problems(problems: Ints) -> int:
    """How many columns, from the first on, are means over as many problems as the first."""
    changed = np.flatnonzero(problems != problems[:1])
    return int(changed[0]) if len(changed) else len(problems)


def mean_interval(
    values: Floats, confidence: float, bounds: Bounds, groups: Codes | None = None
) -> Entry:
    """`t_intervals` of one column, shape (problems,), as a record."""
    return t_intervals(values[:, None], confidence, bounds, groups).entries()[0]


def known(values: Floats) -> list[float | None]:
    """Numbers as JSON has them: None for NaN."""
    return [None if value != value else value for value in values.tolist()]


def holm(p_values: Floats) -> Floats:
    """P-values that hold for a whole family of tests at once (Holm 1979); NaN is no test."""
    adjusted = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order: NDArray[np.int64] = tested[np.argsort(p_values[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted
