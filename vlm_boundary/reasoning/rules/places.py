"""Where the phrases that a pattern begins with stand, so that it is tried at these places alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set


def lowered(text: str) -> str:
    """A text in small letters with a blank for each hyphen, of as many characters."""
    low = text.lower()
    return (low if len(low) == len(text) else text).replace("-", " ")


def by_last_word(phrases: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Phrases by the last word of each, the longest first."""
    found: dict[str, tuple[str, ...]] = {}
    for phrase in sorted(phrases, key=len, reverse=True):
        word = phrase.split()[-1]
        found[word] = (*found.get(word, ()), phrase)
    return found


def places(
    low: str, told: Set[str], phrases: Mapping[str, tuple[str, ...]], start: int, end: int
) -> list[int]:
    """Where the phrases begin of which `told`, a few words of the text, has the last, in order."""
    found: list[int] = []
    for word in told:
        if word not in phrases:
            continue
        place = low.find(word, start, end)
        while place >= 0:
            last = place + len(word)
            for phrase in phrases[word]:
                first = last - len(phrase)
                if first >= 0 and low.startswith(phrase, first):
                    found.append(first)
                    break
            place = low.find(word, last, end)
    found.sort()
    return found


def matches(
    pattern: re.Pattern[str], text: str, places: Iterable[int], end: int
) -> Iterator[re.Match[str]]:
    """The matches that begin at some of the places, none within another."""
    last = 0
    for place in places:
        if place >= last and (match := pattern.match(text, place, end)):
            last = match.end()
            yield match
