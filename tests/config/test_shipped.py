"""The experiments of configs/."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlm_boundary.benchmarks import load_benchmark
from vlm_boundary.config import load_experiment

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_experiment_of_the_repository_is_one(path: Path) -> None:
    experiment = load_experiment(path)
    assert experiment.name == path.stem
    for name, changes in experiment.benchmarks.items():
        load_benchmark(name, changes)
