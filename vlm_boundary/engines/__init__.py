"""Engines: what draws samples from a checkpoint, or stands for one that does."""

from vlm_boundary.engines.base import Completion, Engine, Failure, Request, Workload

__all__ = ["Completion", "Engine", "Failure", "Request", "Workload"]
