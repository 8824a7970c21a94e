"""Two arms at equal cost: of as many tokens, and of responses no longer than a limit."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.estimators import paper_grid, pass_at_k
from vlm_boundary.analysis.stopping import pass_at_k_of
from vlm_boundary.records.cost import AtTokens, EqualBudgets, ShorterResponses

HALVINGS = 6
"""How often the largest length is halved."""


def equal_budgets(data: BenchmarkData, pair: Pair) -> EqualBudgets:
    """A pair at equal cost; null where not all lengths are known."""
    lengths = {arm: data.first_look.lengths(arm) for arm in pair.names}
    known = all(len(found) and not np.isnan(found).any() for found in lengths.values())
    return EqualBudgets(
        base=pair.base,
        other=pair.other,
        by_tokens=_by_tokens(data, pair, lengths) if known else None,
        by_max_tokens=_by_max_tokens(data.first_look, pair, lengths) if known else None,
    )


def at_cost(curve: Floats, tokens: Floats, budgets: Floats) -> Floats:
    """What each problem adds to pass@k at the k that so many tokens per problem buy.

    k samples of every problem cost k·m tokens per problem, m being the mean length of a sample, so
    that a budget B buys k = B/m; between whole k some problems get one sample more, and pass@k is
    joined by straight lines. m is itself estimated from the problems, and with it k: problem i's
    value is f_i(k) - f'(k)·k·(m_i - m)/m, where m_i is its own mean length and f' the slope of the
    mean curve. Their mean is f(B/m), and their spread is that of f(B/m) with m estimated (the delta
    method). A value may lie beyond 0 and 1, which means do not.

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
        count = len(verdicts.problem_ids)
        total = np.bincount(verdicts.problem, weights=of, minlength=count)
        mean = total / np.maximum(verdicts.count(np.ones(len(of), dtype=bool)), 1)
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
    """Both arms with responses up to a length, the same for both; longer ones answer nothing.

    A sampler draws token by token, so that one that may give up to B tokens gives the same
    responses, those longer than B cut off. It is taken for no answer then, although an answer may
    stand before the cut.
    """
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
    data: BenchmarkData,
    arm: str,
    lengths: Floats,
    size: int,
    problem_ids: tuple[str, ...],
    ks: Ints,
) -> tuple[Floats, float]:
    """pass@k of each problem, and the share of an arm's samples that are longer."""
    verdicts, places = data.verdicts[arm], data.verdicts[arm].places(problem_ids)
    within = lengths <= size
    right = verdicts.count(verdicts.right & within)[places]
    samples = verdicts.count(np.ones(len(verdicts), dtype=bool))[places]
    return pass_at_k(right, samples, ks), float(1 - within.mean())
