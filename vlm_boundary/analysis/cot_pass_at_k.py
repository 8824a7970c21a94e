"""CoT-pass@k where answers were not judged, problems ended early, or a checker errs."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.estimators import all_of
from vlm_boundary.analysis.intervals import known
from vlm_boundary.analysis.stopping import before_the_look, stopped_part_pass_at_k
from vlm_boundary.records.record import Interval
from vlm_boundary.stopping import StoppingRule

_POSTERIOR_DRAWS = 50
_RESAMPLES = 40  # of problems, for each draw of the posterior


def subset_pass_at_k(
    samples: Ints,
    correct: Ints,
    judged: Ints,
    valid: Ints,
    ks: Ints,
    rule: StoppingRule | None = None,
) -> tuple[Floats, Floats]:
    """Bounds of the probability that at least one of k samples is right for a valid reason.

    Of n samples C are right; m of those, drawn uniformly, were judged, d of them valid. With j the
    number of right ones among k samples drawn without replacement,

        sum over j of Hyp(j; n, C, k) · [1 - C(m-d, j) / C(m, j)]

    The bracket is unbiased as long as j <= m. Beyond it is at least what it is at j = m, of which 1
    if d > 0 else 0 is unbiased, and at most 1. With m = C both bounds are 1 - C(n-d, k) / C(n, k)
    (Wen et al. 2025, arXiv 2506.14245). By a rule j is distributed as among the sequences that end
    where the problem did; see `stopping.stopped_part_pass_at_k`.

    Args:
        samples, correct, judged, valid: n, C, m and d, each of shape (problems,).
        ks: ascending, shape (ks,).
        rule: by which problems ended; None where each has n samples regardless.

    Returns:
        low and high, each of shape (problems, ks); NaN where n < k, by a rule where its n is.

    Raises:
        ValueError: the counts do not lie within each other.
    """
    n, c, m, d = (np.asarray(x, dtype=np.int64) for x in (samples, correct, judged, valid))
    if (d < 0).any() or (d > m).any() or (m > c).any() or (c > n).any():
        raise ValueError("counts must be 0 <= valid <= judged <= correct <= samples")
    if rule is None:
        low = 1.0 - all_of(n - d, n, ks)
        high = low.copy()
    else:
        low, high = stopped_part_pass_at_k(d, c, n, ks, rule)
    partly = np.flatnonzero(m < c)
    if not len(partly):
        return low, high
    distinct, place = np.unique(np.stack([n, c, m, d])[:, partly], axis=1, return_inverse=True)
    rows = [
        _bounds(int(column[0]), int(column[1]), int(column[2]), int(column[3]), ks, rule)
        for column in distinct.T
    ]
    place = place.reshape(-1)
    low[partly] = np.array([row[0] for row in rows])[place]
    high[partly] = np.array([row[1] for row in rows])[place]
    return low, high


def _bounds(
    n: int, c: int, m: int, d: int, ks: Ints, rule: StoppingRule | None
) -> tuple[Floats, Floats]:
    """Both bounds for one problem with m < c, each of shape (ks,)."""
    js = np.arange(1, m + 1)
    misses = np.cumprod(np.maximum(m - d - np.arange(m), 0) / (m - np.arange(m)))
    all_js = np.arange(m + 1)
    if rule is None:
        chances = _hypergeometric(all_js, n, c, ks)
    else:
        chances = _by_rule(all_js, n, c, ks, rule)
    within = chances[:, 1:] @ (1.0 - misses) if len(js) else np.zeros(len(ks))
    tail = np.clip(1.0 - chances.sum(axis=1), 0.0, 1.0)
    high = np.clip(within + tail, 0.0, 1.0)
    low = high if d > 0 else np.clip(within, 0.0, 1.0)
    too_many = ks > (n if rule is None else rule.n)
    return np.where(too_many, np.nan, low), np.where(too_many, np.nan, high)


def _by_rule(js: Ints, n: int, c: int, ks: Ints, rule: StoppingRule) -> Floats:
    """`_hypergeometric` for a problem that ended at look n; none of these js where n < k."""
    before = rule.before(n)
    weights = before_the_look(c, before, n - before, rule.right if before else 1)
    chances = np.zeros((len(ks), len(js)))
    early, late = ks <= before, (ks > before) & (ks <= n)
    for s in np.flatnonzero(weights).tolist():
        if early.any():
            chances[early] += weights[s] * _hypergeometric(js, before, s, ks[early])
        # Those before the last block are among the first k, whichever they are.
        left = _hypergeometric(np.maximum(js - s, 0), n - before, c - s, ks[late] - before)
        chances[late] += weights[s] * np.where(js >= s, left, 0.0)
    return chances


def _hypergeometric(js: Ints, n: int, c: int, ks: Ints) -> Floats:
    """Probability of j right ones among k of n samples with c right ones, shape (ks, js)."""
    from scipy.special import gammaln

    def choose(whole: Floats | float, part: Floats) -> Floats:
        return np.asarray(gammaln(whole + 1.0) - gammaln(part + 1.0) - gammaln(whole - part + 1.0))

    j, k = js[None, :].astype(np.float64), np.minimum(ks, n)[:, None].astype(np.float64)
    possible = (j <= k) & (j <= c) & (k - j <= n - c)
    held, rest = np.where(possible, j, 0.0), np.where(possible, k - j, 0.0)
    logs = choose(float(c), held) + choose(float(n - c), rest) - choose(float(n), k)
    return np.where(possible, np.exp(logs), 0.0)


def expected_pass_at_k(
    samples: Ints, passed: Ints, vetoed: Ints, p_passed: float, p_vetoed: float, ks: Ints
) -> Floats:
    """Expected probability that one of k samples is right for a valid reason.

    Sample j is valid with probability p_j, independently: 0 for a wrong answer, `p_passed` for a
    right one that the checker passed and `p_vetoed` for another. The expectation is
    1 - e_k(1 - p_1, …, 1 - p_n) / C(n, k), e_k the elementary symmetric polynomial. Normalised by
    C(t, k) after t samples it obeys R_k(t) = (t-k)/t R_k(t-1) + k/t (1 - p_t) R_{k-1}(t-1).

    Args:
        samples, passed, vetoed: n, and right answers by what the checker says, shape (problems,).
        ks: ascending, shape (ks,).

    Returns:
        Shape (problems, ks); NaN where n < k.
    """
    distinct, place = np.unique(np.stack([samples, passed, vetoed]), axis=1, return_inverse=True)
    rows = np.array(
        [
            _expected(int(one[0]), int(one[1]), int(one[2]), p_passed, p_vetoed, ks)
            for one in distinct.T
        ]
    )
    return rows[place.reshape(-1)]


def _expected(n: int, a: int, b: int, p_a: float, p_b: float, ks: Ints) -> Floats:
    deepest = min(int(ks[-1]), n)
    k = np.arange(1, deepest + 1)
    # Wrong answers first: of them alone, every draw has no valid one.
    ratio = np.ones(deepest + 1)
    for t, p in zip(range(n - a - b + 1, n + 1), [p_a] * a + [p_b] * b, strict=True):
        share = np.minimum(k / t, 1.0)
        ratio[1:] = (1.0 - share) * ratio[1:] + share * (1.0 - p) * ratio[:-1]
    return np.where(ks <= n, 1.0 - ratio[np.minimum(ks, deepest)], np.nan)


def calibrated_curve(
    samples: Ints,
    passed: Ints,
    vetoed: Ints,
    labels: dict[bool, tuple[int, int]],
    ks: Ints,
    level: float,
    rng: np.random.Generator,
) -> dict[int, Interval]:
    """Mean expected CoT-pass@k over problems, by k, with a percentile interval.

    The interval draws both probabilities from their posteriors (Beta, Jeffreys' prior) and
    resamples problems. `labels` says, by the checker's verdict, how many of those read are valid.
    """
    means, draws = {}, {}
    for verdict, (valid, read) in labels.items():
        means[verdict] = (valid + 0.5) / (read + 1.0)
        draws[verdict] = rng.beta(valid + 0.5, read - valid + 0.5, size=_POSTERIOR_DRAWS)
    estimate = expected_pass_at_k(samples, passed, vetoed, means[True], means[False], ks)
    problems = len(samples)
    curves = []
    for p_passed, p_vetoed in zip(draws[True], draws[False], strict=True):
        values = expected_pass_at_k(samples, passed, vetoed, p_passed, p_vetoed, ks)
        taken = rng.integers(problems, size=(_RESAMPLES, problems))
        curves.append(values[taken].mean(axis=1))
    low, high = np.nanquantile(np.concatenate(curves), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return {
        k: Interval(estimate=at, low=below, high=above)
        for k, at, below, above in zip(
            ks.tolist(), known(estimate.mean(axis=0)), known(low), known(high), strict=True
        )
    }
