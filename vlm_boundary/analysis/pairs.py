"""The section `pairs`: two arms on the same problems, always other − base."""

from __future__ import annotations

from typing import Any

import numpy as np

from vlm_boundary.analysis.data import BenchmarkData, Pair
from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.intervals import t_intervals
from vlm_boundary.analysis.sets import solved_sets


def pairs(data: BenchmarkData) -> list[dict[str, Any]]:
    """The paired difference of every arm from every base."""
    return [_pair(data, pair) for pair in data.pairs()]


def _pair(data: BenchmarkData, pair: Pair) -> dict[str, Any]:
    ks = np.arange(1, pair.n + 1)
    base, other = pair.base_counts, pair.other_counts
    difference = pass_at_k(other.correct, other.samples, ks) - pass_at_k(
        base.correct, base.samples, ks
    )
    groups = data.groups(pair.problem_ids)
    found = t_intervals(difference, data.settings.confidence, (-1, 1), groups)
    return {
        "base": pair.base,
        "other": pair.other,
        "problems": len(pair.problem_ids),
        "difference": found.by(ks),
        "solved": solved_sets(base.correct, other.correct),
    }
