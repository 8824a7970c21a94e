"""The section `consistency`: paired differences of votes and of shares of right answers."""

from __future__ import annotations

from vlm_boundary.analysis.consistency import COVER_PERCENTS, TAUS, Consistency
from vlm_boundary.analysis.counts import Floats
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.intervals import Intervals
from vlm_boundary.records.sections import ConsistencyOfPair


def consistency(data: BenchmarkData) -> list[ConsistencyOfPair] | None:
    """Each pair's difference in maj@k, pass^k, G-Pass@k and Cover@τ, problem by problem.

    Where arms have different n both are read to the smaller: Cover@τ and a vote depend on n. None
    where nothing is compared.
    """
    return [_compared(data, pair) for pair in data.pairs() if pair.problem_ids] or None


def _compared(data: BenchmarkData, pair: Pair) -> ConsistencyOfPair:
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
