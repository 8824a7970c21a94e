"""Numbers as they are written, in digits or in a word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from vlm_boundary.mathtext.words import english_number

WORDED = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
"""The words for small numbers, as a pattern."""
NUMBER_WORDS = frozenset(WORDED.split("|"))
Number = int | Fraction
"""An integer where it is whole, which is many times faster in sets."""

DIGITS = re.compile(r"[0-9](?<![0-9.,].)[0-9]{0,8}(?:,[0-9]{3})*(?:\.[0-9]{1,6})?")
WORDS = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"[TFSENtfsen](?<!\w.)(?:(?<=[Tt])(?:wo|hree|en|welve)|(?<=[Ff])(?:our|ive)"
    r"|(?<=[Ss])(?:ix|even)|(?<=[Ee])(?:ight|leven)|(?<=[Nn])ine)\b"
)


@lru_cache(maxsize=4)  # several checks read one text
def digits_in(text: str, start: int, end: int) -> Mapping[str, int]:
    """How often each number stands in digits in a text."""
    times: dict[str, int] = {}
    for number in DIGITS.findall(text, start, end):
        times[number] = times.get(number, 0) + 1
    return times


@lru_cache(maxsize=4096)  # many samples answer one question
def asked_in(question: str) -> frozenset[Number]:
    """The numbers that a question has in digits."""
    return frozenset(map(number_of, DIGITS.findall(question)))


@lru_cache(maxsize=4096)
def number_of(written: str) -> Number:
    """The value of a number as it is written; -1 where it is none."""
    if written.isalpha():
        return english_number(written) or -1
    try:
        return int(written) if written.isdecimal() else _whole(Fraction(written.replace(",", "")))
    except (ValueError, ZeroDivisionError):
        return -1


def _whole(value: Fraction) -> Number:
    return value.numerator if value.denominator == 1 else value
