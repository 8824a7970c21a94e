"""P-values that are the intervals read the other way round: one test of each difference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vlm_boundary.analysis.counts import Bools, Floats
from vlm_boundary.analysis.intervals import (
    NOTHING,
    Clustered,
    Intervals,
    intervals_of,
    is_small,
    unskewed,
    weighted_at_random,
    with_one_more,
)
from vlm_boundary.analysis.quantiles import beyond_student

_USUAL = 0.95
_LEAST = 1e-12  # no p-value is said to be smaller
_STEPS = 50  # from there to 1, each a good half more
_GRIDS = 4  # each within a step of the one before: to a millionth of the value


def p_values(sums: Clustered, bounds: tuple[float, float]) -> Floats:
    """The smallest p at which the interval of level 1 - p leaves zero out, for each column.

    So a p-value is below 5 % just where the 95 % interval leaves zero out. It is Student's where
    the interval is, and the interval's own where it is not.

    Returns:
        Shape (columns,); NaN below two clusters.
    """
    mean, error = sums.mean(), sums.error()
    known = intervals_of(sums, 0.0, bounds)  # at the level at which t is relied upon soonest
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 2 * beyond_student(np.abs(mean) / error, np.fmax(known.freedom, 1))
    found = np.where(error > NOTHING, np.clip(found, _LEAST, 1.0), _LEAST)
    tested, small = sums.clusters > 1, is_small(sums)
    few = tested & ~small & (known.few | _few_at(1 - found, sums, bounds))
    if few.any():
        found[few] = _smallest(sums.columns(few), bounds, 1, _without_zero)
    below, above = weighted_at_random(sums.columns(small), bounds)
    found[small] = np.clip(2 * np.minimum(below.beyond(0.0), above.beyond(0.0)), _LEAST, 1.0)
    lowest, highest = with_one_more(sums, bounds)
    found = np.where((lowest <= 0) & (highest >= 0), 1.0, found)
    return np.where(tested, found, np.nan)


def equivalence_p(sums: Clustered, margin: float, bounds: tuple[float, float]) -> Floats:
    """P-value that the mean lies outside ± margin, for each column: two one-sided tests (TOST).

    The larger of the p-values of "at most -margin" and "at least +margin" (Schuirmann 1987).

    Args:
        margin: a share, above zero.

    Returns:
        Shape (columns,); 1 where the mean itself lies outside, NaN below two clusters.
    """
    above, _ = one_sided_p(sums, -margin, bounds)
    _, below = one_sided_p(sums, margin, bounds)
    return np.maximum(above, below)


def one_sided_p(
    sums: Clustered, bound: float, bounds: tuple[float, float]
) -> tuple[Floats, Floats]:
    """P-values against "at most the bound" and against "at least the bound", for each column.

    Each is the smallest p at which the interval of level 1 - 2p lies beyond the bound on that side,
    with ends that hold by themselves (`intervals_of`, each_end): at 2.5 % just where the 95 %
    interval does.

    Returns:
        Each of shape (columns,); 1 where the mean lies on the other side, NaN below two clusters.
    """
    turned = Clustered(-sums.total, sums.size)
    return _above_p(sums, bound, bounds), _above_p(turned, -bound, (-bounds[1], -bounds[0]))


def _above_p(sums: Clustered, bound: float, bounds: tuple[float, float]) -> Floats:
    room, error = sums.mean() - bound, sums.error()
    known = intervals_of(sums, 0.0, bounds)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = room / error
        least = np.fmin(away, unskewed(away, sums.skewness()))
        found = beyond_student(least, np.fmax(known.freedom, 1))
    found = np.where(error > NOTHING, np.clip(found, _LEAST, 0.5), _LEAST)
    tested, small = sums.clusters > 1, is_small(sums)
    few = tested & ~small & (known.few | _few_at(1 - 2 * found, sums, bounds))
    if few.any():
        found[few] = _smallest(sums.columns(few), bounds, 2, lambda one: one.low > bound)
    below, _ = weighted_at_random(sums.columns(small), bounds)
    found[small] = np.clip(below.beyond(-bound), _LEAST, 1.0)
    lowest, _ = with_one_more(sums, bounds)
    return np.where(tested, np.where(lowest > bound, found, 1.0), np.nan)


def _few_at(level: Floats, sums: Clustered, bounds: tuple[float, float]) -> Bools:
    """Whether the interval is not Student's at a level, or at the usual one if that is higher."""
    return intervals_of(sums, np.maximum(level, _USUAL), bounds).few


def _without_zero(found: Intervals) -> Bools:
    return np.asarray((found.low > 0) | (found.high < 0))


def _smallest(
    sums: Clustered,
    bounds: tuple[float, float],
    tails: int,
    claims: Callable[[Intervals], Bools],
) -> Floats:
    """The smallest p at which the interval of level 1 - tails · p claims something.

    On a grid from the smallest on, then on finer ones within a step: intervals are of one kind
    where a level takes more problems than carry the spread, and of another below, where they may be
    wider. A test on one side (tails = 2) takes ends that hold by themselves.
    """
    columns = sums.total.shape[1]
    repeated = sums.columns(np.repeat(np.arange(columns), _STEPS))
    low = np.full(columns, np.log(_LEAST))
    high = np.full(columns, -np.log(tails))
    for _ in range(_GRIDS):
        grid = np.linspace(low, high, _STEPS + 1, axis=1)
        level = 1 - tails * np.exp(grid[:, 1:].ravel())
        found = intervals_of(repeated, np.maximum(level, 0.0), bounds, each_end=tails == 2)
        yes = claims(found).reshape(columns, _STEPS)
        yes[:, -1] = True
        first = np.argmax(yes, axis=1)
        rows = np.arange(columns)
        low, high = grid[rows, first], grid[rows, first + 1]
    return np.asarray(np.exp(high))


def no_crossover_p(difference: Floats, p: Floats, excluded: bool) -> float | None:
    """P-value that a difference never turns from above zero to zero or below.

    At every k it must be below zero before or above zero after, each by its own test; a crossover
    is missed only if one of these errs, so that the largest of their p-values holds for all.

    Args:
        difference: at some k in ascending order, shape (ks,).
        p: of each, shape (ks,).
        excluded: whether the intervals exclude a crossover at every k, those between these too.

    Returns:
        1 where they do not; None where there is one k only.
    """
    if len(difference) < 2:
        return None
    if not excluded:
        return 1.0
    before: Bools = difference[:-1] < 0
    after: Bools = difference[1:] > 0
    each = np.minimum(np.where(before, p[:-1], 1.0), np.where(after, p[1:], 1.0))
    return float(each.max())
