"""Records of one local file: Parquet, JSONL, JSON, CSV, TSV, the texts also compressed by gzip."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vlm_boundary.errors import UserError, reason_of
from vlm_boundary.nulls import TEXT_NULLS

Record = dict[str, Any]

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
COMPRESSED = ".gz"
LONGEST_CELL = 1 << 30  # base64 pictures are far beyond the csv module's 128 KiB
_BUFFER = 1 << 20
Mending = Callable[[Any], Any]
LONGEST_REFERENCE = 64  # VLMEvalKit's own rule: no picture is as short in base64


def kind_of(path: Path) -> str:
    """The ending that says what a file of records is, in small letters; of x.csv.gz it is .csv."""
    suffix = path.suffix.lower()
    if suffix == COMPRESSED and (inner := Path(path.stem).suffix.lower()) in SUFFIXES[:-1]:
        return inner
    return suffix


def file_records(path: Path) -> Iterator[Record]:
    """The file's records; those of JSON files are all given the columns that any of them has.

    Raises:
        UserError: the file cannot be parsed, or is of another kind.
    """
    readers = {
        ".parquet": _parquet,
        ".csv": _table,
        ".tsv": _table,
        ".jsonl": _jsonl,
        ".json": _json,
    }
    kind = kind_of(path)
    if kind not in readers:
        raise UserError(
            f"{path}: cannot read {path.suffix!r} files; use {', '.join(SUFFIXES[:-1])} or "
            f"{SUFFIXES[-1]}, or one of the texts with {COMPRESSED} behind"
        )
    try:
        yield from readers[kind](path)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except (EOFError, zlib.error) as error:
        raise UserError(f"{path}: damaged or cut short: {error}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error}") from None


def _text(path: Path) -> TextIO:
    """The file's text, without a byte order mark, lines as they are."""
    if path.suffix.lower() == COMPRESSED:
        return gzip.open(path, "rt", newline="", encoding="utf-8-sig")
    return path.open(newline="", encoding="utf-8-sig")


def _parquet(path: Path) -> Iterator[Record]:
    try:
        # Small batches without read-ahead: pictures in a column stay on disk until their turn.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            if twice := _first_double(file.schema_arrow.names):
                raise UserError(f"{path}: two columns are named {twice!r}")
            mended = shortest_floats(file.schema_arrow)
            for batch in file.iter_batches(batch_size=8, use_threads=False):
                yield from map(mended, batch.to_pylist())
    except pa.ArrowException as error:
        raise UserError(f"{path}: not a Parquet file: {reason_of(error)}") from None


def _table(path: Path) -> Iterator[Record]:
    with _text(path) as lines:
        yield from table_rows(lines, path)


def table_rows(lines: Iterator[str], path: Path) -> Iterator[Record]:
    """Rows of a CSV or TSV file under its header; NaN and NaT, which are text there, are None."""
    csv.field_size_limit(LONGEST_CELL)
    # Strict, or else a quote that nothing closes takes all rows behind it into its cell.
    delimiter = "," if kind_of(path) == ".csv" else "\t"
    reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
    begins = 1
    try:
        if twice := _first_double([name for name in reader.fieldnames or () if name]):
            raise UserError(f"{path}, line 1: two columns are named {twice!r}")
        begins = reader.line_num + 1
        for row in reader:
            if None in row:
                raise UserError(
                    f"{path}, line {reader.line_num}: more cells than the header has columns"
                )
            yield {name: None if cell in TEXT_NULLS else cell for name, cell in row.items()}
            begins = reader.line_num + 1
    except csv.Error as error:
        unclosed = str(error) == "unexpected end of data"
        reason = "a quote opens in this row and is never closed" if unclosed else str(error)
        raise UserError(f"{path}, line {begins}: {reason}") from None


def _jsonl(path: Path) -> Iterator[Record]:
    columns: Record = {}
    for record in _lines(path):
        columns |= dict.fromkeys(record)
    for record in _lines(path):
        yield columns | record


def _lines(path: Path) -> Iterator[Record]:
    with _text(path) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                where = f"{path}, line {number}"
                yield _object(_parsed(line, where), where)


def _json(path: Path) -> Iterator[Record]:
    with _text(path) as file:
        content = _parsed(file.read(), str(path))
    # Either a list of records or, as MathVista has it, a mapping from id to record.
    if isinstance(content, dict):
        pairs = content.items()
        records = [{"_key": key} | _object(record, str(path)) for key, record in pairs]
    else:
        records = content
    if not isinstance(records, list):
        raise UserError(f"{path}: expected a list or a mapping of records")
    columns: Record = {}
    for record in records:
        columns |= dict.fromkeys(_object(record, str(path)))
    yield from (columns | record for record in records)


