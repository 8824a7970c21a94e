"""From a benchmark's YAML to its problems: columns read, filters applied, pictures kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks.images import PictureError, read_picture, store_picture
from vlm_boundary.benchmarks.problem import ANSWER_TYPES, Problem
from vlm_boundary.benchmarks.schema import BenchmarkConfig, FieldsConfig, FilterConfig
from vlm_boundary.benchmarks.sources import Record, iter_records, picture_root
from vlm_boundary.errors import UserError


@dataclass(frozen=True)
class FilterStep:
    """What one filter did: its wording and the number of problems before and after it."""

    step: str
    before: int
    after: int


@dataclass(frozen=True)
class LoadedBenchmark:
    """A benchmark's problems after its filters, in the data set's order."""

    problems: tuple[Problem, ...]
    filter_log: tuple[FilterStep, ...]


def load_problems(
    config: BenchmarkConfig,
    image_folder: Path,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> LoadedBenchmark:
    """Read a benchmark, keeping its pictures by content in `image_folder`.

    A record whose picture cannot be used becomes a problem with `error` set.

    Raises:
        UserError: the data set cannot be read, a column does not exist, two records share an id,
            or the filters leave nothing.
    """
    image_folder.mkdir(parents=True, exist_ok=True)
    filters = [_Filter(step) for step in config.filters]
    problems: list[Problem] = []
    seen: set[str] = set()
    # One record at a time: what a benchmark weighs in pictures is never held in memory.
    for row, record in enumerate(iter_records(config)):
        problem = _problem(config, record, row)
        if problem.problem_id in seen:
            raise UserError(
                f"benchmark {config.name!r}: two records have the id {problem.problem_id!r} "
                f"in column {config.fields.problem_id!r}"
            )
        seen.add(problem.problem_id)
        if all(step.keeps(problem) for step in filters):
            pictures = _listed(_column(config, record, row, config.fields.image))
            problems.append(_with_pictures(problem, pictures, picture_root(config), image_folder))
            progress(len(problems))
    if not problems:
        raise UserError(f"benchmark {config.name!r}: no problem is left after its filters")
    log = tuple(FilterStep(step.wording, step.before, step.after) for step in filters)
    return LoadedBenchmark(tuple(problems), log)


class _Filter:
    """One filter step over a stream of problems, counting what it saw and what it kept."""

    def __init__(self, config: FilterConfig) -> None:
        self.config = config
        self.before = 0
        self.after = 0
        key = next(iter(config.model_fields_set))
        self.wording = f"{key}: {getattr(config, key)}"

    def keeps(self, problem: Problem) -> bool:
        self.before += 1
        if self.config.first is not None:
            kept = self.after < self.config.first
        else:
            kept = not problem.choices
        self.after += kept
        return kept


def _problem(config: BenchmarkConfig, record: Record, row: int) -> Problem:
    """A record's problem, its pictures not yet looked at."""
    fields = config.fields

    def column(name: str | None) -> Any:
        return _column(config, record, row, name)

    answer = column(fields.answer)
    answer_type = column(fields.answer_type)
    precision = column(fields.precision)
    error = None
    if answer is None or not str(answer).strip():
        error = "no gold answer"
    elif answer_type is not None and answer_type not in ANSWER_TYPES:
        error = f"unknown answer type {str(answer_type)[:40]!r}"
    return Problem(
        benchmark=config.name,
        problem_id=str(column(fields.problem_id)),
        question=str(column(fields.question)),
        answer="" if answer is None else str(answer),
        answer_type=answer_type if error is None else None,
        unit=_text(column(fields.unit)),
        precision=int(float(precision)) if _is_number(precision) else None,
        choices=tuple(str(choice) for choice in _listed(column(fields.choices))),
        metadata={name: column(name) for name in fields.metadata},
        error=error,
    )


def _column(config: BenchmarkConfig, record: Record, row: int, name: str | None) -> Any:
    """A column's value; `metadata.source` reaches into a nested record."""
    if name is None:
        return None
    value: Any = record
    for part in [name] if name in record else name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            field = _field_of(config.fields, name)
            raise UserError(
                f"benchmark {config.name!r}: fields.{field} names column {name!r}, which record "
                f"{row} does not have; its columns are {', '.join(sorted(record))}"
            )
        value = value[part]
    return value


def _field_of(fields: FieldsConfig, column: str) -> str:
    return next((k for k, v in fields.model_dump().items() if v == column), "metadata")


def _listed(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().isdigit()
    return isinstance(value, int | float) and value == value  # not NaN


def _with_pictures(problem: Problem, pictures: list[Any], root: Path, folder: Path) -> Problem:
    try:
        names = tuple(store_picture(read_picture(value, root), folder) for value in pictures)
    except PictureError as error:
        return replace(problem, error=problem.error or str(error))
    return replace(problem, pictures=names)
