"""A run whose verdicts and layers of validity are written down, for statistics on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from analysis_runs import write_samples, write_verdicts
from conftest import HandMadeRun, make_run

from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, short_hash

Judge = Callable[[str, int], Any]
"""What is said of a sample, by problem and index."""


def text_hash(arm: str, problem_id: str, index: int) -> str:
    return short_hash(f"{arm}-{problem_id}-{index}", "stop")


def written_run(path: Path, n: int, right: dict[str, dict[str, int]]) -> HandMadeRun:
    """Of each arm's problems so many of n samples are right, spread over the indices."""
    made = make_run(path)
    settings = made.experiment.model_dump(mode="json")
    settings["sampling"]["n"] = n
    experiment = type(made.experiment).model_validate(settings)
    ids = dict.fromkeys(problem_id for counts in right.values() for problem_id in counts)
    made.directory.write_problems("mine", tuple(Problem("mine", key, "?", "1") for key in ids))
    for arm, counts in right.items():
        rows: list[dict[str, Any]] = [
            {
                "problem_id": problem_id,
                "sample_index": index,
                "correct": (index * 7) % n < count,
                "status": "correct" if (index * 7) % n < count else "incorrect",
                "source": "box",
                "flags": [],
                "rule": "",
                "grader": "",
            }
            for problem_id, count in counts.items()
            for index in range(n)
        ]
        samples = [
            Sample(key, index, None, [], f"{arm}-{key}-{index}", "stop", None)
            for key in counts
            for index in range(n)
        ]
        write_samples(made.directory, Partition(arm, "mine"), samples)
        write_verdicts(made.directory, Partition(arm, "mine"), rows)
    return HandMadeRun(made.directory, experiment)


def right_samples(run: HandMadeRun, arm: str) -> list[tuple[str, int]]:
    rows = run.directory.verdicts.read(Partition(arm, "mine")).to_pylist()
    return [(row["problem_id"], row["sample_index"]) for row in rows if row["correct"]]


def write_layer(
    run: HandMadeRun,
    layer: str,
    arm: str,
    valid: Judge | None = None,
    votes: Judge | None = None,
    only: Judge = lambda problem_id, index: True,
) -> None:
    """A layer's word on the right samples: `valid` of each, or a judge's `votes`."""
    rows: list[dict[str, Any]] = [
        {
            "problem_id": problem_id,
            "sample_index": index,
            "valid": valid(problem_id, index) if valid else None,
            "flags": [],
            "evidence": [],
            "checker": "by hand",
            "text_hash": text_hash(arm, problem_id, index),
            "basis_hash": "",
            "votes": votes(problem_id, index) if votes else None,
        }
        for problem_id, index in right_samples(run, arm)
        if only(problem_id, index)
    ]
    table = run.directory.validity(layer)
    table.replace(Partition(arm, "mine"), pa.Table.from_pylist(rows, schema=table.schema))
