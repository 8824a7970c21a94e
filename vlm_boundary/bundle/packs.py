"""Lists of things in many small files, so that a page fetches what it shows and no more."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

SUFFIX = ".jsonz"
"""Gzip under a name that no server takes for an encoding: the page's script unpacks it."""
_LEVEL = 6


def write_packed(path: Path, content: Any) -> None:
    """Write a value as JSON, packed; the same value gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(SUFFIX).write_bytes(_packed(_json(content)))


class Packs:
    """A list, written as files NAME-0, NAME-1 … of items that lie together.

    A file has about `size` bytes of JSON; an item that is larger has one of its own.
    """

    def __init__(self, place: Path, size: int) -> None:
        self._place = place
        self._size = size
        self._items: list[str] = []
        self._held = 0
        self._count = 0
        self.starts: list[int] = []
        """The number of the first item of each file."""

    def add(self, item: Any) -> None:
        """Put an item at the end of the list."""
        text = _json(item)
        if self._items and self._held + len(text) > self._size:
            self.close()
        self._items.append(text)
        self._held += len(text)

    def close(self) -> None:
        """Write what is held."""
        if not self._items:
            return
        self._place.parent.mkdir(parents=True, exist_ok=True)
        name = f"{self._place.name}-{len(self.starts)}{SUFFIX}"
        self._place.with_name(name).write_bytes(_packed(f"[{','.join(self._items)}]"))
        self.starts.append(self._count)
        self._count += len(self._items)
        self._items, self._held = [], 0

    def __len__(self) -> int:
        return self._count + len(self._items)


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _packed(text: str) -> bytes:
    return gzip.compress(text.encode("utf-8", "replace"), _LEVEL, mtime=0)
