"""Numbers written as words, in English and Chinese."""

from __future__ import annotations

import re

_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_MULTIPLES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SPECIAL = {"dozen": 12}
_FIRST = "|".join(sorted({*_SMALL, *_TENS, *_SPECIAL}, key=len, reverse=True))
_WORD = "|".join([*sorted(_MULTIPLES, key=len, reverse=True), _FIRST])
ENGLISH = rf"(?:{_FIRST})(?:(?:\s+and\s+|[\s-])(?:{_WORD})(?![a-zA-Z]))*"
"""A regular expression for a number in English words, to be bounded by word edges."""
FIRST_WORDS = frozenset({*_SMALL, *_TENS, *_SPECIAL})
"""Words that a number in English words begins with."""
_PARTS = re.compile(rf"{_WORD}|and")

_HAN = {**{c: i for i, c in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}
HAN = r"[零〇一二两三四五六七八九十百千]+"
"""A regular expression for a number in Chinese characters, below ten thousand."""


def english_number(text: str) -> int | None:
    """The number that English words spell: "one hundred and twenty-five" is 125; else None."""
    total, group, last = 0, 0, 10**12
    for word in _PARTS.findall(text.lower()):
        if word == "and":
            continue
        if word in _SPECIAL:
            group = max(group, 1) * _SPECIAL[word]
        elif word in _MULTIPLES:
            multiple = _MULTIPLES[word]
            if multiple == 100:
                group = max(group, 1) * 100
            else:
                total += max(group, 1) * multiple
                group = 0
            last = multiple
        else:
            value = _SMALL.get(word, _TENS.get(word, 0))
            size = 10 if word in _TENS else 1
            if size >= last and last < 100:  # "two three" are two numbers
                return None
            group += value
            last = size if word in _TENS else 0
    return total + group


def han_number(text: str) -> int | None:
    """The number that Chinese characters spell: 一百二十五 is 125; else None."""
    if not any(c in _HAN_UNITS for c in text):
        return int("".join(str(_HAN[c]) for c in text)) if len(text) <= 12 else None
    total, digit = 0, 0
    for c in text:
        if c in _HAN:
            digit = _HAN[c]
        else:
            total += (digit or 1) * _HAN_UNITS[c]
            digit = 0
    return total + digit
