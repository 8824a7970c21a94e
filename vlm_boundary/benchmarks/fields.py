"""From a data set's record to a problem: columns and templates read, pictures not yet opened."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from vlm_boundary.benchmarks.images import PictureError
from vlm_boundary.benchmarks.lists import (
    OptionsError,
    as_list,
    lettered,
    options_of,
    without_prefix,
)
from vlm_boundary.benchmarks.picture_source import PictureSource
from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.sources import Record, picture_roots
from vlm_boundary.benchmarks.sources.turns import MARK
from vlm_boundary.benchmarks.templates import TemplateProblem, is_template, render
from vlm_boundary.errors import UserError
from vlm_boundary.nulls import is_null
from vlm_boundary.records.problem import ANSWER_TYPES, Problem

MOST_DECIMALS = 30


@dataclass(frozen=True)
class Candidate:
    """A problem on its way through the filters, with what they may look at."""

    problem: Problem
    pictures: tuple[PictureSource, ...]
    record: Record
    language: str | None

    def content(self) -> str:
        """SHA-256 of question, choices, answer and the bytes of pictures, or why there are none."""
        problem, digests = self.problem, []
        for picture in self.pictures:
            try:
                content = picture.read()
            except PictureError as error:
                content = str(error).encode()
            digests.append(hashlib.sha256(content).hexdigest())
        told = [problem.question, problem.choices, problem.answer, digests]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


class RecordReader:
    """Reads problems out of records as the benchmark's `fields` say."""

    def __init__(self, config: BenchmarkConfig) -> None:
        self._config = config
        self._roots = picture_roots(config)
        self._encoding = "base64" if config.format == "vlmevalkit" else config.images.encoding

    def read(self, record: Record, row: int) -> Candidate:
        """The record's problem.

        Raises:
            UserError: a column does not exist, or a template fails.
        """
        config, record = self._config, {"_row": row, **record}
        problem = self._problem(record)
        pictures = tuple(
            PictureSource(picture, self._encoding, self._roots, config.images.download)
            for picture in self._pictures(record)
        )
        if config.format == "chat" and problem.error is None:
            marks = problem.question.count(MARK)
            if marks != len(pictures):
                error = f"its turns mark {marks} pictures with {MARK}, and it has {len(pictures)}"
                problem = replace(problem, error=error)
        language = _text_or_none(self._value(record, "language"))
        candidate = Candidate(problem, pictures, record, language)
        if config.fields.problem_id is None:
            named = replace(problem, problem_id=candidate.content()[:16])
            candidate = replace(candidate, problem=named)
        return candidate

    def _value(self, record: Record, name: str) -> Any:
        """What stands in the column of one of the `fields`."""
        return self.column(record, getattr(self._config.fields, name), f"fields.{name}")

    def _problem(self, record: Record) -> Problem:
        """The problem without its pictures, and without an id where that is by its content."""
        config, value = self._config, partial(self._value, record)

        def text(name: str) -> str | None:
            try:
                return _text(value(name))
            except _NotText as kind:
                unread.append(f"{name} is neither text nor number, but {kind}")
                return None

        unread: list[str] = []
        choices, error = self._choices(record)
        question, unit = text("question") or "", text("unit")
        answer, answer_type = text("answer"), text("answer_type")
        precision, tolerance = _number(value("precision")), _number(value("tolerance"))
        chance = _number(value("chance"))
        if chance is not None and not 0 <= chance <= 1:
            chance, error = None, f"chance {chance:g} is not a probability between 0 and 1"
        if precision is not None and not 0 <= precision <= MOST_DECIMALS:
            precision, error = None, f"precision {precision:g} is not a number of decimals"
        rounded = None if precision is None else round(precision)
        if unread:
            error = unread[0]
        elif answer is None:
            error = "no gold answer"
        elif answer_type is not None and answer_type not in ANSWER_TYPES:
            error = f"unknown answer type {answer_type[:40]!r}"
        others = [str(one) for one in as_list(value("alternatives")) if not is_null(one)]
        kept = config.fields.metadata
        return Problem(
            benchmark=config.name,
            problem_id=self._id(record),
            question=question,
            answer=answer or "",
            answer_type=(
                (answer_type or config.grading.answer_type)  # type: ignore[arg-type]  # checked
                if error is None
                else None
            ),
            unit=unit,
            precision=rounded,
            choices=choices,
            grading=config.problem_grading(
                precision=rounded,
                choices=len(choices),
                tolerance=None if tolerance is None else abs(tolerance),
                chance=chance,
                alternatives=tuple(others),
            ),
            metadata={name: self.column(record, name, "fields.metadata") for name in kept},
            error=error,
            description=(_text_or_none(value("description")) or "").strip() or None,
        )

    def _id(self, record: Record) -> str:
        name = self._config.fields.problem_id
        if name is None:
            return ""  # its content gives it one
        found = self.column(record, name, "fields.problem_id")
        if is_null(found):
            raise UserError(
                f"benchmark {self._config.name!r}: record {record['_row']} has no id "
                f"(fields.problem_id is {name!r}); leave the key out for ids by content"
            )
        try:
            return (_text(found) or "") if isinstance(found, bytes | Mapping) else str(found)
        except _NotText as kind:
            raise UserError(
                f"benchmark {self._config.name!r}: the id of record {record['_row']} "
                f"(fields.problem_id is {name!r}) is {kind}"
            ) from None

    def column(self, record: Record, name: str | None, where: str) -> Any:
        """What a column or template gives for a record with its `_row`.

        Raises:
            UserError: the column does not exist, or the template fails; `where` is the YAML's key.
        """
        if name is None:
            return None
        here = f"benchmark {self._config.name!r}: {where}"
        if is_template(name):
            try:
                return render(name, record)
            except TemplateProblem as error:
                raise UserError(
                    f"{here}, record {record['_row']}: {error}; {_columns(record)}"
                ) from None
        try:
            return record[name] if name in record else _inside(record, name.split("."))
        except KeyError:
            raise UserError(
                f"{here} names column {name!r}, which record {record['_row']} does not have; "
                f"{_columns(record)}"
            ) from None

    def _choices(self, record: Record) -> tuple[tuple[str, ...], str | None]:
        """The options by their letters, and the reason where they cannot be used.

        Of several columns each is one option as it stands; one column has a list in it.
        """
        named, where = self._config.fields.choices, "fields.choices"
        split, prefix = self._config.options.split, self._config.options.prefix
        try:
            if isinstance(named, tuple):
                cells = [self.column(record, name, where) for name in named]
            else:
                cells = options_of(self.column(record, named, where), split)
            return without_prefix(lettered(cells), prefix), None
        except OptionsError as error:
            return error.options, str(error)

    def _pictures(self, record: Record) -> list[Any]:
        """The pictures in one column, or in several; each may hold a list."""
        named = self._config.fields.image
        names: tuple[str | None, ...] = named if isinstance(named, tuple) else (named,)
        if self._config.images.missing_columns == "skip":
            names = tuple(name for name in names if name and _has(record, name)) or names
        columns = (self.column(record, name, "fields.image") for name in names)
        return [value for column in columns for value in as_list(column) if not is_null(value)]


