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
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter

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
        "content": "0" * 64,
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
        rows = [
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
                "text_hash": "",
                "gold_hash": "",
            }
            for problem_id, samples in sorted(outcomes.items())
            for index, (answer, correct) in enumerate(samples)
        ]
        table = pa.Table.from_pylist(rows, schema=self.directory.verdicts.schema)
        self.directory.verdicts.replace(Partition(arm, "mine", condition), table)

    def add_samples(self, arm: str, lengths: Mapping[str, Sequence[int]], surprisal: float) -> None:
        """Samples of so many tokens, each token with this negative log-probability."""
        writer = SampleWriter(self.directory.samples, Partition(arm, "mine"))
        for problem_id, tokens in lengths.items():
            for index, length in enumerate(tokens):
                ids = [7] * length
                sample = Sample(problem_id, index, index, ids, "", "stop", -surprisal * length)
                writer.add(sample)
        writer.flush()


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
