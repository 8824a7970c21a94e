"""The verification stage: a verdict for every sample of a run that lacks an up-to-date one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa

from vlm_boundary.progress import progress_bar
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
    shares_of,
    stitch,
)
from vlm_boundary.verifier.grader import Grader, grader_version
from vlm_boundary.verifier.verdict import Gold, Output, Verdict


@dataclass(frozen=True)
class VerdictUpdate:
    """What became of the verdicts of some problems.

    Attributes:
        samples: how many samples these problems have.
        graded: how many of them were graded.
        problem_ids: those whose stored verdicts are not the ones that they should have.
        rows: all verdicts of these, in order of their keys.
    """

    samples: int
    graded: int
    problem_ids: tuple[str, ...]
    rows: pa.Table


@dataclass(frozen=True)
class VerifiedShare:
    """What verifying a share gave."""

    piece: Piece
    graded: int


def verify(
    run: RunDirectory,
    *,
    force: bool = False,
    elsewhere: ShareMap | None = None,
    samples_a_share: int = 100_000,
) -> int:
    """Grade what has no verdict by this grader on this text yet; returns how many were graded.

    Each partition's verdicts become one file, sorted by key: the same samples give the same bytes,
    however they are shared out. Only one process at a time verifies a run; others wait.

    Args:
        run: nobody else may write samples into it meanwhile.
        force: grade every sample again.
        elsewhere: has `verify_share` called for each share where that is wanted, on other cores or
            machines that reach the run directory under the same path; by default all is done here.
        samples_a_share: about how many samples a share has that is verified elsewhere.
    """
    graded = 0
    with deriving(run, "verdicts", [run.verdicts]):
        shares = shares_of(run, samples=samples_a_share if elsewhere else None, force=force)
        results = elsewhere(verify_share, shares) if elsewhere else _here(shares)
        pairs = zip(shares, results, strict=True)
        for partition, group in groupby(pairs, lambda pair: pair[0].partition):
            theirs, verified = zip(*group, strict=True)
            stitch(run.verdicts, partition, theirs, [each.piece for each in verified])
            graded += sum(each.graded for each in verified)
    return graded


def verify_share(share: Share) -> VerifiedShare:
    """Bring a share's verdicts up to date, on one core, and leave them beside the table's parts."""
    with Grader(workers=1) as grader:
        return _verify_share(share, grader, lambda samples: None)


def verdict_updates(
    run: RunDirectory,
    partition: Partition,
    problem_ids: Sequence[str],
    grader: Grader,
    *,
    force: bool = False,
) -> Iterator[VerdictUpdate]:
    """Verdicts of these problems as they should be, some problems at a time; nothing is written.

    Args:
        run: where samples and the verdicts so far are.
        partition: of the problems.
        problem_ids: ascending.
        grader: grades the samples that lack an up-to-date verdict.
        force: grade every sample.
    """
    golds = {p.problem_id: Gold.of(p) for p in run.read_problems(partition.benchmark)}
    thinking_open = run.thinking_open(partition.arm)
    gold_hashes = {key: _gold_hash(gold, thinking_open) for key, gold in golds.items()}
    samples = ProblemReader.of(run.samples, partition)
    verdicts = ProblemReader([] if force else run.verdicts.parts(partition), run.verdicts.schema)
    columns = ["problem_id", "sample_index", "text", "finish_reason"]
    for chunk in samples.chunks(CHUNK_ROWS, problem_ids):
        rows = samples.read(chunk, columns)
        expected = _expected(rows, gold_hashes)
        stored = Reconciled(chunk, expected, verdicts.read(chunk))
        if not stored.problem_ids:
            yield VerdictUpdate(rows.num_rows, 0, (), run.verdicts.schema.empty_table())
            continue
        missing = pa.array(stored.missing)
        todo = rows.take(missing).to_pylist()
        outputs = [
            Output(
                s["text"],
                golds[s["problem_id"]],
                s["finish_reason"],
                thinking_open=thinking_open,
            )
            for s in todo
        ]
        made = _rows(expected.take(missing), grader.grade(outputs), run.verdicts.schema)
        yield VerdictUpdate(rows.num_rows, len(todo), stored.problem_ids, stored.rows(made))


def _here(shares: Iterable[Share]) -> Iterator[VerifiedShare]:
    with Grader() as grader:
        for share in shares:
            name = f"verifying {share.partition.arm} on {share.partition.benchmark}"
            with progress_bar(name, total=share.samples, unit="sample") as bar:
                verified = _verify_share(share, grader, bar.update)
            yield verified


def _verify_share(share: Share, grader: Grader, progress: Callable[[int], object]) -> VerifiedShare:
    run, graded = RunDirectory(share.run), 0
    updates = verdict_updates(run, share.partition, share.problem_ids, grader, force=share.force)
    with PieceWriter(run.verdicts, share.partition) as writer:
        for update in updates:
            writer.add(update.problem_ids, update.rows)
            graded += update.graded
            progress(update.samples)
    return VerifiedShare(writer.piece, graded)


def _expected(samples: pa.Table, gold_hashes: dict[str, str]) -> pa.Table:
    """The keys of samples, with what a verdict that is up to date says of text, gold and grader."""
    texts, reasons = (samples[name].to_pylist() for name in ("text", "finish_reason"))
    hashes = [short_hash(text, why) for text, why in zip(texts, reasons, strict=True)]
    encoded = samples["problem_id"].combine_chunks().dictionary_encode()
    golds = pa.array([gold_hashes[key] for key in encoded.dictionary.to_pylist()], pa.string())
    return (
        samples.select(["problem_id", "sample_index"])
        .append_column("grader", pa.repeat(grader_version(), len(hashes)))
        .append_column("text_hash", pa.array(hashes, pa.string()))
        .append_column("gold_hash", golds.take(encoded.indices))
    )


def _rows(expected: pa.Table, verdicts: list[Verdict], schema: pa.Schema) -> pa.Table:
    """Verdicts as rows of their table."""
    columns = [
        expected[field.name]
        if field.name in expected.column_names
        else pa.array([getattr(verdict, field.name) for verdict in verdicts], field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _gold_hash(gold: Gold, thinking_open: bool | None) -> str:
    """A hash of what texts are held against: the gold, and whether they begin inside a thought.

    It is not part of the text's hash, by which people's labels know the text that they are of. Not
    inside one and not known are graded alike and hashed alike, as before the fact was kept.
    """
    return short_hash(repr(gold), "inside a thought") if thinking_open else short_hash(repr(gold))


def short_hash(*parts: str) -> str:
    """A hash by which a change is noticed; a sample's is of its text and finish reason."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
