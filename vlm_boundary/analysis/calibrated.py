"""CoT-pass@k where a checker's verdicts are only as good as people found them to be."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.intervals import known
from vlm_boundary.records.record import Interval

_POSTERIOR_DRAWS = 50
_RESAMPLES = 40  # of problems, for each draw of the posterior


def expected_pass_at_k(
    samples: Ints, passed: Ints, vetoed: Ints, p_passed: float, p_vetoed: float, ks: Ints
) -> Floats:
    """Expected probability that one of k samples is right for a valid reason.

    Sample j is valid with probability p_j, independently: 0 for a wrong answer, `p_passed` for a
    right one that the checker passed and `p_vetoed` for another. Then the expectation is
    1 - e_k(1 - p_1, …, 1 - p_n) / C(n, k), e_k the elementary symmetric polynomial. Normalised by
    C(t, k) after t samples, it obeys R_k(t) = (t-k)/t R_k(t-1) + k/t (1 - p_t) R_{k-1}(t-1), all
    within 0 and 1. With probabilities 0 and 1 it is the usual estimator.

    Args:
        samples: n, shape (problems,).
        passed, vetoed: right answers that the checker passed, and that it did not.
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

    The interval draws the two probabilities from their posteriors (Beta, Jeffreys' prior) and
    resamples problems.

    Args:
        labels: by the checker's verdict, how many people found valid, and how many they read.
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
