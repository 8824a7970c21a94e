"""The files that a command names: which format each is of, and of which arm."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks.sources.files import SUFFIXES, file_records, kind_of
from vlm_boundary.errors import UserError
from vlm_boundary.imports.harnesses import LM_EVAL, LMMS_EVAL, VLMEVALKIT
from vlm_boundary.imports.inspect_logs import INSPECT, INSPECT_JSON, Archive
from vlm_boundary.imports.records import Format, shown
from vlm_boundary.imports.trainers import MS_SWIFT, TRL, VERL

FORMATS = (LM_EVAL, LMMS_EVAL, VERL, TRL, MS_SWIFT, INSPECT, INSPECT_JSON, VLMEVALKIT)
NAMES = tuple(dict.fromkeys(form.name for form in FORMATS))
_MOST_KEYS, _LONGEST_KEY = 12, 40
_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)", re.DOTALL)
_LOOKED_AT = (*SUFFIXES, ".eval")


def format_of(path: Path, name: str | None = None) -> Format:
    """The format of a file, or the one that is named where the file can be one of it.

    Raises:
        UserError: it is of none, of several, or not of the one that is named.
    """
    found = recognised(path)
    if name is not None:
        named = [form for form in found if form.name == name]
        if not named:
            wanted = next(form for form in FORMATS if form.name == name)
            raise UserError(f"{path}: not {wanted.title}: {wanted.needs}; it has {_held(path)}")
        return named[0]
    if not found:
        raise UserError(f"{path}: no log that is known ({', '.join(NAMES)}); it has {_held(path)}")
    if len(found) > 1:
        fit = " or ".join(form.name for form in found)
        raise UserError(f"{path}: could be {fit}; say which with --as")
    return found[0]


def recognised(path: Path) -> tuple[Format, ...]:
    """The formats that a file could be of.

    Raises:
        UserError: there is no such file, or it cannot be read.
    """
    archive, first = _first(path)
    return tuple(form for form in FORMATS if form.archive == archive and form.fits(first))


def _held(path: Path) -> str:
    _, first = _first(path)
    names = [shown(name, _LONGEST_KEY) for name in list(first)[:_MOST_KEYS]]
    more = f" and {len(first) - _MOST_KEYS:,} more" if len(first) > _MOST_KEYS else ""
    return f"{', '.join(names) or 'no record'}{more}"


def _first(path: Path) -> tuple[bool, Mapping[str, Any]]:
    """Whether a file is an archive, and its first record, or the names of what is in it."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    if zipfile.is_zipfile(path) and kind_of(path) not in SUFFIXES:
        return True, dict.fromkeys(Archive(path).names)
    if kind_of(path) not in SUFFIXES:
        said = "save it as TSV or JSON (PRED_FORMAT=tsv)" if kind_of(path) == ".xlsx" else None
        valid = said or f"give {', '.join(SUFFIXES)} or an .eval archive"
        raise UserError(f"{path}: files of this kind are not read; {valid}")
    if kind_of(path) == ".json" and (whole := _whole(path)) is not None:
        return False, whole
    try:
        return False, _first_line(path) or next(file_records(path), {})
    except UserError as error:
        raise UserError(_one_line(str(error))) from None


def _first_line(path: Path) -> dict[str, Any] | None:
    """The first record of a JSONL file, without the rest of it; None where it is not so simple."""
    if path.suffix.lower() != ".jsonl":
        return None
    with path.open("rb") as lines:
        first = next((line for line in lines if line.strip()), b"")
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        return None  # what is wrong is said where it is read
    return record if isinstance(record, dict) else None


def _whole(path: Path) -> dict[str, Any] | None:
    """A JSON file's content where it is one record, and not a list or a map of them."""
    if path.suffix.lower() != ".json":
        return None
    try:
        content = json.loads(path.read_bytes())
    except RecursionError:
        raise UserError(f"{path}: nested too deeply") from None
    except ValueError:
        raise UserError(f"{path}: not JSON") from None
    if isinstance(content, dict) and not all(isinstance(one, dict) for one in content.values()):
        return content
    return None


def _one_line(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:400]}…"


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
            fitting = [one for one in recognised(path) if form in (None, one.name)]
            if not fitting:
                others.append(path)
            else:
                found.append((path, fitting[0] if form else format_of(path)))
    return found, others


def _numbers(name: str) -> tuple[int, int, str]:
    """Files named by their steps in the order of these, before all others."""
    stem = name.partition(".")[0]
    number = stem.isascii() and stem.isdecimal() and len(stem) < 16
    return (0, int(stem), name) if number else (1, 0, name)


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
