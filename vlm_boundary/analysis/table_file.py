"""Anyone's table of (model, problem, correct) as counts: JSONL, CSV or Parquet."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from vlm_boundary.analysis.counts import Counts, Ints
from vlm_boundary.errors import UserError

COLUMNS = ("model", "problem_id", "correct")
_WORDS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
_UNDECIDED = ("", "null", "none", "nan")
_BLOCK_BYTES = 16 << 20  # of a CSV file; no row is longer


@dataclass(frozen=True)
class _Column:
    """A column as places in the list of its distinct values, as they are written."""

    codes: Ints
    values: list[Any]


def read_table_file(path: Path) -> dict[str, Counts]:
    """Each model's counts, a row a sample in the file; other columns are ignored.

    `correct` is true or false, 1 or 0; a null or empty one is undecided, and counts as not correct.

    Raises:
        UserError: the file cannot be read, lacks a column, or a row holds what is not valid.
    """
    readers: dict[str, Callable[[Path], list[_Column]]] = {
        ".jsonl": _jsonl,
        ".csv": _csv,
        ".parquet": _parquet,
    }
    if path.suffix.lower() not in readers:
        raise UserError(f"{path}: the name must end in {', '.join(readers)}")
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    models, problems, correct = readers[path.suffix.lower()](path)
    if not len(models.codes):
        raise UserError(f"{path}: there are no rows")
    model, names = _readings(models, _name, path, "model")
    problem, ids = _readings(problems, _name, path, "problem_id")
    verdict, values = _readings(correct, _verdict, path, "correct")
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


def _jsonl(path: Path) -> list[_Column]:
    # 1, 1.0 and True are one key of a dictionary, and what they are read as depends on the type.
    known: list[dict[tuple[type, Any], int]] = [{}, {}, {}]
    values: list[list[Any]] = [[], [], []]
    codes: list[list[int]] = [[], [], []]
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise UserError(f"{path}:{number}: this line is not JSON") from None
        if not isinstance(record, dict):
            raise UserError(f"{path}:{number}: a line must be an object with {_listed(COLUMNS)}")
        for place, name in enumerate(COLUMNS):
            if name not in record:
                raise UserError(f"{path}:{number}: no field {name!r}; there are {_listed(record)}")
            value = record[name]
            key = (type(value), value if value.__hash__ else repr(value))
            code = known[place].setdefault(key, len(known[place]))
            if code == len(values[place]):
                values[place].append(value)
            codes[place].append(code)
    return [
        _Column(np.array(of, dtype=np.int64), distinct)
        for of, distinct in zip(codes, values, strict=True)
    ]


def _csv(path: Path) -> list[_Column]:
    try:
        _check_header(path, next(csv.reader(_lines(path)), []))
        table = pyarrow.csv.read_csv(
            path,
            # One thread, so that an error names its row.
            pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            pyarrow.csv.ConvertOptions(
                include_columns=COLUMNS, column_types=dict.fromkeys(COLUMNS, pa.string())
            ),
        )
    except (csv.Error, pa.ArrowException) as error:
        raise UserError(f"{path}: not valid CSV: {str(error).splitlines()[0]}") from None
    return [_coded(table[name]) for name in COLUMNS]


def _parquet(path: Path) -> list[_Column]:
    try:
        _check_header(path, pq.read_schema(path).names)
        table = pq.read_table(path, columns=list(COLUMNS), partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file: {str(error).splitlines()[0]}") from None
    for name in COLUMNS:
        if pa.types.is_nested(table[name].type):
            raise UserError(f"{path}: {name} is {table[name].type}; it must be one value a row")
    return [_coded(table[name]) for name in COLUMNS]


def _coded(column: pa.ChunkedArray) -> _Column:
    if pa.types.is_null(column.type):
        return _Column(np.zeros(len(column), dtype=np.int64), [None])
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    coded = column.dictionary_encode(null_encoding="encode").unify_dictionaries()
    if not coded.num_chunks:
        return _Column(np.zeros(0, dtype=np.int64), [])
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in coded.chunks])
    return _Column(codes.astype(np.int64), coded.chunk(0).dictionary.to_pylist())


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text: {error}") from None


def _check_header(path: Path, header: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise UserError(
            f"{path}: no column {_listed(missing)}; there are {_listed(header) or 'none'}"
        )


def _readings(
    column: _Column, read: Callable[[Any], Any], path: Path, name: str
) -> tuple[Ints, list[Any]]:
    """A column's values as places in the list of what the distinct ones are read as."""
    readings = []
    for place, value in enumerate(column.values):
        try:
            readings.append(read(value))
        except ValueError as problem:
            row = int(np.argmax(column.codes == place)) + 1
            shown = repr(value)[:60]
            raise UserError(
                f"{path}: row {row}: {name} is {shown} ({type(value).__name__}); {problem}"
            ) from None
    distinct: dict[Any, int] = {}
    merged = np.array([distinct.setdefault(reading, len(distinct)) for reading in readings])
    return merged[column.codes], list(distinct)


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
