"""Numbers of things, in English."""

from __future__ import annotations


def counted(number: int, noun: str, *, several: str | None = None) -> str:
    """A number with its noun: `1 problem`, `7,680 problems`.

    Args:
        several: the noun of any number but one, where that is not the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"
