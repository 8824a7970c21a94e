"""Work on a Ray cluster: one plan, one run directory, any number of machines."""

from vlm_boundary.cluster.stage import draw_models

__all__ = ["draw_models"]
