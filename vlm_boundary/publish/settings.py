"""An experiment's settings without what they say of the machine they ran on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import ExperimentConfig


def shared_settings(experiment: ExperimentConfig) -> tuple[ExperimentConfig, int]:
    """The settings with every path of this machine replaced by its last part, and how many.

    A path is a text that begins at the root or the home folder, or that is there from here.
    """
    found: list[str] = []
    content = _without_paths(experiment.model_dump(mode="json", exclude={"run_dir"}), found)
    return ExperimentConfig.model_validate(content), len(found)


def hub_data_set(benchmark: BenchmarkConfig) -> str | None:
    """The hub's data set that a benchmark reads; None where it reads files, gone ones too."""
    name = benchmark.dataset_path
    if name is None or _is_path(name) or Path(name).exists():
        return None
    return name


def _without_paths(value: Any, found: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without_paths(one, found) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_paths(one, found) for one in value]
    if isinstance(value, str) and _is_path(value):
        found.append(value)
        return Path(value).name
    return value


def _is_path(text: str) -> bool:
    if "\n" in text or "\0" in text or len(text) > 1000:
        return False
    if text.startswith(("/", "~", "./", "../")):
        return True
    try:
        return "/" in text and Path(text).exists()
    except OSError:  # no file can have that name
        return False