def _parsed(text: str, where: str) -> Any:
    try:
        content = json.loads(text, object_pairs_hook=_without_doubles)
        if "\\ud" in text.lower():  # may be half of a pair, which no table can hold
            json.dumps(content, ensure_ascii=False).encode()
        return content
    except _DoubleKey as error:
        raise UserError(f"{where}: the key {error.args[0]!r} stands twice in one record") from None
    except UnicodeEncodeError:
        raise UserError(f"{where}: holds half of a surrogate pair, which is not text") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not JSON: {error.msg}") from None
    except RecursionError:
        raise UserError(f"{where}: nested too deeply") from None
    except ValueError:  # what else the parser refuses: thousands of digits
        raise UserError(f"{where}: a whole number there has too many digits") from None


class _DoubleKey(Exception):
    """A key that stands twice in one object of a JSON text."""


def _without_doubles(pairs: list[tuple[str, Any]]) -> Record:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _DoubleKey((_first_double([name for name, _ in pairs]) or "")[:80])
    return found


def _first_double(names: list[str]) -> str | None:
    """The first name that stands there twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _object(value: Any, where: str) -> Record:
    if not isinstance(value, dict):
        raise UserError(f"{where}: expected a record with keys, found {type(value).__name__}")
    return value


def shortest_floats(schema: pa.Schema) -> Mending:
    """What makes of a record's 16-bit and 32-bit floats the numbers with their shortest text.

    Args:
        schema: the columns' types; floats inside structs, lists and maps are found, too.
    """
    columns = {field.name: mending for field in schema if (mending := _mending(field.type))}
    return _in_struct(columns) if columns else lambda record: record


def _mending(kind: pa.DataType) -> Mending | None:
    types = pa.types
    if types.is_float16(kind):
        return _shortest(16)
    if types.is_float32(kind):
        return _shortest(32)
    if types.is_dictionary(kind):
        return _mending(kind.value_type)
    if types.is_struct(kind):
        inner = {field.name: mending for field in kind if (mending := _mending(field.type))}
        return _in_struct(inner) if inner else None
    if types.is_map(kind):
        of_value = _mending(kind.item_type)
        return None if of_value is None else _in_map(of_value)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        of_item = _mending(kind.value_type)
        return None if of_item is None else _in_list(of_item)
    return None


def _shortest(bits: int) -> Mending:
    narrow = {16: np.float16, 32: np.float32}[bits]
    return lambda value: None if value is None else float(str(narrow(value)))


def _in_struct(fields: Mapping[str, Mending]) -> Mending:
    def mended(record: dict[str, Any] | None) -> dict[str, Any] | None:
        if record is None:
            return None
        return record | {name: mending(record[name]) for name, mending in fields.items()}

    return mended


def _in_map(mending: Mending) -> Mending:
    return lambda pairs: pairs and [(key, mending(value)) for key, value in pairs]


def _in_list(mending: Mending) -> Mending:
    return lambda values: values and [mending(value) for value in values]


def vlmevalkit_records(path: Path, image: str) -> Iterator[Record]:
    """The file's rows, a reference in the `image` column replaced by the picture that it names.

    Only the rows' places are kept in memory; a referenced picture is read where it is stored.

    Raises:
        UserError: the file cannot be parsed, or has no index or image column.
    """
    if path.suffix.lower() != ".tsv":
        raise UserError(f"{path}: VLMEvalKit's files end in .tsv")
    try:
        with path.open("rb") as file:
            line = file.readline()
        header, start = line.decode("utf-8-sig"), len(line)
        places = _places(path, header, start, image)
        for row, _ in _rows(path, header, start):
            reference = row[image]
            if reference in places and len(reference) <= LONGEST_REFERENCE:
                row[image] = next(_rows(path, header, places[reference]))[0][image]
            yield row
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text (byte {error.start})") from None


def _places(path: Path, header: str, start: int, image: str) -> dict[str, int]:
    """Where each row with a picture of its own begins, by its index."""
    places: dict[str, int] = {}
    for row, place in _rows(path, header, start):
        for column in ("index", image):
            if column not in row:
                raise UserError(
                    f"{path}: has no column {column!r}; its columns are {', '.join(row)}"
                )
        if len(row[image] or "") > LONGEST_REFERENCE:
            places[str(row["index"])] = place
    return places


def _rows(path: Path, header: str, start: int) -> Iterator[tuple[Record, int]]:
    """Rows from a place in the file on, each with its own place."""
    with path.open("rb") as file:
        file.seek(start)
        place = start

        def lines() -> Iterator[str]:
            nonlocal place
            yield header
            for line in file:
                place += len(line)
                yield line.decode("utf-8")

        rows = table_rows(lines(), path)
        while True:
            before = place  # the csv module takes the lines of one row and none beyond it
            row = next(rows, None)
            if row is None:
                return
            yield row, before
