"""The reasoning stage: each deterministic layer's word on every sample that lacks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vlm_boundary.errors import UserError
from vlm_boundary.reasoning import arithmetic, structure
from vlm_boundary.reasoning.evidence import Chain, Check, guarded
from vlm_boundary.reasoning.truth import stated
from vlm_boundary.records.validity import Stated, Validity
from vlm_boundary.store import (
    CHUNK_ROWS,
    Derived,
    Deriver,
    Partition,
    PartTable,
    ProblemReader,
    RunDirectory,
    Share,
    ShareMap,
    Wanted,
    derive,
    derive_share,
    places_of,
    short_hash,
)
from vlm_boundary.verifier.faults import FAILED, Failures
from vlm_boundary.verifier.graders import SAMPLE, text_hashes

_BASIS = ["correct", "extracted", "span", "source"]  # what of a verdict a check is given


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
        from vlm_boundary.reasoning.truth import procedural

        layers.append(Layer("procedural", procedural.CHECKER, procedural.check_of))
    return layers


def check(
    run: RunDirectory,
    *,
    force: bool = False,
    elsewhere: ShareMap | None = None,
    samples_a_share: int = 100_000,
) -> Checked:
    """Check what a layer has not checked yet: this text, this verdict, this version of the layer.

    Each partition's rows of a layer become one file, sorted by key: the same samples and verdicts
    give the same bytes. Only one process at a time checks a run; others wait.

    Args:
        run: nobody else may write samples or verdicts into it meanwhile.
        force: check every sample again.
        elsewhere: has `check_share` called for each share where that is wanted, on other cores or
            machines that reach the run directory under the same path; by default all is done here.
        samples_a_share: about how many samples a share has that is checked elsewhere.

    Raises:
        UserError: no sample has a verdict yet.
    """
    partitions = run.verdicts.partitions()
    if run.samples.partitions() and not partitions:
        raise UserError(f"{run.path}: no sample has a verdict yet; run 'vlm-boundary verify' first")
    return Checked(
        *derive(
            run,
            _Layers(),
            force=force,
            elsewhere=(lambda shares: elsewhere(check_share, shares)) if elsewhere else None,
            share_samples=samples_a_share if elsewhere else None,
        )
    )


def failures_of(run: RunDirectory) -> Failures:
    """The stored rows on which a checker itself failed, those of earlier calls too."""
    failures = Failures(whose="checker", done="checked")
    for here in run.verdicts.partitions():
        for layer in _layers_of(run, here):
            table = run.validity(layer.name)
            flags = table.read(here, ["flags"])["flags"].combine_chunks()
            if FAILED not in pc.unique(flags.flatten()).to_pylist():
                continue
            columns = ["problem_id", "sample_index", "flags", "evidence"]
            for row in table.read(here, columns).to_pylist():
                if FAILED in row["flags"]:
                    kinds = [item["note"] for item in row["evidence"] if item["flag"] == FAILED]
                    where = f"problem {row['problem_id']}, sample {row['sample_index']}"
                    of = f"{here.arm} on {here.benchmark} ({here.condition}), {layer.name}"
                    failures.add(f"{where}, of {of}", FAILED, kinds)
    return failures


def check_share(share: Share) -> Derived:
    """Bring every layer's rows of a share up to date and leave them beside the tables' parts."""
    return derive_share(_Layers(), share)


class _Layers:
    name = "validity"
    doing = "checking"
    columns: Sequence[str] = SAMPLE

    def source(self, run: RunDirectory) -> PartTable:
        return run.samples

    def tables(self, run: RunDirectory, partition: Partition) -> list[PartTable]:
        layers = [run.validity(layer.name) for layer in _layers_of(run, partition)]
        return [*layers, run.statements]

    def deriver(self, run: RunDirectory, partition: Partition) -> Deriver:
        layers, chains_of_samples = _layers_of(run, partition), _reader(run, partition)
        generated = _generated(run, partition)

        def of_problems(problem_ids: tuple[str, ...], samples: pa.Table) -> list[Wanted]:
            chains = chains_of_samples(problem_ids, samples)
            return [*(_wanted(layer, chains) for layer in layers), _stated(chains, generated)]

        return of_problems


def _wanted(layer: Layer, chains: ChainBatch) -> Wanted:
    checks = {key: layer.of_problem(key) for key in chains.problem_ids}
    due = np.array([row for row, same in enumerate(chains.alike) if checks[same[0]]], np.int64)
    expected = chains.keys.take(pa.array(due))
    expected = expected.append_column("checker", pa.repeat(layer.checker, len(due)))

    def make(places: NDArray[np.int64]) -> list[Validity]:
        # Many samples of a problem are the same text with the same verdict.
        known: dict[tuple[str, str, str], Validity] = {}
        records = []
        for row in due[places].tolist():
            same = chains.alike[row]
            check, chain = checks[same[0]], chains.chains[row]
            if same not in known and check is not None:
                known[same] = Validity.of(chain.correct, guarded(check, chain))
            records.append(known[same])
        return records

    return Wanted(expected, make)


def _stated(chains: ChainBatch, generated: bool) -> Wanted:
    """What the samples state; many of a problem are the same text with the same verdict."""
    readers = {key: stated.reader_of(key, generated=generated) for key in chains.problem_ids}
    checker = pa.repeat(stated.READER, chains.keys.num_rows)
    expected = chains.keys.append_column("checker", checker)

    def make(places: NDArray[np.int64]) -> list[Stated]:
        known: dict[tuple[str, str, str], Stated] = {}
        records: list[Stated] = []
        for row in places.tolist():
            same = chains.alike[row]
            if same not in known:
                known[same] = stated.guarded(readers[same[0]], chains.chains[row])
            records.append(known[same])
        return records

    return Wanted(expected, make)


@dataclass(frozen=True)
class ChainBatch:
    """The verified samples of some problems, in order of their keys.

    Attributes:
        problem_ids: the problems, ascending.
        keys: each sample's key and hashes.
        chains: what a check is given of it.
        alike: its problem and the hashes of its text and verdict; samples are alike where all are.
        samples: how many samples the problems have.
    """

    problem_ids: tuple[str, ...]
    keys: pa.Table
    chains: list[Chain]
    alike: list[tuple[str, str, str]]
    samples: int

    @property
    def unverified(self) -> int:
        """How many samples have no up-to-date verdict and are left out."""
        return self.samples - len(self.chains)


def chains_of(run: RunDirectory, partition: Partition) -> Iterator[ChainBatch]:
    """The verified samples of a partition, some problems at a time."""
    chains_of_samples = _reader(run, partition)
    samples = ProblemReader.of(run.samples, partition)
    for chunk in samples.chunks(CHUNK_ROWS):
        yield chains_of_samples(chunk, samples.read(chunk, SAMPLE))


def _reader(
    run: RunDirectory, partition: Partition
) -> Callable[[tuple[str, ...], pa.Table], ChainBatch]:
    """Gives the chains of some problems' samples."""
    questions = {p.problem_id: p.question for p in run.read_problems(partition.benchmark)}
    verdicts = ProblemReader.of(run.verdicts, partition)

    def read(problem_ids: tuple[str, ...], samples: pa.Table) -> ChainBatch:
        said = verdicts.read(problem_ids, ["problem_id", "sample_index", "text_hash", *_BASIS])
        return _chains(problem_ids, samples, said, questions)

    return read


