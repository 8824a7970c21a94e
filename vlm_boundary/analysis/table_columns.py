"""Columns of anyone's JSONL, CSV, TSV or Parquet file, and what their values are read as."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from vlm_boundary.analysis.counts import Ints
from vlm_boundary.errors import UserError, reason_of

_BLOCK_BYTES = 16 << 20  # of a CSV or TSV file; no row is longer
_WORDS = {
    **{"true": True, "1": True, "1.0": True, "yes": True},
    **{"false": False, "0": False, "0.0": False, "no": False},
}
_NULL = ("", "null", "none", "nan")
_EXACT = 2**53  # from here on a float stands for several whole numbers


@dataclass(frozen=True)
class Column:
    """A column as places in the list of its distinct values, as they are written."""

    codes: Ints
    values: list[Any]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Column:
        """The same of an Arrow column."""
        if pa.types.is_null(column.type):
            return cls(np.zeros(len(column), dtype=np.int64), [None])
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        coded = column.dictionary_encode(null_encoding="encode")  # one for all chunks
        if not coded.num_chunks:
            return cls(np.zeros(0, dtype=np.int64), [])
        # Not by to_numpy, which imports pandas.
        codes = np.concatenate([np.from_dlpack(chunk.indices) for chunk in coded.chunks])
        return cls(codes.astype(np.int64), coded.chunk(0).dictionary.to_pylist())


@dataclass(frozen=True)
class Choice:
    """Which columns of a file are read.

    Attributes:
        names: every column that means something; others are ignored.
        of: those to read of a file with these columns; ValueError where that is not clear.
    """

    names: frozenset[str]
    of: Callable[[Iterable[str]], tuple[str, ...]]


def read_columns(path: Path, choice: Choice) -> dict[str, Column]:
    """The chosen columns of a file by name; empty where the file has no rows.

    Raises:
        UserError: the file cannot be read, or the choice refuses its columns.
    """
    readers = {".jsonl": _jsonl, ".csv": _separated, ".tsv": _separated, ".parquet": _parquet}
    if path.suffix.lower() not in readers:
        raise UserError(f"{path}: the name must end in {', '.join(readers)}")
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    return readers[path.suffix.lower()](path, choice)


def _jsonl(path: Path, choice: Choice) -> dict[str, Column]:
    chosen: tuple[str, ...] = ()
    meaningful: frozenset[str] = choice.names
    # 1, 1.0 and True are one key of a dictionary, and what they are read as depends on the type.
    known: list[dict[tuple[type, Any], int]] = []
    values: list[list[Any]] = []
    codes: list[list[int]] = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise UserError(
                f"{path}:{number}: this line is not JSON, or has a number of thousands of digits"
            ) from None
        if not isinstance(record, dict):
            raise UserError(f"{path}:{number}: a line must be an object with a field a column")
        if not chosen:
            chosen = _chosen(choice, record, f"{path}:{number}")
            known, values, codes = [{} for _ in chosen], [[] for _ in chosen], [[] for _ in chosen]
            meaningful = choice.names | {*chosen}
            meant = record.keys() & meaningful
        elif record.keys() & meaningful != meant:
            _same_fields(meant, record, choice, f"{path}:{number}")
        for place, name in enumerate(chosen):
            value = record[name]
            key = (type(value), value if value.__hash__ else repr(value))
            code = known[place].setdefault(key, len(known[place]))
            if code == len(values[place]):
                values[place].append(value)
            codes[place].append(code)
    return {
        name: Column(np.array(of, dtype=np.int64), distinct)
        for name, of, distinct in zip(chosen, codes, values, strict=True)
    }


def _same_fields(meant: set[str], record: dict[str, Any], choice: Choice, where: str) -> None:
    """Refuse a line whose fields say something else than those of the first."""
    there = listed(record)
    for name in sorted(meant - record.keys()):
        raise UserError(f"{where}: no column {name}, which the first line has; there are {there}")
    extra = sorted((record.keys() & choice.names) - meant)
    raise UserError(f"{where}: column {listed(extra)}, which the first line has not")


def _separated(path: Path, choice: Choice) -> dict[str, Column]:
    kind, by = ("TSV", "\t") if path.suffix.lower() == ".tsv" else ("CSV", ",")
    try:
        header = next(csv.reader(_lines(path), delimiter=by), [])
        chosen = _chosen(choice, header, str(path))
        table = pyarrow.csv.read_csv(
            path,
            # One thread, so that an error names its row.
            pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
            pyarrow.csv.ParseOptions(delimiter=by, newlines_in_values=True),
            pyarrow.csv.ConvertOptions(
                include_columns=chosen, column_types=dict.fromkeys(chosen, pa.string())
            ),
        )
    except (csv.Error, pa.ArrowException) as error:
        raise UserError(f"{path}: not valid {kind}: {reason_of(error)}") from None
    return {name: Column.of(table[name]) for name in chosen}


def _parquet(path: Path, choice: Choice) -> dict[str, Column]:
    try:
        chosen = _chosen(choice, pq.read_schema(path).names, str(path))
        table = pq.read_table(path, columns=list(chosen), partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file: {reason_of(error)}") from None
    for name in chosen:
        if pa.types.is_nested(table[name].type):
            raise UserError(f"{path}: {name} is {table[name].type}; it must be one value a row")
    return {name: Column.of(table[name]) for name in chosen}


def _chosen(choice: Choice, names: Iterable[str], where: str) -> tuple[str, ...]:
    try:
        return choice.of(names)
    except ValueError as problem:
        raise UserError(f"{where}: {problem}") from None


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text: {error}") from None


def listed(names: Iterable[str]) -> str:
    """Names in a sentence."""
    return ", ".join(map(str, names))


def is_empty(value: Any) -> bool:
    """Whether a cell has nothing in it."""
    return value is None or (isinstance(value, str) and not value.strip())


def as_name(value: Any) -> str:
    """A model's or problem's name; ValueError where it is none."""
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        if abs(value) >= _EXACT:
            raise ValueError("as a number with a point it is not exact; write it as text")
        return str(int(value)) if value == int(value) else str(value)
    raise ValueError("it must be a text or a number")


def as_origin(value: Any) -> str | None:
    """What a problem's cluster is called; None where it names none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str) and value.strip().lower() in _NULL:
        return None
    return as_name(value)


def as_whole(value: Any) -> int:
    """A count; ValueError where it is none."""
    if isinstance(value, str) and value.strip().removesuffix(".0").isdecimal():
        return int(value.strip().removesuffix(".0"))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and 0 <= value < _EXACT and value == int(value):
        return int(value)
    raise ValueError(
        "it must be a whole number; leave out the column with the number of samples where a row is "
        "a sample"
    )


def as_verdict(value: Any) -> bool | None:
    """True, false, or None for undecided; ValueError where it is none of these."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _NULL:
            return None
        if word in _WORDS:
            return _WORDS[word]
    raise ValueError(
        "it must be true or false, yes or no, 1 or 0, or null where it is undecided; where it "
        "counts correct samples, a column n must say of how many"
    )
