"""The reasoning stage: each deterministic layer's word on every sample that lacks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from vlm_boundary.errors import UserError
from vlm_boundary.progress import progress_bar
from vlm_boundary.reasoning import arithmetic, structure
from vlm_boundary.reasoning.evidence import Chain, Evidence, flags, validity
from vlm_boundary.store import Partition, RunDirectory, iter_samples
from vlm_boundary.verifier.stage import short_hash

_Key = tuple[str, int]
Check = Callable[[Chain], tuple[Evidence, ...]]


@dataclass(frozen=True)
class Layer:
    """A deterministic layer: its name, its checker's name and version, and for whom it is."""

    name: str
    checker: str
    of_problem: Callable[[str], Check | None]
    """The check for a problem's samples; None where the layer has nothing to say of the problem."""


@dataclass(frozen=True)
class Checked:
    """What the stage did: samples checked anew, and samples without a verdict, left out."""

    samples: int
    unverified: int


def layers_for(generated: bool) -> list[Layer]:
    """The deterministic layers, with exact truth for problems that this package generated."""
    layers = [
        Layer("structure", structure.CHECKER, lambda _: structure.check_structure),
        Layer("arithmetic", arithmetic.CHECKER, lambda _: arithmetic.check_arithmetic),
    ]
    if generated:
        from vlm_boundary.reasoning import procedural

        layers.append(Layer("procedural", procedural.CHECKER, procedural.check_of))
    return layers


def check(run: RunDirectory, *, force: bool = False) -> Checked:
    """Check what a layer has not checked yet: this text, this verdict, this version of the layer.

    Each partition's rows of a layer become one file, sorted by key.

    Args:
        force: check every sample again.

    Raises:
        UserError: no sample has a verdict yet.
    """
    partitions = run.verdicts.partitions()
    if run.samples.partitions() and not partitions:
        raise UserError(f"{run.path}: no sample has a verdict yet; run 'vlm-boundary verify' first")
    drawn = run.read_manifest().get("benchmarks", {})
    samples = unverified = 0
    for partition in run.samples.partitions():
        config = drawn.get(partition.benchmark, {}).get("config", {})
        layers = layers_for(generated=config.get("procedural") is not None)
        checked, missing = _check_partition(run, partition, layers, force)
        samples += checked
        unverified += missing
    return Checked(samples, unverified)


def chains_of(
    run: RunDirectory, partition: Partition
) -> Iterator[tuple[dict[str, Any], Chain | None]]:
    """Every sample's key and hashes, with its chain; None where it has no up-to-date verdict."""
    questions = {p.problem_id: p.question for p in run.read_problems(partition.benchmark)}
    columns = ["problem_id", "sample_index", "correct", "extracted", "span", "source", "text_hash"]
    verdicts = {
        (row["problem_id"], row["sample_index"]): row
        for row in run.verdicts.read(partition, columns).to_pylist()
    }
    wanted = ["problem_id", "sample_index", "text", "finish_reason"]
    for sample in iter_samples(run.samples, partition, wanted):
        key = {name: sample[name] for name in ("problem_id", "sample_index")}
        text_hash = short_hash(sample["text"], sample["finish_reason"])
        verdict = verdicts.get((sample["problem_id"], sample["sample_index"]))
        if verdict is None or verdict["text_hash"] != text_hash:
            yield key, None
            continue
        span = verdict["span"]
        chain = Chain(
            sample["text"],
            questions[sample["problem_id"]],
            sample["finish_reason"],
            verdict["correct"],
            verdict["extracted"],
            (span[0], span[1]) if span else None,
            verdict["source"],
        )
        basis = (chain.question, chain.correct, chain.answer, chain.span, chain.source)
        yield key | {"text_hash": text_hash, "basis_hash": short_hash(repr(basis))}, chain


def _check_partition(
    run: RunDirectory, partition: Partition, layers: list[Layer], force: bool
) -> tuple[int, int]:
    stored = {layer.name: {} if force else _stored(run, partition, layer) for layer in layers}
    rows: dict[str, list[dict[str, Any]]] = {layer.name: [] for layer in layers}
    fresh = dict.fromkeys(rows, 0)
    checks: dict[str, list[tuple[Layer, Check]]] = {}
    # Many samples of a problem are the same text with the same verdict.
    known: dict[tuple[str, str], dict[str, tuple[Evidence, ...]]] = {}
    problem, checked, unverified = "", 0, 0
    with progress_bar(f"checking {partition.arm} on {partition.benchmark}", unit="sample") as bar:
        for key, chain in chains_of(run, partition):
            bar.update()
            if chain is None:
                unverified += 1
                continue
            if key["problem_id"] != problem:
                problem = key["problem_id"]
                known.clear()
            if problem not in checks:
                found = [(layer, layer.of_problem(problem)) for layer in layers]
                checks[problem] = [(layer, each) for layer, each in found if each is not None]
            answers = known.setdefault((key["text_hash"], key["basis_hash"]), {})
            anew = False
            for layer, each in checks[problem]:
                before = stored[layer.name].get((problem, key["sample_index"]))
                if before and key.items() <= before.items():
                    rows[layer.name].append(before)
                    continue
                if layer.name not in answers:
                    answers[layer.name] = each(chain)
                rows[layer.name].append(_row(key, layer, chain, answers[layer.name]))
                fresh[layer.name] += 1
                anew = True
            checked += anew
    for layer in layers:
        found_rows = rows[layer.name]
        if fresh[layer.name] or len(found_rows) != len(stored[layer.name]):
            _write(run, partition, layer, found_rows)
    return checked, unverified


def _stored(run: RunDirectory, partition: Partition, layer: Layer) -> dict[_Key, dict[str, Any]]:
    """Rows by the present checker, under their samples' keys."""
    rows = run.validity(layer.name).read(partition).to_pylist()
    return {
        (row["problem_id"], row["sample_index"]): row
        for row in rows
        if row["checker"] == layer.checker
    }


def _write(
    run: RunDirectory, partition: Partition, layer: Layer, rows: list[dict[str, Any]]
) -> None:
    table = run.validity(layer.name)
    rows.sort(key=lambda row: (row["problem_id"], row["sample_index"]))
    table.replace(partition, pa.Table.from_pylist(rows, schema=table.schema))


def _row(
    key: dict[str, Any], layer: Layer, chain: Chain, evidence: tuple[Evidence, ...]
) -> dict[str, Any]:
    return key | {
        "valid": validity(chain.correct, evidence),
        "flags": flags(evidence),
        "evidence": [asdict(item) for item in evidence],
        "checker": layer.checker,
    }
