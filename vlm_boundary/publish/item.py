"""One file of a publication."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """One file of a publication: its path in the folder, what it holds, what writes it."""

    path: str
    what: str
    write: Callable[[Path], object]


def text_item(path: str, what: str, text: str) -> Item:
    """A file of text."""
    return Item(path, what, lambda to: to.write_text(text, encoding="utf-8"))
