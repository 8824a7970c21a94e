"""Runs whose verdicts are written down directly, for the sections of the analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.config import FULL, Condition, ExperimentConfig
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem, dataset_hash
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter, short_hash
from vlm_boundary.verifier.graders import gold_hashes_of

# One sample: the answer, and whether it is right (None: undecided); no answer: None.
Outcome = tuple[str | None, bool | None]
Outcomes = Mapping[str, Sequence[Outcome]]


def right(answer: str) -> Outcome:
    return answer, True


def wrong(answer: str) -> Outcome:
    return answer, False


NO_ANSWER: Outcome = (None, False)


def make_run(
    path: Path,
    problems: Sequence[Problem],
    arms: Mapping[str, Mapping[str, Any]],
    n: int,
    **settings: Any,
) -> BenchmarkRun:
    """A run of one benchmark, `mine`, without verdicts yet."""
    experiment = ExperimentConfig.model_validate(
        {
            "name": "made",
            "run_dir": str(path),
            "benchmarks": {"mine": None},
            "arms": arms,
            "sampling": {"n": n, "max_tokens": 8},
            **settings,
        }
    )
    directory = RunDirectory(path)
    directory.write_problems("mine", tuple(problems))
    known = {
        "config": {"description": "made"},
        "content": dataset_hash(problems),
        "problems": len(problems),
        "unusable": 0,
        "filters": [],
    }
    directory.write_manifest(
        Manifest.model_validate(
            {
                "experiment": experiment.model_dump(mode="json"),
                "benchmarks": {"mine": known},
                "arms": {arm: {"identity": {"weights": "a" * 64}, "note": None} for arm in arms},
            }
        )
    )
    return BenchmarkRun(directory, experiment)


class BenchmarkRun:
    """A run directory with its experiment, and what fills it."""

    def __init__(self, directory: RunDirectory, experiment: ExperimentConfig) -> None:
        self.directory = directory
        self.experiment = experiment

    @property
    def data(self) -> BenchmarkData:
        found = BenchmarkData.read(self.directory, self.experiment, "mine")
        assert found is not None
        return found

    def add_verdicts(self, arm: str, outcomes: Outcomes, condition: Condition = FULL) -> None:
        rows: list[dict[str, Any]] = [
            {
                "problem_id": problem_id,
                "sample_index": index,
                "correct": correct,
                "status": _status(answer, correct),
                "extracted": answer,
                "normalised": answer,
                "source": "none" if answer is None else "box",
                "flags": [],
                "rule": "made",
                "grader": "made",
            }
            for problem_id, samples in sorted(outcomes.items())
            for index, (answer, correct) in enumerate(samples)
        ]
        write_verdicts(self.directory, Partition(arm, "mine", condition), rows)

    def add_samples(self, arm: str, lengths: Mapping[str, Sequence[int]], surprisal: float) -> None:
        """Samples of so many tokens, each token with this negative log-probability."""
        samples = [
            Sample(key, index, index, [7] * length, "", "stop", -surprisal * length)
            for key, tokens in lengths.items()
            for index, length in enumerate(tokens)
        ]
        write_samples(self.directory, Partition(arm, "mine"), samples)


def write_samples(run: RunDirectory, partition: Partition, samples: Sequence[Sample]) -> None:
    """In place of those that stand under the same keys."""
    new = {(sample.problem_id, sample.sample_index) for sample in samples}
    there = run.samples.read(partition)
    keys = zip(there["problem_id"].to_pylist(), there["sample_index"].to_pylist(), strict=True)
    there = there.filter(pa.array([key not in new for key in keys], pa.bool_()))
    for part in run.samples.parts(partition):
        part.unlink()
    run.samples.append(partition, there)
    writer = SampleWriter(run.samples, partition)
    for sample in samples:
        writer.add(sample)
    writer.flush()


def write_verdicts(
    run: RunDirectory, partition: Partition, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Verdicts, on samples that are written where there are none, by the problems' answers."""
    stored = run.samples.read(partition, ["text_hash"]).to_pylist()
    hashes = {(row["problem_id"], row["sample_index"]): row["text_hash"] for row in stored}
    keys = [(row["problem_id"], row["sample_index"]) for row in rows]
    missing = [Sample(*key, None, [], "", "stop", None) for key in keys if key not in hashes]
    write_samples(run, partition, missing)
    golds, empty = gold_hashes_of(run, partition), short_hash("", "stop")
    full = [
        {"text_hash": hashes.get(key, empty), "gold_hash": golds[key[0]]} | dict(row)
        for key, row in zip(keys, rows, strict=True)
    ]
    table = pa.Table.from_pylist(full, schema=run.verdicts.schema)
    run.verdicts.replace(partition, table)


def _status(answer: str | None, correct: bool | None) -> str:
    if answer is None:
        return "no_answer"
    return {True: "correct", False: "incorrect", None: "undecided"}[correct]


def drawn(
    accuracy: Mapping[str, float], golds: Mapping[str, str], n: int, seed: int
) -> dict[str, list[Outcome]]:
    """Answers of each problem, n of them: right this often, else a number that is not."""
    rng = np.random.default_rng(seed)
    return {
        key: [
            right(golds[key]) if hit else wrong(str(-1 - int(other)))
            for hit, other in zip(rng.random(n) < p, rng.integers(0, 9, n), strict=True)
        ]
        for key, p in accuracy.items()
    }
