"""The verification stage: a verdict for every sample of a run that lacks an up-to-date one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vlm_boundary.records.verdict import Verdict
from vlm_boundary.store import (
    Derived,
    Deriver,
    Partition,
    PartTable,
    RunDirectory,
    Share,
    ShareMap,
    Wanted,
    derive,
    derive_share,
    short_hash,
)
from vlm_boundary.verifier.faults import FAILED, Failures
from vlm_boundary.verifier.grader import Grader, grader_version
from vlm_boundary.verifier.verdict import Gold, Output

SAMPLE = ("problem_id", "sample_index", "text", "finish_reason")
"""What of a sample is looked at."""


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
    with Grader() as grader:
        graded, _ = derive(
            run,
            _VerdictStage(grader),
            force=force,
            elsewhere=(lambda shares: elsewhere(verify_share, shares)) if elsewhere else None,
            share_samples=samples_a_share if elsewhere else None,
        )
    return graded


def verify_share(share: Share) -> Derived:
    """Bring a share's verdicts up to date, on one core, and leave them beside the table's parts."""
    with Grader(workers=1) as grader:
        return derive_share(_VerdictStage(grader), share)


def failures_of(run: RunDirectory) -> Failures:
    """The stored verdicts on which the verifier itself failed, those of earlier calls too."""
    failures = Failures()
    for here in run.verdicts.partitions():
        columns = ["problem_id", "sample_index", "rule", "flags"]
        rows = run.verdicts.read(here, columns, pc.field("rule") == FAILED)
        for row in rows.to_pylist():
            where = f"problem {row['problem_id']}, sample {row['sample_index']}"
            of = f"{here.arm} on {here.benchmark} ({here.condition})"
            failures.add(f"{where}, of {of}", row["rule"], row["flags"])
    return failures


class _VerdictStage:
    name = "verdicts"
    doing = "verifying"
    columns: Sequence[str] = SAMPLE

    def __init__(self, grader: Grader) -> None:
        self._grader = grader

    def source(self, run: RunDirectory) -> PartTable:
        return run.samples

    def tables(self, run: RunDirectory, partition: Partition) -> list[PartTable]:
        return [run.verdicts]

    def deriver(self, run: RunDirectory, partition: Partition) -> Deriver:
        golds, thinking_open = golds_of(run, partition), run.thinking_open(partition.arm)
        gold_hashes = gold_hashes_of(run, partition)

        def of_problems(problem_ids: tuple[str, ...], samples: pa.Table) -> list[Wanted]:
            def make(places: NDArray[np.int64]) -> list[Verdict]:
                todo = samples.take(pa.array(places))
                return self._grader.grade(outputs_of(todo, golds, thinking_open))

            return [Wanted(expected_verdicts(samples, gold_hashes), make)]

        return of_problems


def golds_of(run: RunDirectory, partition: Partition) -> dict[str, Gold]:
    """The gold answer of each problem."""
    return {p.problem_id: Gold.of(p) for p in run.read_problems(partition.benchmark)}


def gold_hashes_of(run: RunDirectory, partition: Partition) -> dict[str, str]:
    """What a verdict that is up to date says of each problem's gold answer."""
    thinking_open = run.thinking_open(partition.arm)
    return {key: _gold_hash(gold, thinking_open) for key, gold in golds_of(run, partition).items()}


def outputs_of(
    samples: pa.Table, golds: dict[str, Gold], thinking_open: bool | None
) -> list[Output]:
    """What is graded, of an arm's samples with the columns `SAMPLE`."""
    columns = (samples[name].to_pylist() for name in ("text", "problem_id", "finish_reason"))
    return [
        Output(text, golds[problem_id], reason, thinking_open=thinking_open)
        for text, problem_id, reason in zip(*columns, strict=True)
    ]


def expected_verdicts(samples: pa.Table, gold_hashes: dict[str, str]) -> pa.Table:
    """The keys of samples, with what a verdict that is up to date says of text, gold and grader."""
    encoded = samples["problem_id"].combine_chunks().dictionary_encode()
    golds = pa.array([gold_hashes[key] for key in encoded.dictionary.to_pylist()], pa.string())
    return (
        samples.select(["problem_id", "sample_index"])
        .append_column("grader", pa.repeat(grader_version(), samples.num_rows))
        .append_column("text_hash", text_hashes(samples))
        .append_column("gold_hash", golds.take(encoded.indices))
    )


def text_hashes(samples: pa.Table) -> pa.Array:
    """What a verdict says of the text that it is on, of samples with the columns `SAMPLE`."""
    texts, reasons = (samples[name].to_pylist() for name in ("text", "finish_reason"))
    hashes = [short_hash(text, why) for text, why in zip(texts, reasons, strict=True)]
    return pa.array(hashes, pa.string())


def _gold_hash(gold: Gold, thinking_open: bool | None) -> str:
    """A hash of what texts are held against: the gold, and whether they begin inside a thought.

    It is not part of the text's hash, by which people's labels know the text that they are of. Not
    inside one and not known are graded alike and hashed alike, as before the fact was kept.
    """
    return short_hash(repr(gold), "inside a thought") if thinking_open else short_hash(repr(gold))
