"""Anyone's table of (model, problem, correct) as counts: JSONL, CSV or Parquet."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vlm_boundary.analysis.counts import Counts
from vlm_boundary.errors import UserError

COLUMNS = ("model", "problem_id", "correct")
_WORDS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
_UNDECIDED = ("", "null", "none", "nan")


def read_table_file(path: Path) -> dict[str, Counts]:
    """Each model's counts, a row a sample in the file; other columns are ignored.

    `correct` is true or false, 1 or 0; a null or empty one is undecided, and counts as not correct.

    Raises:
        UserError: the file cannot be read, lacks a column, or a row holds what is not valid.
    """
    readers: dict[str, Callable[[Path], list[list[Any]]]] = {
        ".jsonl": _jsonl,
        ".csv": _csv,
        ".parquet": _parquet,
    }
    if path.suffix.lower() not in readers:
        raise UserError(f"{path}: the name must end in {', '.join(readers)}")
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    models, problems, correct = readers[path.suffix.lower()](path)
    if not models:
        raise UserError(f"{path}: there are no rows")
    model, names = _codes(models, _name, path, "model")
    problem, ids = _codes(problems, _name, path, "problem_id")
    verdict, values = _codes(correct, _verdict, path, "correct")
    right = np.array([value is True for value in values])[verdict]
    unknown = np.array([value is None for value in values])[verdict]
    found = {}
    for place, name in enumerate(names):
        rows = model == place
        present, order = np.unique(problem[rows], return_inverse=True)
        by_name = np.argsort([ids[i] for i in present], kind="stable")

        def count(which: Any, order: Any = order, by_name: Any = by_name) -> Any:
            return np.bincount(order[which], minlength=len(by_name))[by_name].astype(np.int64)

        solved = count(right[rows])
        found[name] = Counts(
            tuple(ids[present[i]] for i in by_name),
            samples=count(slice(None)),
            correct=solved,
            undecided=count(unknown[rows]),
            strict=solved,
        )
    return found


def _jsonl(path: Path) -> list[list[Any]]:
    columns: list[list[Any]] = [[], [], []]
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise UserError(f"{path}:{number}: this line is not JSON") from None
        if not isinstance(record, dict):
            raise UserError(f"{path}:{number}: a line must be an object with {_listed(COLUMNS)}")
        for name, column in zip(COLUMNS, columns, strict=True):
            if name not in record:
                raise UserError(f"{path}:{number}: no field {name!r}; there are {_listed(record)}")
            column.append(record[name])
    return columns


def _csv(path: Path) -> list[list[Any]]:
    rows = csv.reader(_lines(path))
    try:
        header = next(rows, [])
        places = _places(path, header)
        columns: list[list[Any]] = [[], [], []]
        for row in rows:
            if not row:
                continue
            if len(row) <= max(places):
                raise UserError(
                    f"{path}:{rows.line_num}: {len(row)} columns, where the header has "
                    f"{len(header)}"
                )
            for column, place in zip(columns, places, strict=True):
                column.append(row[place])
    except csv.Error as error:
        raise UserError(f"{path}:{rows.line_num}: not valid CSV: {error}") from None
    return columns


def _parquet(path: Path) -> list[list[Any]]:
    try:
        _places(path, pq.read_schema(path).names)
        table = pq.read_table(path, columns=list(COLUMNS), partitioning=None)
        return [table[name].to_pylist() for name in COLUMNS]
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file: {str(error).splitlines()[0]}") from None


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text: {error}") from None


def _places(path: Path, header: list[str]) -> list[int]:
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise UserError(
            f"{path}: no column {_listed(missing)}; there are {_listed(header) or 'none'}"
        )
    return [header.index(name) for name in COLUMNS]


def _codes(
    values: list[Any], read: Callable[[Any], Any], path: Path, column: str
) -> tuple[Any, list[Any]]:
    """Values as places in the list of what the distinct ones are read as."""
    known: dict[Any, int] = {}
    # 1, 1.0 and True are one key of a dictionary, and what they are read as depends on the type.
    keys = [(type(value), value if value.__hash__ else repr(value)) for value in values]
    codes = np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)
    readings = []
    for place, (kind, _) in enumerate(known):
        value = values[int(np.argmax(codes == place))]
        try:
            readings.append(read(value))
        except ValueError as problem:
            row = int(np.argmax(codes == place)) + 1
            shown = repr(value)[:60]
            raise UserError(
                f"{path}: row {row}: {column} is {shown} ({kind.__name__}); {problem}"
            ) from None
    distinct: dict[Any, int] = {}
    merged = np.array([distinct.setdefault(reading, len(distinct)) for reading in readings])
    return merged[codes], list(distinct)


def _name(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(int(value)) if value == int(value) else str(value)
    raise ValueError("it must be a text or a number")


def _verdict(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _UNDECIDED:
            return None
        if word in _WORDS:
            return _WORDS[word]
    raise ValueError("it must be true or false, 1 or 0, or null where it is undecided")


def _listed(names: Any) -> str:
    return ", ".join(map(str, names))
