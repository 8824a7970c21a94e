"""P-values that are the intervals read the other way round: one test of each difference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vlm_boundary.analysis.counts import Bools, Floats
from vlm_boundary.analysis.intervals import NOTHING, Clustered, Intervals, intervals_of

_LEAST = 1e-12  # no p-value is said to be smaller
_STEPS = 25  # of halving, on a logarithmic scale: to a millionth of the value


def p_values(sums: Clustered, bounds: tuple[float, float]) -> Floats:
    """The smallest p at which the interval of level 1 - p leaves zero out, for each column.

    So a p-value is below 5 % just where the 95 % interval leaves zero out. It is Student's where
    the interval is, and the interval's own where so few problems carry the spread that it is not.

    Returns:
        Shape (columns,); NaN below two clusters.
    """
    from scipy.stats import t

    mean, error = sums.mean(), sums.error()
    known = intervals_of(sums, 0.0, bounds)  # at the level at which t is relied upon soonest
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 2 * t.sf(np.abs(mean) / error, np.fmax(known.freedom, 1))
    found = np.where(error > NOTHING, np.clip(found, _LEAST, 1.0), _LEAST)
    tested = sums.clusters > 1
    few = tested & (known.few | intervals_of(sums, 1 - found, bounds).few)
    if few.any():
        found[few] = _halved(sums.columns(few), bounds, 1, _without_zero)
    return np.where(tested, found, np.nan)


def equivalence_p(sums: Clustered, margin: float, bounds: tuple[float, float]) -> Floats:
    """P-value that the mean lies outside ± margin, for each column: two one-sided tests (TOST).

    The larger of the p-values of "at most -margin" and "at least +margin" (Schuirmann 1987), which
    is the smallest p at which the interval of level 1 - 2p lies within the margin: below 5 % just
    where the 90 % interval does. As in `p_values` it is Student's where the interval is.

    Args:
        margin: a share, above zero.

    Returns:
        Shape (columns,); 1 where the mean itself lies outside, NaN below two clusters.
    """
    from scipy.stats import t

    room, error = margin - np.abs(sums.mean()), sums.error()
    known = intervals_of(sums, 0.0, bounds)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = t.sf(room / error, np.fmax(known.freedom, 1))
    found = np.where(error > NOTHING, np.clip(found, _LEAST, 0.5), _LEAST)
    tested = sums.clusters > 1
    few = tested & (known.few | intervals_of(sums, 1 - 2 * found, bounds).few)

    def inside(found: Intervals) -> Bools:
        return np.asarray((found.low > -margin) & (found.high < margin))

    if few.any():
        found[few] = _halved(sums.columns(few), bounds, 2, inside)
    return np.where(tested, np.where(room > 0, found, 1.0), np.nan)


def _without_zero(found: Intervals) -> Bools:
    return np.asarray((found.low > 0) | (found.high < 0))


def _halved(
    sums: Clustered,
    bounds: tuple[float, float],
    tails: int,
    claims: Callable[[Intervals], Bools],
) -> Floats:
    """The smallest p at which the interval of level 1 - tails · p claims something, by halving.

    Wider levels claim more rarely.
    """
    low = np.full(sums.total.shape[1], np.log(_LEAST))
    high = np.full_like(low, -np.log(tails))
    for _ in range(_STEPS):
        middle = (low + high) / 2
        claimed = claims(intervals_of(sums, 1 - tails * np.exp(middle), bounds))
        low, high = np.where(claimed, low, middle), np.where(claimed, middle, high)
    return np.exp(high)


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
