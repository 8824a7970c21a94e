"""Sampling: what is missing, its seeds, and how it is drawn."""

from vlm_boundary.sampling.plan import ALL
from vlm_boundary.sampling.stage import sample
from vlm_boundary.sampling.work import problem_seed

__all__ = ["ALL", "problem_seed", "sample"]
