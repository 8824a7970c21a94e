"""The first thing in which two identities of an arm or a benchmark differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_HASHED = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}")  # SHA-256


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
