"""Where a benchmark's records come from: the hub, local files, or our own drawing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks.schema import BenchmarkConfig, ProceduralConfig
from vlm_boundary.errors import UserError

Record = dict[str, Any]

LOCAL_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


def iter_records(config: BenchmarkConfig) -> Iterator[Record]:
    """The data set's records as plain dictionaries, pictures not yet opened.

    Raises:
        UserError: the data set does not exist, cannot be reached or cannot be parsed.
    """
    if config.procedural is not None:
        return _procedural(config.procedural)
    assert config.dataset_path is not None  # the schema asks for one of the two
    path = Path(config.dataset_path).expanduser()
    if path.is_file():
        return _local(path)
    if path.is_dir():
        raise UserError(
            f"benchmark {config.name!r}: {path} is a folder; name the file with the records in it"
        )
    looks_local = path.suffix in LOCAL_SUFFIXES or config.dataset_path.startswith((".", "/", "~"))
    if looks_local or config.dataset_path.count("/") > 1:
        raise UserError(f"benchmark {config.name!r}: dataset_path {path} does not exist")
    return _hub(config)


def picture_root(config: BenchmarkConfig) -> Path:
    """The folder that picture paths in the records are relative to."""
    if config.image_root is not None:
        return Path(config.image_root).expanduser()
    return Path(config.dataset_path or ".").expanduser().parent


def _local(path: Path) -> Iterator[Record]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        for batch in pq.ParquetFile(path).iter_batches(batch_size=64):
            yield from batch.to_pylist()
    elif path.suffix in (".csv", ".tsv"):
        delimiter = "," if path.suffix == ".csv" else "\t"
        with path.open(newline="", encoding="utf-8-sig") as lines:
            yield from csv.DictReader(lines, delimiter=delimiter)
    elif path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _object(_json(line, f"{path}, line {number}"), f"{path}, line {number}")
    elif path.suffix == ".json":
        content = _json(path.read_text(encoding="utf-8"), str(path))
        # Either a list of records or, as MathVista has it, a mapping from id to record.
        records = content.values() if isinstance(content, dict) else content
        if not isinstance(records, list) and not isinstance(content, dict):
            raise UserError(f"{path}: expected a list or a mapping of records")
        yield from (_object(record, str(path)) for record in records)
    else:
        raise UserError(f"{path}: cannot read {path.suffix!r} files; use {_or(LOCAL_SUFFIXES)}")


def _hub(config: BenchmarkConfig) -> Iterator[Record]:
    from datasets import Image as ImageFeature
    from datasets import List, load_dataset
    from huggingface_hub.errors import HfHubHTTPError

    try:
        dataset = load_dataset(
            config.dataset_path,
            config.dataset_name,
            split=config.split or "test",
            revision=config.revision,
        )
    except (OSError, HfHubHTTPError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"benchmark {config.name!r}: cannot load {config.dataset_path} from the hub: {reason}"
        ) from None
    for column, feature in dataset.features.items():
        # Undecoded, so that each picture is opened once, late, and by our own rules.
        if isinstance(feature, ImageFeature):
            dataset = dataset.cast_column(column, ImageFeature(decode=False))
        elif isinstance(feature, List) and isinstance(feature.feature, ImageFeature):
            dataset = dataset.cast_column(column, List(ImageFeature(decode=False)))
    yield from dataset


def _procedural(config: ProceduralConfig) -> Iterator[Record]:
    from vlm_boundary.benchmarks import procedural

    families = config.families or procedural.FAMILIES
    if unknown := set(families) - set(procedural.FAMILIES):
        raise UserError(
            f"procedural.families: no family {min(unknown)!r}; "
            f"there are {', '.join(procedural.FAMILIES)}"
        )
    for problem in procedural.problems(
        split="test", seed=config.seed, count=config.count, families=families
    ):
        png = io.BytesIO()
        problem.draw(config.size).save(png, format="PNG")
        yield problem.record() | {"image": png.getvalue()}


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not JSON: {error.msg}") from None


def _object(value: Any, where: str) -> Record:
    if not isinstance(value, dict):
        raise UserError(f"{where}: expected a record with keys, found {type(value).__name__}")
    return value


def _or(options: tuple[str, ...]) -> str:
    return ", ".join(options[:-1]) + " or " + options[-1]
