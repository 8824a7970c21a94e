"""For what may be absent by its type and is there in a test."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def given(value: T | None) -> T:
    """The value, which is not None."""
    assert value is not None
    return value
