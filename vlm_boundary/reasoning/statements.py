"""What a chain says of named things, and where it says two things of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.passages import takes_back

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
_FAR = 3000  # characters behind which a name is taken for another thing's
_MANY = 20
_CHANGED = re.compile(
    r"\b(?:figure|case|option|scenario|if|suppos\w+|assum\w+|new|old|becomes?|chang\w+|after|before"
    r"|initial\w*|final|origin\w+|doubled|scaled|another|other|second|similar\w*|prime|when|let|set"
    r"|first|next|instead|now|was|were|in \d{4}|try|or)\b",
    re.IGNORECASE,
)


def contradictions(text: str, start: int, end: int) -> list[Evidence]:
    """A named quantity given two values, with no word of a change or a correction between."""
    said: dict[str, tuple[Fraction, str, int, int]] = {}
    found: list[Evidence] = []
    if len(_VALUES.findall(text, start, end)) < 2:
        return found
    for name, value, unit, first, last in assignments(text, start, end):
        before = said.get(name)
        said[name] = (value, unit, first, last)
        if before is None or before[1] != unit or _agree(before[0], value):
            continue
        if first - before[3] > _FAR or len(found) >= _MANY:
            continue
        between = text[before[2] : first]
        if _CHANGED.search(between) or takes_back(text, before[3], min(end, last + 60)):
            continue
        note = f"{name} is {_shown(before[0])}, then {_shown(value)}"
        found.append(Evidence("contradiction", before[2], before[3], note))
        found.append(Evidence("contradiction", first, last, note))
    return found


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


def _agree(one: Fraction, other: Fraction) -> bool:
    """Equal, or one is the other rounded."""
    whole = one.denominator == 1 and other.denominator == 1
    near = abs(one - other) <= Fraction(2, 100) * max(abs(one), abs(other))
    return one == other or (near and not whole)


def _shown(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else f"{float(value):g}"
