"""Sampling: what is missing, its seeds, and how it is drawn."""

from vlm_boundary.sampling.plan import ALL
from vlm_boundary.sampling.seeds import problem_seed
from vlm_boundary.sampling.stage import sample

__all__ = ["ALL", "problem_seed", "sample"]
