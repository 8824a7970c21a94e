"""The section `arms`: what each arm does alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.intervals import t_intervals


def arms(data: BenchmarkData) -> dict[str, Any]:
    """Every arm's sizes, outcomes and curves."""
    return {arm: _arm(data, arm) for arm in data.arms}


def _arm(data: BenchmarkData, arm: str) -> dict[str, Any]:
    counts, verdicts, n = data.counts(arm), data.verdicts[arm], data.n(arm)
    groups = data.groups(counts.problem_ids)
    level = data.settings.confidence
    ks = np.arange(1, n + 1)
    readings = {
        "pass_at_k": counts.correct,
        "pass_at_k_strict": counts.strict,
        "pass_at_k_lenient": counts.correct + counts.undecided,
    }
    return {
        "role": data.experiment.arms[arm].role,
        "n": n,
        "problems": len(counts.problem_ids),
        "problems_with_fewer_than_n": int((counts.samples < n).sum()),
        "samples": int(counts.samples.sum()),
        "correct": int(counts.correct.sum()),
        "statuses": verdicts.statuses(),
        "sources": verdicts.sources(),
        **{
            name: t_intervals(pass_at_k(right, counts.samples, ks), level, (0, 1), groups).by(ks)
            for name, right in readings.items()
        },
    }