def _chains(
    problem_ids: tuple[str, ...], samples: pa.Table, verdicts: pa.Table, questions: dict[str, str]
) -> ChainBatch:
    texts, reasons = (samples[name].to_pylist() for name in ("text", "finish_reason"))
    keys = samples.select(["problem_id", "sample_index"])
    keys = keys.append_column("text_hash", text_hashes(samples))
    places = places_of(problem_ids, keys, verdicts)
    same = pc.equal(verdicts["text_hash"].take(places), keys["text_hash"])
    verified = pa.array(np.flatnonzero(pc.fill_null(same, False).to_numpy()))
    keys = keys.take(verified)
    said = verdicts.take(places.take(verified))
    columns = [keys["problem_id"], *(said[name] for name in _BASIS)]
    chains, basis_hashes = [], []
    for row, problem_id, correct, extracted, span, source in zip(
        verified.to_pylist(), *(column.to_pylist() for column in columns), strict=True
    ):
        place = (span[0], span[1]) if span else None
        question = questions[problem_id]
        chain = Chain(texts[row], question, reasons[row], correct, extracted, place, source)
        chains.append(chain)
        basis_hashes.append(short_hash(repr((question, correct, extracted, place, source))))
    problems, hashes = (keys[name].to_pylist() for name in ("problem_id", "text_hash"))
    alike = list(zip(problems, hashes, basis_hashes, strict=True))
    keys = keys.append_column("basis_hash", pa.array(basis_hashes, pa.string()))
    return ChainBatch(problem_ids, keys, chains, alike, samples.num_rows)


def _layers_of(run: RunDirectory, partition: Partition) -> list[Layer]:
    return layers_for(generated=_generated(run, partition))


def _generated(run: RunDirectory, partition: Partition) -> bool:
    """Whether this package generated the problems, so that all that is true of them is known."""
    loaded = run.read_manifest().benchmarks.get(partition.benchmark)
    return loaded is not None and loaded.config.get("procedural") is not None
