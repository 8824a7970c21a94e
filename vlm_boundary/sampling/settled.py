"""What cannot be drawn, scored or judged as things stand: no engine is started for it again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from vlm_boundary import __version__
from vlm_boundary.engines.base import Failure
from vlm_boundary.environment import version_of
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.sampling.plan import Task
from vlm_boundary.store import Failed, FailureTable, Partition, RunDirectory, short_hash

_OF_MANY = ("n", "stop")
"""Sampling parameters that say how often is drawn, and not what one request is."""


def drawn_under(manifest: Manifest, partition: Partition) -> str:
    """A hash of all that decides whether a request can be put to an arm's engine.

    Prompt, pixel budget, the engine's settings, what a response may take, and the versions of the
    engine and of this package: when one of them is another, it is tried again.
    """
    arm = manifest.arms[partition.arm]
    what = partition.benchmark
    if partition.condition != "full":
        what = f"{what}/{partition.condition}"
    sampling = {key: value for key, value in arm.sampling.items() if key not in _OF_MANY}
    said = [arm.identity.as_json(), arm.prompts.get(what), arm.engine, sampling]
    return short_hash(json.dumps([*said, *versions(arm.engine)], sort_keys=True))


def without_refused(run: RunDirectory, task: Task, kept: Mapping[Failed, str], under: str) -> Task:
    """A task without what fails again.

    Args:
        kept: what failed, and under which settings, as `record_failures` left it.
        under: the settings as they are now.
    """
    now = _hashes(run, task.partition, kept.keys(), under)
    return task.without({key for key, said in kept.items() if said == now[key]})


def record_failures(
    run: RunDirectory,
    partition: Partition,
    failures: FailureTable,
    found: Sequence[tuple[Failed, Failure]],
    under: str,
) -> None:
    """Record what failed, and of what fails again under which settings it does.

    Args:
        under: a hash of all that decides it, except a sample's own text.
    """
    again = _hashes(run, partition, [key for key, failure in found if failure.lasting], under)
    failures.add(partition, [(*key, failure.reason) for key, failure in found], again)


def _hashes(
    run: RunDirectory, partition: Partition, keys: Collection[Failed], under: str
) -> dict[Failed, str]:
    """What each of these follows from: of a stored sample its text too, for it may be redrawn."""
    problem_ids = {problem_id for problem_id, index in keys if index is not None}
    texts: dict[Failed, str] = {}
    if problem_ids:
        wanted = pc.field("problem_id").isin(sorted(problem_ids))
        for row in run.samples.read(partition, ["text_hash"], wanted).to_pylist():
            texts[row["problem_id"], row["sample_index"]] = row["text_hash"] or ""
    return {key: under if key[1] is None else short_hash(under, texts.get(key, "")) for key in keys}


def versions(engine: Mapping[str, Any] | None) -> tuple[str, str]:
    """Of an engine's package, by its settings, and of this one."""
    kind = (engine or {}).get("kind")
    return (version_of(str(kind)) or "") if kind else "", __version__
