"""Engines on a Ray cluster: one plan, one run directory, any number of machines."""

from vlm_boundary.cluster.connect import connected
from vlm_boundary.cluster.pool import draw_on_cluster

__all__ = ["connected", "draw_on_cluster"]
