"""The verification stage: a verdict for every sample of a run that lacks an up-to-date one."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa

from vlm_boundary.iterate import batched
from vlm_boundary.progress import progress_bar
from vlm_boundary.store import Partition, RunDirectory, iter_samples
from vlm_boundary.verifier.grader import Grader, grader_version
from vlm_boundary.verifier.opinions import second_opinions, write_disagreements
from vlm_boundary.verifier.verdict import Gold, Output, Verdict

_CHUNK = 4096
_Key = tuple[str, int]


def verify(run: RunDirectory, *, force: bool = False) -> int:
    """Grade what has no verdict by this grader on this text yet; returns how many were graded.

    Each partition's verdicts become one file, sorted by key: the same samples give the same bytes.

    Args:
        force: grade every sample again.
    """
    graded = 0
    partitions = run.samples.partitions()
    with Grader() as grader:
        for partition in partitions:
            graded += _verify_partition(run, partition, grader, force)
    return graded


def store_opinions(run: RunDirectory) -> int:
    """Store what other rules say of every sample with a verdict; returns how many they judge so.

    Beside each partition's table of opinions stands disagreements.html, with every sample that one
    of the rules judges otherwise than the verifier.
    """
    return sum(_partition_opinions(run, partition) for partition in run.verdicts.partitions())


def _partition_opinions(run: RunDirectory, partition: Partition) -> int:
    golds = {p.problem_id: Gold.of(p) for p in run.read_problems(partition.benchmark)}
    rows = {
        (row["problem_id"], row["sample_index"]): row
        for row in run.verdicts.read(partition).to_pylist()
    }
    keys: list[_Key] = []
    outputs: list[Output] = []
    columns = ["problem_id", "sample_index", "text", "finish_reason"]
    for sample in iter_samples(run.samples, partition, columns):
        key = (sample["problem_id"], sample["sample_index"])
        if key in rows:
            keys.append(key)
            outputs.append(Output(sample["text"], golds[key[0]], sample["finish_reason"]))
    verdicts = [
        Verdict(*(rows[key][name] for name in ("correct", "status", "extracted", "rule")))
        for key in keys
    ]
    opinions = second_opinions(outputs, verdicts)
    table = [
        {
            "problem_id": key[0],
            "sample_index": key[1],
            "text_hash": rows[key]["text_hash"],
            **opinion.as_dict(),
        }
        for key, opinion in sorted(zip(keys, opinions, strict=True), key=lambda item: item[0])
    ]
    part = run.opinions.replace(partition, pa.Table.from_pylist(table, schema=run.opinions.schema))
    return write_disagreements(
        part.with_name("disagreements.html"),
        [f"{problem_id}, sample {index}" for problem_id, index in keys],
        outputs,
        verdicts,
        opinions,
    )


def _verify_partition(run: RunDirectory, partition: Partition, grader: Grader, force: bool) -> int:
    golds = {p.problem_id: Gold.of(p) for p in run.read_problems(partition.benchmark)}
    gold_hashes = {problem_id: short_hash(repr(gold)) for problem_id, gold in golds.items()}
    stored = {} if force else _stored(run, partition)
    rows: dict[_Key, dict[str, Any]] = {}
    todo: list[dict[str, Any]] = []
    columns = ["problem_id", "sample_index", "text", "finish_reason"]
    total = 0
    with progress_bar(f"verifying {partition.arm} on {partition.benchmark}", unit="sample") as bar:
        samples = iter_samples(run.samples, partition, columns)
        for chunk in batched(samples, _CHUNK):
            for sample in chunk:
                key = (sample["problem_id"], sample["sample_index"])
                hashes = {"text_hash": short_hash(sample["text"], sample["finish_reason"])}
                hashes["gold_hash"] = gold_hashes[sample["problem_id"]]
                before = stored.get(key)
                if before and hashes.items() <= before.items():
                    rows[key] = before
                else:
                    todo.append(sample | hashes | {"gold": golds[sample["problem_id"]]})
            total += len(todo)
            rows |= _grade(grader, todo)
            todo.clear()
            bar.update(len(chunk))
    if total or len(rows) != len(stored):
        table = pa.Table.from_pylist(
            [rows[key] for key in sorted(rows)], schema=run.verdicts.schema
        )
        run.verdicts.replace(partition, table)
    return total


def _stored(run: RunDirectory, partition: Partition) -> dict[_Key, dict[str, Any]]:
    """Verdicts by the present grader, under their samples' keys."""
    rows = run.verdicts.read(partition).to_pylist()
    current = grader_version()
    return {
        (row["problem_id"], row["sample_index"]): row for row in rows if row["grader"] == current
    }


def _grade(grader: Grader, samples: list[dict[str, Any]]) -> dict[_Key, dict[str, Any]]:
    outputs = [Output(s["text"], s["gold"], s["finish_reason"]) for s in samples]
    verdicts = grader.grade(outputs)
    return {
        (sample["problem_id"], sample["sample_index"]): _row(sample, verdict)
        for sample, verdict in zip(samples, verdicts, strict=True)
    }


def _row(sample: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    return {
        "problem_id": sample["problem_id"],
        "sample_index": sample["sample_index"],
        "correct": verdict.correct,
        "status": verdict.status,
        "extracted": verdict.extracted,
        "normalised": verdict.normalised,
        "span": verdict.span,
        "source": verdict.source,
        "flags": list(verdict.flags),
        "rule": verdict.rule,
        "tolerance": verdict.tolerance,
        "grader": grader_version(),
        "text_hash": sample["text_hash"],
        "gold_hash": sample["gold_hash"],
    }


def short_hash(*parts: str) -> str:
    """A hash by which a change is noticed; a sample's is of its text and finish reason."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
