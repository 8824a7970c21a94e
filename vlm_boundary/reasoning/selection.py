"""The samples of a run that are worth reading, in an order that favours none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.store import Partition, RunDirectory


@dataclass(frozen=True)
class CorrectSamples:
    """One problem's samples with a right answer.

    `indices` are in the order in which they are taken when not all are: by a hash of seed and
    sample alone, so that the first m are a uniform subset whatever m is, and stay so, as far as
    they are among them, when more samples are drawn. `text_hashes` are those of the verdicts.
    """

    problem_id: str
    samples: int
    indices: tuple[int, ...]
    text_hashes: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """Share of the problem's samples that are right."""
        return len(self.indices) / self.samples


def correct_samples(
    run: RunDirectory, partition: Partition, n: int, seed: int
) -> Iterator[CorrectSamples]:
    """The problems with a right answer among their first n samples, by problem id.

    Verdicts count that are on what the run holds; see `verifier.fitting`.
    """
    rows = run.verdicts.read(partition, ["correct", "text_hash", "gold_hash"])
    rows = _fitting(run, partition, rows)
    rows = rows.filter(pc.less(rows["sample_index"], n))
    counted = rows.group_by("problem_id").aggregate([("sample_index", "count")])
    samples = dict(zip(*(column.to_pylist() for column in counted.columns), strict=True))
    right = rows.filter(pc.fill_null(rows["correct"], False))
    if right.num_rows == 0:
        return
    encoded = right["problem_id"].combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(codes)], strict=True):
        problem_id = encoded.dictionary[int(codes[start])].as_py()
        yield _of_problem(problem_id, samples[problem_id], partition, seed, right[start:end])


@dataclass(frozen=True)
class GradedSample:
    """A sample with its verdict: whether the answer was called right, and the verdict's text."""

    problem_id: str
    index: int
    accepted: bool
    text_hash: str


def graded_samples(run: RunDirectory, partition: Partition, n: int) -> list[GradedSample]:
    """The first n samples of each problem, whatever their verdicts.

    Verdicts count that are on what the run holds; see `verifier.fitting`.
    """
    rows = run.verdicts.read(partition, ["correct", "text_hash", "gold_hash"])
    rows = _fitting(run, partition, rows)
    rows = rows.filter(pc.less(rows["sample_index"], n))
    columns = ("problem_id", "sample_index", "correct", "text_hash")
    return [
        GradedSample(problem_id, index, bool(correct), text_hash)
        for problem_id, index, correct, text_hash in zip(
            *(rows[name].to_pylist() for name in columns), strict=True
        )
    ]


def nothing_to_read(run: RunDirectory, experiment: ExperimentConfig) -> dict[str, str]:
    """The arms without a right answer among their first n samples, with what they lack."""
    lacking: dict[str, str] = {}
    for arm in experiment.arms:
        n = experiment.arm_sampling(arm).n
        graded = 0
        for benchmark in experiment.benchmarks:
            rows = run.verdicts.read(Partition(arm, benchmark), ["sample_index", "correct"])
            rows = rows.filter(pc.less(rows["sample_index"], n))
            graded += rows.num_rows
            if pc.any(rows["correct"]).as_py():
                break
        else:
            lacking[arm] = (
                f"none of its {graded:,} graded samples is right"
                if graded
                else "none of its samples has a verdict yet"
            )
    return lacking


def _of_problem(
    problem_id: str, samples: int, partition: Partition, seed: int, rows: pa.Table
) -> CorrectSamples:
    indices = rows["sample_index"].to_numpy()
    hashes = rows["text_hash"].to_pylist()
    order = lottery(f"{seed}\0{partition.folder}\0{problem_id}", indices.tolist())
    return CorrectSamples(
        problem_id,
        samples,
        tuple(int(indices[place]) for place in order),
        tuple(hashes[place] for place in order),
    )


def lottery(key: str, tickets: Sequence[int] | Sequence[str]) -> list[int]:
    """Places of the tickets in an order that depends on the key and on each ticket alone."""

    def number(place: int) -> bytes:
        return hashlib.blake2b(f"{key}\0{tickets[place]}".encode(), digest_size=16).digest()

    return sorted(range(len(tickets)), key=number)


def _fitting(run: RunDirectory, partition: Partition, rows: pa.Table) -> pa.Table:
    # Slow to import: people's labels come from here too, and need no verifier until they are drawn.
    from vlm_boundary.verifier.fitting import fitting

    return rows.filter(pa.array(fitting(run, partition, rows)[0], pa.bool_()))
