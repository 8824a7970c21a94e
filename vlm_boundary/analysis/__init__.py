"""Statistics of verdicts."""

from vlm_boundary.analysis.estimators import pass_at_k, pass_hat_k
from vlm_boundary.analysis.intervals import mean_interval, t_intervals
from vlm_boundary.analysis.sets import solved_sets
from vlm_boundary.analysis.stage import analyze

__all__ = [
    "analyze",
    "mean_interval",
    "pass_at_k",
    "pass_hat_k",
    "solved_sets",
    "t_intervals",
]
