"""What a benchmark YAML can say."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from vlm_boundary.benchmarks.prompts import PROTOCOLS, PromptConfig
from vlm_boundary.config import Name, Settings
from vlm_boundary.errors import UserError
from vlm_boundary.settings import load_yaml, validate

# Where relative paths inside a YAML file are looked up beside that file.
_PATH_KEYS = ("dataset_path", "image_root")


class FieldsConfig(Settings):
    """Which column of the data set holds what."""

    problem_id: str
    """Column with a unique id."""
    question: str
    """Column with the question's text."""
    answer: str
    """Column with the gold answer."""
    image: str | None = None
    """Column with one picture or a list of them: picture, bytes, or a path."""
    answer_type: str | None = None
    """Column with integer, float, text, list or expression."""
    unit: str | None = None
    """Column with the answer's unit."""
    precision: str | None = None
    """Column with the number of decimals of a float answer."""
    choices: str | None = None
    """Column with the options of multiple-choice problems; empty or null for the others."""
    metadata: tuple[str, ...] = ()
    """Columns to keep for slices."""


class ImagesConfig(Settings):
    """The pixel budget of a picture; without one, the checkpoint's own processor decides."""

    min_pixels: int | None = Field(default=None, ge=1)
    """Smaller pictures are enlarged to this many pixels."""
    max_pixels: int | None = Field(default=None, ge=1)
    """Larger pictures are reduced to this many pixels."""

    @model_validator(mode="after")
    def _both_and_ordered(self) -> ImagesConfig:
        if (self.min_pixels is None) != (self.max_pixels is None):
            raise ValueError("give both min_pixels and max_pixels, or neither")
        if self.min_pixels and self.max_pixels and self.min_pixels > self.max_pixels:
            raise ValueError("min_pixels is larger than max_pixels")
        return self


class FilterConfig(Settings):
    """One step of the filter chain; exactly one key is given."""

    multiple_choice: Literal["drop"] | None = None
    """Drop the problems that have options, as the paper does."""
    first: int | None = Field(default=None, ge=1)
    """Keep the first N problems."""

    @model_validator(mode="after")
    def _one_step(self) -> FilterConfig:
        if len(self.model_fields_set) != 1:
            raise ValueError("a filter step has exactly one key, as in '- multiple_choice: drop'")
        return self


class ProceduralConfig(Settings):
    """Problems drawn by this package instead of read from files."""

    families: tuple[str, ...] = ()
    """Kinds of problem; none means all."""
    count: int = Field(default=120, ge=1)
    """How many problems."""
    seed: int = Field(default=0, ge=0)
    """Which ones."""
    size: int = Field(default=84, ge=28, multiple_of=28)
    """Width and height of the pictures, in pixels."""


class BenchmarkConfig(Settings):
    """An image benchmark, as its YAML file says it."""

    name: Name
    """Name in tables and folders."""
    description: str = ""
    """One line for listings and reports."""
    include: str | None = None
    """A shipped benchmark's name or a YAML file whose keys this one starts from."""
    dataset_path: str | None = None
    """Hub data set id, or a local .jsonl, .json, .csv, .tsv or .parquet file."""
    dataset_name: str | None = None
    """Configuration of the hub data set."""
    split: str | None = None
    """Split of the hub data set."""
    revision: str | None = None
    """Branch, tag or commit of the hub data set."""
    image_root: str | None = None
    """Folder that picture paths are relative to; by default the data file's folder."""
    procedural: ProceduralConfig | None = None
    """Draw the problems instead of reading a data set."""
    fields: FieldsConfig
    """Columns."""
    image_placeholder: str | None = None
    """Regular expression of picture marks in the question, removed since pictures come first."""
    filters: tuple[FilterConfig, ...] = ()
    """Steps that keep or drop problems, in order."""
    prompt: str | PromptConfig = "easyr1-paper"
    """A prompt protocol's name, or its templates."""
    images: ImagesConfig = ImagesConfig()
    """Pixel budget."""

    @field_validator("image_placeholder")
    @classmethod
    def _placeholder_compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    @field_validator("prompt")
    @classmethod
    def _prompt_exists(cls, prompt: str | PromptConfig) -> str | PromptConfig:
        if isinstance(prompt, str) and prompt not in PROTOCOLS:
            raise ValueError(f"no prompt protocol {prompt!r}; there are {', '.join(PROTOCOLS)}")
        return prompt

    @model_validator(mode="after")
    def _one_source(self) -> BenchmarkConfig:
        if (self.dataset_path is None) == (self.procedural is None):
            raise ValueError("give either dataset_path or procedural")
        return self


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
    raw = _merge(_load_file(include, seen=()) if include else {}, changes)
    raw["name"] = name
    raw["include"] = include
    return validate(BenchmarkConfig, raw, where=f"benchmark {name!r}")


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
    if include := raw.get("include"):
        raw = _merge(_load_file(str(include), (*seen, path)), raw)
    return raw


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


def _merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged
