"""Engines: what draws samples from a checkpoint."""

from vlm_boundary.engines.base import Completion, Engine, Failure, Request

__all__ = ["Completion", "Engine", "Failure", "Request"]
