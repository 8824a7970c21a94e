"""Units that a chain says to be so many of another, and results said again in another unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from fractions import Fraction

from vlm_boundary.mathtext.units import UNITS
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.text.passages import unless_excused
from vlm_boundary.reasoning.text.steps import rounds_to
from vlm_boundary.verifier.phrases import occurs

_UNIT = r"(?P<{}>[a-z]{{2,11}}|[hmgl])(?:(?P<{}>[²³])|\b)"
_OF_UNIT = re.compile(
    r"[1oae](?<![\w./].)(?:(?<=1)|(?<=o)ne|(?<=a)n?|(?<=e)ach|(?<=e)very) "
    rf"{_UNIT.format('unit', 'power')}"
    r"(?: (?:is|has|equals|are|contains|makes|corresponds to|consists of|equal to|exactly)"
    r"|\s?[=:])+ ?(?P<count>\d{1,3}(?:,\d{3})+|\d{1,7}(?:\.\d{1,4})?) "
    rf"{_UNIT.format('part', 'same')}(?=[.,;)]|\s(?:and|so|or|in|which|we|there|\d)|\s?$|\n)",
    re.IGNORECASE,
)
_LARGER = ("hour", "inute", "day", "week", "year", "km", "kilo", "met", "1 m", "kg", "lit", "1 l",
           "cm", "centi", "foot", "yard", "mile", "dm", "1 g", "inch")  # fmt: skip
_DIMENSIONS = ("length", "mass", "time", "volume", "calendar")
UNIT_WORDS = frozenset(name for name, unit in UNITS.items() if unit.dimension in _DIMENSIONS)
"""A text without two of these words converts no unit."""
_NAMES = frozenset(name for name in UNIT_WORDS if occurs(_LARGER, name))
_SHORT = frozenset("mlg")
_OPENS = re.compile(
    r"(?:(?:\A|[.,;:(*\n])\s?|\b(?:that|since|because|as|so|and|know|recall|remember|there are"
    r" \d+ \w+ in) )\Z",
    re.IGNORECASE,
)
_SCALED = re.compile(
    r"\b(?:scale|map|model|represents?|drawing|plan|working|school|exchange)\b", re.IGNORECASE
)
_SAID_AGAIN = ("In ", ", in ", "; in ", "onverted to", "xpressed in")
_CONVERTED = re.compile(  # … = 2.25 m. In centimetres the total is 285 cm
    r"[=≈] ?(?P<value>\d{1,6}(?:\.\d{1,4})?) ?(?P<unit>[a-z]{1,11})[.,;]\s"
    r"(?:[Ii]n|[Cc]onverted to|[Ee]xpressed in) (?P<to>[a-z]{2,11}),?"
    r" (?:this|that|it|the [a-z ]{3,30}|we) (?:is|are|makes|gives|have|get)(?: about)?"
    r" (?P<said>\d{1,9}(?:\.\d{1,4})?)(?![\d/]|[.,]\d|\s?[-+*/×·÷^(])"
)


def wrong_units(
    text: str, words: Set[str], start: int, end: int, question: str
) -> Iterator[Evidence]:
    """A unit said to be so many of a smaller one of its kind, or a result converted, falsely."""
    if len(words & UNIT_WORDS) < 2:
        return
    named = not _NAMES.isdisjoint(words) or (not _SHORT.isdisjoint(words) and occurs(_LARGER, text))
    for match in _OF_UNIT.finditer(text, start, end) if named else ():
        right = _parts(match)
        said = Fraction(match["count"].replace(",", ""))
        if right is None or abs(said - right) <= right / 20:
            continue
        if not _OPENS.search(text, max(start, match.start() - 12), match.start()):
            continue  # 6 hours * 60 minutes in an hour = 360 minutes
        if not _SCALED.search(f"{question} {text[start:end]}"):
            power = match["power"] or ""
            part = f"{match['part']}{power}"
            note = f"1 {match['unit']}{power} is {float(right):g} {part}, not {match['count']}"
            yield from unless_excused(text, *match.span(), start, end, note)
    if ("=" in text or "≈" in text) and occurs(_SAID_AGAIN, text):
        yield from _converted(text, start, end)


def _parts(match: re.Match[str]) -> Fraction | None:
    """How many of the second unit the first has; None where they are not of one kind."""
    unit, part = UNITS.get(match["unit"].lower()), UNITS.get(match["part"].lower())
    if unit is None or part is None or unit.dimension != part.dimension:
        return None
    if unit.size <= part.size or unit.dimension not in _DIMENSIONS:
        return None
    if match["power"] != match["same"] or "ton" in match["unit"].lower():
        return None  # tons are of several kinds
    return (unit.size / part.size) ** {"²": 2, "³": 3}.get(match["power"] or "", 1)


def _converted(text: str, start: int, end: int) -> Iterator[Evidence]:
    """A result that the next sentence gives in another unit."""
    for match in _CONVERTED.finditer(text, start, end):
        unit, to = UNITS.get(match["unit"]), UNITS.get(match["to"].lower())
        if unit is None or to is None or unit.dimension != to.dimension:
            continue
        right = Fraction(match["value"]) * unit.size / to.size
        if not rounds_to(right, Fraction(match["said"])):
            result = f"{match['value']} {match['unit']}"
            note = f"{result} is {float(right):g} {match['to']}, not {match['said']}"
            yield from unless_excused(text, match.start("value"), match.end(), start, end, note)
