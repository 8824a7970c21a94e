"""Small data sets for the tests of benchmarks: pictures, files in every format, settings."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import CliRunner, Result
from PIL import Image

from vlm_boundary.benchmarks import BenchmarkConfig, load_benchmark
from vlm_boundary.cli import cli

FIELDS = {"problem_id": "id", "question": "question", "answer": "answer", "image": "image"}


def png(colour: str = "red", size: tuple[int, int] = (30, 20)) -> bytes:
    """A picture of one colour, as PNG bytes."""
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, format="PNG")
    return data.getvalue()


def rows() -> list[dict[str, Any]]:
    """Two records whose pictures stand in pictures/."""
    return [
        {"id": "1", "question": "How many?", "answer": "3", "image": "pictures/a.png"},
        {"id": "2", "question": "Which?", "answer": "B", "image": "pictures/b.png"},
    ]


def write(folder: Path, name: str, records: list[dict[str, Any]]) -> Path:
    """Records as a file of the kind that its name says."""
    path = folder / name
    match path.suffix:
        case ".jsonl":
            path.write_text("".join(json.dumps(record) + "\n" for record in records))
        case ".json":
            path.write_text(json.dumps({record["id"]: record for record in records}))
        case ".csv" | ".tsv":
            with path.open("w", newline="") as file:
                delimiter = "," if path.suffix == ".csv" else "\t"
                writer = csv.DictWriter(file, list(records[0]), delimiter=delimiter)
                writer.writeheader()
                writer.writerows(records)
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(records), path)
    return path


def config(path: Path, **changes: Any) -> BenchmarkConfig:
    """Settings over a data file with the columns of `rows`."""
    return load_benchmark("mine", {"dataset_path": str(path), "fields": FIELDS} | changes)


def call(*arguments: str | Path) -> Result:
    """What `vlm-boundary benchmarks` says to these arguments."""
    return CliRunner().invoke(cli, ["benchmarks", *map(str, arguments)])
