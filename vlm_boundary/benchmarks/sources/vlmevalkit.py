"""VLMEvalKit's TSV files: base64 pictures, each stored once and then named by its row's index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vlm_boundary.benchmarks.sources.files import Record, table_rows
from vlm_boundary.errors import UserError

LONGEST_REFERENCE = 64  # VLMEvalKit's own rule: no picture is as short in base64


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
