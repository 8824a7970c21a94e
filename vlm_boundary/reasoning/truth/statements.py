"""Values that a chain gives to names with letters of a figure, or with a capital."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

# A name that means one thing throughout: with letters of a figure (angle A, AB, ∠ABC), or capital.
# It begins with a set of characters, so that all others are passed fast.
_ASSIGNED = re.compile(
    r"(?P<name>[A-Z∠\\aslmt](?<![\w^+*/×÷·=<>−\\{(-].)"
    r"(?:(?:(?<=m)∠|(?<=∠)|(?<=\\)angle|(?<=[Aa])(?:ngle|rc)|(?<=[Ss])(?:ide|egment)"
    r"|(?<=[Ll])ength|(?<=[Tt])riangle)\s{0,2}[A-Z]{1,4}|(?<=[A-Z])(?:[A-Z]{1,2}|[a-z]{2,14})))"
    r"(?:\s{0,3}=\s{0,3}|\s(?:is|equals|measures)\s(?:exactly\s)?)"
    r"(?P<value>[$€£]?-?(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,12})?)"
    r"(?P<unit>\s{0,2}(?:°|\^\{?\\circ\}?|%|cm\b|mm\b|km\b|kg\b|m\b|degrees\b|units\b)?)"
    r"(?=\s{0,2}(?:[.,;!)\n$]|\\\)|\\\]|and\b|so\b|then\b|but\b|because\b|$))(?!\.\d|,\d)"
)
_VALUES = re.compile(r"[=s]\s{0,3}(?:exactly\s)?[$€£]?-?\d")  # all that is assigned, and more
_GENERIC = frozenset(
    "The This That There Then Thus Total Sum Count Area Perimeter Volume Answer Result Mean "
    "Average Value Number Length Width Height "
    "Radius Distance Time Speed Difference Product Median Mode "
    "Range Probability Ratio Step Case Cost Price Increase Decrease Change Left Right Which What "
    "It Option Today Now Here Each Side Angle Base So And But If LHS RHS".split()
)


def assignments(text: str, start: int, end: int) -> Iterator[tuple[str, Fraction, str, int, int]]:
    """Named values: the name, the value, its unit, and where they stand."""
    if not _VALUES.search(text, start, end):
        return
    for match in _ASSIGNED.finditer(text, start, end):
        name = re.sub(r"\s+", " ", match["name"]).replace("\\angle", "angle").replace("m∠", "∠")
        name = name.replace("∠", "angle ").replace("  ", " ")
        if name in _GENERIC:
            continue
        name = name[0].lower() + name[1:] if name.startswith(("Angle ", "Side ")) else name
        value = Fraction(match["value"].lstrip("$€£").replace(",", ""))
        unit = match["unit"].strip().replace("^\\circ", "°").replace("^{\\circ}", "°")
        yield name, value, unit.replace("degrees", "°"), match.start(), match.end()
