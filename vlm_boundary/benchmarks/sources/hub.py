"""Data sets through the `datasets` library: from the hub, its cache, or a folder in its layout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.sources.files import Record
from vlm_boundary.benchmarks.sources.floats import shortest_floats
from vlm_boundary.errors import UserError

_PATIENCE = 10.0  # seconds that the hub has to name a commit


def dataset_records(config: BenchmarkConfig) -> Iterator[Record]:
    """The records of every configuration and split that is named, in that order.

    `HF_HOME`, `HF_TOKEN`, `HF_HUB_OFFLINE` and `HF_ENDPOINT` are the library's; data sets that are
    Python scripts are refused by it, so no remote code runs.

    Raises:
        UserError: the data set cannot be found, reached or read.
    """
    names = config.dataset_name if isinstance(config.dataset_name, tuple) else [config.dataset_name]
    splits = config.split if isinstance(config.split, tuple) else [config.split or "test"]
    for name in names:
        for split in splits:
            dataset = _load(config, name, split)
            mended = shortest_floats(dataset.features.arrow_schema)
            for record in dataset:
                yield mended(record) | {"_name": name, "_split": split}


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


def _load(config: BenchmarkConfig, name: str | None, split: str) -> Any:
    import datasets
    from huggingface_hub.errors import HfHubHTTPError

    path = Path(config.dataset_path or "").expanduser()
    files = config.model_dump(mode="json", include={"data_files"})["data_files"]
    try:
        dataset = datasets.load_dataset(
            str(path) if path.is_dir() else config.dataset_path,
            name,
            split=split,
            revision=config.revision,
            data_files=files,
        )
    except (
        OSError,
        ValueError,
        RuntimeError,
        datasets.exceptions.DatasetsError,
        HfHubHTTPError,
    ) as error:
        reason = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
        part = "".join(f", {what}" for what in (name, split) if what)
        raise UserError(
            f"benchmark {config.name!r}: cannot load {config.dataset_path}{part}: {reason}"
        ) from None
    return _undecoded(dataset)


def _undecoded(dataset: Any) -> Any:
    """Pictures as they are stored, so that each is opened once, late, and by our own rules."""
    from datasets import Image, List

    for column, feature in dataset.features.items():
        if isinstance(feature, Image):
            dataset = dataset.cast_column(column, Image(decode=False))
        elif isinstance(feature, List) and isinstance(feature.feature, Image):
            dataset = dataset.cast_column(column, List(Image(decode=False)))
    return dataset
