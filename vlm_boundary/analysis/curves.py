"""The section `arms`: what each arm does alone."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Codes, Counts, Floats, Ints
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.estimators import (
    cover_at_tau,
    g_pass_at_k,
    mg_pass_at_k,
    paper_grid,
    pass_at_k,
    pass_hat_k,
)
from vlm_boundary.analysis.intervals import Intervals, mean_interval, t_intervals
from vlm_boundary.analysis.majority import majority_at_k
from vlm_boundary.records.analysis import ArmAnalysis, SinglePass
from vlm_boundary.records.record import Curve

TAUS = (0.25, 0.5, 0.75, 1.0)
COVER_PERCENTS = (1, 5, *range(10, 101, 10))


def arms(data: BenchmarkData) -> dict[str, ArmAnalysis]:
    """Every arm's sizes, outcomes and curves."""
    return {arm: _alone(data, arm) for arm in data.arms}


def _alone(data: BenchmarkData, arm: str) -> ArmAnalysis:
    counts, verdicts, n = data.counts(arm), data.verdicts[arm], data.n(arm)
    groups = data.groups(counts.problem_ids)
    level = data.settings.confidence

    def over_problems(values: Floats) -> Intervals:
        return t_intervals(values, level, (0, 1), groups)

    ks, grid = np.arange(1, n + 1), paper_grid(n)
    samples = counts.samples

    def of_right(right: Ints) -> Curve:
        return over_problems(pass_at_k(right, samples, ks)).curve(ks)

    hat = pass_hat_k(counts.correct, samples, ks)
    majority = majority_at_k(verdicts, grid, data.rng(arm))
    g_pass, mean_g_pass = _thresholds(data, arm, counts, groups)
    covered = cover_at_tau(counts.correct, samples, np.array(COVER_PERCENTS))
    return ArmAnalysis(
        role=data.experiment.arms[arm].role,
        n=n,
        problems=len(counts.problem_ids),
        problems_with_fewer_than_n=int((samples < n).sum()),
        samples=int(samples.sum()),
        correct=int(counts.correct.sum()),
        statuses=verdicts.statuses(),
        sources=verdicts.sources(),
        pass_at_k=of_right(counts.correct),
        pass_at_k_strict=of_right(counts.strict),
        pass_at_k_lenient=of_right(counts.correct + counts.undecided),
        avg_at_n=mean_interval(counts.correct / samples, level, (0, 1), groups),
        single_pass=_single_pass(data, arm),
        pass_hat_k=over_problems(hat).curve(ks),
        maj_at_k=over_problems(majority).curve(grid),
        g_pass_at_k=g_pass,
        mg_pass_at_k=mean_g_pass,
        cover_at_tau=over_problems(covered).by(f"{share / 100:g}" for share in COVER_PERCENTS),
    )


def _single_pass(data: BenchmarkData, arm: str) -> SinglePass:
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
    accuracy = mean_interval(
        first.correct / first.samples,
        data.settings.confidence,
        (0, 1),
        data.groups(first.problem_ids),
    )
    temperature = data.experiment.arm_sampling(source).temperature
    return SinglePass(arm=source, greedy=temperature == 0.0, **accuracy.given())


def _thresholds(
    data: BenchmarkData, arm: str, counts: Counts, groups: Codes | None
) -> tuple[dict[str, Curve], Curve]:
    """Consistency: how often a share τ of answers is right, by τ and k, and its mean by k."""
    level, n = data.settings.confidence, data.n(arm)
    ks = [k for k in data.experiment.ks(n) if k <= n]
    g_pass: dict[str, Curve] = {f"{tau:g}": {} for tau in TAUS}
    mean_g: Curve = {}
    for k in ks:
        values = g_pass_at_k(counts.correct, counts.samples, k, np.array(TAUS))
        found = t_intervals(values, level, (0, 1), groups).entries()
        for tau, entry in zip(g_pass, found, strict=True):
            g_pass[tau][k] = entry
        of_k = mg_pass_at_k(counts.correct, counts.samples, k)
        mean_g[k] = mean_interval(of_k, level, (0, 1), groups)
    return g_pass, mean_g
