"""The k at which a paired difference turns from above zero to zero or below."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.intervals import Intervals, same_problems
from vlm_boundary.records.record import Crossover

_ZERO = 1e-12  # differences below this are rounding


def crossover(difference: Intervals) -> Crossover:
    """The crossover of a difference known at k = 1 … n, with its interval.

    The estimate is the smallest k with D(k-1) > 0 ≥ D(k). The interval inverts pointwise tests: a k
    belongs to it unless D(k-1) is significantly below zero or D(k) significantly above, so that the
    crossover, where there is one, is left out no more often than a single test errs. An end is None
    where the data do not bound it: on the left the difference is nowhere significantly above zero
    before, on the right nowhere significantly below zero after.

    Only k with the problems of k = 1 count: where problems with fewer than k samples drop out, the
    difference turns without either model changing.

    Args:
        difference: a column for every k from 1 on; other − base.

    Returns:
        estimate, low, high; `status`: none (the estimates do not turn), resolved (they do, and the
        interval is bounded on both sides), not_resolved (they do, and it is not); `excluded`: no k
        up to `up_to`, the last one with all problems, is in the interval, so that the data rule a
        crossover out.
    """
    up_to = same_problems(difference.problems)
    mean = np.where(np.abs(difference.estimate) < _ZERO, 0.0, difference.estimate)[:up_to]
    above, below = difference.low[:up_to] > 0, difference.high[:up_to] < 0  # NaN is neither
    turns = np.flatnonzero((mean[:-1] > 0) & (mean[1:] <= 0))
    possible = np.flatnonzero(~below[:-1] & ~above[1:])
    low = high = None
    if len(possible):
        first, last = int(possible[0]), int(possible[-1])
        low = first + 2 if above[first] else None
        high = last + 2 if below[last + 1] else None
    status = "none"
    if len(turns):
        status = "not_resolved" if low is None or high is None else "resolved"
    return Crossover(
        estimate=int(turns[0]) + 2 if len(turns) else None,
        low=low,
        high=high,
        status=status,
        excluded=bool(len(mean) > 1 and not len(possible)),
        up_to=up_to,
    )
