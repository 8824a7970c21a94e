"""Where a text says that two things are equal, and what stands on both sides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.evaluate import Value, numeric
from vlm_boundary.mathtext.parser import Expression
from vlm_boundary.reasoning.text.passages import words_in
from vlm_boundary.reasoning.text.plain_sides import (
    WINDOW,
    plain_count,
    plain_number,
    plain_sum,
    read_sum,
)
from vlm_boundary.reasoning.text.token_sides import leading, trailing

_SIGNS = r"=(?<![<>!:=~\\≠]=)(?![=>])|≈|≃|≅|\\(?:approx|simeq)(?![a-zA-Z])"
_SIGN = re.compile(_SIGNS)
_WORDS = ("is(?: equal to| about| approximately| roughly)?", "equals?", "makes", "gives", "leaves")
_RELATION = re.compile(  # branches begin with a character each, so that all others are passed fast
    _SIGNS
    + "".join(
        rf"|{word[0]}(?<=[0-9)}}%°] {word[0]}){word[1:]}(?=\s{{1,3}}[-$]?\s?[0-9])"
        for word in _WORDS
    )
)
_SAID = re.compile(rf"[0-9)}}%°] (?:{'|'.join(_WORDS)})\s{{1,3}}[-$]?\s?[0-9]")
_VERBS = frozenset(("equal", "equals", "makes", "gives", "leaves"))
_ENDS_VALUE = "0123456789)}%°"
_MOST = 3000  # signs of equality looked at in one text
_SHORT_TEXT = 1_000
_DIGIT = re.compile(r"\d")
# Sides that no arithmetic ends in (a variable, AB, x^2, x_1) or begins with (a name, \text): most
# signs of equality stand between such, and need not be read token by token.
_ENDS_IN_NAME = re.compile(
    r"(?<![a-zA-ZÀ-ӿ\\'’_])(?:[A-Z]{2,4}|(?<!/)(?![ckm]?m\^)[a-zA-Z]{1,4}\^(?:\d|\{\d\})"
    r"|[a-fi-kn-rt-zA-Z](?:_(?:[a-zA-Z0-9]|\{[^{}]{1,12}\}))?)[\s$&]{0,4}\Z"
)
_BEGINS_WITH_NAME = re.compile(
    r"[\s$&~({]{0,8}(?:[a-zA-Z](?![a-zA-Z])|[a-lnoqrt-zA-LNOQRT-Z]"
    r"|\\(?![dt]?frac|sqrt|pi|left|right|displaystyle|mathbf|q?quad|[bB]ig|boxed)[a-zA-Z]"
    r"|\\[dt]?frac\{[a-zA-Z](?![a-zA-Z])|\*\*[-\d({]"
    r"|-?\d+(?:\.\d+)?(?:[abcdfijknopqruvwyzBDEGIMOPQRSUXYZ](?![^\W\d_]|['’])"
    r"|\s?\\(?:mathrm|text)\{[^{}\n]{0,30}\}\^(?!\s{0,2}\{?\s{0,2}\\circ)))"
)
_LOOSE = re.compile(r"≈|≃|≅|\\approx|\\simeq|about|approx|roughly")


class Equation(NamedTuple):
    """Two sides said to be equal; `sure` when both were read whole and nothing is ambiguous."""

    left: Expression
    right: Expression
    loose: bool
    sure: bool
    values: tuple[Value | None, Value | None]
    """What both sides come to; None where a side has no value within the bounds."""


def equations(text: str, start: int, end: int) -> tuple[Equation, ...]:
    """Every pair of neighbouring sides that both read as arithmetic, in order."""
    read = _of_short if len(text) <= _SHORT_TEXT else _of_long
    return read(text, start, end)


def _read_all(text: str, start: int, end: int) -> tuple[Equation, ...]:
    return tuple(_equations(text, start, end))


# The layers and the answer's support read the same text: one after the other, or layer by layer.
_of_short = lru_cache(maxsize=4096)(_read_all)
_of_long = lru_cache(maxsize=64)(_read_all)


def forget() -> None:
    """Read every text anew from here on, as a measurement needs it."""
    _of_short.cache_clear()
    _of_long.cache_clear()
    read_sum.cache_clear()


def _equations(text: str, start: int, end: int) -> Iterator[Equation]:
    said = _RELATION if _says_equal(text, start, end) else _SIGN
    relations = list(islice(said.finditer(text, start, end), _MOST))
    for place, relation in enumerate(relations):
        before = relations[place - 1].end() if place else start
        after = relations[place + 1].start() if place + 1 < len(relations) else end
        # The cheap test first: most signs stand behind a name, not behind arithmetic.
        if not _may_be_arithmetic(text, before, relation):
            continue
        stop, begin = min(after, relation.end() + WINDOW), max(before, relation.start() - WINDOW)
        after = relation.end()
        right = (
            plain_number(text, after, stop, end)
            or plain_count(text, after, stop, end)
            or leading(text, after, stop, end)
        )
        if right is None:
            continue
        left = plain_sum(text, begin, relation.start(), before) or trailing(
            text, begin, relation.start(), before
        )
        if left is None or not left[0].operations + right[0].operations:
            continue
        loose = relation[0] != "=" and _LOOSE.search(relation[0]) is not None
        values = _value(left[0]), _value(right[0])
        yield Equation(left[0], right[0], loose, left[1] and right[1], values)


def _says_equal(text: str, start: int, end: int) -> bool:
    """Whether a word says somewhere that two values are equal."""
    place = text.find(" is", start + 1, end)
    while place >= 0:
        if text[place - 1] in _ENDS_VALUE and _SAID.match(text, place - 1, end):
            return True
        place = text.find(" is", place + 3, end)
    return not _VERBS.isdisjoint(words_in(text)) and _SAID.search(text, start, end) is not None


def _value(side: Expression) -> Value | None:
    try:
        return numeric(side.node)
    except (Unsupported, OverflowError):
        return None


def _may_be_arithmetic(text: str, start: int, relation: re.Match[str]) -> bool:
    """Whether a number is near on the left, and no name beside the sign on either side."""
    if _BEGINS_WITH_NAME.match(text, relation.end()):
        return False
    end = relation.start()
    if _DIGIT.search(text, max(start, end - 40), end) is None and text.find("π", start, end) < 0:
        return False
    tail = text[max(start, end - 16) : end]
    if tail.rstrip(" $&\n")[-1:].isdigit() and "^" not in tail and "_" not in tail:
        return True
    return _ENDS_IN_NAME.search(text, max(start, end - 16), end) is None
