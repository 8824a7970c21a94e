"""pass@k from (correct count, sample count): pure functions on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def pass_at_k(correct: Ints, samples: Ints, k: int) -> Floats:
    """Unbiased probability that at least one of k samples is correct, a value a problem.

    1 - C(n-c, k) / C(n, k), the chance that k draws without replacement from n samples with c
    correct ones miss them all (Chen et al. 2021, arXiv 2107.03374, equation 1), computed as
    1 - prod_{i=0}^{k-1} (n-c-i) / (n-i), which neither overflows nor cancels.

    Args:
        correct: c, shape (problems,).
        samples: n, shape (problems,).
        k: at least 1.

    Returns:
        Shape (problems,); NaN where n < k, since the estimator does not exist there.

    Raises:
        ValueError: k < 1, or a count is negative or above its n.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    c, n = np.asarray(correct, dtype=np.int64), np.asarray(samples, dtype=np.int64)
    if (c < 0).any() or (c > n).any():
        raise ValueError("correct counts must lie between 0 and the sample count")
    draws = np.arange(k)
    wrong_left = np.maximum((n - c)[:, None] - draws, 0)
    left = np.maximum(n[:, None] - draws, 1)  # only reached below 1 where the result is NaN
    missed_all = np.prod(wrong_left / left, axis=1)
    return np.where(n >= k, 1.0 - missed_all, np.nan)


def mean_interval(
    values: Floats, confidence: float, bounds: tuple[float, float]
) -> dict[str, float | int | None]:
    """Mean over problems with Student's t interval, problems taken as a sample of their kind.

    Args:
        values: one value a problem, shape (problems,); NaN marks a problem that has none.
        confidence: level, as 0.95.
        bounds: what a value can be at all, (0, 1) for a probability; the interval stays inside.

    Returns:
        estimate, low, high (None where not defined) and the number of problems used.
    """
    known = values[~np.isnan(values)]
    if known.size == 0:
        return {"estimate": None, "low": None, "high": None, "problems": 0}
    estimate = float(known.mean())
    if np.ptp(known) == 0:
        # One problem, or all alike: without spread, t knows nothing of how far off the mean may be.
        return {"estimate": estimate, "low": None, "high": None, "problems": int(known.size)}
    from scipy.stats import t

    error = float(known.std(ddof=1)) / float(np.sqrt(known.size))
    reach = float(t.ppf(0.5 + confidence / 2, known.size - 1)) * error
    return {
        "estimate": estimate,
        "low": max(estimate - reach, bounds[0]),
        "high": min(estimate + reach, bounds[1]),
        "problems": int(known.size),
    }


def solved_sets(base_correct: Ints, other_correct: Ints) -> dict[str, Any]:
    """How many problems each of two arms solved at least once, on the same problems.

    Args:
        base_correct, other_correct: correct counts, shape (problems,), problems in one order.
    """
    base, other = base_correct > 0, other_correct > 0
    return {
        "both": int((base & other).sum()),
        "base_only": int((base & ~other).sum()),
        "other_only": int((~base & other).sum()),
        "neither": int((~base & ~other).sum()),
    }
