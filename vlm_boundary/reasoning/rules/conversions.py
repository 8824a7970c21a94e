"""Units that a chain says to be so many of another, and results said again in another unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from fractions import Fraction

from vlm_boundary.mathtext.units import UNITS
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.text.passages import unless_excused
from vlm_boundary.reasoning.text.places import unhyphenated
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
_DIMENSIONS = ("length", "mass", "time", "volume", "calendar")
UNIT_WORDS = frozenset(name for name, unit in UNITS.items() if unit.dimension in _DIMENSIONS)
"""A text without two of these words converts no unit."""
_ONE = ("1", "one", "a", "an", "each", "every")
_OPENS = re.compile(
    r"(?:(?:\A|[.,;:(*\n])\s?|\b(?:that|since|because|as|so|and|know|recall|remember|there are"
    r" \d+ \w+ in) )\Z",
    re.IGNORECASE,
)
_SCALED = re.compile(
    r"\b(?:scale|map|model|represents?|drawing|plan|working|school|exchange)\b", re.IGNORECASE
)
_CONVERTED = re.compile(  # … = 2.25 m. In centimetres the total is 285 cm
    r"[=≈] ?(?P<value>\d{1,6}(?:\.\d{1,4})?) ?(?P<unit>[a-z]{1,11})[.,;]\s"
    r"(?:[Ii]n|[Cc]onverted to|[Ee]xpressed in) (?P<to>[a-z]{2,11}),?"
    r" (?:this|that|it|the [a-z ]{3,30}|we) (?:is|are|makes|gives|have|get)(?: about)?"
    r" (?P<said>\d{1,9}(?:\.\d{1,4})?)(?![\d/]|[.,]\d|\s?[-+*/×·÷^(])"
)


def wrong_units(
    text: str, told: Set[str], start: int, end: int, question: str
) -> Iterator[Evidence]:
    """A unit said to be so many of a smaller one of its kind, or a result converted, falsely.

    `told` are the text's words that are of use, among them all units.
    """
    units = told & UNIT_WORDS
    kinds = {(UNITS[name].dimension, UNITS[name].size) for name in units}
    if len({dimension for dimension, _ in kinds}) == len(kinds):
        return  # no two of one kind
    low = unhyphenated(text)
    for place in _named(low, units, start, end):
        match = _OF_UNIT.match(text, place, end)
        if match is None:
            continue
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
    again = [f"{link} {name}" for name in units if len(name) > 1 for link in ("in", "to")]
    if ("=" in text or "≈" in text) and occurs(again, low):
        yield from _converted(text, start, end)


def _named(low: str, units: Set[str], start: int, end: int) -> list[int]:
    """Where one of a unit is named, as in "1 hour" and "each metre", in order."""
    found: set[int] = set()
    for unit in units - {"s", "t"}:
        place = low.find(f" {unit}", start, end)
        while place >= 0:
            before = low[max(start, place - 5) : place]
            found.update(place - len(one) for one in _ONE if before.endswith(one))
            place = low.find(f" {unit}", place + 1, end)
    return sorted(found)


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
