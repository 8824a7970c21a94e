"""The section `efficiency`: what sampling costs, and two arms at equal cost."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Codes, Floats, Ids, Ints
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.estimators import paper_grid, pass_at_k
from vlm_boundary.analysis.intervals import known
from vlm_boundary.analysis.stopping import pass_at_k_of
from vlm_boundary.records.effort import (
    AtTokens,
    CostOfArm,
    Coverage,
    Efficiency,
    EfficiencyGap,
    EqualBudgets,
    ShorterResponses,
)

SAMPLING_EFFICIENCY_K = 256
"""The k of the paper's sampling-efficiency gap; a smaller n stands in for it, and says so."""
HALVINGS = 6
"""How often the largest length is halved."""


def efficiency(data: BenchmarkData) -> Efficiency:
    """Tokens and coverage of each arm, each pair's sampling-efficiency gap and equal budgets."""
    return Efficiency(
        arms={arm: _cost(data, arm) for arm in data.arms},
        pairs=[_gap(data, pair) for pair in data.pairs()],
        budgets=[equal_budgets(data, pair) for pair in data.pairs()],
    )


def tokens_by_problem(problem: Ints | Codes, tokens: Floats, problems: int) -> Floats:
    """Mean length of each problem's samples, shape (problems,).

    NaN where a problem has no sample, or one whose length is not known (NaN in `tokens`). `problem`
    is the place of each sample's problem.
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


def equal_budgets(data: BenchmarkData, pair: Pair) -> EqualBudgets:
    """A pair at equal cost; null where not all lengths are known."""
    lengths = {arm: data.first_look.lengths(arm) for arm in pair.names}
    told = all(len(found) and not np.isnan(found).any() for found in lengths.values())
    return EqualBudgets(
        base=pair.base,
        other=pair.other,
        by_tokens=_by_tokens(data, pair, lengths) if told else None,
        by_max_tokens=_by_max_tokens(data.first_look, pair, lengths) if told else None,
    )


def at_cost(curve: Floats, tokens: Floats, budgets: Floats) -> Floats:
    """What each problem adds to pass@k at the k that so many tokens per problem buy.

    A budget B buys k = B/m, m the mean length of a sample; between whole k pass@k is joined by
    straight lines. m is itself estimated: problem i's value is f_i(k) - f'(k)·k·(m_i - m)/m, with
    m_i its own mean length and f' the slope of the mean curve, so that the spread of these is that
    of f(B/m) with m estimated (the delta method). A value may lie beyond 0 and 1.

    Args:
        curve: pass@k of each problem at k = 1 … n, shape (problems, n).
        tokens: m_i, shape (problems,).
        budgets: each from m to n·m, shape (budgets,).

    Returns:
        Shape (problems, budgets); NaN where a problem has fewer samples than that takes.
    """
    n, mean = curve.shape[1], float(tokens.mean())
    k = np.clip(budgets / mean, 1.0, n)
    before = np.clip(np.floor(k).astype(np.int64), 1, max(n - 1, 1))
    after = np.minimum(before + 1, n)
    step = curve[:, after - 1] - curve[:, before - 1]
    missing = np.isnan(step)
    slope = np.where(missing, 0.0, step).sum(axis=0) / np.maximum((~missing).sum(axis=0), 1)
    away = (tokens - mean)[:, None] / mean
    return np.asarray(curve[:, before - 1] + (k - before) * step - slope * k * away)


def _by_tokens(data: BenchmarkData, pair: Pair, lengths: dict[str, Floats]) -> list[AtTokens]:
    """Both arms at as many tokens per problem: as many as k samples of the longer-winded cost."""
    ids, sizes = pair.problem_ids, {}
    for arm, of in lengths.items():
        verdicts = data.first_look.verdicts[arm]
        mean = tokens_by_problem(verdicts.problem, of, len(verdicts.problem_ids))
        places = verdicts.places(ids)
        if (places < 0).any() or not mean[places].min(initial=np.inf) > 0:
            return []
        sizes[arm] = mean[places]
    if not ids:
        return []
    means = {arm: float(of.mean()) for arm, of in sizes.items()}
    dearer, most = max(means.values()), min(data.n(arm) * mean for arm, mean in means.items())
    ks = paper_grid(pair.n)
    budgets = np.asarray(ks[ks * dearer <= most * (1 + 1e-12)] * dearer, dtype=np.float64)
    values = {}
    for arm, counts in ((pair.base, pair.base_counts), (pair.other, pair.other_counts)):
        curve = pass_at_k_of(counts, np.arange(1, data.n(arm) + 1))
        values[arm] = at_cost(curve, sizes[arm], budgets)
    base, other = values[pair.base], values[pair.other]
    columns = zip(
        budgets.tolist(),
        data.means(base, ids).entries(),
        data.means(other, ids).entries(),
        data.means(other - base, ids, DIFFERENCE).entries(),
        strict=True,
    )
    return [
        AtTokens(
            tokens=tokens,
            base_k=tokens / means[pair.base],
            other_k=tokens / means[pair.other],
            base_pass_at_k=first,
            other_pass_at_k=second,
            difference=between,
        )
        for tokens, first, second, between in columns
    ]


def shorter(largest: int, lengths: Floats) -> list[int]:
    """The lengths at which responses are cut: halves of the largest, as far as that cuts any.

    The first cuts nothing more, the others something, and not everything.
    """
    halves = [largest >> halving for halving in range(HALVINGS + 1)]
    cutting = [size for size in halves if (lengths > size).any() and (lengths <= size).any()]
    none = [size for size in halves if (lengths <= size).all()]
    return [*none[-1:], *cutting]


def _by_max_tokens(
    data: BenchmarkData, pair: Pair, lengths: dict[str, Floats]
) -> list[ShorterResponses]:
    """Both arms with responses up to a length, the same for both; longer ones answer nothing."""
    largest = min(data.experiment.arm_sampling(arm).max_tokens for arm in lengths)
    sizes = shorter(largest, np.concatenate(list(lengths.values())))
    arms = pair.names
    ks = data.shown_ks(min(map(data.n, arms)))
    there = [set(data.verdicts[arm].problem_ids) for arm in arms]
    ids = tuple(key for key in pair.problem_ids if all(key in of for of in there))
    found = []
    for size in sizes:
        (first, cut_first), (second, cut_second) = (
            _cut(data, arm, lengths[arm], size, ids, ks) for arm in arms
        )
        found.append(
            ShorterResponses(
                max_tokens=size,
                base_longer=cut_first,
                other_longer=cut_second,
                base_pass_at_k=data.means(first, ids).curve(ks),
                other_pass_at_k=data.means(second, ids).curve(ks),
                difference=data.means(second - first, ids, DIFFERENCE).curve(ks),
            )
        )
    return found


def _cut(
    data: BenchmarkData, arm: str, lengths: Floats, size: int, problem_ids: Ids, ks: Ints
) -> tuple[Floats, float]:
    """pass@k of each problem, and the share of an arm's samples that are longer."""
    verdicts, places = data.verdicts[arm], data.verdicts[arm].places(problem_ids)
    within = lengths <= size
    right = verdicts.count(verdicts.right & within)[places]
    samples = verdicts.count(np.ones(len(verdicts), dtype=bool))[places]
    return pass_at_k(right, samples, ks), float(1 - within.mean())
