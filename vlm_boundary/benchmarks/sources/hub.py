"""Data sets through the `datasets` library: from the hub, its cache, or a folder in its layout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any

import pyarrow as pa

from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.sources.files import Record, shortest_floats
from vlm_boundary.errors import UserError, reason_of
from vlm_boundary.nulls import TEXT_NULLS

_BATCH = 8  # records in memory at a time, pictures and all
_REFUSED = (ValueError, RuntimeError)  # what the library says of a data set that it does not take
_PATIENCE = 10.0  # seconds that the hub has to name a commit


def dataset_records(config: BenchmarkConfig) -> Iterator[Record]:
    """The records of every configuration and split that is named, in that order.

    `HF_HOME`, `HF_TOKEN`, `HF_HUB_OFFLINE` and `HF_ENDPOINT` are the library's; data sets that are
    Python scripts are refused by it, so no remote code runs.

    Raises:
        UserError: the data set cannot be found, reached or read.
    """
    folder = Path(config.dataset_path or "").expanduser()
    if is_saved_split(folder):
        split, dataset = _saved(config, folder)
        yield from _as_stored(dataset, {"_name": None, "_split": split})
        return
    for name, split in _parts(config):
        yield from _as_stored(_load(config, name, split), {"_name": name, "_split": split})


def _parts(config: BenchmarkConfig) -> list[tuple[str | None, str]]:
    """Every configuration with every split that is named."""
    names = config.dataset_name if isinstance(config.dataset_name, tuple) else [config.dataset_name]
    splits = config.split if isinstance(config.split, tuple) else [config.split or "test"]
    return list(product(names, splits))


def first_dataset_records(config: BenchmarkConfig, count: int) -> tuple[list[Record], str]:
    """The first records of the first configuration and split, and how they were had.

    As a stream from the hub, which loads no more than they need; without a network from the cache.
    There are none where the hub is out of reach and the cache has none.

    Raises:
        UserError: the hub has no such data set, or it cannot be read.
    """
    import datasets
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    name, split = _parts(config)[0]
    origin = {"_name": name, "_split": split}
    part = ", ".join(filter(None, (config.dataset_path, name, split)))
    if not constants.HF_HUB_OFFLINE:
        try:
            stream = _loader(config, name, split)(streaming=True)
            batches = stream.with_format("arrow").iter(count)
            records = [record | origin for record in next(iter(batches)).to_pylist()]
            return records, f"Read the first {len(records)} records of {part} from the hub."
        except (
            *_REFUSED,
            StopIteration,
            datasets.exceptions.DatasetsError,
            datasets.exceptions.DatasetNotFoundError,
        ) as error:
            raise UserError(_cannot_load(config, (name, split), error)) from None
        except (OSError, *HfHubHTTPError.__bases__):
            pass  # no network, but the cache may have it
    try:
        records = list(islice(_as_stored(_load(config, name, split), origin), count))
    except UserError:
        return [], (
            f"{config.dataset_path} is not on this disk and not in reach, so that nothing but the "
            f"YAML was checked; 'vlm-boundary benchmarks preview' downloads and reads it."
        )
    return records, f"Read the first {len(records)} records of {part} from the cache on this disk."


def _as_stored(dataset: Any, origin: Record) -> Iterator[Record]:
    """Records with pictures as they are stored, however deep: each is opened late, by our rules."""
    mended = shortest_floats(dataset.features.arrow_schema)
    for batch in dataset.with_format("arrow").iter(_BATCH):
        for record in batch.to_pylist():
            yield mended(record) | origin


def dataset_commit(config: BenchmarkConfig) -> str | None:
    """The commit that the hub holds under the data set's revision; None where it cannot be asked.

    A revision that is a commit itself is taken by its word.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    name = config.dataset_path
    if name is None or Path(name).expanduser().exists():
        return None
    if config.revision and re.fullmatch("[0-9a-f]{40}", config.revision):
        return config.revision
    # The library has changed its HTTP client before, whose own errors are the base of its error.
    unreachable = (*HfHubHTTPError.__bases__, HFValidationError)
    try:
        found = HfApi().dataset_info(name, revision=config.revision, timeout=_PATIENCE)
    except unreachable:
        return None  # no network, or no such data set, which loading it says
    return str(found.sha) if found.sha else None


def cache_folders() -> tuple[Path, ...]:
    """Where the library keeps the files of data sets, pictures among them."""
    import datasets
    from huggingface_hub import constants

    places = (
        constants.HF_HUB_CACHE,
        datasets.config.HF_DATASETS_CACHE,
        datasets.config.DOWNLOADED_DATASETS_PATH,
    )
    return tuple(Path(place) for place in places)


def _loader(config: BenchmarkConfig, name: str | None, split: str) -> partial[Any]:
    """The library's function with what the benchmark says of its data set."""
    import datasets

    path = Path(config.dataset_path or "").expanduser()
    return partial(
        datasets.load_dataset,
        str(path) if path.is_dir() else config.dataset_path,
        name,
        split=split,
        revision=config.revision,
        data_files=config.model_dump(mode="json", include={"data_files"})["data_files"],
    )


def _load(config: BenchmarkConfig, name: str | None, split: str) -> Any:
    import datasets
    from huggingface_hub.errors import HfHubHTTPError

    load = _loader(config, name, split)
    try:
        dataset = load()
        if dataset.info.builder_name == "csv":
            # Or else its words for no value are pandas' own, NA and None among them.
            dataset = load(keep_default_na=False, na_values=sorted({"", *TEXT_NULLS}))
    except (*_REFUSED, OSError, datasets.exceptions.DatasetsError, HfHubHTTPError) as error:
        raise UserError(_cannot_load(config, (name, split), error)) from None
    return dataset


def _cannot_load(
    config: BenchmarkConfig, asked: tuple[str | None, str | None], error: Exception
) -> str:
    part = "".join(f", {what}" for what in asked if what)
    return f"benchmark {config.name!r}: cannot load {config.dataset_path}{part}: {reason_of(error)}"


def _saved(config: BenchmarkConfig, folder: Path) -> tuple[str | None, Any]:
    """The one split that `save_to_disk` put into a folder, and its name where it has one."""
    import datasets

    where = f"benchmark {config.name!r}"
    for key in ("dataset_name", "revision", "data_files"):
        if getattr(config, key) is not None:
            raise UserError(f"{where}: {folder} is one split, saved to disk, and has no {key}")
    try:
        dataset = datasets.load_from_disk(str(folder))
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        reason = reason_of(error)
        raise UserError(f"{where}: cannot load {folder}, saved to disk: {reason}") from None
    name = None if dataset.split is None else str(dataset.split)
    if config.split is not None and (
        isinstance(config.split, tuple) or (name is not None and name != config.split)
    ):
        asked = config.split if isinstance(config.split, str) else ", ".join(config.split)
        raise UserError(
            f"{where}: {folder} is the one split {name or 'that was saved there'}, not {asked}; "
            f"leave split out"
        )
    return name or config.split, dataset


def is_saved_split(folder: Path) -> bool:
    """Whether `Dataset.save_to_disk` wrote this folder, which `load_dataset` does not read."""
    return (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()
