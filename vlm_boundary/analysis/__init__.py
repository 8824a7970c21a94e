"""Statistics of verdicts."""

from vlm_boundary.analysis.estimators import pass_at_k, pass_hat_k
from vlm_boundary.analysis.intervals import mean_interval, t_intervals
from vlm_boundary.analysis.sets import solved_sets
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.analysis.stopping import (
    stopped_lenient_pass_at_k,
    stopped_part_pass_at_k,
    stopped_pass_at_k,
    stopped_variance,
)

__all__ = [
    "analyze",
    "mean_interval",
    "pass_at_k",
    "pass_hat_k",
    "solved_sets",
    "stopped_lenient_pass_at_k",
    "stopped_part_pass_at_k",
    "stopped_pass_at_k",
    "stopped_variance",
    "t_intervals",
]
