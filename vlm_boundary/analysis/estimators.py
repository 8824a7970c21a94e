"""Unbiased estimators from (correct count, sample count): a row a problem, a column a k."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Floats, Ints


def pass_at_k(correct: Ints, samples: Ints, ks: Ints) -> Floats:
    """Probability that at least one of k samples is correct.

    1 - C(n-c, k) / C(n, k), the chance that k draws without replacement from n samples with c
    correct ones do not all miss (Chen et al. 2021, arXiv 2107.03374, equation 1).

    Args:
        correct: c, shape (problems,).
        samples: n, shape (problems,).
        ks: each at least 1, ascending, shape (ks,).

    Returns:
        Shape (problems, ks); NaN where n < k, since the estimator does not exist there.

    Raises:
        ValueError: a k is below 1, or a count is negative or above its n.
    """
    correct, samples = _checked(correct, samples)
    return 1.0 - all_of(samples - correct, samples, ks)


def pass_hat_k(correct: Ints, samples: Ints, ks: Ints) -> Floats:
    """Probability that all k samples are correct, C(c, k) / C(n, k).

    "pass^k" (Yao et al. 2024, arXiv 2406.12045); arguments and shapes as in `pass_at_k`.
    """
    correct, samples = _checked(correct, samples)
    return all_of(correct, samples, ks)


def all_of(marked: Ints, samples: Ints, ks: Ints) -> Floats:
    """Probability that k draws without replacement are all of the marked kind.

    C(m, k) / C(n, k) = prod_{i<k} (m-i) / (n-i), as a running product for every k at once, which
    neither overflows nor cancels; in extended precision where the machine has it, so that it is
    good to 1e-15 after 100,000 factors. `marked` and `samples` are m and n, shape (problems,).

    Returns:
        Shape (problems, ks), ks ascending; NaN where n < k.
    """
    ks = np.asarray(ks, dtype=np.int64)
    if len(ks) and ks[0] < 1:
        raise ValueError(f"k must be at least 1, not {ks[0]}")
    deepest = int(ks[-1]) if len(ks) else 0
    draws = np.arange(deepest)
    distinct, place = np.unique(np.stack([marked, samples]), axis=1, return_inverse=True)
    rows = np.empty((distinct.shape[1], len(ks)))
    for row, (m, n) in enumerate(distinct.T):
        left = np.maximum(n - draws, 1)  # only reached below 1 where the result is NaN
        chance = np.cumprod(np.maximum(m - draws, 0) / left.astype(np.longdouble))
        rows[row] = np.where(ks <= n, chance[ks - 1], np.nan)
    return rows[place.reshape(-1)]


def every_k(samples: Ints) -> Ints:
    """1 … the largest n."""
    return np.arange(1, int(samples.max(initial=0)) + 1)


def paper_grid(n: int) -> Ints:
    """The k of the published figures up to n, and n: floor(2^(i/4)) (arXiv 2504.13837)."""
    powers = np.floor(2 ** (np.arange(4 * max(n, 1).bit_length()) / 4)).astype(np.int64)
    grid: NDArray[np.int64] = np.unique(np.append(powers[powers <= n], n))
    return grid


def _checked(correct: Ints, samples: Ints) -> tuple[Ints, Ints]:
    c, n = np.asarray(correct, dtype=np.int64), np.asarray(samples, dtype=np.int64)
    if (c < 0).any() or (c > n).any():
        raise ValueError("correct counts must lie between 0 and the sample count")
    return c, n


def g_pass_at_k(correct: Ints, samples: Ints, k: int, taus: Floats) -> Floats:
    """Probability that at least a share τ of k samples is correct, never less than one of them.

    G-Pass@k_τ = Σ_{j ≥ max(1, ⌈τk⌉)} C(c, j)·C(n-c, k-j) / C(n, k) (Liu et al. 2024, arXiv
    2412.13147, equation 5); τ = 0 is pass@k, τ = 1 is pass^k. Shape (problems, taus); NaN where
    n < k.
    """
    tails = _at_least(correct, samples, k)
    # Rounded first: 0.7 · 10 is a little more than 7.
    least = np.maximum(np.ceil(np.round(np.asarray(taus) * k, 9)).astype(np.int64), 1)
    return tails[:, least]


def mg_pass_at_k(correct: Ints, samples: Ints, k: int) -> Floats:
    """G-Pass@k_τ averaged over τ from one half to one, shape (problems,); NaN where n < k.

    mG-Pass@k = 2/k · Σ_{i=⌈k/2⌉+1}^{k} G-Pass@k_{i/k} (Liu et al. 2024, arXiv 2412.13147, equation
    6, in its discrete form). For odd k these are (k-1)/2 terms of weight 2/k: a model that is
    always right has (k-1)/k, and 0 for k = 1.
    """
    return np.asarray(2.0 / k * _at_least(correct, samples, k)[:, (k + 1) // 2 + 1 :].sum(axis=1))


def cover_at_tau(correct: Ints, samples: Ints, percents: Ints) -> Floats:
    """Whether at least this share of a problem's samples is correct: 1[c/n ≥ τ].

    Cover@τ (Dragoi et al. 2025, arXiv 2510.08325); its mean over problems is the reported value.
    `percents` are 100 τ, whole numbers, so that no rounding decides.

    Returns:
        Shape (problems, taus); NaN where there are no samples.
    """
    c, n = _checked(correct, samples)
    covered = c[:, None] * 100 >= percents * n[:, None]
    return np.where(n[:, None] > 0, covered.astype(np.float64), np.nan)


def _at_least(correct: Ints, samples: Ints, k: int) -> Floats:
    """Probability of at least j correct ones among k draws, shape (problems, k + 1)."""
    c, n = _checked(correct, samples)
    distinct, place = np.unique(np.stack([c, n]), axis=1, return_inverse=True)
    c, n = distinct[:, :, None]
    logs = np.log(np.arange(1, max(int(n.max(initial=0)), k) + 1, dtype=np.longdouble))
    factorial = np.concatenate([[0], np.cumsum(logs)])  # of the logarithm

    def choose(above: Ints, below: Ints | int) -> NDArray[np.longdouble]:
        inside = (below >= 0) & (below <= above)
        a, b = np.maximum(above, 0), np.clip(below, 0, np.maximum(above, 0))
        value = factorial[a] - factorial[b] - factorial[a - b]
        return np.where(inside, value, -np.inf)

    j = np.arange(k + 1)
    enough = n >= k
    whole = np.where(enough, n, k)
    exactly = np.exp((choose(c, j) + choose(n - c, k - j) - choose(whole, k)).astype(np.float64))
    tails = np.cumsum(exactly[:, ::-1], axis=1)[:, ::-1]
    return np.where(enough, np.minimum(tails, 1.0), np.nan)[place.reshape(-1)]
