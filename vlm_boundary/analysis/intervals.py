"""Means over problems with intervals, for every column of a matrix at once.

Rows are problems, columns are usually k. Problems are taken as a sample of their kind ("problems
like these"); problems of one origin (a cluster) are drawn together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Codes, Floats, Ints

# Sums below this are rounding, not spread.
_NOTHING = 1e-12


@dataclass(frozen=True)
class Intervals:
    """An estimate with its interval in each column; NaN where it is not known.

    `error` is the standard error and `freedom` its degrees of freedom (clusters - 1).
    """

    estimate: Floats
    low: Floats
    high: Floats
    problems: Ints
    error: Floats
    freedom: Ints

    def as_dicts(self) -> list[dict[str, float | int | None]]:
        """A dictionary a column: estimate, low, high (None where not known), problems."""
        columns = zip(
            known(self.estimate),
            known(self.low),
            known(self.high),
            self.problems.tolist(),
            strict=True,
        )
        return [
            {"estimate": estimate, "low": low, "high": high, "problems": problems}
            for estimate, low, high, problems in columns
        ]

    def by(self, keys: Iterable[Any]) -> dict[str, dict[str, float | int | None]]:
        """The dictionaries of the columns under these keys."""
        return {str(key): row for key, row in zip(keys, self.as_dicts(), strict=True)}


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


def t_intervals(
    values: Floats,
    confidence: float,
    bounds: tuple[float, float],
    groups: Codes | None = None,
) -> Intervals:
    """Mean over problems with Student's t interval, for each column.

    Without any spread t knows nothing of how far off the mean may be. Then the interval is the
    exact one: of N alike problems, at most a share 1 - (α/2)^(1/N) of their kind is otherwise
    (Clopper and Pearson 1934, at its end points), and those lie within `bounds`.

    Args:
        values: shape (problems, columns); NaN marks a problem that has no value.
        confidence: level, as 0.95.
        bounds: what a value can be at all, (0, 1) for a probability; the interval stays inside.
        groups: the cluster of each problem, shape (problems,).
    """
    from scipy.stats import t

    sums = Clustered.of(values, groups)
    estimate, error, freedom = sums.mean(), sums.error(), sums.clusters - 1
    reach = t.ppf(0.5 + confidence / 2, np.maximum(freedom, 1)) * error
    low, high = estimate - reach, estimate + reach
    alike = (freedom > 0) & (error < _NOTHING)
    if alike.any():
        other = 1 - ((1 - confidence) / 2) ** (1 / (freedom + 1))
        with np.errstate(invalid="ignore"):
            low = np.where(alike, estimate - other * (estimate - bounds[0]), low)
            high = np.where(alike, estimate + other * (bounds[1] - estimate), high)
    both = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(both, low, np.nan), np.where(both, high, np.nan)
    problems = sums.size.sum(axis=0).astype(np.int64)
    return Intervals(
        estimate,
        np.maximum(low, bounds[0]),
        np.minimum(high, bounds[1]),
        problems,
        error,
        freedom,
    )


def mean_interval(
    values: Floats,
    confidence: float,
    bounds: tuple[float, float],
    groups: Codes | None = None,
) -> dict[str, float | int | None]:
    """`t_intervals` of one column, shape (problems,), as a dictionary."""
    return t_intervals(values[:, None], confidence, bounds, groups).as_dicts()[0]


def known(values: Floats) -> list[float | None]:
    """Numbers as JSON has them: None for NaN."""
    return [None if value != value else value for value in values.tolist()]


def holm(p_values: Floats) -> Floats:
    """P-values that hold for a whole family of tests at once (Holm 1979); NaN is no test.

    The i-th smallest of m is multiplied by m - i + 1, then made non-decreasing and at most 1.
    """
    adjusted = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order: NDArray[np.int64] = tested[np.argsort(p_values[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted
