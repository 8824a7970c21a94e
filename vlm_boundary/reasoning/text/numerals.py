"""Numbers as they are written, in digits or in a word."""

from __future__ import annotations

import re
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


_IN_DIGITS = re.compile(r"-?[0-9][0-9,]{0,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40}")


@lru_cache(maxsize=4096)
def number_of(written: str) -> Number:
    """The value of a number as it is written; -1 where it is none."""
    if written.isalpha():
        return english_number(written) or -1
    if _IN_DIGITS.fullmatch(written) is None:  # an exponent would be worked out
        return -1
    return int(written) if written.isdecimal() else _whole(Fraction(written.replace(",", "")))


def _whole(value: Fraction) -> Number:
    return value.numerator if value.denominator == 1 else value
