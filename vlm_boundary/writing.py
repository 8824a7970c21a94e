"""Files that are written whole or not at all, and what is said where that cannot be done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from vlm_boundary.errors import PlaceError, place_error


def cache_folder(kind: str) -> Path:
    """Where this user's machine keeps what can be made again, of one kind.

    Raises:
        PlaceError: nothing says where a user without a home keeps such things.
    """
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        raise PlaceError(
            "this user has no home folder to keep a cache in; set HOME or XDG_CACHE_HOME"
        ) from None
    return Path(base) / "vlm_boundary" / kind


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write beside `path`, and put it there once it is complete and on disk.

    After an error, Ctrl-C included, `path` is as it was and nothing else is left. The folder is
    made where it is missing.

    Raises:
        PlaceError: the disk is full, the folder is read-only, or there can be none.
    """
    with beside(path) as temporary:
        yield temporary
        publish(temporary, path)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill beside the one that is wanted, which takes its name once complete.

    After an error what was there is as it was. What was there goes: the caller has looked at it.
    It is put aside until the new folder stands, so that no step between can lose both.

    Raises:
        PlaceError: as `replacing`.
    """
    folder = Path(os.path.abspath(folder))  # "." has no name to put another beside
    temporary = folder.with_name(f".{uuid4().hex}.tmp")
    old = folder.with_name(f".{uuid4().hex}.old")
    with place_errors(folder):
        temporary.mkdir(parents=True)
        try:
            yield temporary
            if folder.exists():
                folder.rename(old)
            try:
                temporary.rename(folder)
            finally:
                if old.exists() and not folder.exists():
                    old.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def publish(temporary: Path, path: Path) -> None:
    """Flush a finished file to disk, then give it the name that readers look for."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Give the name of a file beside `path` that no reader looks at; what is left of it goes.

    Raises:
        PlaceError: as `replacing`; what could not be written is called `path`.
    """
    temporary = path.with_name(f".{uuid4().hex}.tmp")
    with place_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
        finally:
            with suppress(OSError):  # there is none, or there is no place for one
                temporary.unlink()


@contextmanager
def place_errors(path: Path) -> Iterator[None]:
    """Turn what the system says while a file is written into a line for the user.

    An error that names a file in another folder, from which something is read, is none of this
    file's and keeps its name.

    Raises:
        PlaceError: `path` cannot be written there.
    """
    try:
        yield
    except OSError as error:
        named = error.filename
        elsewhere = isinstance(named, str | os.PathLike) and not (
            Path(named).parent == path.parent or path.is_relative_to(named)
        )
        found = place_error(error, None if elsewhere else path)
        if found is None:
            raise
        raise found from error


def encodable(text: str) -> str:
    """The text with what UTF-8 cannot hold replaced."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
