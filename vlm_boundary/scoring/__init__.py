"""Scoring: how likely one arm finds the responses of another."""

from vlm_boundary.scoring.stage import score

__all__ = ["score"]
