"""Whether files, texts and identities are those that they were."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HASHED = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}")  # SHA-256

Stamp = tuple[int, int, int] | None
"""A file's size in bytes, and when it and when its entry changed, in nanoseconds; None where there
is no such file. The last is the system's alone to set: a clock turned back does not hide a change.
"""


def stamp(file: Path) -> Stamp:
    """By what a change of a file is noticed without reading it."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def fingerprint(paths: Collection[Path], *said: str) -> str:
    """A hash of files and texts; a file counts by its path, size and time of change, not its bytes.

    Args:
        paths: files, and folders with all that is below them; what does not exist counts as absent.
        said: anything else that the hash is to depend on.
    """
    known = hashlib.blake2b(digest_size=16)
    for path in sorted(paths):
        for file in _files(path):
            found = file.stat()
            known.update(f"{file}\0{found.st_size}\0{found.st_mtime_ns}\0".encode(errors="replace"))
    for text in said:
        known.update(f"{text}\0".encode())
    return known.hexdigest()


def short_hash(*parts: str) -> str:
    """A hash by which a change is noticed; a sample's is of its text and finish reason."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, folders, names in os.walk(path):
        folders.sort()
        if Path(folder).name == "__pycache__":
            continue
        for name in sorted(names):
            yield Path(folder) / name


@dataclass(frozen=True)
class Mismatch:
    """Where two nested mappings differ (keys joined by dots), and both values in short.

    A value that is a hash stays unsaid: nobody wrote it.
    """

    what: str
    before: str
    now: str
    hashed: bool = False

    @property
    def drawn_with(self) -> str:
        """What was, and is now, in words that follow "with"."""
        if self.hashed:
            return f"other {self.what.rpartition('.')[2].replace('_', ' ')}"
        return f"{self.what} = {self.before}, and now it is {self.now}"


def first_difference(before: Any, now: Any, what: str = "") -> Mismatch | None:
    """Compare two nested mappings, keys in order; None when they are equal."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            inner = f"{what}.{key}" if what else str(key)
            if found := first_difference(before.get(key), now.get(key), inner):
                return found
        return None
    if before == now:
        return None
    hashed = any(_HASHED.search(str(value)) for value in (before, now))
    return Mismatch(what, _short(before), _short(now), hashed)


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
