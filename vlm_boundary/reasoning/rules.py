"""Rules that a chain names, and the numbers that it then uses for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from math import isqrt

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.passages import hypothetical, retracted
from vlm_boundary.verifier.phrases import occurs

_SIDES = {
    "triangle": 3, "quadrilateral": 4, "rectangle": 4, "square": 4, "parallelogram": 4,
    "trapezoid": 4, "trapezium": 4, "rhombus": 4, "kite": 4, "pentagon": 5, "hexagon": 6,
    "heptagon": 7, "octagon": 8, "nonagon": 9, "decagon": 10,
}  # fmt: skip
_COUNTS = dict(zip("three four five six seven eight nine ten".split(), range(3, 11), strict=True))
_KIND = r"(?:(?:right|isosceles|equilateral|scalene|regular|convex)(?:-angled)? )?"
_NAMES = "|".join(_SIDES)
# All angles of one figure: not those given, or two at one side, or opposite to each other.
_ANGLE_SUM = re.compile(
    rf"(?:\b(?P<of>{_NAMES})(?:['’]s|,? (?:the|all(?: the)?)) "
    r"|(?P<sum_of>\bsum of )(?:the |all (?:the )?)?"
    r"|(?<!\bof )\b(?:the |all (?:the )?)|(?<!\w )(?<!, )(?<!-)\b)"
    rf"(?:(?P<count>{'|'.join(_COUNTS)}) )?(?P<inside>(?:interior|internal|inner|inside) )?angles"
    rf"(?: (?:of|in|inside) (?:an?|any|every|the|this) {_KIND}(?P<in>{_NAMES})"
    r"(?: [A-Z]{3,10}\b)?)?"
    r" (?:(?:always|together|must|should|all) ){0,2}"
    r"(?:add(?:s|ing)? (?:up )?to|sum (?:up )?to|total|make(?: up)?|come to"
    r"|(?P<is>is|are|equals?|=))(?: always)?(?: equal to)? \$?(?P<sum>\d{2,4})(?!\d|[.,]\d)"
    r"(?:\s?(?:°|degrees|\^\{?\\circ\}?))?+"
    r"(?!\s?[-+*/×·÷=(^\\]|\s(?:times|each|more|less|plus|minus|with)\b)",
    re.IGNORECASE,
)
_NOT_ALL = re.compile(r"\b(?:not|n't|without|except|other|given|known|so far)\b", re.IGNORECASE)
_LEGS = re.compile(
    r"\b(?:hypotenuse(?: [A-Z]{2})?|diagonal|[A-Z]{2}|c)(?: is|\s?=| equals|:)\s\$?"
    r"(?P<one>\d{1,6}(?:\.\d{1,4})?)(?: ?[a-z]{1,2})? \+ (?P<two>\d{1,6}(?:\.\d{1,4})?)"
    r"(?![\d²^*/×·]|\.\d|\s?[\^²*×·/])"
)
_SQUARES = re.compile(r"²|\^\{?2|√|sqrt|squar|\broot\b|not needed|isn't|\bnot\b", re.IGNORECASE)
_TOTALLED = ("add", "sum", "total", "make", "equal")


def broken_rules(text: str, start: int, end: int) -> Iterator[Evidence]:
    """A rule named and not kept: angle sums, Pythagoras."""
    if "ngles" in text and occurs(_TOTALLED, text):
        yield from _angle_sums(text, start, end)
    if "ythag" in text:
        yield from _legs_added(text, start, end)


def _angle_sums(text: str, start: int, end: int) -> Iterator[Evidence]:
    for match in _ANGLE_SUM.finditer(text, start, end):
        named = [name for name in (match["of"], match["in"]) if name]
        if len(named) != 1 or (match["is"] and not match["sum_of"]):
            continue
        name = named[0].lower()
        sides, right = _SIDES[name], 180 * (_SIDES[name] - 2)
        if match["of"] and not (match["inside"] or match["count"]):
            continue  # some angles that the chain speaks of
        if match["count"] and _COUNTS[match["count"].lower()] != sides:
            continue
        near = max(start, match.start() - 200)
        first = max(near, *(text.rfind(sign, near, match.start()) for sign in (". ", "\n")))
        stop = text.find(".", match.end(), min(end, match.end() + 40))
        last = stop if stop >= 0 else min(end, match.end() + 40)
        if int(match["sum"]) in (right, *range(90)) or _NOT_ALL.search(text, first, last):
            continue
        note = f"the angles of a {name} add up to {right}°, not to {match['sum']}°"
        if not retracted(text, match.end(), end) and not hypothetical(text, match.start(), start):
            yield Evidence("arithmetic_error", *match.span(), note)


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
