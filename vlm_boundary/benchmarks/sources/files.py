"""Records of one local file: Parquet, JSONL, JSON, CSV, TSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vlm_boundary.errors import UserError

Record = dict[str, Any]

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
LONGEST_CELL = 1 << 30  # base64 pictures are far beyond the csv module's 128 KiB
_BUFFER = 1 << 20


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
    if path.suffix not in readers:
        raise UserError(
            f"{path}: cannot read {path.suffix!r} files; use {', '.join(SUFFIXES[:-1])} or "
            f"{SUFFIXES[-1]}"
        )
    try:
        yield from readers[path.suffix](path)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error}") from None


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Small batches without read-ahead: pictures in a column stay on disk until their turn.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            for batch in file.iter_batches(batch_size=8, use_threads=False):
                yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise UserError(f"{path}: not a Parquet file: {str(error).splitlines()[0]}") from None


def _table(path: Path) -> Iterator[Record]:
    with path.open(newline="", encoding="utf-8-sig") as lines:
        yield from table_rows(lines, path)


def table_rows(lines: Iterator[str], path: Path) -> Iterator[Record]:
    """Rows of a CSV or TSV file under its header."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.DictReader(lines, delimiter="," if path.suffix == ".csv" else "\t")
    try:
        for row in reader:
            if None in row:
                raise UserError(
                    f"{path}, line {reader.line_num}: more cells than the header has columns"
                )
            yield row
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}") from None


def _jsonl(path: Path) -> Iterator[Record]:
    columns: Record = {}
    for record in _lines(path):
        columns |= dict.fromkeys(record)
    for record in _lines(path):
        yield columns | record


def _lines(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                where = f"{path}, line {number}"
                yield _object(_parsed(line, where), where)


def _json(path: Path) -> Iterator[Record]:
    content = _parsed(path.read_text(encoding="utf-8"), str(path))
    # Either a list of records or, as MathVista has it, a mapping from id to record.
    records = list(content.values()) if isinstance(content, dict) else content
    if not isinstance(records, list):
        raise UserError(f"{path}: expected a list or a mapping of records")
    columns: Record = {}
    for record in records:
        columns |= dict.fromkeys(_object(record, str(path)))
    yield from (columns | record for record in records)


def _parsed(text: str, where: str) -> Any:
    try:
        content = json.loads(text)
        if "\\ud" in text.lower():  # may be half of a pair, which no table can hold
            json.dumps(content, ensure_ascii=False).encode()
        return content
    except UnicodeEncodeError:
        raise UserError(f"{where}: holds half of a surrogate pair, which is not text") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not JSON: {error.msg}") from None
    except RecursionError:
        raise UserError(f"{where}: nested too deeply") from None


def _object(value: Any, where: str) -> Record:
    if not isinstance(value, dict):
        raise UserError(f"{where}: expected a record with keys, found {type(value).__name__}")
    return value
