"""The section `pairs`: two arms on the same problems, always other − base."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Counts, Ints
from vlm_boundary.analysis.data import BenchmarkData, Pair
from vlm_boundary.analysis.differences import compare, difference_at_k, transitions
from vlm_boundary.analysis.intervals import known
from vlm_boundary.analysis.power import needed, variance_of, variances
from vlm_boundary.analysis.quantiles import normal
from vlm_boundary.analysis.sets import solved
from vlm_boundary.records.analysis import PairAnalysis
from vlm_boundary.records.record import Estimate, Needed


def pairs(data: BenchmarkData) -> list[PairAnalysis]:
    """Every arm against every base."""
    return [_compared(data, pair) for pair in data.pairs()]


def _compared(data: BenchmarkData, pair: Pair) -> PairAnalysis:
    base, other = pair.base_counts, pair.other_counts
    level = data.settings.confidence
    shown = data.shown_ks(pair.n)
    gained, lost = transitions(base, other, shown)
    ks = np.arange(1, pair.n + 1)
    values = difference_at_k(base, other, ks)
    compared = compare(
        values,
        level,
        data.groups(pair.problem_ids),
        data.settings.bootstrap_draws,
        data.rng(pair.base, pair.other),
        data.margin,
    )
    return PairAnalysis(
        base=pair.base,
        other=pair.other,
        n=pair.n,
        problems=len(pair.problem_ids),
        this_benchmark=this_benchmark(base, other, ks, level),
        needed=needed_at(pair, shown, level),
        gained=data.means(gained, pair.problem_ids).curve(shown),
        lost=data.means(lost, pair.problem_ids).curve(shown),
        **compared.given(),
        **solved(base, other, level).given(),
    )


def needed_at(pair: Pair, ks: Ints, confidence: float) -> dict[int, Needed]:
    """The `gap` at each k, and what it would take to find one of its size; see `power.needed`."""
    base, other = pair.base_counts, pair.other_counts
    values = difference_at_k(base, other, ks)
    found = {}
    for place, spread in enumerate(variances(values, base, other, ks)):
        known_values = values[~np.isnan(values[:, place]), place]
        gap = float(known_values.mean()) if len(known_values) else 0.0
        found[int(ks[place])] = needed(gap, spread, len(known_values), pair.n, confidence)
    return found


def this_benchmark(base: Counts, other: Counts, ks: Ints, confidence: float) -> dict[int, Estimate]:
    """The difference on these very problems, were only the samples drawn again.

    Normal intervals from the sum of `variance_of` over problems and arms, for the k at which
    that is known: up to half the samples. They say nothing of other problems of the kind.
    """
    half = ks[2 * ks <= ks[-1]]
    values = difference_at_k(base, other, half)
    noise = sum(variance_of(counts, half) for counts in (base, other))
    missing = np.isnan(values) | np.isnan(noise)
    problems = (~missing).sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = np.where(missing, 0.0, values).sum(axis=0) / problems
        spread = np.maximum(np.where(missing, 0.0, noise).sum(axis=0), 0.0)
        reach = normal(0.5 + confidence / 2) * np.sqrt(spread) / problems
    low, high = np.maximum(mean - reach, -1.0), np.minimum(mean + reach, 1.0)
    rows = zip(half.tolist(), known(mean), known(low), known(high), problems.tolist(), strict=True)
    return {
        k: Estimate(estimate=estimate, low=below, high=above, problems=count)
        for k, estimate, below, above, count in rows
    }
