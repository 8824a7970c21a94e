"""Two models on the same problems: what is said of their difference at every k."""

from __future__ import annotations

from typing import Any

import numpy as np

from vlm_boundary.analysis.counts import Codes, Counts, Floats, Ints
from vlm_boundary.analysis.estimators import paper_grid
from vlm_boundary.analysis.intervals import Clustered, Intervals, intervals_of, known, same_problems
from vlm_boundary.analysis.resampling import bootstrap_t, simultaneous_level
from vlm_boundary.analysis.significance import equivalence_p, no_crossover_p, p_values
from vlm_boundary.analysis.stopping import pass_at_k_of
from vlm_boundary.records.record import (
    Crossover,
    Difference,
    Equivalence,
    PairedDifference,
    Within,
    where_known,
)

_ZERO = 1e-12  # differences below this are rounding


def crossover(difference: Intervals) -> Crossover:
    """The crossover of a difference known at k = 1 … n, with its interval; see docs/analysis.md.

    The smallest k with D(k-1) > 0 ≥ D(k). The interval inverts pointwise tests: a k belongs to it
    unless D(k-1) is significantly below zero or D(k) significantly above. An end is None where the
    data do not bound it. Only k with the problems of k = 1 count, up to `up_to`: where problems
    drop out, the difference turns without either model changing. `excluded`: no such k is in it.

    Args:
        difference: a column for every k from 1 on; other − base.
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


def difference_at_k(base: Counts, other: Counts, ks: Ints) -> Floats:
    """Each problem's pass@k of the other arm less the base's; NaN where either has fewer than k."""
    return pass_at_k_of(other, ks) - pass_at_k_of(base, ks)


def transitions(base: Counts, other: Counts, ks: Ints) -> tuple[Floats, Floats]:
    """How likely k samples of one arm solve a problem that k of the other do not.

    (1 - f)·g and f·(1 - g) with f and g the base's and the other's pass@k, unbiased since given a
    problem the arms' samples are independent.

    Returns:
        Gained and lost, each of shape (problems, ks); NaN where either has fewer than k.
    """
    first, second = pass_at_k_of(base, ks), pass_at_k_of(other, ks)
    return (1 - first) * second, first * (1 - second)


def compare(
    values: Floats,
    confidence: float,
    groups: Codes | None,
    draws: int,
    rng: np.random.Generator,
    margin: float | None = None,
) -> PairedDifference:
    """All that is said of a difference at k = 1 … n, whatever was estimated at each k.

    The band ends at the last k with all problems; bootstrap-t intervals are at the paper's k only,
    p-values at those and the last.

    Args:
        values: other − base, one row per problem, a column for each k from 1 on; NaN where a
            problem has no value.
        groups: the cluster of each problem, None where each is its own.
        draws: resamples of the bootstrap, and draws behind the simultaneous level.
        margin: as a share, what the first and the last difference are held against, if anything.
    """
    sums = Clustered.of(values, groups)
    found = intervals_of(sums, confidence, (-1, 1))
    ks = np.arange(1, values.shape[1] + 1)
    grid = paper_grid(values.shape[1])
    on_grid = sums.columns(grid - 1)
    up_to = same_problems(found.problems)
    everywhere = sums.columns(np.unique(np.append(grid[grid <= up_to], up_to)) - 1)
    band_level = simultaneous_level(everywhere, confidence, draws, rng)
    band = intervals_of(sums, band_level, (-1, 1))
    band_low, band_high = (np.where(ks <= up_to, side, np.nan) for side in (band.low, band.high))
    # Resampling few problems, or few that carry the spread, says nothing of those not drawn.
    unknown = found.few[grid - 1]
    boot_low, boot_high = (
        np.where(unknown, np.nan, side)
        for side in bootstrap_t(on_grid, confidence, (-1, 1), draws, rng)
    )
    tested = np.unique(np.append(grid, len(ks)))
    p, turn = p_values(sums.columns(tested - 1), (-1, 1)), crossover(found)
    drawn: dict[int, dict[str, Any]] = {
        k: {"bootstrap_low": low, "bootstrap_high": high}
        for k, low, high in zip(grid.tolist(), known(boot_low), known(boot_high), strict=True)
    }
    columns = zip(ks.tolist(), found.entries(), known(band_low), known(band_high), strict=True)
    return PairedDifference(
        difference={
            k: Difference(**row.given(), band_low=low, band_high=high, **drawn.get(k, {}))
            for k, row, low, high in columns
        },
        band_level=band_level,
        crossover=turn,
        p_values=dict(zip(tested.tolist(), known(p), strict=True)),
        p_no_crossover=no_crossover_p(
            found.estimate[tested - 1][tested <= up_to], p[tested <= up_to], turn.excluded
        ),
        **where_known(
            clusters=None if groups is None else int(sums.clusters.max(initial=0)),
            equivalence=None if margin is None else _equivalence(sums, ks, confidence, margin),
        ),
    )


def _equivalence(sums: Clustered, ks: Ints, confidence: float, margin: float) -> Equivalence:
    """The first and the last difference against a margin; see `significance.equivalence_p`."""
    ks, level = np.unique(ks[[0, -1]]), round(2 * confidence - 1, 12)
    ends = sums.columns(ks - 1)
    found = intervals_of(ends, level, (-1, 1), each_end=True)
    p = known(equivalence_p(ends, margin, (-1, 1)))
    columns = zip(ks.tolist(), found.entries(), p, strict=True)
    at = {
        k: Within(estimate=one.estimate, low=one.low, high=one.high, p_value=value)
        for k, one, value in columns
    }
    return Equivalence(margin=margin, level=level, at=at)
