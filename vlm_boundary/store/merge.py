"""Many into one: runs of one experiment that were sampled apart, and the parts of a partition."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Manifest, RunModel
from vlm_boundary.store.fingerprint import first_difference
from vlm_boundary.store.locks import Shard
from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.problems import ProblemReader
from vlm_boundary.store.run import RunDirectory, write_text
from vlm_boundary.writing import replacing

# Tables and folders whose files are named by their content or at random, and so never clash.
_JOINED = (
    "samples",
    "prefixes",
    "failures",
    "scores",
    "score_failures",
    "judgements",
    "judge_failures",
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
            theirs = source.existing_manifest()
            manifest = _joined(into.read_manifest(), theirs, source.path, into.path)
            for name in _JOINED:
                _copy(source.path / name, into.path / name)
            _join_labels(source.path / "labels", into.path / "labels")
            into.write_manifest(manifest)
        compact_run(into)
    return sum(
        rows.num_rows
        for partition in into.samples.partitions()
        for rows in into.samples.batches(partition, ["sample_index"])
    )


def _joined(ours: Manifest, theirs: Manifest, source: Path, into: Path) -> Manifest:
    if not ours.experiment:
        return theirs

    def refuse(here: Any, there: Any, what: str) -> None:
        if difference := first_difference(here, there, what):
            said = f"{difference.what} is {difference.now} there and {difference.before} here"
            if difference.hashed:
                said = f"{difference.what} is not the same there as here"
            raise UserError(
                f"{source} cannot be merged into {into}: {said}; only runs of the same experiment "
                f"can be joined"
            )

    for name in ours.benchmarks.keys() & theirs.benchmarks.keys():
        contents = ours.benchmarks[name].content, theirs.benchmarks[name].content
        refuse(*contents, f"benchmarks.{name}.content")
    models: tuple[tuple[str, Mapping[str, RunModel], Mapping[str, RunModel]], ...] = (
        ("arms", ours.arms, theirs.arms),
        ("judges", ours.judges, theirs.judges),
    )
    for kind, here, there in models:
        for name in here.keys() & there.keys():
            identities = here[name].identity.as_json(), there[name].identity.as_json()
            refuse(*identities, f"{kind}.{name}.identity")
    arms = theirs.arms | ours.arms
    for name in ours.arms.keys() & theirs.arms.keys():
        here_stop, there_stop = (one.arms[name].sampling.get("stop") for one in (ours, theirs))
        refuse(here_stop, there_stop, f"arms.{name}.sampling.stop")
        prompts, others = ours.arms[name].prompts, theirs.arms[name].prompts
        for benchmark in prompts.keys() & others.keys():
            refuse(prompts[benchmark], others[benchmark], f"arms.{name}.prompts.{benchmark}")
        arms[name] = arms[name].model_copy(update={"prompts": others | prompts})
    experiment = ours.experiment | {
        part: theirs.experiment[part] | ours.experiment[part] for part in ("benchmarks", "arms")
    }
    joined = {
        "experiment": experiment,
        "benchmarks": theirs.benchmarks | ours.benchmarks,
        "arms": arms,
    }
    if judges := theirs.judges | ours.judges:
        joined["judges"] = judges
    return ours.model_copy(update=joined)


def _join_labels(source: Path, into: Path) -> None:
    """Every label of both, each labeller's in the order of their times; queues as they are."""
    for path in sorted(source.glob("queues/*.json")):
        ours = into / "queues" / path.name
        if ours.is_file() and ours.read_bytes() != path.read_bytes():
            raise UserError(
                f"{path} and {ours} are different queues of one name, and labels refer to each by "
                f"it; these runs cannot be joined"
            )
    _copy(source / "queues", into / "queues")
    for path in sorted(source.glob("*.jsonl")):
        ours = into / path.name
        lines = ours.read_text(encoding="utf-8").splitlines() if ours.is_file() else []
        new = dict.fromkeys(path.read_text(encoding="utf-8").splitlines()).keys() - set(lines)
        if new:
            joined = sorted([*lines, *sorted(new)], key=_labelled_at)
            write_text(ours, "".join(f"{line}\n" for line in joined))


def _labelled_at(line: str) -> str:
    """When a label was stored; lines that are none come first."""
    try:
        return str(json.loads(line)["labelled_at"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _copy(source: Path, target: Path) -> None:
    """Copy the files that are missing, each whole or not at all."""
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_file() and not path.name.startswith(".") and not copy.exists():
            with replacing(copy) as temporary:
                shutil.copyfile(path, temporary)


def compact(table: PartTable, partition: Partition) -> None:
    """Make a partition one part: no duplicates, sorted by key, one row group per problem.

    Memory does not grow with the samples. Nobody else may write into the partition meanwhile.
    """
    if len(table.parts(partition)) > 1:
        rows = ProblemReader.of(table, partition)
        table.rewrite(partition, (rows.read([problem_id]) for problem_id in rows.counts))


def compact_if_alone(run: RunDirectory, shard: Shard) -> None:
    """Compact the run if none of its other writers is at work: the last tidies up for all."""
    with run.locks.alone(shard) as alone:
        if alone:
            compact_run(run)


def compact_run(run: RunDirectory) -> None:
    """Compact every table that samples or scores stream into; nobody else may write meanwhile."""
    tables = [(run.samples, run.failures)]
    tables += [(run.scores(under), run.score_failures(under)) for under in run.scorers()]
    for table, failures in tables:
        for partition in table.partitions():
            compact(table, partition)
            failures.compact(partition)
