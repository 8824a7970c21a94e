"""Memory and time of reading a benchmark with few and with many pictures, source by source.

    python tests/perf/benchmark_memory.py [--few 500] [--many 5000] [--source parquet]

Each reading is a process of its own: list the problems through every kind of filter (`scan`), and
load them as a run does, pictures stored under their content (`load`). What is printed is the peak
of the process's own memory (RssAnon, sampled every 10 ms) above what it was before the first
record, and its growth from few to many pictures as a share of the bytes that these add. Files that
the operating system maps and can drop at any time, such as a data set's Arrow tables, do not count.
"""

from __future__ import annotations

import argparse
import base64
import csv
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

FIELDS = {"problem_id": "id", "question": "question", "answer": "answer", "image": "image"}
FILTERS = [
    {"missing_image": "drop"},
    {"match": {"field": "question", "pattern": "How"}},
    {"duplicates": "drop"},
]


def main() -> None:
    """Measure every source at both sizes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--few", type=int, default=500)
    parser.add_argument("--many", type=int, default=5000)
    sources = {source.__name__: source for source in (folder_csv, parquet, hub_layout, vlmevalkit)}
    parser.add_argument("--source", choices=sources, action="append", help="by default all")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(json.loads(options.measure[0]), options.measure[1])))
        return
    print(f"peak memory above the start, MiB: {options.few} and {options.many} pictures")
    print(
        f"{'source':12} {'job':5} {'few':>8} {'many':>8} {'of the bytes added':>19} {'seconds':>8}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        for source in (sources[name] for name in options.source or sources):
            results: dict[str, list[dict[str, float]]] = {"scan": [], "load": []}
            for count in (options.few, options.many):
                place = Path(scratch) / f"{source.__name__}-{count}"
                place.mkdir()
                settings, size = source(place, count)
                for job, found in results.items():
                    command = [sys.executable, __file__, "--measure", json.dumps(settings), job]
                    done = subprocess.run(command, capture_output=True, text=True, check=True)
                    found.append(json.loads(done.stdout.splitlines()[-1]) | {"bytes": size})
            for job, (few, many) in results.items():
                growth = (many["peak"] - few["peak"]) / (many["bytes"] - few["bytes"])
                print(
                    f"{source.__name__:12} {job:5} {few['peak'] / 2**20:8.1f} "
                    f"{many['peak'] / 2**20:8.1f} {growth:19.2%} {many['seconds']:8.1f}",
                    flush=True,
                )


def measure(settings: dict[str, Any], job: str) -> dict[str, float]:
    """Peak memory and seconds of one reading in this process."""
    import datasets  # imported before the count begins
    import pyarrow.parquet  # noqa: F401

    from vlm_boundary.benchmarks import Scan, load_benchmark, load_problems

    datasets.disable_progress_bars()
    config = load_benchmark("measured", settings)
    with tempfile.TemporaryDirectory() as kept:
        peak, stop = [0], threading.Event()
        before = own_memory()

        def watch() -> None:
            while not stop.wait(0.01):
                peak[0] = max(peak[0], own_memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        started = time.perf_counter()
        if job == "scan":
            problems = [candidate.problem for candidate in Scan(config)]
        else:
            problems = list(load_problems(config, Path(kept)).problems)
        seconds = time.perf_counter() - started
        stop.set()
        watcher.join()
    assert all(problem.error is None for problem in problems)
    return {"peak": peak[0] - before, "seconds": seconds}


def own_memory() -> int:
    """Bytes of anonymous memory that this process has resident."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("needs Linux's /proc")


def picture(number: int) -> bytes:
    """A JPEG of noise, about 100 KB, no two alike."""
    import io
    from random import Random

    from PIL import Image

    grey = Image.frombytes("L", (330, 330), Random(number).randbytes(330 * 330))
    file = io.BytesIO()
    grey.save(file, format="JPEG", quality=90)
    return file.getvalue()


def record(number: int) -> dict[str, Any]:
    """A problem without its picture."""
    return {"id": str(number), "question": f"How many in {number}?", "answer": "3"}


def folder_csv(place: Path, count: int) -> tuple[dict[str, Any], int]:
    """A CSV beside a folder of pictures."""
    size = 0
    with (place / "data.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*record(0), "image"])
        writer.writeheader()
        for number in range(count):
            data = picture(number)
            size += len(data)
            (place / f"{number}.jpg").write_bytes(data)
            writer.writerow(record(number) | {"image": f"{number}.jpg"})
    return {"dataset_path": str(place / "data.csv"), "fields": FIELDS, "filters": FILTERS}, size


def parquet(place: Path, count: int) -> tuple[dict[str, Any], int]:
    """One Parquet file with the pictures in it, in row groups of 100 as `datasets` writes them."""
    size = write_parquet(place / "data.parquet", count)
    return {"dataset_path": str(place / "data.parquet"), "fields": FIELDS, "filters": FILTERS}, size


def hub_layout(place: Path, count: int) -> tuple[dict[str, Any], int]:
    """A data set as the hub keeps it, through the datasets library (its cache made beforehand)."""
    import datasets

    (place / "data").mkdir()
    size = write_parquet(place / "data" / "test-00000-of-00001.parquet", count)
    datasets.disable_progress_bars()
    datasets.load_dataset(str(place), split="test")
    return {"dataset_path": str(place), "fields": FIELDS, "filters": FILTERS}, size


def vlmevalkit(place: Path, count: int) -> tuple[dict[str, Any], int]:
    """VLMEvalKit's TSV, every second picture a reference to the row before."""
    size = 0
    with (place / "data.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["index", "question", "answer", "image"], delimiter="\t")
        writer.writeheader()
        for number in range(count):
            image = str(number - 1)
            if number % 2 == 0:
                data = picture(number)
                size += len(data)
                image = base64.b64encode(data).decode()
            told = record(number)
            writer.writerow({"index": told.pop("id"), **told, "image": image})
    fields = FIELDS | {"problem_id": "index"}
    return {
        "dataset_path": str(place / "data.tsv"),
        "format": "vlmevalkit",
        "fields": fields,
        "filters": FILTERS,
    }, size


def write_parquet(path: Path, count: int) -> int:
    """Write records with picture bytes, as hub data sets hold them.

    A row group is what a reader must hold; where it is larger, so is the memory.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = 0
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    text = [(name, pa.string()) for name in record(0)]
    schema = pa.schema([*text, ("image", image)])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, count, 100):
            rows = []
            for number in range(start, min(start + 100, count)):
                data = picture(number)
                size += len(data)
                rows.append(record(number) | {"image": {"bytes": data, "path": None}})
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return size


if __name__ == "__main__":
    main()
