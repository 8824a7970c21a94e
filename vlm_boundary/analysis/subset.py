"""CoT-pass@k where not all right answers were judged, or problems ended before they were."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.estimators import all_of
from vlm_boundary.analysis.stopping import before_the_look, stopped_part_pass_at_k
from vlm_boundary.stopping import StoppingRule


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

    The bracket is unbiased over the draw of the subset as long as j <= m. Beyond, the chance that
    one of j is valid is at least what it is at j = m, of which 1 if d > 0 else 0 is unbiased, and
    at most 1. Where all right answers were judged (m = C) both bounds are the usual estimator, in
    which wrong answers are invalid: 1 - C(n-d, k) / C(n, k) (Wen et al. 2025, arXiv 2506.14245).

    By a rule that ends problems on right samples, which are judged afterwards, j is distributed as
    among the sequences that end where the problem did. Of one that ended before k all C right ones
    are among the first k, and what these hold beyond is not known: see
    `stopping.stopped_part_pass_at_k`.

    Args:
        samples: n, shape (problems,).
        correct: C, at most n.
        judged: m, at most C.
        valid: d, at most m.
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
    """`_hypergeometric` for a problem that ended at look n: its right ones among the first k.

    None of these js where n < k: then the first k hold all c right ones, and perhaps more.
    """
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
