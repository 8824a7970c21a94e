"""The folders of a run: what stands in for one, lies in none, or is taken out of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path

from vlm_boundary.writing import place_errors

ASIDE = "set-aside"
LOCKS = ".locks"
NEEDED = (LOCKS, ASIDE)
"""Folders without which nothing can be mended."""
_FOLDERS = ("problems", "images", "origins", "writers", "labels", "logs", "tables", "report")
_PARTITION = ("arm=*", "benchmark=*", "condition=*")


def not_folders(run: Path, tables: Iterable[str]) -> Iterator[Path]:
    """What stands where a run has a folder and is none; what is not there is no fault.

    Args:
        run: its directory.
        tables: the patterns of its tables' folders, as in `validity/layer=*`.

    Raises:
        PermissionError: a folder may not be looked into, which would pass for an empty one.
    """
    patterns: list[tuple[str, ...]] = [(name,) for name in (*NEEDED, *_FOLDERS)]
    patterns += [(*table.split("/"), *_PARTITION) for table in tables]
    levels = dict.fromkeys(one[:depth] for one in patterns for depth in range(1, len(one) + 1))
    for path in (path for level in levels for path in _entries(run, level)):
        if not path.is_dir():
            yield path
        elif not os.access(path, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _entries(run: Path, level: tuple[str, ...]) -> Iterator[Path]:
    parents, last = run.joinpath(*level[:-1]), level[-1]
    if "*" in "".join(level):
        yield from sorted(run.glob("/".join(level)))
    elif os.path.lexists(parents / last):  # glob gives no link to nothing
        yield parents / last


def strays(run: Path, tables: Iterable[str]) -> Iterator[Path]:
    """Parquet files below tables' folders that lie where no part is looked for."""
    for table in tables:
        levels = (*table.split("/"), *_PARTITION, "part-*.parquet")
        for path in sorted((run / levels[0]).rglob("*.parquet")):
            there = path.relative_to(run).parts
            if len(there) != len(levels) or not all(map(fnmatchcase, there, levels)):
                yield path


def set_aside(run: Path, path: Path) -> Path:
    """Move a file of a run to the same place below `set-aside`, where nothing looks for it.

    Raises:
        PlaceError: it cannot be moved.
    """
    wanted = run / ASIDE / path.relative_to(run)
    # What stood in place of a folder leaves its name free, for what will lie below it.
    first = 1 if path.parent == run or "=" in path.name else 0
    names = (wanted.with_name(f"{wanted.name}{f'.{n}' if n else ''}") for n in count(first))
    target = next(name for name in names if not os.path.lexists(name))
    with place_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    return target
