"""The guess filter: problems that a model sometimes gets right without reasoning."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Bools, Floats, Ints


def guessable(correct: Ints, samples: Ints, draws: int, threshold: float) -> Floats:
    """Which problems direct answers hit now and then, by luck.

    1 where 0 < c/m < threshold over the same number m of direct answers per problem, else 0. What
    is hit often is easy and stays, as what is never hit does (Yue et al. 2025, arXiv 2504.13837,
    appendix on guessable problems).

    Args:
        correct: c among the first m direct answers, shape (problems,).
        samples: how many of those m there are, shape (problems,).
        draws: m.
        threshold: 0.05 in the paper.

    Returns:
        Shape (problems,); NaN where a problem has fewer than m direct answers.
    """
    share = np.asarray(correct) / draws
    lucky = (share > 0) & (share < threshold)
    return np.where(np.asarray(samples) >= draws, lucky.astype(np.float64), np.nan)


def fewest_draws(threshold: float) -> int:
    """The least m with which one hit among m direct answers lies below the threshold."""
    return int(np.floor(1 / threshold)) + 1


def survivors(judged: list[Floats]) -> tuple[Bools, Bools]:
    """Problems that no model guesses, and those that some model's direct answers leave open.

    Args:
        judged: `guessable` of each model that the filter was run on, each of shape (problems,).

    Returns:
        survive and unknown, shape (problems,). What one model guesses is out, whatever the others
        do; the rest is unknown where a model has too few direct answers.
    """
    stacked = np.array(judged)
    out = (stacked == 1).any(axis=0)
    unknown = ~out & np.isnan(stacked).any(axis=0)
    return ~out & ~unknown, unknown
