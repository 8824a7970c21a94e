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
from vlm_boundary.analysis.majority import majority_at_k
from vlm_boundary.analysis.verdicts import Verdicts

TAUS = (0.25, 0.5, 0.75, 1.0)
COVER_PERCENTS = (1, 5, *range(10, 101, 10))


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
