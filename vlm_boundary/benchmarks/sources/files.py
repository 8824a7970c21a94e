"""Records of one local file: Parquet, JSONL, JSON, CSV, TSV, the texts also compressed by gzip."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from vlm_boundary.benchmarks.sources.floats import shortest_floats
from vlm_boundary.errors import UserError, reason_of
from vlm_boundary.nulls import TEXT_NULLS

Record = dict[str, Any]

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
COMPRESSED = ".gz"
LONGEST_CELL = 1 << 30  # base64 pictures are far beyond the csv module's 128 KiB
_BUFFER = 1 << 20


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
    import pyarrow as pa
    import pyarrow.parquet as pq

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
