"""What a measured error of the verifier does to accuracy and pass@k."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.guessing import Floats, Ints


@dataclass(frozen=True)
class ErrorRates:
    """How often the verifier errs: on wrong answers (false positives), on right ones."""

    false_positive: float
    false_negative: float


def corrected_share(observed: Floats, rates: ErrorRates) -> Floats:
    """The true share of right answers behind an observed one, any shape.

    (q - α) / (1 - α - β), from q = p·(1 - β) + (1 - p)·α (Rogan & Gladen 1978). It is linear, so
    the mean of corrected shares is the corrected mean, and a difference is divided by 1 - α - β. An
    estimate may fall outside [0, 1]; it is not cut off, which would bias means.

    Raises:
        ValueError: α + β is 1 or more, with which verdicts say nothing.
    """
    informative = 1 - rates.false_positive - rates.false_negative
    if informative <= 0:
        raise ValueError("with α + β of 1 or more, verdicts say nothing")
    return np.asarray((np.asarray(observed) - rates.false_positive) / informative)


def pass_at_k_range(
    correct: Ints, samples: Ints, k: int, rates: ErrorRates
) -> tuple[float | None, float | None]:
    """The least and the largest mean pass@k that error rates leave possible.

    pass@k is not linear: it depends on which problems the errors fall on. Of all samples, the
    expected numbers of wrongly accepted ones, α·(1 - p)·S, and wrongly rejected ones, β·p·S, follow
    from the corrected share p. The least value takes all wrongly accepted ones away where that
    costs most: whole problems, those with the fewest correct samples a unit of pass@k first. The
    largest gives all wrongly rejected ones back where that adds most: to problems with the fewest
    correct samples, since pass@k is concave in their number.

    Args:
        correct: shape (problems,).
        samples: shape (problems,); problems with fewer than k are left out.
        k: at least 1.
        rates: α and β.

    Returns:
        low, high; None where no problem has k samples.
    """
    kept = samples >= k
    c, n = np.asarray(correct)[kept], np.asarray(samples)[kept]
    if c.size == 0:
        return None, None
    right = float(np.clip(corrected_share(c.sum() / n.sum(), rates), 0, 1)) * int(n.sum())
    accepted = rates.false_positive * (int(n.sum()) - right)
    rejected = rates.false_negative * right
    values = pass_at_k(c, n, k)
    low = max(float(values.sum()) - _largest_loss(c, values, accepted), 0.0)
    high = min(float(values.sum()) + _largest_gain(c, n, k, rejected), float(c.size))
    return low / c.size, high / c.size


def _largest_loss(correct: Ints, values: Floats, budget: float) -> float:
    """What taking this many correct samples away can cost, the last problem in part."""
    solved = correct > 0
    worth = values[solved] / correct[solved]
    order = np.argsort(-worth, kind="stable")
    costs = correct[solved][order]
    taken = np.clip(budget - (np.cumsum(costs) - costs), 0, costs)
    return float((taken * worth[order]).sum())


def _largest_gain(correct: Ints, samples: Ints, k: int, budget: float) -> float:
    """What giving this many samples to problems as correct can add."""
    units, gains = [], []
    for n in np.unique(samples):
        rows = correct[samples == n]
        # How many of these problems can be lifted from c to c + 1: all that have c or fewer.
        units.append(np.cumsum(np.bincount(rows, minlength=int(n) + 1))[:-1])
        counts = np.arange(int(n) + 1)
        gains.append(np.diff(pass_at_k(counts, np.full(int(n) + 1, n), k)))
    unit, gain = np.concatenate(units), np.concatenate(gains)
    order = np.argsort(-gain, kind="stable")
    taken = np.clip(budget - (np.cumsum(unit[order]) - unit[order]), 0, unit[order])
    return float((taken * gain[order]).sum())
