"""Whether the folders of a run are folders: a file, or a link to nothing, may stand in for one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from vlm_boundary.store.aside import ASIDE

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
    """
    patterns: list[tuple[str, ...]] = [(name,) for name in (*NEEDED, *_FOLDERS)]
    patterns += [(*table.split("/"), *_PARTITION) for table in tables]
    levels = dict.fromkeys(one[:depth] for one in patterns for depth in range(1, len(one) + 1))
    for level in levels:
        yield from (path for path in _entries(run, level) if not path.is_dir())


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
