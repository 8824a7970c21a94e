"""The first thing in which two identities of an arm or a benchmark differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mismatch:
    """Where two nested mappings differ (keys joined by dots), and both values in short."""

    what: str
    before: str
    now: str


def first_difference(before: Any, now: Any, what: str = "") -> Mismatch | None:
    """Compare two nested mappings, keys in order; None when they are equal."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            inner = f"{what}.{key}" if what else str(key)
            if found := first_difference(before.get(key), now.get(key), inner):
                return found
        return None
    return None if before == now else Mismatch(what, _short(before), _short(now))


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
