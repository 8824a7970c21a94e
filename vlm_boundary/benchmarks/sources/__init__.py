"""Where a benchmark's records come from: the hub, local files and folders, or our own drawing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from vlm_boundary.benchmarks import procedural
from vlm_boundary.benchmarks.picture_source import checked_archive, is_archive
from vlm_boundary.benchmarks.schema import BenchmarkConfig, ProceduralConfig
from vlm_boundary.benchmarks.sources.files import (
    SUFFIXES,
    Record,
    file_records,
    kind_of,
    vlmevalkit_records,
)
from vlm_boundary.benchmarks.sources.hub import (
    cache_folders,
    dataset_commit,
    dataset_records,
    first_dataset_records,
)
from vlm_boundary.benchmarks.sources.turns import chat_records
from vlm_boundary.errors import UserError
from vlm_boundary.nulls import with_nulls

__all__ = [
    "Record",
    "data_paths",
    "dataset_commit",
    "first_records",
    "is_local",
    "iter_records",
    "picture_roots",
]


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
    where = f"benchmark {config.name!r}"
    files = _files(config)
    if config.format == "vlmevalkit":
        file = next(iter(files.values()), None)
        if file is None:
            raise UserError(
                f"{where}: format vlmevalkit needs dataset_path to be a local .tsv file"
            )
        if config.fields.image is None or isinstance(config.fields.image, tuple):
            raise UserError(f"{where}: VLMEvalKit needs one fields.image column")
        records = vlmevalkit_records(file, config.fields.image)
    elif files:  # with the columns that those of a data set have, too
        records = (
            {"_name": None, "_split": split} | record
            for split, path in files.items()
            for record in file_records(path)
        )
    else:
        records = dataset_records(config)
    return chat_records(records, where) if config.format == "chat" else records


def first_records(config: BenchmarkConfig, count: int) -> tuple[list[Record], str]:
    """The first records of a data set that is not on this disk, and how they were had, in a line.

    Raises:
        UserError: the hub has no such data set, or it cannot be read.
    """
    records, how = first_dataset_records(config, count)
    told = [with_nulls(record) for record in records]
    if config.format == "chat":
        told = list(chat_records(told, f"benchmark {config.name!r}"))
    return told, how


def is_local(config: BenchmarkConfig) -> bool:
    """Whether the records can be read without a network.

    Raises:
        UserError: the path looks local and nothing is there.
    """
    return config.procedural is not None or bool(_files(config)) or _path(config).is_dir()


def data_paths(config: BenchmarkConfig) -> tuple[Path, ...]:
    """The local files or folder that records are read from; none where they are gone or elsewhere.

    A folder of pictures counts as its metadata alone: which pictures are used, that says.
    """
    if config.procedural is not None or not _path(config).exists():
        return ()
    return tuple(_files(config).values()) or (_path(config),)


def picture_roots(config: BenchmarkConfig) -> tuple[Path, ...]:
    """The folders that picture paths cannot leave, or the archive that pictures are in.

    A relative path starts in the first.

    Raises:
        UserError: image_root is no folder, or the data set's path looks local and nothing is there.
    """
    if config.image_root is not None:
        root = Path(config.image_root).expanduser()
        if is_archive(root):
            return (checked_archive(root),)
        if not root.is_dir():
            valid = "give the pictures' folder, or a .zip or .tar of them"
            raise UserError(_absent(config, "image_root", root, valid))
        return (root,)
    if config.procedural is not None:
        return (Path(),)
    file = next(iter(_files(config).values()), None)
    if file is not None:
        return (file.parent,)
    return (_path(config), *cache_folders())


def _path(config: BenchmarkConfig) -> Path:
    return Path(config.dataset_path or "").expanduser()


def _files(config: BenchmarkConfig) -> dict[str | None, Path]:
    """The local files with the records by their splits; none for a data set.

    Raises:
        UserError: the path looks local and nothing is there, or a file is given what only a data
            set has.
    """
    path = _path(config)
    if path.is_dir():
        return {} if config.data_files is not None else _folder_files(path, config)
    if path.is_file():
        where = f"benchmark {config.name!r}"
        for key in ("dataset_name", "revision", "data_files"):
            if getattr(config, key) is not None:
                raise UserError(f"{where}: {key} belongs to a data set, and {path} is a file")
        if isinstance(config.split, tuple):
            raise UserError(
                f"{where}: {path} is one file, and split names {len(config.split)}; say which it "
                f"is, or give the folder with a file for each, as {config.split[0]}.jsonl"
            )
        return {config.split: path}
    if _looks_local(config.dataset_path or ""):
        valid = f"give a {', '.join(SUFFIXES)} file, a folder, or a hub id"
        raise UserError(_absent(config, "dataset_path", path, valid))
    return {}


def _folder_files(folder: Path, config: BenchmarkConfig) -> dict[str | None, Path]:
    """The metadata of a folder of pictures, or a file of records named after each split."""
    one = config.split if isinstance(config.split, str) else None
    names = (f"metadata{suffix}" for suffix in (".jsonl", ".csv", ".parquet"))
    for metadata in (folder / (one or "") / name for name in names):
        if metadata.is_file():
            return {one: metadata}
    splits = config.split if isinstance(config.split, tuple) else (config.split or "test",)
    found = {
        split: next((p for s in SUFFIXES if (p := folder / f"{split}{s}").is_file()), None)
        for split in splits
    }
    return {s: file for s, file in found.items() if file} if all(found.values()) else {}


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


def drawn_records(config: ProceduralConfig) -> Iterator[Record]:
    """The held-out problems of a seed, each with its picture as PNG bytes.

    Raises:
        UserError: no such family, or it has not as many different problems.
    """
    families = config.families or procedural.FAMILIES
    if unknown := set(families) - set(procedural.ALL_FAMILIES):
        raise UserError(
            f"procedural.families: no family {min(unknown)!r}; "
            f"there are {', '.join(procedural.ALL_FAMILIES)}"
        )
    problems = procedural.problems(
        split="test", seed=config.seed, count=config.count, families=families
    )
    while True:
        try:
            problem = next(problems)
        except StopIteration:
            return
        except ValueError as error:
            raise UserError(f"procedural: {error}") from None
        png = io.BytesIO()
        problem.draw(config.size).save(png, format="PNG")
        described = procedural.description(problem)
        yield problem.record() | {"description": described, "image": png.getvalue()}
