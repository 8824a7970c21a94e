"""The section `arms`: what each arm does alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from vlm_boundary.analysis.counts import Codes, Counts, Floats
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.estimators import (
    cover_at_tau,
    g_pass_at_k,
    mg_pass_at_k,
    paper_grid,
    pass_at_k,
    pass_hat_k,
)
from vlm_boundary.analysis.intervals import Entry, Intervals, mean_interval, t_intervals
from vlm_boundary.analysis.majority import majority_at_k

TAUS = (0.25, 0.5, 0.75, 1.0)
COVER_PERCENTS = (1, 5, *range(10, 101, 10))


def arms(data: BenchmarkData) -> dict[str, Any]:
    """Every arm's sizes, outcomes and curves."""
    return {arm: _arm(data, arm) for arm in data.arms}


def _arm(data: BenchmarkData, arm: str) -> dict[str, Any]:
    counts, verdicts, n = data.counts(arm), data.verdicts[arm], data.n(arm)
    groups = data.groups(counts.problem_ids)
    level = data.settings.confidence

    def over_problems(values: Floats) -> Intervals:
        return t_intervals(values, level, (0, 1), groups)

    ks, grid = np.arange(1, n + 1), paper_grid(n)
    readings = {
        "pass_at_k": counts.correct,
        "pass_at_k_strict": counts.strict,
        "pass_at_k_lenient": counts.correct + counts.undecided,
    }
    samples = counts.samples
    hat = pass_hat_k(counts.correct, samples, ks)
    majority = majority_at_k(verdicts, grid, data.rng(arm))
    return {
        "role": data.experiment.arms[arm].role,
        "n": n,
        "problems": len(counts.problem_ids),
        "problems_with_fewer_than_n": int((samples < n).sum()),
        "samples": int(samples.sum()),
        "correct": int(counts.correct.sum()),
        "statuses": verdicts.statuses(),
        "sources": verdicts.sources(),
        **{
            name: over_problems(pass_at_k(right, samples, ks)).by(ks)
            for name, right in readings.items()
        },
        "avg_at_n": mean_interval(counts.correct / samples, level, (0, 1), groups),
        "single_pass": _single_pass(data, arm),
        "pass_hat_k": over_problems(hat).by(ks),
        "maj_at_k": over_problems(majority).by(grid),
        **_thresholds(data, arm, counts, groups),
    }


def _single_pass(data: BenchmarkData, arm: str) -> dict[str, Any]:
    """Accuracy of one answer a problem: of the checkpoint's one-sample arm, else the first sample.

    The published pass@1 of the visual figure is such a single pass, not the estimator's value.
    """
    config = data.experiment.arms[arm]
    same = [
        name
        for name in data.arms
        if data.n(name) == 1
        and all(
            getattr(data.experiment.arms[name], key) == getattr(config, key)
            for key in ("model", "revision", "base", "prompt", "chat_template")
        )
    ]
    source = same[0] if same else arm
    first = data.everything[source].first(1).counts
    accuracy: Entry = mean_interval(
        first.correct / first.samples,
        data.settings.confidence,
        (0, 1),
        data.groups(first.problem_ids),
    )
    temperature = data.experiment.arm_sampling(source).temperature
    return {"arm": source, "greedy": temperature == 0.0, **accuracy}


def _thresholds(
    data: BenchmarkData, arm: str, counts: Counts, groups: Codes | None
) -> dict[str, Any]:
    """Consistency: how often a share τ of answers is right."""
    level, n = data.settings.confidence, data.n(arm)
    ks = [k for k in data.experiment.ks(n) if k <= n]
    g_pass: dict[str, dict[str, Entry]] = {f"{tau:g}": {} for tau in TAUS}
    mean_g = {}
    for k in ks:
        values = g_pass_at_k(counts.correct, counts.samples, k, np.array(TAUS))
        found = t_intervals(values, level, (0, 1), groups).as_dicts()
        for tau, entry in zip(g_pass, found, strict=True):
            g_pass[tau][str(k)] = entry
        of_k = mg_pass_at_k(counts.correct, counts.samples, k)
        mean_g[str(k)] = mean_interval(of_k, level, (0, 1), groups)
    covered = cover_at_tau(counts.correct, counts.samples, np.array(COVER_PERCENTS))
    cover = t_intervals(covered, level, (0, 1), groups)
    return {
        "g_pass_at_k": g_pass,
        "mg_pass_at_k": mean_g,
        "cover_at_tau": cover.by(f"{percent / 100:g}" for percent in COVER_PERCENTS),
    }
