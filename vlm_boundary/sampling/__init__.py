"""Sampling: what is missing, its seeds, and the processes that draw it."""

from vlm_boundary.sampling.plan import ALL
from vlm_boundary.sampling.seeds import problem_seed
from vlm_boundary.sampling.stage import sample
from vlm_boundary.sampling.supervise import EngineDied

__all__ = ["ALL", "EngineDied", "problem_seed", "sample"]
