"""What takes as many samples of every problem: votes, consistency, shares of right answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.estimators import (
    cover_at_tau,
    g_pass_at_k,
    mg_pass_at_k,
    paper_grid,
    pass_hat_k,
)
from vlm_boundary.analysis.verdicts import Verdicts

WINDOWS = 16
TAUS = (0.25, 0.5, 0.75, 1.0)
COVER_PERCENTS = (1, 5, *range(10, 101, 10))


def majority_at_k(verdicts: Verdicts, ks: Ints, rng: np.random.Generator) -> Floats:
    """Probability that k samples vote for the right answer (self-consistency, arXiv 2203.11171).

    Right answers vote together, whatever their form; of several answers with most votes each wins a
    fair share, and a sample without an answer votes for none. Each problem's samples are put into
    one random order, and the k samples after each of `WINDOWS` evenly spaced starts vote: exact for
    k = 1 and k = n, an unbiased estimate between.

    Returns:
        Shape (problems, ks), ks ascending; NaN for a problem with fewer than k samples.
    """
    counts = verdicts.counts
    candidate, first = verdicts.candidates
    total = int(first[-1])
    owner = np.repeat(np.arange(len(counts.samples)), np.diff(first))
    order = np.lexsort((rng.random(len(verdicts)), verdicts.problem))
    shuffled = candidate[order]
    begin = np.concatenate([[0], np.cumsum(counts.samples)[:-1]])
    won = np.zeros((len(counts.samples), len(ks)))
    for window in range(WINDOWS):
        offset = window * counts.samples // WINDOWS
        votes = np.zeros(total, dtype=np.int64)
        before = 0
        for column, k in enumerate(ks.tolist()):
            # A problem with fewer than k samples goes round; its value is not used.
            drawn = (offset[:, None] + np.arange(before, k)) % counts.samples[:, None]
            voted = shuffled[begin[:, None] + drawn].ravel()
            votes += np.bincount(voted[voted >= 0], minlength=total)
            before = k
            most = np.maximum.reduceat(votes, first[:-1])
            winners = np.add.reduceat(votes == most[owner], first[:-1])
            right = votes[first[:-1]]
            won[:, column] += np.where((right == most) & (right > 0), 1.0 / winners, 0.0)
    values = won / WINDOWS
    values[:, ks == 1] = (counts.correct / counts.samples)[:, None]
    return np.where(ks <= counts.samples[:, None], values, np.nan)


@dataclass(frozen=True)
class Consistency:
    """An arm's values, one row per problem.

    Attributes:
        ks: those of tables, of `g_pass` and `mean_g`.
        grid: those of the published figures, of `majority`.
        hat: pass^k at k = 1 … n, shape (problems, n).
        majority: maj@k, shape (problems, grid).
        g_pass: G-Pass@k by τ, shape (problems, taus, ks).
        mean_g: its mean over τ, shape (problems, ks).
        covered: Cover@τ by percent, shape (problems, percents).
    """

    ks: Ints
    grid: Ints
    hat: Floats
    majority: Floats
    g_pass: Floats
    mean_g: Floats
    covered: Floats

    @classmethod
    def of(cls, verdicts: Verdicts, n: int, ks: Ints, rng: np.random.Generator) -> Consistency:
        """From an arm's verdicts, of which problems have n."""
        c, samples, grid = verdicts.counts.correct, verdicts.counts.samples, paper_grid(n)
        g_pass = [g_pass_at_k(c, samples, int(k), np.array(TAUS)) for k in ks]
        return cls(
            ks=ks,
            grid=grid,
            hat=pass_hat_k(c, samples, np.arange(1, n + 1)),
            majority=majority_at_k(verdicts, grid, rng),
            g_pass=np.stack(g_pass, axis=2),
            mean_g=np.stack([mg_pass_at_k(c, samples, int(k)) for k in ks], axis=1),
            covered=cover_at_tau(c, samples, np.array(COVER_PERCENTS)),
        )
