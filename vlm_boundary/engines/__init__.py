"""Engines: what draws samples from a checkpoint."""

from vlm_boundary.engines.base import (
    Completion,
    Engine,
    Failure,
    Request,
    Scored,
    ScoreRequest,
    ScoringEngine,
)

__all__ = [
    "Completion",
    "Engine",
    "Failure",
    "Request",
    "ScoreRequest",
    "Scored",
    "ScoringEngine",
]
