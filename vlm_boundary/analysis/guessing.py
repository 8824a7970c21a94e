"""What blind guesses from a distribution of answers would score: pure functions on arrays."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Bools, Floats, Ints

SMOOTHING_ANSWERS = tuple(str(number) for number in range(101))
"""What a smoothed prior holds possible although nobody gave it: the whole numbers 0 to 100."""


def guessed_pass_at_k(chance: Floats, ks: Ints) -> Floats:
    """pass@k of k independent guesses, each right with a problem's own chance: 1 - (1 - g)^k.

    Args:
        chance: g, shape (problems,); NaN where it is not known.
        ks: shape (ks,).

    Returns:
        Shape (problems, ks); NaN where the chance is.
    """
    with np.errstate(divide="ignore"):  # a chance of 1 has the logarithm -inf, and pass@k 1
        values = -np.expm1(np.log1p(-np.asarray(chance))[:, None] * np.asarray(ks))
    return np.asarray(values, dtype=np.float64)


def leave_one_out_chance(right: Bools, smoothing: float, spread: Floats) -> Floats:
    """The chance that another problem's gold answer, drawn at random, is right for a problem.

    g_i = (Σ_{j≠i} right[j, i] + s·u_i) / (N - 1 + s)

    Args:
        right: whether the gold answer of problem j is right for problem i, shape (N, N).
        smoothing: s, how many answers the smoothing weighs.
        spread: u, the share of the smoothing's answers that are right, shape (N,).

    Returns:
        Shape (N,); NaN where there is nothing to draw from.
    """
    others = right.sum(axis=0) - right.diagonal()
    return _smoothed(others, len(right) - 1, smoothing, spread)


def held_out_chance(right: Bools, smoothing: float, spread: Floats) -> Floats:
    """The chance that an answer drawn from a list of answers is right for a problem.

    g_i = (Σ_a right[a, i] + s·u_i) / (A + s)

    Args:
        right: whether answer a of the list is right for problem i, shape (A, problems).
        smoothing, spread: as in `leave_one_out_chance`.

    Returns:
        Shape (problems,); NaN where there is nothing to draw from.
    """
    return _smoothed(right.sum(axis=0), len(right), smoothing, spread)


def _smoothed(hits: Ints, draws: int, smoothing: float, spread: Floats) -> Floats:
    total = draws + smoothing
    if total <= 0:
        return np.full(len(hits), np.nan)
    return np.asarray((hits + smoothing * spread) / total, dtype=np.float64)
