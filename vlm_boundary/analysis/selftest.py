"""The section `self_test`: the same checkpoint against itself, which must find nothing."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Counts, on_shared
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.differences import compare, difference_at_k
from vlm_boundary.records.sections import SelfTest

HALVES = "its other half"


def self_test(data: BenchmarkData) -> list[SelfTest] | None:
    """A/A comparisons, which every claim is held against.

    Each arm's samples of even index against those of odd index cost nothing, and show what the
    statistics do where there is no difference; with a stopping rule those up to its first look,
    which all problems have. An arm with the role repeat (`run --self-test`) is compared with the
    base that it repeats, which shows what sampling does besides. At each k a difference is found in
    5 % of such comparisons, at 95 % confidence.
    """
    rows = []
    for arm, verdicts in data.first_look.verdicts.items():
        if data.first_look.n(arm) > 1 and data.experiment.arms[arm].role != "repeat":
            odd = verdicts.index % 2 == 1
            halves = verdicts.where(~odd).counts, verdicts.where(odd).counts
            rows.append(_row(data, arm, HALVES, *halves))
    for arm in data.arms:
        if data.experiment.arms[arm].role == "repeat":
            for base in data.arms:
                if data.experiment.repeats(arm, base):
                    rows.append(_row(data, base, arm, data.counts(base), data.counts(arm)))
    return [row for row in rows if row is not None] or None


def _row(
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
