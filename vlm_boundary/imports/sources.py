"""The files that a command names, each with the arm that it is of."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vlm_boundary.benchmarks.sources.files import SUFFIXES, kind_of
from vlm_boundary.errors import UserError
from vlm_boundary.imports.formats import format_of, recognised
from vlm_boundary.imports.records import Format
from vlm_boundary.imports.values import shown

_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)", re.DOTALL)
_LOOKED_AT = (*SUFFIXES, ".eval")


@dataclass(frozen=True)
class Source:
    """One file to read.

    Attributes:
        arm: what the user calls its model; None leaves it to the log.
        content: SHA-256 of the file.
    """

    path: Path
    form: Format
    arm: str | None
    content: str


@dataclass(frozen=True)
class Sources:
    """What is read, and files of the folders given that are no logs."""

    files: tuple[Source, ...]
    passed_over: tuple[Path, ...]


def find_sources(named: Sequence[str], form: str | None = None) -> Sources:
    """The logs at `[ARM=]PATH`, each a file or a folder.

    Args:
        form: their format, where structure alone does not tell.

    Raises:
        UserError: nothing is there, a file is no log, or a link leads out of a folder.
    """
    files: list[Source] = []
    passed: list[Path] = []
    for one in named:
        arm, path = _split(one)
        if path.is_dir():
            found, others = _in_folder(path, form)
            if not found:
                raise UserError(f"{path}: holds no log of a form that is known")
            files += [Source(file, kind, arm, _content(file)) for file, kind in found]
            passed += others
        else:
            files.append(Source(path, format_of(path, form), arm, _content(path)))
    return Sources(tuple(files), tuple(passed))


def is_log(named: str) -> bool:
    """Whether `[ARM=]PATH` is a folder, or a file of a form that is known."""
    _, path = _split(named)
    if not path.is_file():
        return path.is_dir()
    try:
        return bool(recognised(path))
    except UserError:
        return False  # what is wrong with it is for those to say who read it


def _split(named: str) -> tuple[str | None, Path]:
    found = _NAMED.fullmatch(named)
    if found and not os.path.lexists(named):
        return found[1], Path(found[2]).expanduser()
    path = Path(named).expanduser()
    arm, is_named, _ = named.partition("=")
    if is_named and os.sep not in arm and not os.path.lexists(path):
        raise UserError(
            f"{shown(named)}: an arm is called by letters, digits, '.', '_' and '-', the first a "
            f"letter or digit, not {shown(arm)!r}; or, if all of it is a path, it is not there"
        )
    return None, path


def _in_folder(folder: Path, form: str | None) -> tuple[list[tuple[Path, Format]], list[Path]]:
    found: list[tuple[Path, Format]] = []
    others: list[Path] = []
    home = folder.resolve()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names, key=_numbers):
            path = Path(place) / name
            if name.startswith(".") or kind_of(path) not in _LOOKED_AT:
                continue
            if not Path(os.path.realpath(path)).is_relative_to(home):
                raise UserError(f"{path}: a link that leads out of {folder}; name its target")
            fitting = recognised(path)
            if form is None and len(fitting) != 1:
                others.append(path)
                if fitting:
                    format_of(path)  # which of several, is to be said
            elif form is not None and form not in {one.name for one in fitting}:
                others.append(path)
            else:
                found.append((path, format_of(path, form)))
    return found, others


def _numbers(name: str) -> tuple[int, int, str]:
    """Files named by their steps in the order of these, before all others."""
    stem = name.partition(".")[0]
    number = stem.isascii() and stem.isdecimal() and len(stem) < 16
    return (0, int(stem), name) if number else (1, 0, name)


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
