"""Where a benchmark's records come from: the hub, local files and folders, or our own drawing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.sources.drawn import drawn_records
from vlm_boundary.benchmarks.sources.files import SUFFIXES, Record, file_records, kind_of
from vlm_boundary.benchmarks.sources.hub import cache_folders, dataset_commit, dataset_records
from vlm_boundary.benchmarks.sources.vlmevalkit import vlmevalkit_records
from vlm_boundary.errors import UserError
from vlm_boundary.nulls import with_nulls

__all__ = ["Record", "data_paths", "dataset_commit", "is_local", "iter_records", "picture_roots"]


def iter_records(config: BenchmarkConfig) -> Iterator[Record]:
    """The data set's records one after the other, as plain dictionaries of the same columns.

    NaN and NaT are None in them. Pictures are not opened, and no more than a few records are in
    memory at once (a .json file's all are).

    Raises:
        UserError: the data set does not exist, cannot be reached or cannot be parsed.
    """
    return map(with_nulls, _records(config))


def _records(config: BenchmarkConfig) -> Iterator[Record]:
    if config.procedural is not None:
        return drawn_records(config.procedural)
    file = _file(config)
    if file is None:
        if config.format is not None:
            raise UserError(
                f"benchmark {config.name!r}: format {config.format} needs dataset_path to be a "
                f"local .tsv file"
            )
        return dataset_records(config)
    unused = [
        key
        for key in ("dataset_name", "revision", "data_files")
        if getattr(config, key) is not None
    ]
    if unused:
        raise UserError(
            f"benchmark {config.name!r}: {unused[0]} belongs to a data set, and {file} is a file"
        )
    if config.format == "vlmevalkit":
        if config.fields.image is None or isinstance(config.fields.image, tuple):
            raise UserError(f"benchmark {config.name!r}: VLMEvalKit needs one fields.image column")
        return vlmevalkit_records(file, config.fields.image)
    return file_records(file)


def is_local(config: BenchmarkConfig) -> bool:
    """Whether the records can be read without a network.

    Raises:
        UserError: the path looks local and nothing is there.
    """
    return config.procedural is not None or _file(config) is not None or _path(config).is_dir()


def data_paths(config: BenchmarkConfig) -> tuple[Path, ...]:
    """The local file or folder that the records are read from; none where it is gone or elsewhere.

    A folder of pictures counts as its metadata alone: which pictures are used, that says.
    """
    if config.procedural is not None or not _path(config).exists():
        return ()
    return (_file(config) or _path(config),)


def picture_roots(config: BenchmarkConfig) -> tuple[Path, ...]:
    """The folders that picture paths cannot leave; a relative path starts in the first.

    Raises:
        UserError: image_root is no folder, or the data set's path looks local and nothing is there.
    """
    if config.image_root is not None:
        root = Path(config.image_root).expanduser()
        if not root.is_dir():
            raise UserError(_absent(config, "image_root", root, "give the pictures' folder"))
        return (root,)
    if config.procedural is not None:
        return (Path(),)
    file = _file(config)
    if file is not None:
        return (file.parent,)
    return (_path(config), *cache_folders())


def _path(config: BenchmarkConfig) -> Path:
    return Path(config.dataset_path or "").expanduser()


def _file(config: BenchmarkConfig) -> Path | None:
    """The one local file with the records, or None for a data set.

    Raises:
        UserError: the path looks local and nothing is there.
    """
    path = _path(config)
    if path.is_file():
        return path
    if path.is_dir():
        return None if config.data_files is not None else _metadata_file(path, config)
    if _looks_local(config.dataset_path or ""):
        valid = f"give a {', '.join(SUFFIXES)} file, a folder, or a hub id"
        raise UserError(_absent(config, "dataset_path", path, valid))
    return None


def _looks_local(name: str) -> bool:
    """Whether a path is none of a hub id's form, `name` or `owner/name`."""
    owner, _, rest = name.rpartition("/")
    return (
        kind_of(Path(name)) in SUFFIXES
        or (not owner and "." in rest)  # a file, though of a kind that we do not read
        or name.startswith((".", "/", "~"))
        or name.endswith("/")
        or "/" in owner
        or "\\" in name
    )


def _absent(config: BenchmarkConfig, key: str, path: Path, valid: str) -> str:
    """One line on a path where nothing is, or not what there should be."""
    what = "is not a folder" if path.exists() else "does not exist"
    where = "" if path.is_absolute() else f", neither beside its YAML file nor in {Path.cwd()}"
    return f"benchmark {config.name!r}: {key} {path} {what}{where}; {valid}"


def _metadata_file(folder: Path, config: BenchmarkConfig) -> Path | None:
    """The metadata of a folder of pictures, in the folder or in its split's."""
    place = folder / config.split if isinstance(config.split, str) else folder
    names = (place / f"metadata{suffix}" for suffix in (".jsonl", ".csv", ".parquet"))
    return next((file for file in names if file.is_file()), None)
