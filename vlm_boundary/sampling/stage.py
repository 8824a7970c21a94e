"""The sampling stage: what is missing, shared out over engine processes."""

from __future__ import annotations

import os
from typing import Any

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.sampling.loop import plan_task
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.sampling.supervise import Job, run_jobs
from vlm_boundary.store import Partition, RunDirectory


def sample(run: RunDirectory, experiment: ExperimentConfig, *, limit: int | None = None) -> int:
    """Draw every sample that the experiment asks for and the run lacks; returns how many.

    Args:
        limit: sample only each benchmark's first problems.

    Raises:
        UserError: something in the experiment cannot be run as it stands.
        EngineDied: an engine failed; running the stage again goes on from there.
    """
    with run.writing():
        manifest = prepare(run, experiment)
        missing = {arm: _missing(run, experiment, arm, limit) for arm in experiment.arms}
        wanted = [arm for arm in missing if missing[arm]]
        jobs = [
            Job(tuple(arms), sum(missing[arm] for arm in arms))
            for arms in _engines(experiment, manifest, wanted)
        ]
        if jobs:
            at_once, threads = places(experiment, len(jobs))
            run_jobs(run, jobs, at_once=at_once, threads=threads, limit=limit)
        # Counted from the tables: what could not be drawn is still missing.
        left = sum(_missing(run, experiment, arm, limit) for arm in wanted)
        return sum(missing.values()) - left


def _missing(run: RunDirectory, experiment: ExperimentConfig, arm: str, limit: int | None) -> int:
    n = experiment.arm_sampling(arm).n
    return sum(
        plan_task(run, Partition(arm, benchmark), n, limit=limit).samples
        for benchmark in experiment.benchmarks
    )


def _engines(
    experiment: ExperimentConfig, manifest: dict[str, Any], arms: list[str]
) -> list[list[str]]:
    """Arms grouped so that those of one checkpoint under one engine setting share a process."""
    groups: dict[str, list[str]] = {}
    for arm in arms:
        key = manifest["arms"][arm]["folder"] + experiment.arm_engine(arm).model_dump_json()
        groups.setdefault(key, []).append(arm)
    return list(groups.values())


def places(experiment: ExperimentConfig, jobs: int) -> tuple[int, int | None]:
    """How many engines run at once, and the threads of each (None: the engine decides).

    A GPU is given to one engine at a time, since an engine takes all of its memory. On a CPU small
    models do not fill the cores, and engines side by side share the wait for their start.
    """
    import torch

    if torch.cuda.is_available():
        return min(experiment.parallel_engines or 1, jobs), None
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    at_once = min(experiment.parallel_engines or cores, jobs)
    return at_once, max(1, cores // at_once)
