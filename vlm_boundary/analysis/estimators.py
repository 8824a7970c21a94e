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
    good to 1e-15 after 100,000 factors. Problems with the same counts are computed once.

    Args:
        marked: m, shape (problems,).
        samples: n, shape (problems,).
        ks: ascending, shape (ks,).

    Returns:
        Shape (problems, ks); NaN where n < k.
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
