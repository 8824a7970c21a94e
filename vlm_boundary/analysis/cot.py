"""The section `cot`: right for a valid reason, under every reading of "valid" there is."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from vlm_boundary.analysis.counts import Counts, Floats, Ints
from vlm_boundary.analysis.crossover import crossover
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.differences import compare, difference_at_k
from vlm_boundary.analysis.estimators import paper_grid
from vlm_boundary.analysis.readings import ValidCounts, ValidReading, readings
from vlm_boundary.analysis.shares import share_of
from vlm_boundary.analysis.subset import subset_pass_at_k
from vlm_boundary.records.reasoning import ValidDifference, ValidOfArm, ValidOfPair, ValidReasoning
from vlm_boundary.records.record import Crossover, Curve, Entry, where_known

E = TypeVar("E", bound=Entry)


def cot(data: BenchmarkData) -> ValidReasoning | None:
    """CoT-pass@k, P(valid | right) and the problems solved without a valid chain, by reading.

    A wrong answer is never valid. Differences are other − base, on the problems that both have.
    """
    read = {arm: list(readings(data, arm)) for arm in data.arms}
    found = {
        arm: {reading.name: reading.counts(data.verdicts[arm]) for reading in by_arm}
        for arm, by_arm in read.items()
        if by_arm
    }
    if not found:
        return None
    return ValidReasoning(
        layers=data.run.validity_layers(),
        arms={
            arm: {reading.name: _valid(data, arm, reading) for reading in read[arm]}
            for arm in found
        },
        pairs=[
            ValidOfPair(
                base=pair.base,
                other=pair.other,
                pass_at_k_crossover=_plain_crossover(data, pair),
                readings=shared,
            )
            for pair in data.pairs()
            if (shared := _differences(data, pair, found))
        ],
    )


def _valid(data: BenchmarkData, arm: str, said: ValidReading) -> ValidOfArm:
    counts = data.counts(arm)
    reading = said.counts(data.verdicts[arm])
    ks = np.arange(1, data.n(arm) + 1)
    low, high = _bounds(counts, reading, ks)
    solved = counts.correct > 0
    none_valid = solved & (reading.valid + reading.unknown == 0)
    whole = reading.judged == counts.correct

    def curve(values: Floats) -> Curve:
        return _shown(data.means(values, counts.problem_ids).curve(ks), data, data.n(arm))

    bounded = not np.array_equal(low, high, equal_nan=True)
    return ValidOfArm(
        correct=int(counts.correct.sum()),
        judged=int(reading.judged.sum()),
        valid=int(reading.valid.sum()),
        unknown=int(reading.unknown.sum()),
        p_valid_given_correct=_share_of(data, arm, said),
        cot_pass_at_k=curve(low),
        solved=int(solved.sum()),
        solved_with_a_valid_chain=int((reading.valid > 0).sum()),
        solved_only_by_invalid_chains=list(counts.where(none_valid & whole)),
        no_valid_chain_among_those_judged=int((none_valid & ~whole).sum()),
        **where_known(cot_pass_at_k_upper=curve(high) if bounded else None),
    )


def _plain_crossover(data: BenchmarkData, pair: Pair) -> Crossover:
    """The crossover under pass@k, to be read beside those under CoT-pass@k."""
    values = difference_at_k(pair.base_counts, pair.other_counts, np.arange(1, pair.n + 1))
    return crossover(data.means(values, pair.problem_ids, DIFFERENCE))


def _bounds(counts: Counts, reading: ValidCounts, ks: Ints) -> tuple[Floats, Floats]:
    """Unknown ones as not valid below, as valid above."""
    lenient = reading.valid + reading.unknown
    low, high = (
        subset_pass_at_k(counts.samples, counts.correct, reading.judged, valid, ks, counts.rule)
        for valid in (reading.valid, lenient)
    )
    return low[0], high[1]


def _share_of(data: BenchmarkData, arm: str, said: ValidReading) -> Entry:
    """P(valid | right): each problem's share, weighted by how many right answers it has.

    The interval is that of a ratio of sums over problems (linearised). With a stopping rule it is
    of the samples up to the first look: of all that were drawn, hard problems have more.
    """
    verdicts, level = data.verdicts[arm], data.settings.confidence
    below = data.first_look.n(arm) if arm in data.ended else None
    first = verdicts.right if below is None else verdicts.right & (verdicts.index < below)
    reading, groups = said.counts(verdicts, below), data.groups(verdicts.problem_ids)
    weights = np.where(reading.judged > 0, verdicts.count(first), 0)
    shares = reading.valid / np.maximum(reading.judged, 1)
    return share_of(weights * shares, weights, level, groups)


def _differences(
    data: BenchmarkData, pair: Pair, found: dict[str, dict[str, ValidCounts]]
) -> dict[str, ValidDifference]:
    """The paired difference of CoT-pass@k under every reading that both arms have."""
    both = [name for name in found.get(pair.base, {}) if name in found.get(pair.other, {})]
    ks = np.arange(1, pair.n + 1)
    groups, level = data.groups(pair.problem_ids), data.settings.confidence
    result: dict[str, ValidDifference] = {}
    for name in both:
        low, high = {}, {}
        for arm in pair.names:
            rows = data.verdicts[arm].places(pair.problem_ids)
            bounds = _bounds(data.counts(arm), found[arm][name], ks)
            low[arm], high[arm] = (values[rows] for values in bounds)
        draws, rng = data.settings.bootstrap_draws, data.rng(pair.base, pair.other, name)
        said = compare(low[pair.other] - low[pair.base], level, groups, draws, rng)
        bounds_of: dict[str, Curve] = {}
        least, most = low[pair.other] - high[pair.base], high[pair.other] - low[pair.base]
        if not np.array_equal(least, most, equal_nan=True):
            for key, values in (("difference_least", least), ("difference_most", most)):
                entries = data.means(values, pair.problem_ids, DIFFERENCE).curve(ks)
                bounds_of[key] = _shown(entries, data, pair.n)
        shown = {"difference": _shown(said.difference, data, pair.n)}
        result[name] = ValidDifference(**said.given() | shown | bounds_of)
    return result


def _shown(entries: dict[int, E], data: BenchmarkData, n: int) -> dict[int, E]:
    """Only the k of tables and of the paper's figures: there are many readings."""
    kept = {*paper_grid(n).tolist(), *(k for k in data.experiment.ks(n) if k <= n)}
    return {k: entries[k] for k in sorted(kept)}
