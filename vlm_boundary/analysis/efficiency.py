"""The section `efficiency`: what sampling costs, and how far one sample is from many."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.budgets import equal_budgets
from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.intervals import known
from vlm_boundary.analysis.stopping import pass_at_k_of
from vlm_boundary.records.effort import CostOfArm, Coverage, Efficiency, EfficiencyGap

SAMPLING_EFFICIENCY_K = 256
"""The k of the paper's sampling-efficiency gap; a smaller n stands in for it, and says so."""


def efficiency(data: BenchmarkData) -> Efficiency:
    """Tokens and coverage of each arm, each pair's sampling-efficiency gap and equal budgets."""
    return Efficiency(
        arms={arm: _cost(data, arm) for arm in data.arms},
        pairs=[_gap(data, pair) for pair in data.pairs()],
        budgets=[equal_budgets(data, pair) for pair in data.pairs()],
    )


def tokens_by_problem(problem: Ints, tokens: Floats, problems: int) -> Floats:
    """Mean length of each problem's samples, shape (problems,).

    Args:
        problem: the place of each sample's problem, shape (samples,).
        tokens: shape (samples,); NaN where they are not known.
        problems: how many there are.

    Returns:
        NaN where a problem has no sample, or one whose length is not known.
    """
    samples = np.bincount(problem, minlength=problems)
    total = np.bincount(problem, weights=tokens, minlength=problems)
    return np.where(samples > 0, total / np.maximum(samples, 1), np.nan)


def _cost(data: BenchmarkData, arm: str) -> CostOfArm:
    counts, responses = data.counts(arm), data.responses[arm]
    # What ends a problem is related to how long its responses are: means are of all problems alike.
    alike = data.first_look.responses[arm]
    mean = tokens_by_problem(alike.problem, alike.tokens, len(alike.problem_ids))
    # NaN, and so null, as soon as one length is not known: part of a total is none.
    total = float(responses.tokens.sum()) if len(responses.tokens) else np.nan
    solved, correct = int((counts.correct > 0).sum()), int(counts.correct.sum())
    ks = data.grid(data.n(arm))
    coverage = data.means(pass_at_k_of(counts, ks), counts.problem_ids).entries()
    # k samples of a problem cost k times what one costs; problems count alike, as in pass@k.
    each = float(mean.mean()) if len(mean) else np.nan
    spent = known(np.asarray(ks * each, dtype=np.float64))
    return CostOfArm(
        tokens=None if np.isnan(total) else int(total),
        tokens_per_sample=data.mean(mean, alike.problem_ids, (0, np.inf)),
        tokens_per_solved_problem=_per(total, solved),
        tokens_per_correct_sample=_per(total, correct),
        coverage=[
            Coverage(k=k, tokens_per_problem=tokens, pass_at_k=found)
            for k, tokens, found in zip(ks.tolist(), spent, coverage, strict=True)
        ],
    )


def _per(total: float, count: int) -> float | None:
    return None if count == 0 or np.isnan(total) else total / count


def _gap(data: BenchmarkData, pair: Pair) -> EfficiencyGap:
    """ΔSE: the base's pass@k less the other arm's pass@1; lower is better.

    Yue et al. 2025, arXiv 2504.13837, section 4.3, with k = 256; paired over problems.
    """
    k = min(SAMPLING_EFFICIENCY_K, pair.n)
    base, other = pair.base_counts, pair.other_counts
    gap = (pass_at_k_of(base, np.array([k])) - pass_at_k_of(other, np.array([1])))[:, 0]
    interval = data.mean(gap, pair.problem_ids, DIFFERENCE)
    return EfficiencyGap(base=pair.base, other=pair.other, k=k, sampling_efficiency_gap=interval)
