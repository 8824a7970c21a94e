"""Where formulas with letters and signs of equality between them stand in a text."""

from __future__ import annotations

import re
from collections.abc import Set
from functools import lru_cache
from itertools import pairwise
from string import ascii_lowercase
from typing import NamedTuple

from vlm_boundary.verifier.phrases import occurs

# A letter beside a number or a sign: what all equations of this kind have, and few other texts.
# It begins with a set of characters, so that all others are passed fast.
_LIKELY = re.compile(
    r"[-+*/(·=\d^²³](?:(?:(?<=\d)|(?<=[-+*/(·=])\s?)[a-df-hj-z](?![a-zA-Z'’_])"
    r"|(?<=[a-df-hj-z][-+*/=^²³])(?<![a-zA-Z\\'’_]..)"
    r"|(?<=[a-df-hj-z] [-+*/=])(?<![a-zA-Z\\'’_]...)"
    r"|(?<=[a-df-hj-z] \\[-+=])(?<![a-zA-Z\\'’_]....))"
)
_LETTER = (
    r"[a-df-hj-z](?:(?<![a-zA-Z\\'’_.].)(?![a-zA-Z_'’.(])|(?<=\d.)[a-df-hj-z]?(?![a-zA-Z_'’(]))"
)
_PART = (  # what most characters are first, and each begins with a set, so that it fails fast
    r"[-+*/^()²³·×−÷½⅓¼¾⅔{}]|\d{1,9}(?:\.\d{1,6})?(?!\d|,\d|\.\d|%)"
    rf"|{_LETTER}|[abkmnpqtxyz](?<![a-zA-Z].)(?=\()|\\(?:cdot|times|frac|dfrac)(?![a-zA-Z])"
)
_GAP = r"[^\S\n]{0,8}"
SIDE = rf"(?:{_GAP}(?:{_PART}))++"
"""A side of an equation, as a pattern."""
_START = re.compile(rf"(?<![a-zA-Z])(?=[½⅓¼¾⅔\da-z(\\{{-])(?:{_PART})")
# Taken whole, with or without a sign of equality, so that no place is looked at twice.
_RUN = re.compile(rf"(?:{_PART})(?:{_GAP}(?:{_PART}))*+(?:{_GAP}=(?![=>]){SIDE})*+")
# What a run may be made of, read backwards from its sign of equality: it may be more, never less.
_STRETCH = re.compile(
    r"(?:[-+*/^()²³·×−÷½⅓¼¾⅔{}.=\s\d]++|[a-z]{1,2}(?![a-zA-Z])|(?:todc|semit|carfd?)\\)*+"
)
_BLANKED = re.compile(r"\^\{?\\circ\}?|\\(?:left|right|quad|qquad|displaystyle)(?![a-zA-Z])")
_BLANKS = ("°", "$", "&", "~", *(f"\\{sign}" for sign in "()[],;!"))
_COMMANDS = ("\\circ", "\\left", "\\right", "quad", "\\displaystyle")
_LETTERS = frozenset(ascii_lowercase) - {"e", "i"}
_SMALL = frozenset(ascii_lowercase)
_COMMAND = re.compile(r"\\[a-zA-Z]+")
MOST = 60
"""Equations of one text that are looked at."""


class LetterRun(NamedTuple):
    """What stands on both sides of signs of equality, and its letters."""

    match: re.Match[str]
    letters: tuple[frozenset[str], ...]
    """Of each side."""
    told: list[bool]
    """Of each two neighbouring sides whether they can be checked."""


def may_have_runs(text: str, words: Set[str], start: int, end: int) -> bool:
    """Whether a letter stands by itself, and one beside a number or a sign."""
    return not _LETTERS.isdisjoint(words) and _LIKELY.search(text, start, end) is not None


def untypeset(text: str) -> str:
    """A text of as many characters, in which blanks stand for what typesets it."""
    text = text.replace("$$", " ;").replace("–", "-").replace("=>", "⇒ ")
    for sign in _BLANKS:
        text = text.replace(sign, " " * len(sign))
    if occurs(_COMMANDS, text):
        text = _BLANKED.sub(lambda match: " " * len(match[0]), text)
    return text


def written_runs(plain: str) -> list[re.Match[str]]:
    """The longest runs of formulas with signs of equality between them, in order."""
    found: list[re.Match[str]] = []
    last, place = 0, plain.find("=")
    while place >= 0 and len(found) < 4 * MOST:
        line = max(last, plain.rfind("\n", last, place) + 1)
        stretch = _STRETCH.match(plain[line:place][::-1])
        first = place - stretch.end() if stretch else place
        opened = _START.search(plain, first, place)
        while opened:  # runs that end before the sign come first
            run = _RUN.match(plain, opened.start())
            last = run.end() if run else place
            if run and "=" in run[0]:
                found.append(run)
            opened = _START.search(plain, last, place)
        last = max(last, place + 1)
        place = plain.find("=", last)
    return found


def read_letters(run: re.Match[str]) -> LetterRun:
    """A run with its letters: sides of the same ones, or of one letter and none, can be checked."""
    letters = _letters(run[0])
    told = [one == two if one and two else len(one | two) == 1 for one, two in pairwise(letters)]
    return LetterRun(run, letters, told)


@lru_cache(maxsize=1024)  # a chain says its equations again, and many samples answer one question
def _letters(written: str) -> tuple[frozenset[str], ...]:
    """The letters of each side."""
    formula = _COMMAND.sub("", written) if "\\" in written else written
    return tuple(map(_SMALL.intersection, formula.split("=")))
