"""Problems that cannot be drawn as things stand, so that no engine is started for them again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from vlm_boundary import __version__
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.sampling.plan import Task
from vlm_boundary.store import Partition, RunDirectory, short_hash

_OF_MANY = ("n", "stop")
"""Sampling parameters that say how often is drawn, and not what one request is."""


def drawn_under(manifest: Manifest, partition: Partition) -> str:
    """A hash of all that decides whether a request can be put to an arm's engine.

    Prompt, pixel budget, the engine's settings, what a response may take, and the versions of the
    engine and of this package: when one of them is another, it is tried again.
    """
    arm = manifest.arms[partition.arm]
    kind = str(arm.engine.get("kind", ""))
    what = partition.benchmark
    if partition.condition != "full":
        what = f"{what}/{partition.condition}"
    sampling = {key: value for key, value in arm.sampling.items() if key not in _OF_MANY}
    said = [arm.identity.as_json(), arm.prompts.get(what), arm.engine, sampling, _version(kind)]
    return short_hash(json.dumps(said, sort_keys=True), __version__)


def without_settled(run: RunDirectory, manifest: Manifest, tasks: Sequence[Task]) -> list[Task]:
    """The tasks without the problems that were refused under the very same settings."""
    return [_without(run, manifest, task) if task.spans else task for task in tasks]


def _without(run: RunDirectory, manifest: Manifest, task: Task) -> Task:
    settled = run.failures.settled(task.partition, drawn_under(manifest, task.partition))
    return replace(task, spans=[s for s in task.spans if s.problem.problem_id not in settled])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
