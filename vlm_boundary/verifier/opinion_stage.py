"""The stage of second opinions: what other rules say of every sample that has a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.progress import progress_bar
from vlm_boundary.store import (
    CHUNK_ROWS,
    Partition,
    PieceWriter,
    ProblemReader,
    Reconciled,
    RunDirectory,
    Share,
    deriving,
    places_of,
    shares_of,
    stitch,
)
from vlm_boundary.verifier.opinions import Disagreements, Opinions, second_opinions
from vlm_boundary.verifier.pool import KillingPool
from vlm_boundary.verifier.verdict import Gold, Output, Verdict

_SAMPLE = ["problem_id", "sample_index", "text", "finish_reason"]
_OF = ["problem_id", "sample_index", "grader", "text_hash", "gold_hash"]
"""What names a verdict, and with it the opinions that stand beside it."""
_VERDICT = ["correct", "status", "extracted", "rule"]
_RULES = list(Opinions.__dataclass_fields__)
SHARE_SAMPLES = 20_000
"""Samples after which what was said is in the table, a minute's work of math-verify or so."""


def store_opinions(run: RunDirectory, *, samples_a_share: int = SHARE_SAMPLES) -> int:
    """Store what other rules say of every sample with a verdict; returns how many they judge so.

    Asked is only what was not asked of this verdict yet. Beside each partition's table stands
    disagreements.html, with the first samples that one of the rules judges otherwise than the
    verifier. Only one process at a time does this to a run; others wait.

    Args:
        run: its verdicts are up to date.
        samples_a_share: about how many samples' opinions are stored at a time.
    """
    found = 0
    with deriving(run, "opinions", [run.opinions]), closing(KillingPool()) as pool:
        shares = shares_of(run, samples=samples_a_share, force=False)
        for partition, group in groupby(shares, lambda share: share.partition):
            disagreements = _of_partition(run, partition, list(group), pool)
            if disagreements.total:
                folder = run.opinions.root / partition.folder
                disagreements.write(folder / "disagreements.html")
            found += disagreements.found
    return found


def _of_partition(
    run: RunDirectory, partition: Partition, shares: list[Share], pool: KillingPool
) -> Disagreements:
    found = Disagreements()
    name = f"second opinions of {partition.arm} on {partition.benchmark}"
    with progress_bar(name, total=sum(share.samples for share in shares), unit="sample") as bar:
        for share in shares:
            with PieceWriter(run.opinions, partition) as writer:
                for samples, problem_ids, rows in _updates(run, share, pool, found):
                    writer.add(problem_ids, rows)
                    bar.update(samples)
            # Every share at once: math-verify is slow, and an end by Ctrl-C should cost little.
            stitch(run.opinions, partition, shares, [writer.piece])
    return found


def _updates(
    run: RunDirectory, share: Share, pool: KillingPool, found: Disagreements
) -> Iterator[tuple[int, Sequence[str], pa.Table]]:
    """Of some problems at a time: their samples, those out of date, all opinions of these."""
    golds = {p.problem_id: Gold.of(p) for p in run.read_problems(share.partition.benchmark)}
    thinking_open = run.thinking_open(share.partition.arm)
    samples, verdicts, opinions = (
        ProblemReader.of(table, share.partition)
        for table in (run.samples, run.verdicts, run.opinions)
    )
    for chunk in samples.chunks(CHUNK_ROWS, share.problem_ids):
        rows = samples.read(chunk, _SAMPLE)
        stored_verdicts = verdicts.read(chunk, [*_OF, *_VERDICT])
        places = places_of(chunk, rows, stored_verdicts)
        verified = pa.array(np.flatnonzero(pc.is_valid(places)))
        judged = stored_verdicts.take(places.take(verified))
        keys = judged.select(_OF)
        outputs = [
            Output(
                row["text"],
                golds[row["problem_id"]],
                row["finish_reason"],
                thinking_open=thinking_open,
            )
            for row in rows.take(verified).to_pylist()
        ]
        given = [Verdict(**row) for row in judged.select(_VERDICT).to_pylist()]
        stored = opinions.read(chunk)
        compared = Reconciled(chunk, keys, stored)
        missing = compared.missing.tolist()
        asked = second_opinions([outputs[i] for i in missing], [given[i] for i in missing], pool)
        said = _together(stored.take(places_of(chunk, keys, stored)), missing, asked)
        for key, output, verdict, each in zip(keys.to_pylist(), outputs, given, said, strict=True):
            label = f"{key['problem_id']}, sample {key['sample_index']}"
            found.add(label, output, verdict, each)
        made = keys.take(pa.array(missing, pa.int64()))
        for rule in _RULES:
            made = made.append_column(rule, pa.array([getattr(o, rule) for o in asked], pa.bool_()))
        whole = compared.rows(made.select(run.opinions.schema.names).cast(run.opinions.schema))
        yield rows.num_rows, compared.problem_ids, whole


def _together(stored: pa.Table, missing: list[int], asked: list[Opinions]) -> list[Opinions]:
    """Opinions of every sample in order: those that stood there, those that were missing."""
    said = [Opinions(**row) for row in stored.select(_RULES).to_pylist()]
    for place, opinions in zip(missing, asked, strict=True):
        said[place] = opinions
    return said
