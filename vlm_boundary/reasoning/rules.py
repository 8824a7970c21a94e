"""Rules that a chain names, and the numbers that it then uses for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from math import isqrt

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.passages import SENTENCE, retracted, unless_excused
from vlm_boundary.reasoning.percents import wrong_percents
from vlm_boundary.reasoning.theorems import wrong_theorems
from vlm_boundary.verifier.phrases import occurs

_SIDES = {
    "triangle": 3, "quadrilateral": 4, "rectangle": 4, "square": 4, "parallelogram": 4,
    "trapezoid": 4, "trapezium": 4, "rhombus": 4, "kite": 4, "pentagon": 5, "hexagon": 6,
    "heptagon": 7, "octagon": 8, "nonagon": 9, "decagon": 10,
}  # fmt: skip
_COUNTS = dict(zip("three four five six seven eight nine ten".split(), range(3, 11), strict=True))
_NAMES = "|".join(_SIDES)
_NAMED = re.compile(rf"\b(?:{_NAMES})s?\b", re.IGNORECASE)
_ANGLES = re.compile(
    rf"\b(?:(?:the|all|their|its|(?:{_NAMES})(?:'s)?|(?P<count>{'|'.join(_COUNTS)})|(?P<inside>interior"
    r"|internal|inner)) ){1,3}angles\b|\bangle[- ]sum\b",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"\b(?:adds?|adding|sums?|summing|totals?|make up|come to|altogether)\b", re.I)
# Some of the angles, or what is made of their sum.
_SOME = re.compile(
    r"\b(?:not|never|cannot|can|could|without|except|but|besides|apart from"
    r"|others?|given|known|know|so far|two|both|remaining|rest|each|every"
    r"|base|opposite|adjacent|consecutive|remote|exterior|outer|external|central|acute|obtuse|these"
    r"|those|them|labell?ed|marked|shown|at|if|minus|less|half|part"
    r"|sphere|spherical|grads?|gradians?|gons?)\b|n't|∠|\bangles (?-i:[A-Z])",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_SUM = re.compile(
    r"(?<![\d.,])\d{2,5}(?:\.\d+)?(?!\d|[.,]\d|-gon|\s?[-+*/×·÷=(^]|\s?\\(?:times|cdot))"
)
_LEGS = re.compile(
    r"\b(?:hypotenuse(?: [A-Z]{2})?|diagonal|[A-Z]{2}|c)(?: is|\s?=| equals|:)\s\$?"
    r"(?P<one>\d{1,6}(?:\.\d{1,4})?)(?: ?[a-z]{1,2})? \+ (?P<two>\d{1,6}(?:\.\d{1,4})?)"
    r"(?![\d²^*/×·]|\.\d|\s?[\^²*×·/])"
)
_SQUARES = re.compile(r"²|\^\{?2|√|sqrt|squar|\broot\b|not needed|isn't|\bnot\b", re.IGNORECASE)
_TOTALLED = ("add", "sum", "total", "make up", "come to", "altogether")


def broken_rules(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    """A rule named and not kept: angle sums, Pythagoras, a percentage and its factor."""
    if "ngle" in text and occurs(_TOTALLED, text):
        yield from _angle_sums(text, start, end)
    if "ythag" in text:
        yield from _legs_added(text, start, end)
    yield from wrong_percents(text, start, end, question)
    yield from wrong_theorems(text, start, end, question)


def _angle_sums(text: str, start: int, end: int) -> Iterator[Evidence]:
    """Sentences with one figure, all its angles, and one number for their sum."""
    for sentence in SENTENCE.finditer(text, start, end):
        angles = _ANGLES.search(sentence[0]) if "ngle" in sentence[0] else None
        names = {name.lower().rstrip("s") for name in _NAMED.findall(sentence[0])}
        if angles is None or len(names) != 1 or not _TOTAL.search(sentence[0]):
            continue
        (name,) = names
        sides, right = _SIDES[name], 180 * (_SIDES[name] - 2)
        numbers = _DIGITS.findall(sentence[0])
        said = _SUM.search(sentence[0])
        if said is None or len(numbers) != 1 or _SOME.search(sentence[0]):
            continue
        if angles["count"] and _COUNTS[angles["count"].lower()] != sides:
            continue
        if float(said[0]) != right:
            note = f"the angles of a {name} add up to {right}°, not to {said[0]}°"
            yield from unless_excused(text, *sentence.span(), start, end, note)


def _legs_added(text: str, start: int, end: int) -> Iterator[Evidence]:
    place = text.find("ythag", start, end)
    while place >= 0:
        limit = min(end, place + 160)
        match = _LEGS.search(text, place, limit)
        if match and not _SQUARES.search(text, max(start, place - 40), match.end()):
            legs = [Fraction(match["one"]), Fraction(match["two"])]
            squares = all(leg.denominator == 1 and isqrt(int(leg)) ** 2 == leg for leg in legs)
            if not squares and not retracted(text, match.end(), end):
                note = "by Pythagoras the squares of the legs are added, not the legs"
                yield Evidence("arithmetic_error", *match.span(), note)
        place = text.find("ythag", place + 200, end)
