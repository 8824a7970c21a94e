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
)
from vlm_boundary.verifier.faults import Failures
from vlm_boundary.verifier.graders import SAMPLE, Graders, gold_hashes_of, text_hashes
from vlm_boundary.verifier.program import NO_VERDICT, PROGRAM


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
    with Graders(run) as graders:
        graded, _ = derive(
            run,
            _VerdictStage(graders),
            force=force,
            elsewhere=(lambda shares: elsewhere(verify_share, shares)) if elsewhere else None,
            share_samples=samples_a_share if elsewhere else None,
        )
    return graded


def verify_share(share: Share) -> Derived:
    """Bring a share's verdicts up to date, on one core, and leave them beside the table's parts."""
    with Graders(RunDirectory(share.run), workers=1) as graders:
        return derive_share(_VerdictStage(graders), share)


def failures_of(run: RunDirectory) -> Failures:
    """The stored verdicts on which the verifier itself failed, those of earlier calls too."""
    return _counted(run, Failures())


def program_failures_of(run: RunDirectory) -> Failures:
    """The stored verdicts that a benchmark's own program did not give."""
    return _counted(run, Failures(NO_VERDICT, PROGRAM))


def _counted(run: RunDirectory, failures: Failures) -> Failures:
    for here in run.verdicts.partitions():
        columns = ["problem_id", "sample_index", "rule", "flags"]
        rows = run.verdicts.read(here, columns, pc.field("rule") == failures.rule)
        for row in rows.to_pylist():
            where = f"problem {row['problem_id']}, sample {row['sample_index']}"
            of = f"{here.arm} on {here.benchmark} ({here.condition})"
            failures.add(f"{where}, of {of}", row["rule"], row["flags"])
    return failures


class _VerdictStage:
    name = "verdicts"
    doing = "verifying"
    columns: Sequence[str] = SAMPLE

    def __init__(self, graders: Graders) -> None:
        self._graders = graders

    def source(self, run: RunDirectory) -> PartTable:
        return run.samples

    def tables(self, run: RunDirectory, partition: Partition) -> list[PartTable]:
        return [run.verdicts]

    def deriver(self, run: RunDirectory, partition: Partition) -> Deriver:
        grader, gold_hashes = self._graders.of(partition), gold_hashes_of(run, partition)

        def of_problems(problem_ids: tuple[str, ...], samples: pa.Table) -> list[Wanted]:
            def make(places: NDArray[np.int64]) -> list[Verdict]:
                return grader.grade(samples.take(pa.array(places)))

            return [Wanted(expected_verdicts(samples, gold_hashes, grader.version), make)]

        return of_problems


def expected_verdicts(samples: pa.Table, gold_hashes: dict[str, str], version: str) -> pa.Table:
    """The keys of samples, with what a verdict that is up to date says of text, gold and grader."""
    encoded = samples["problem_id"].combine_chunks().dictionary_encode()
    golds = pa.array([gold_hashes[key] for key in encoded.dictionary.to_pylist()], pa.string())
    return (
        samples.select(["problem_id", "sample_index"])
        .append_column("grader", pa.repeat(version, samples.num_rows))
        .append_column("text_hash", text_hashes(samples))
        .append_column("gold_hash", golds.take(encoded.indices))
    )
