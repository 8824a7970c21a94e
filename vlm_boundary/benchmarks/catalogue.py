"""Benchmarks by name or file: the shipped YAMLs, what they include, what an experiment changes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.errors import UserError
from vlm_boundary.settings import load_yaml, validate

# Where relative paths inside a YAML file are looked up beside that file.
_PATH_KEYS = ("dataset_path", "image_root")
# What of a data set a local file does not have.
_DATA_SET_KEYS = ("dataset_name", "revision", "data_files")


def shipped_folder() -> Path:
    """The folder of the benchmark YAMLs that come with the package."""
    installed = Path(__file__).with_name("shipped")
    return installed if installed.is_dir() else Path(__file__).parents[2] / "benchmarks"


def shipped_names() -> list[str]:
    """Names of the benchmarks that come with the package."""
    return sorted(path.stem for path in shipped_folder().glob("*.yaml"))


def load_benchmark(name: str, changes: dict[str, Any] | None = None) -> BenchmarkConfig:
    """The settings of one benchmark of an experiment.

    Args:
        name: the benchmark's name in the experiment; without `include`, the shipped YAML of that
            name is what `changes` start from.
        changes: keys of the benchmark YAML that the experiment sets itself. Mappings are merged
            key by key, everything else is replaced.

    Raises:
        UserError: no such benchmark, or a setting that is not valid.
    """
    changes = dict(changes or {})
    include = changes.get("include")
    inline = changes.keys() & {"dataset_path", "procedural"} and "fields" in changes
    if include is None and not (inline and name not in shipped_names()):
        include = name
    raw = _over(_load_file(include, seen=()) if include else {}, changes)
    raw = _with_program_beside(raw, Path.cwd()) | {"name": name, "include": include}
    return validate(BenchmarkConfig, raw, where=f"benchmark {name!r}")


def load_benchmark_file(reference: str) -> BenchmarkConfig:
    """The settings of a benchmark given as a shipped name or a YAML file.

    Raises:
        UserError: no such benchmark, or a setting that is not valid.
    """
    path = _find(reference, beside=None)
    raw = _load_file(reference, seen=())
    return validate(BenchmarkConfig, {"name": path.stem} | raw, where=str(reference))


def _load_file(reference: str, seen: tuple[Path, ...]) -> dict[str, Any]:
    """A YAML file's keys over those of the file it includes."""
    path = _find(reference, beside=seen[-1].parent if seen else None)
    if path in seen:
        raise UserError(f"{path}: includes itself")
    content = load_yaml(path)
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected keys and values, as in 'dataset_path: …'")
    raw: dict[str, Any] = content
    for key in _PATH_KEYS:
        value = raw.get(key)
        if isinstance(value, str) and (path.parent / value).exists():
            raw[key] = str((path.parent / value).resolve())
    raw = _with_program_beside(raw, path.parent)
    if include := raw.get("include"):
        below = _load_file(str(include), (*seen, path))
        below.pop("name", None)  # the name is this file's own
        raw = _over(below, raw)
    return raw


def _with_program_beside(raw: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The keys, with those of `grading.command`'s words that are files in a folder found there."""
    grading = raw.get("grading")
    if not (isinstance(grading, dict) and isinstance(grading.get("command"), list | tuple)):
        return raw
    argv = [
        str((folder / one).resolve()) if isinstance(one, str) and (folder / one).is_file() else one
        for one in grading["command"]
    ]
    return raw | {"grading": grading | {"command": argv}}


def _find(reference: str, beside: Path | None) -> Path:
    if reference.endswith((".yaml", ".yml")) or os.sep in reference:
        path = Path(reference).expanduser()
        if beside and (beside / path).is_file():
            path = beside / path
        if not path.is_file():
            raise UserError(f"{path}: no such benchmark file")
        return path.resolve()
    path = shipped_folder() / f"{reference}.yaml"
    if not path.is_file():
        raise UserError(
            f"no benchmark {reference!r}: name one of {', '.join(shipped_names())}, "
            f"or give 'include: path/to/your.yaml'"
        )
    return path


def _over(included: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """A benchmark's keys over those that it includes.

    Where it reads a local file of its own, what the included one says of a data set's parts is not
    of that file.
    """
    path = own.get("dataset_path")
    if isinstance(path, str) and Path(path).expanduser().is_file():
        included = {key: included[key] for key in included.keys() - set(_DATA_SET_KEYS)}
    return _merge(included, own)


def _merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged
