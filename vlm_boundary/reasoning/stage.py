"""The reasoning stage: each deterministic layer's word on every sample that lacks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.errors import UserError
from vlm_boundary.progress import progress_bar
from vlm_boundary.reasoning import arithmetic, structure
from vlm_boundary.reasoning.evidence import Chain, Evidence, flags, validity
from vlm_boundary.store import (
    CHUNK_ROWS,
    Partition,
    Piece,
    PieceWriter,
    ProblemReader,
    Reconciled,
    RunDirectory,
    Share,
    ShareMap,
    deriving,
    places_of,
    shares_of,
    stitch,
)
from vlm_boundary.verifier.stage import short_hash

_SAMPLE = ["problem_id", "sample_index", "text", "finish_reason"]
_BASIS = ["correct", "extracted", "span", "source"]  # what of a verdict a check is given
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


@dataclass(frozen=True)
class ValidityUpdate:
    """What became of the layers' rows of some problems.

    Attributes:
        samples: how many samples these problems have.
        checked: how many of them a layer checked anew.
        unverified: how many have no up-to-date verdict and are left out.
        layers: by name, the problems whose stored rows are not the ones that they should have, and
            all rows of these, in order of their keys.
    """

    samples: int
    checked: int
    unverified: int
    layers: Mapping[str, tuple[tuple[str, ...], pa.Table]]


@dataclass(frozen=True)
class CheckedShare:
    """What checking a share gave: a piece by layer, and the numbers of `Checked`."""

    pieces: Mapping[str, Piece]
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
    samples = unverified = 0
    tables = [run.validity(layer.name) for layer in layers_for(generated=True)]
    with deriving(run, "validity", tables):
        shares = shares_of(run, samples=samples_a_share if elsewhere else None, force=force)
        results = elsewhere(check_share, shares) if elsewhere else _here(shares)
        pairs = zip(shares, results, strict=True)
        for partition, group in groupby(pairs, lambda pair: pair[0].partition):
            theirs, checked = zip(*group, strict=True)
            for layer in checked[0].pieces:
                pieces = [each.pieces[layer] for each in checked]
                stitch(run.validity(layer), partition, theirs, pieces)
            samples += sum(each.samples for each in checked)
            unverified += sum(each.unverified for each in checked)
    return Checked(samples, unverified)


def check_share(share: Share) -> CheckedShare:
    """Bring every layer's rows of a share up to date and leave them beside the tables' parts."""
    return _check_share(share, lambda samples: None)


def validity_updates(
    run: RunDirectory, partition: Partition, problem_ids: Sequence[str], *, force: bool = False
) -> Iterator[ValidityUpdate]:
    """Every layer's rows of these problems as they should be, some problems at a time.

    Nothing is written.

    Args:
        run: where samples, verdicts and the layers' rows so far are.
        partition: of the problems.
        problem_ids: ascending.
        force: check every sample.
    """
    layers = _layers_of(run, partition)
    schema = {layer.name: run.validity(layer.name).schema for layer in layers}
    stored = {
        layer.name: ProblemReader(
            [] if force else run.validity(layer.name).parts(partition), schema[layer.name]
        )
        for layer in layers
    }
    for chains in chains_of(run, partition, problem_ids):
        # Many samples of a problem are the same text with the same verdict.
        known: dict[tuple[str, str, str, str], tuple[Evidence, ...]] = {}
        anew = np.zeros(len(chains.chains), dtype=bool)
        found = {}
        problems = chains.keys["problem_id"].to_pylist()
        for layer in layers:
            checks = {key: layer.of_problem(key) for key in chains.problem_ids}
            due = np.array([row for row, key in enumerate(problems) if checks[key]], np.int64)
            expected = chains.keys.take(pa.array(due))
            expected = expected.append_column("checker", pa.repeat(layer.checker, len(due)))
            there = stored[layer.name].read(chains.problem_ids)
            compared = Reconciled(chains.problem_ids, expected, there)
            rows = []
            missing = due[compared.missing]
            for row, key in zip(
                missing.tolist(), chains.keys.take(pa.array(missing)).to_pylist(), strict=True
            ):
                same = (layer.name, key["problem_id"], key["text_hash"], key["basis_hash"])
                each = checks[key["problem_id"]]
                if same not in known and each is not None:
                    known[same] = each(chains.chains[row])
                rows.append(_row(key, layer, chains.chains[row], known[same]))
            anew[missing] = True
            if compared.problem_ids:
                made = pa.Table.from_pylist(rows, schema=schema[layer.name])
                found[layer.name] = (compared.problem_ids, compared.rows(made))
        yield ValidityUpdate(chains.samples, int(anew.sum()), chains.unverified, found)


@dataclass(frozen=True)
class Chains:
    """The verified samples of some problems, in order of their keys.

    Attributes:
        problem_ids: the problems, ascending.
        keys: each sample's key and hashes.
        chains: what a check is given of it.
        samples: how many samples the problems have.
    """

    problem_ids: tuple[str, ...]
    keys: pa.Table
    chains: list[Chain]
    samples: int

    @property
    def unverified(self) -> int:
        """How many samples have no up-to-date verdict and are left out."""
        return self.samples - len(self.chains)


def chains_of(
    run: RunDirectory, partition: Partition, problem_ids: Sequence[str] | None = None
) -> Iterator[Chains]:
    """The verified samples of a partition's problems, some problems at a time.

    Args:
        run: where samples and verdicts are.
        partition: of the problems.
        problem_ids: ascending; by default all.
    """
    questions = {p.problem_id: p.question for p in run.read_problems(partition.benchmark)}
    samples = ProblemReader.of(run.samples, partition)
    verdicts = ProblemReader.of(run.verdicts, partition)
    for chunk in samples.chunks(CHUNK_ROWS, problem_ids):
        rows = samples.read(chunk, _SAMPLE)
        said = verdicts.read(chunk, ["problem_id", "sample_index", "text_hash", *_BASIS])
        yield _chains(chunk, rows, said, questions)


def _chains(
    problem_ids: tuple[str, ...], samples: pa.Table, verdicts: pa.Table, questions: dict[str, str]
) -> Chains:
    texts, reasons = (samples[name].to_pylist() for name in ("text", "finish_reason"))
    hashes = [short_hash(text, why) for text, why in zip(texts, reasons, strict=True)]
    keys = samples.select(["problem_id", "sample_index"])
    keys = keys.append_column("text_hash", pa.array(hashes, pa.string()))
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
    keys = keys.append_column("basis_hash", pa.array(basis_hashes, pa.string()))
    return Chains(problem_ids, keys, chains, samples.num_rows)


def _here(shares: Iterable[Share]) -> Iterator[CheckedShare]:
    for share in shares:
        name = f"checking {share.partition.arm} on {share.partition.benchmark}"
        with progress_bar(name, total=share.samples, unit="sample") as bar:
            checked = _check_share(share, bar.update)
        yield checked


def _check_share(share: Share, progress: Callable[[int], object]) -> CheckedShare:
    run, checked, unverified = RunDirectory(share.run), 0, 0
    with ExitStack() as stack:
        writers = {
            layer.name: stack.enter_context(PieceWriter(run.validity(layer.name), share.partition))
            for layer in _layers_of(run, share.partition)
        }
        for update in validity_updates(run, share.partition, share.problem_ids, force=share.force):
            for layer, (problem_ids, rows) in update.layers.items():
                writers[layer].add(problem_ids, rows)
            checked += update.checked
            unverified += update.unverified
            progress(update.samples)
    pieces = {layer: writer.piece for layer, writer in writers.items()}
    return CheckedShare(pieces, checked, unverified)


def _layers_of(run: RunDirectory, partition: Partition) -> list[Layer]:
    drawn = run.read_manifest().get("benchmarks", {})
    config = drawn.get(partition.benchmark, {}).get("config", {})
    return layers_for(generated=config.get("procedural") is not None)


def _row(
    key: dict[str, Any], layer: Layer, chain: Chain, evidence: tuple[Evidence, ...]
) -> dict[str, Any]:
    return key | {
        "valid": validity(chain.correct, evidence),
        "flags": flags(evidence),
        "evidence": [asdict(item) for item in evidence],
        "checker": layer.checker,
    }
