"""Where a pattern may begin, found by its first words: much faster than the pattern itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator


def small(text: str) -> str:
    """A text in small letters, and of the same length: one capital letter would become two."""
    low = text.lower()
    return low if len(low) == len(text) else text.replace("\u0130", "I").lower()


def places_of(keys: Iterable[str], low: str, start: int, end: int) -> list[int]:
    """Where one of several strings begins, in order."""
    found: list[int] = []
    for key in keys:
        place = low.find(key, start, end)
        while place >= 0:
            found.append(place)
            place = low.find(key, place + 1, end)
    found.sort()
    return found


def matches_at(
    pattern: re.Pattern[str], text: str, places: Iterable[int], end: int
) -> Iterator[re.Match[str]]:
    """The matches of a pattern that begin at the places; none within another."""
    last = 0
    for place in places:
        if place >= last and (match := pattern.match(text, place, end)) is not None:
            last = match.end()
            yield match
