"""Engines: what draws samples from a checkpoint, or stands for one that does."""

from vlm_boundary.engines.base import (
    Completion,
    Engine,
    Failure,
    Request,
    Scored,
    ScoreRequest,
    ScoringEngine,
    Workload,
)

__all__ = [
    "Completion",
    "Engine",
    "Failure",
    "Request",
    "ScoreRequest",
    "Scored",
    "ScoringEngine",
    "Workload",
]
