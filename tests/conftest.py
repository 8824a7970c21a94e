"""A small run directory whose samples are written down by hand, for the stages after sampling."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from required import required

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem, dataset_hash
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter
from vlm_boundary.writing import cache_folder


def pytest_configure() -> None:
    """A mistake in VLM_BOUNDARY_REQUIRE is said before anything runs."""
    required()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of data that are not in the repository run where VLM_BOUNDARY_DATA names them."""
    if "VLM_BOUNDARY_DATA" not in os.environ:
        left = [item for item in items if item.get_closest_marker("data")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.fixture(autouse=True, scope="session")
def _scratch_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of this session's own, for processes too, that shares all but our part of the user's.

    What is tested is then not what an earlier version kept, and the user's is left alone.
    """
    users, scratch = cache_folder("").parent, tmp_path_factory.mktemp("cache")
    for other in users.iterdir() if users.is_dir() else ():
        if other.name != "vlm_boundary":
            (scratch / other.name).symlink_to(other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(scratch))
        yield


# Samples by arm and problem: base solves more problems, rl solves its own more often.
TEXTS = {
    "base": {
        "p1": ["\\boxed{4}", "\\boxed{5}", "it is 6", "no idea"],
        "p2": ["\\boxed{7}", "\\boxed{1}", "\\boxed{2}", "\\boxed{3}"],
        "p3": ["\\boxed{1}", "\\boxed{1}", "\\boxed{1}", "\\boxed{1}"],
    },
    "rl": {
        "p1": ["\\boxed{4}", "\\boxed{4}", "The answer is 4.", "\\boxed{4}"],
        "p2": ["\\boxed{9}", "\\boxed{9}", "\\boxed{9}", "cut off in the"],
        "p3": ["\\boxed{1}", "\\boxed{1}", "\\boxed{1}", "\\boxed{1}"],
    },
}


@dataclass(frozen=True)
class HandMadeRun:
    """A run directory and the experiment it belongs to."""

    directory: RunDirectory
    experiment: ExperimentConfig


@pytest.fixture
def run(tmp_path: Path) -> HandMadeRun:
    """Three problems, two arms, four samples each, not yet verified."""
    return make_run(tmp_path / "run")


def make_run(path: Path, *, note: str | None = None, question: str = "How many?") -> HandMadeRun:
    experiment = ExperimentConfig.model_validate(
        {
            "name": "by-hand",
            "run_dir": str(path),
            "benchmarks": {"mine": None},
            "arms": {
                "base": {"model": "org/base", "role": "base"},
                "rl": {"model": "org/rl", "role": "rl"},
            },
            "sampling": {"n": 4, "max_tokens": 8},
        }
    )
    directory = RunDirectory(path)
    golds = {"p1": "4", "p2": "7", "p3": "2"}
    problems = [Problem("mine", key, question, gold) for key, gold in golds.items()]
    problems.append(Problem("mine", "p4", question, "1", error="picture a.png does not exist"))
    directory.write_problems("mine", tuple(problems))
    known = {
        "config": {"description": "by hand"},
        "content": dataset_hash(problems),
        "problems": 4,
        "unusable": 1,
        "filters": [{"step": "multiple_choice: drop", "before": 9, "after": 4}],
    }
    directory.write_manifest(
        Manifest.model_validate(
            {
                "experiment": experiment.model_dump(mode="json"),
                "benchmarks": {"mine": known},
                "arms": {
                    # A server renders chats itself, so it has no template that we know.
                    arm: {"identity": {"weights": "a" * 64, "chat_template": None}, "note": note}
                    for arm in experiment.arms
                },
            }
        )
    )
    for arm, by_problem in TEXTS.items():
        writer = SampleWriter(directory.samples, Partition(arm, "mine"))
        for problem_id, texts in by_problem.items():
            for index, text in enumerate(texts):
                reason = "length" if text.startswith("cut off") else "stop"
                writer.add(Sample(problem_id, index, index, [5, 6], text, reason, -2.0))
        writer.flush()
    return HandMadeRun(directory, experiment)
