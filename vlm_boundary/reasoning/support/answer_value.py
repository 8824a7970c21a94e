"""A final answer as a value, where a text says it, and the numbers of a text beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from vlm_boundary.mathtext.words import ENGLISH, ONE_NUMBER, english_number
from vlm_boundary.reasoning.text.typeset import plain

HERE = "@"
"""Stands for the answer, where a text says it."""
_NUMBER = re.compile(
    rf"(?P<digits>\d+(?:\.\d+)?)|\b(?P<word>(?!zeros|ones){ONE_NUMBER})s?(?![\w])", re.IGNORECASE
)
_WORDED = re.compile(rf"\b{ENGLISH}(?!\w)", re.IGNORECASE)
_SPACES = str.maketrans(dict.fromkeys(" \t\n\r()[]_", ""))
_LABEL = re.compile(
    r"(?mi)^[^\S\n]*(?:[-•>]\s)?(?:\d{1,2}[.:)](?=\s|$)|(?:step|part|method)\s?\d{1,2}\b)|</?(?:think|answer)>"
)
_UNIT = re.compile(r"(?<=[ckmd]m)[²³]|(?<=\bm)[²³]|(?<=[a-z])/[a-z]+²?")
_ANSWER = re.compile(
    r"(?:[a-zA-Z]{1,3}=)?([-+]?(?:\d[\d.,/:]*(?:π|√\d+)?|[π√]\d*))(?:%|[a-zA-Z].*)?"
)
_OPTION = re.compile(
    r"\(?(?<!\w)([A-H])[).:]\s?([^()\n]{1,30}?)(?=\s*(?:\(?\b[A-H][).:]|[,;\n]|$))"
)
_NEVER = -1 / 997  # the number of what is none: a time, a list
_LARGE = 12  # numbers in words above it are hardly ever of anything else


@dataclass(frozen=True, slots=True)
class SaidAnswer:
    """The answer as it is written, without spaces, and its number.

    Of 24√3 and 90π it is the number before the sign (`rooted`); `letter` is that of the option
    that was answered, where its value is meant.
    """

    written: str
    number: float
    rooted: bool = False
    letter: str = ""


def said_value(answer: str, asked: str) -> SaidAnswer | None:
    """The answer as a value, where it is one; the value of the option where it is a letter."""
    letter = answer.strip(" ().$").upper()
    if is_option := len(letter) == 1 and letter.isalpha():
        answer = dict(_OPTION.findall(asked)).get(letter, "")
    letter = letter if is_option else ""
    match = _ANSWER.fullmatch(packed(unlabelled(answer)).rstrip(".").strip("€£"))
    if match is None:
        worded = english_number(answer) if _WORDED.fullmatch(answer) else None
        return None if worded is None else SaidAnswer(str(worded), float(worded), letter=letter)
    written = match[1].rstrip(".,:/")
    digits = re.sub(r"π|√\d*", "", written)
    try:
        number = float(Fraction(digits if digits.strip("-+") else 1))
    except (ValueError, ZeroDivisionError):
        number = _NEVER
    return SaidAnswer(written, number, rooted=digits != written, letter=letter)


def mark(text: str, said: SaidAnswer) -> str:
    """A text with `HERE` in the places where it says the answer."""
    option = rf"|\b(?:option|choice) {said.letter}\b" if said.letter else ""
    text = re.sub(rf"(?<![\w.]){_spaced(said)}(?![\w²³√]|\.\d|/\d){option}", HERE, text)
    if said.number <= _LARGE or said.rooted:
        return text
    return _WORDED.sub(lambda m: HERE if english_number(m[0]) == said.number else m[0], text)


def contains(text: str, said: SaidAnswer) -> bool:
    """Whether the answer stands in a text, as a part of a formula too: the 2 of 2x."""
    return re.search(rf"(?<![\d.]){_spaced(said)}(?!\d|\.\d)", text) is not None


def without_options(asked: str) -> str:
    """What is asked, without the values of its options."""
    return _OPTION.sub(" ", asked)


def unlabelled(text: str) -> str:
    """A text with its formulas in one way of writing, without labels and units of areas."""
    return _LABEL.sub("\n", _UNIT.sub(" ", plain(text)))


def packed(text: str) -> str:
    """A text without spaces and brackets."""
    return text.translate(_SPACES)


def numbers(text: str) -> list[float]:
    """The values of a text's numbers, in digits and in words."""
    found: list[float] = []
    for match in _NUMBER.finditer(text):
        value = float(match["digits"]) if match["digits"] else english_number(match["word"])
        found += [] if value is None else [float(value)]
    return found


def in_digits(text: str) -> set[float]:
    """The values of a text's numbers in digits."""
    return {float(match["digits"]) for match in _NUMBER.finditer(text) if match["digits"]}


def _spaced(said: SaidAnswer) -> str:
    whole, point, part = said.written.partition(".")
    if not part.rstrip("0"):
        return r"\s?".join(map(re.escape, whole)) + r"(?:\.0+)?"
    return r"\s?".join(map(re.escape, whole + point + part.rstrip("0"))) + "0*"
