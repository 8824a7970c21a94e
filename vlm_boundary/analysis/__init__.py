"""Statistics of verdicts."""

from vlm_boundary.analysis.passk import mean_interval, pass_at_k, solved_sets
from vlm_boundary.analysis.stage import analyze

__all__ = ["analyze", "mean_interval", "pass_at_k", "solved_sets"]
