"""How long things may take, and the cluster that engines run on."""

from __future__ import annotations

from pydantic import Field

from vlm_boundary.config.base import Settings


class Timeouts(Settings):
    """How long things may take: stuck engines are ended and started again."""

    start_seconds: float = Field(default=3600.0, gt=0.0)
    """Longest start, loading and compiling included."""
    stall_seconds: float = Field(default=900.0, gt=0.0)
    """Longest time without a single step."""
    flush_seconds: float = Field(default=5.0, gt=0.0)
    """Longest time that a finished sample waits to be stored; each wait makes a file an engine."""


class RayConfig(Settings):
    """A Ray cluster that engines run on, in place of this machine alone."""

    address: str | None = None
    """As `ray.init` takes it: auto, HOST:PORT, ray://HOST:10001 or local; by default the cluster
    that RAY_ADDRESS names or that this machine belongs to, else Ray started here."""
    max_engines: int | None = Field(default=None, ge=1)
    """The most engines at once; by default as many as the cluster has, or grows, room for."""
    samples_per_engine: int = Field(default=2048, ge=1)
    """Samples below which one more engine's start costs more than it saves."""
    gpus_per_engine: float | None = Field(default=None, ge=0.0)
    """By default its tensor_parallel_size times pipeline_parallel_size; 0 on a cluster of CPUs."""
    cpus_per_engine: float = Field(default=1.0, ge=0.0)
    """CPU cores that Ray sets aside for each engine."""
    resources: dict[str, float] = Field(default_factory=dict)
    """Further resources of yours that an engine needs, as in {a100: 1}."""
    storage: str | None = None
    """Where engines keep what they draw when their machines do not share the run directory's file
    system, as in s3://BUCKET/RUN; it is copied into the run directory as it comes."""
    max_crashes: int = Field(default=3, ge=1)
    """Engines that one problem may end before it is recorded as a failure."""
