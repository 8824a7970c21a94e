"""Planning: what an experiment would cost, before a GPU is touched."""

from vlm_boundary.planning.estimate import Plan, plan
from vlm_boundary.planning.text import describe

__all__ = ["Plan", "describe", "plan"]
