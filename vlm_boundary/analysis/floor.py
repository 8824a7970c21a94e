"""What a model's own answers score on problems that they were not given for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Bools, Floats, Ints
from vlm_boundary.analysis.estimators import pass_at_k


@dataclass(frozen=True)
class Moved:
    """Every problem's answers graded on every other problem of the same answer type.

    Attributes:
        hits: how many of problem j's answers are right for problem i, shape (N, N).
        allowed: whether j's answers are put to i: another problem, of the same type.
        samples: how many samples each problem j has, with an answer or without, shape (N,).
    """

    hits: Ints
    allowed: Bools
    samples: Ints

    @property
    def draws(self) -> Ints:
        """Samples that were put to each problem, shape (N,)."""
        return np.asarray(self.samples @ self.allowed, dtype=np.int64)

    @property
    def successes(self) -> Ints:
        """Those of them that were right, shape (N,)."""
        return np.asarray((self.hits * self.allowed).sum(axis=0), dtype=np.int64)


def move(answers: Ints, samples: Ints, right: Bools, types: NDArray[np.int64]) -> Moved:
    """Grade each problem's answers on the other problems of its type.

    Args:
        answers: how often problem j was given answer a, a scipy.sparse matrix of shape (N, A).
        samples: samples of each problem, shape (N,); those without an answer are never right.
        right: whether answer a is right for problem i, shape (A, N).
        types: the answer type of each problem as a number, shape (N,).
    """
    hits = np.asarray(answers @ right.astype(np.int64), dtype=np.int64)
    allowed = types[:, None] == types[None, :]
    np.fill_diagonal(allowed, False)
    return Moved(hits, allowed, np.asarray(samples, dtype=np.int64))


def moved_pass_at_k(moved: Moved, ks: Ints) -> Floats:
    """pass@k of each problem when it gets all answers of another problem, over all such.

    The mean over j of 1 - C(n_j - h_ji, k) / C(n_j, k). A model that gives one answer again and
    again hits no more often in k samples than in one; one that spreads its answers does.

    Args:
        moved: answers put to other problems.
        ks: shape (ks,).

    Returns:
        Shape (N, ks); NaN where no other problem of the type has k samples.
    """
    problems, ks = len(moved.samples), np.asarray(ks)
    scored, among = np.zeros((problems, len(ks))), np.zeros((problems, len(ks)))
    for n in np.unique(moved.samples):
        donors = np.flatnonzero(moved.samples == n)
        # How many of these problems hit each problem h times, h = 0 … n.
        cells = np.arange(problems)[None, :] * (n + 1) + moved.hits[donors]
        counted = np.bincount(cells[moved.allowed[donors]], minlength=problems * (n + 1))
        by_hits = counted.reshape(problems, n + 1)
        reached = ks <= n
        counts = np.arange(n + 1)
        table = pass_at_k(counts, np.full(n + 1, n), ks[reached])
        scored[:, reached] += by_hits @ table
        among[:, reached] += by_hits.sum(axis=1)[:, None]
    return np.where(among > 0, scored / np.maximum(among, 1), np.nan)


def own_chance(moved: Moved) -> Floats:
    """The chance that one answer to another problem of the type is right, shape (N,).

    NaN where there is no such problem.
    """
    draws = moved.draws
    return np.where(draws > 0, moved.successes / np.maximum(draws, 1), np.nan)


def discoveries(p_values: Floats, rate: float) -> Bools:
    """Which hypotheses are rejected while at most this share of the rejected ones is true.

    Benjamini & Hochberg 1995 over the p-values that are known; the others are never rejected.
    """
    from scipy.stats import false_discovery_control

    found = np.zeros(len(p_values), dtype=bool)
    known = ~np.isnan(p_values)
    if known.any():
        found[known] = false_discovery_control(p_values[known], method="bh") <= rate
    return found
