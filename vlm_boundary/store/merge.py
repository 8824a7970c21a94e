"""Runs of one experiment, sampled apart, joined into one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from vlm_boundary.errors import UserError
from vlm_boundary.store.compact import compact_run
from vlm_boundary.store.difference import first_difference
from vlm_boundary.store.locks import Shard
from vlm_boundary.store.run import RunDirectory

# Tables and folders whose files are named by their content or at random, and so never clash.
_JOINED = (
    "samples",
    "failures",
    "scores",
    "score_failures",
    "problems",
    "images",
    "writers",
    "logs",
)


def merge(sources: Sequence[RunDirectory], into: RunDirectory) -> int:
    """Join runs into a new or existing one, which may be one of them; returns its samples.

    Samples that several runs hold count once, the earliest written. Verdicts are not taken along:
    `verify` gives them again.

    Raises:
        UserError: a run is none, or two of them hold different things under one name.
    """
    whole = Shard()
    with into.locks.writing(whole), into.locks.turn():
        for source in sources:
            if source.path.resolve() == into.path.resolve():
                continue
            theirs = source.read_manifest()
            if "experiment" not in theirs:
                raise UserError(f"{source.path}: not a run directory (it has no manifest.json)")
            manifest = _joined(into.read_manifest(), theirs, source.path, into.path)
            for name in _JOINED:
                _copy(source.path / name, into.path / name)
            into.write_manifest(manifest)
        compact_run(into)
    return sum(
        rows.num_rows
        for partition in into.samples.partitions()
        for _, rows in into.samples.batches(partition, ["sample_index"])
    )


def _joined(
    ours: dict[str, Any], theirs: dict[str, Any], source: Path, into: Path
) -> dict[str, Any]:
    if not ours:
        return theirs
    for name in ours["benchmarks"].keys() & theirs["benchmarks"].keys():
        _refuse(ours, theirs, ("benchmarks", name, "content"), source, into)
    for name in ours["arms"].keys() & theirs["arms"].keys():
        _refuse(ours, theirs, ("arms", name, "identity"), source, into)
        both = ours["arms"][name]["prompts"].keys() & theirs["arms"][name]["prompts"].keys()
        for benchmark in both:
            _refuse(ours, theirs, ("arms", name, "prompts", benchmark), source, into)
    arms = {}
    for name, arm in (theirs["arms"] | ours["arms"]).items():
        prompts = theirs["arms"].get(name, arm)["prompts"] | arm["prompts"]
        arms[name] = arm | {"prompts": prompts}
    experiment = ours["experiment"]
    for part in ("benchmarks", "arms"):
        experiment[part] = theirs["experiment"][part] | experiment[part]
    return ours | {
        "experiment": experiment,
        "benchmarks": theirs["benchmarks"] | ours["benchmarks"],
        "arms": arms,
    }


def _refuse(ours: Any, theirs: Any, keys: tuple[str, ...], source: Path, into: Path) -> None:
    for key in keys:
        ours, theirs = ours[key], theirs[key]
    if difference := first_difference(ours, theirs, ".".join(keys)):
        raise UserError(
            f"{source} cannot be merged into {into}: {difference.what} is {difference.now} there "
            f"and {difference.before} here; only runs of the same experiment can be joined"
        )


def _copy(source: Path, target: Path) -> None:
    """Copy the files that are missing, each whole or not at all."""
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_file() and not path.name.startswith(".") and not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            temporary = copy.with_name(f".{uuid4().hex}.tmp")
            shutil.copyfile(path, temporary)
            temporary.replace(copy)
