"""What counts as no value, in every file that is read: one rule, for values of any library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What NaN and NaT become in files that hold nothing but text, as CSV.
TEXT_NULLS = frozenset({"nan", "NaN", "NaT"})


def is_null(value: Any) -> bool:
    """Whether a value says nothing: None, NaN, NaT, or text of blanks alone."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, bytes | Mapping | list | tuple):
        return False
    # NaN of every library, and NaT, is the one value that is unlike itself; arrays are many.
    unlike = value != value
    return unlike is True or (getattr(unlike, "shape", None) == () and bool(unlike))


def with_nulls(value: Any) -> Any:
    """A record, list or value with every NaN and NaT in it as None; text stays as it is."""
    if isinstance(value, str | bytes):
        return value
    if isinstance(value, Mapping):
        return {name: with_nulls(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_nulls(inner) for inner in value]
    return None if is_null(value) else value
