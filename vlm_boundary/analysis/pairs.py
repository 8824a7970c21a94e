"""The sections `pairs`, `consistency` and `self_test`: two arms compared, always other − base."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.consistency import COVER_PERCENTS, TAUS, Consistency
from vlm_boundary.analysis.counts import Counts, Floats, Ints, on_shared
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.differences import compare, difference_at_k, transitions
from vlm_boundary.analysis.intervals import Intervals, known
from vlm_boundary.analysis.power import needed, variance_of, variances
from vlm_boundary.analysis.quantiles import normal
from vlm_boundary.analysis.sets import solved
from vlm_boundary.records.analysis import PairAnalysis
from vlm_boundary.records.record import Estimate, Needed
from vlm_boundary.records.sections import ConsistencyOfPair, SelfTest

HALVES = "its other half"


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

    Normal intervals from the sum of `variance_of` over problems and arms, for k up to n/2.
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


def consistency(data: BenchmarkData) -> list[ConsistencyOfPair] | None:
    """Each pair's difference in maj@k, pass^k, G-Pass@k and Cover@τ, problem by problem, or None.

    Where arms have different n both are read to the smaller: Cover@τ and a vote depend on n.
    """
    return [_consistent(data, pair) for pair in data.pairs() if pair.problem_ids] or None


def _consistent(data: BenchmarkData, pair: Pair) -> ConsistencyOfPair:
    base, other = (_to(data, arm, pair.n) for arm in pair.names)
    first, second = (data.verdicts[arm].first(pair.n) for arm in pair.names)
    rows, others = (one.places(pair.problem_ids) for one in (first, second))

    def over_problems(one: Floats, two: Floats) -> Intervals:
        return data.means(two[others] - one[rows], pair.problem_ids, DIFFERENCE)

    ks = base.ks
    return ConsistencyOfPair(
        base=pair.base,
        other=pair.other,
        n=pair.n,
        maj_at_k=over_problems(base.majority, other.majority).curve(base.grid),
        pass_hat_k=over_problems(base.hat[:, ks - 1], other.hat[:, ks - 1]).curve(ks),
        g_pass_at_k={
            f"{tau:g}": over_problems(base.g_pass[:, place], other.g_pass[:, place]).curve(ks)
            for place, tau in enumerate(TAUS)
        },
        cover_at_tau=over_problems(base.covered, other.covered).by(
            f"{percent / 100:g}" for percent in COVER_PERCENTS
        ),
    )


def _to(data: BenchmarkData, arm: str, n: int) -> Consistency:
    """An arm's values of its first n samples per problem."""
    if data.n(arm) == n:
        return data.consistency[arm]
    drawn = data.verdicts[arm].first(n)
    return Consistency.of(drawn, n, data.shown_ks(n), data.rng(arm))


def self_test(data: BenchmarkData) -> list[SelfTest] | None:
    """A/A comparisons, which every claim is held against.

    Each arm's samples of even index against those of odd index, up to its first look, and each arm
    with the role repeat (`run --self-test`) against the base that it repeats. At each k a
    difference is found in 5 % of such comparisons, at 95 % confidence.
    """
    rows = []
    for arm, verdicts in data.first_look.verdicts.items():
        if data.first_look.n(arm) > 1 and data.experiment.arms[arm].role != "repeat":
            odd = verdicts.index % 2 == 1
            halves = verdicts.where(~odd).counts, verdicts.where(odd).counts
            rows.append(_against_itself(data, arm, HALVES, *halves))
    for arm in data.arms:
        if data.experiment.arms[arm].role == "repeat":
            for base in data.arms:
                if data.experiment.repeats(arm, base):
                    rows.append(
                        _against_itself(data, base, arm, data.counts(base), data.counts(arm))
                    )
    return [row for row in rows if row is not None] or None


def _against_itself(
    data: BenchmarkData, arm: str, against: str, first: Counts, second: Counts
) -> SelfTest | None:
    first, second = on_shared(first, second)
    ids = first.problem_ids
    if not ids:
        return None
    ks = np.arange(1, min(first.depths.max(), second.depths.max()) + 1)
    found = compare(
        difference_at_k(first, second, ks),
        data.settings.confidence,
        data.groups(ids),
        data.settings.bootstrap_draws,
        data.rng(arm, against),
    )
    rows = found.difference
    return SelfTest(
        arm=arm,
        against=against,
        n=int(ks[-1]),
        problems=len(ids),
        difference=rows,
        found_at=[str(k) for k, row in rows.items() if row.sign],
        found_by_band=any(row.band.sign for row in rows.values()),
        crossover=found.crossover,
    )