def _has(record: Record, name: str) -> bool:
    """Whether there is such a column; a template is no column and always there."""
    if name in record or is_template(name):
        return True
    try:
        _inside(record, name.split("."))
    except KeyError:
        return False
    return True


def _inside(value: Any, path: list[str]) -> Any:
    """What stands at a path in nested records; in a list of records, a list of what stands in each.

    Raises:
        KeyError: there is no such place.
    """
    for place, part in enumerate(path):
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            inner = (_inside(item, path[place:]) for item in value if item is not None)
            return [
                one for found in inner for one in (found if isinstance(found, list) else [found])
            ]
        if not isinstance(value, Mapping):
            raise KeyError(part)
        value = value[part]
    return value


def _columns(record: Record) -> str:
    return f"its columns are {', '.join(sorted(k for k in record if not k.startswith('_')))}"


def _text(value: Any) -> str | None:
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and len(value) == 1:
        value = value[0]  # a gold answer in a list of one
    if isinstance(value, bytes):
        try:
            value = value.decode()  # some programs write text so
        except UnicodeDecodeError:
            raise _NotText("bytes that are no UTF-8") from None
    if isinstance(value, Mapping):
        raise _NotText("a record")
    return None if is_null(value) else str(value)


def _text_or_none(value: Any) -> str | None:
    """A text that does without: what is none says nothing."""
    try:
        return _text(value)
    except _NotText:
        return None


class _NotText(Exception):
    """What stands where text belongs, in a word."""


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
