"""Tokens of a span in plain spelling."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from vlm_boundary.verifier.words import ENGLISH, HAN, english_number, han_number

TokenKind = Literal["number", "command", "name", "symbol"]


@dataclass(frozen=True)
class Token:
    """One token, where it stands, and whether a space stands before it."""

    kind: TokenKind
    text: str
    start: int
    end: int
    spaced: bool


_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?![\d])|\d{1,3}(?:[ ']\d{3})+(?![\d.,/])|\d+)(?:\.\d+)?|\.\d+"
_BARE_DIGITS = r"\d+(?:\.\d+)?|\.\d+"
_REST = (
    r"(?:[eE][+-]?\d+(?![a-zA-Z\d]))?)"
    r"|(?P<command>\\[a-zA-Z]+)"
    r"|(?P<name>[A-Za-z](?:_(?:[a-zA-Z0-9]|\{[^{}]{1,12}\}))+|[A-Za-zÀ-ÖØ-öø-ɏΑ-ορ-ωЀ-ӿ぀-ヿ가-힣]+(?:'[a-z]+)?|[一-鿿]+)"
    r"|(?P<symbol>\S)"
)
_TOKEN = re.compile(r"(?P<number>(?:" + _DIGITS + ")" + _REST)
_LISTED = re.compile(r"(?P<number>(?:" + _BARE_DIGITS + ")" + _REST)
_NUMBER_WORDS = re.compile(
    rf"(?<![\w-])({ENGLISH}|an?\s+(?:hundred|thousand|million|billion))(?!\w)", re.IGNORECASE
)
_AND_A_PART = re.compile(  # two and a half; "2 and 1/2" may be two values
    rf"(?<![\w./-])({ENGLISH}|\d+)\s+and\s+an?\s+(half|third|quarter)(?!\w)", re.IGNORECASE
)
_DENOMINATORS = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4,
    "fourths": 4, "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7,
    "eighth": 8, "eighths": 8, "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10,
    "twelfth": 12, "twelfths": 12, "hundredth": 100, "hundredths": 100, "thousandth": 1000,
    "thousandths": 1000,
}  # fmt: skip
_FRACTION_WORDS = re.compile(
    rf"(?<![\w-])({ENGLISH}|an?)[ -]({'|'.join(_DENOMINATORS)})(?!\w)", re.IGNORECASE
)
_ARITHMETIC = re.compile(r"\b(?:of|twice|double|triple|squared|cubed|times|plus|minus|by|over)\b")
_SPOKEN = [
    (re.compile(pattern, re.IGNORECASE), sign)
    for pattern, sign in (
        (r"(?:the\s+)?square\s+root\s+of\s+(?=\d)", "√"),
        (r"(?:a\s+)?half\s+of\s+(?=\d)", "1/2*"),
        (r"(?<=\d)(?<=/.)\s+of\s+(?=\d)", "*"),
        (r"(?<!\w)(?:twice|double)\s+(?=\d)", "2*"),
        (r"(?<!\w)(?:thrice|triple)\s+(?=\d)", "3*"),
        (r"(?<=\d)\s+squared(?!\s*\w)", "^2"),
        (r"(?<=\d)\s+cubed(?!\s*\w)", "^3"),
        (r"(?<=\d)\s+(?:times|multiplied\s+by)\s+(?=\d)", "*"),
        (r"(?<=\d)\s+plus\s+(?=\d)", "+"),
        (r"(?<=\d)\s+minus\s+(?=\d)", "- "),
        (r"(?<=\d)\s+(?:divided\s+by|over)\s+(?=\d)", "/"),
    )
]
_HAN_NUMBER = re.compile(
    rf"(?<![一-鿿])({HAN})(?=$|[^一-鿿]|个|度|厘|平|立|米|元|岁|年|种|条|块|只|次)"
)
_LETTER = re.compile(r"[a-zA-Z]{3}")


def spelled_out(text: str) -> str:
    """The text with numbers in words written as digits: "twenty-one students" is "21 students"."""
    if _LETTER.search(text):
        if " and a" in text:
            text = _AND_A_PART.sub(_and_a_part, text)
        text = _FRACTION_WORDS.sub(_fraction, text)
        text = _NUMBER_WORDS.sub(_number, text)
        if _ARITHMETIC.search(text):
            for pattern, sign in _SPOKEN:
                text = pattern.sub(sign, text)
        text = text.replace("infinity", "∞")
    if not text.isascii():
        text = _HAN_NUMBER.sub(lambda m: str(han_number(m[1])), text)
    return text


def _number(match: re.Match[str]) -> str:
    value = english_number(match[1])
    return match[1] if value is None else str(value)


def _and_a_part(match: re.Match[str]) -> str:
    return f"{match[1]} 1/{_DENOMINATORS[match[2].lower()]}"


def _fraction(match: re.Match[str]) -> str:
    top = 1 if match[1].lower() in ("a", "an") else english_number(match[1])
    return match[0] if top is None else f"{top}/{_DENOMINATORS[match[2].lower()]}"


def tokenize(text: str, *, listed: bool = False) -> list[Token]:
    """Tokens in order; in a list a comma between digits separates, elsewhere it may group them."""
    tokens: list[Token] = []
    end = 0
    for match in (_LISTED if listed else _TOKEN).finditer(text):
        kind: TokenKind = match.lastgroup  # type: ignore[assignment]
        tokens.append(Token(kind, match[0], match.start(), match.end(), match.start() > end))
        end = match.end()
    return tokens
