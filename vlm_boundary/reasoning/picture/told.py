"""What a question tells of its picture, as names and values: Jan 20, AC = 5, 3 red cubes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from vlm_boundary.reasoning.picture.sayings import (
    SIGNS_OF_UNITS,
    UNIT,
    Said,
    sayings,
    untypeset,
    value_said,
    words_of,
)

NAME = r"[A-Za-z0-9][\w-]{0,14}(?: [A-Z0-9][\w-]{0,9})?"
"""A name of one word or two, as a pattern."""
ATTRIBUTES = frozenset(
    "length width height radius diameter base side depth thickness weight mass price cost age"
    " speed slope area perimeter volume capacity distance hypotenuse diagonal edge chord".split()
)
SOFT = frozenset(
    "the a an is are was were has have = of at about exactly only just its their equal".split()
)
_SMALL = frozenset("one with".split())
_NO_THING = SOFT | {"with", "in", "on", "of", "to", "by"}
_NOT_A_NAME = frozenset(
    "hand start begin get off on co ratio step stage figure what which how who whose find why"
    " when if by than per times each more less half twice as to from through between scale only"
    " every and or showing shows any nearest".split()
)
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_COLUMNS = re.compile(r"\|[^|;\n]*\|")
_HEADING = re.compile(r"[^:.;\d]{3,60}:\s")
_GEOMETRIC = re.compile(  # begins with a set of characters as well
    r"(?P<name>[∠aA-Z](?:(?:(?<=∠)\s{0,6}|(?<=[aA])(?<!\w.)ngle )[A-Z]{1,3}"
    r"|(?<=[A-Z])(?<![A-Za-z∠+*/×·-].)[A-Z]))"
    r"\s?(?:=|is|measures)\s?(?P<value>\d+(?:\.\d+)?)"
    r"(?![\d^/]|[.,]\d|\s?[-+*/×·=])"
)
_LENGTH_IN_LETTERS = re.compile(r"[A-Z][\s$]?(?:=|is|measures)[\s$]?\d")
_TOTAL = re.compile(
    r"\btotal(?: [a-z]{3,12})? (?:is|was|of) (?P<value>[$€£]?\d{1,9}(?:\.\d{1,2})?)(?![\d/,])"
)
_BOUGHT = re.compile(
    r"\b(?P<count>\d{1,3}|an?|one|two|three|four|five|six) (?P<thing>[a-z]{3,12})\b"
)
_COUNT_WORDS = {"a": 1, "an": 1, "one": 1}
_NEXT = re.compile(r"(?:[°%]|\s?[a-z]{1,2})?,?\s(?:and\s)?[$€]?")
_AND_X = re.compile(r"\d°? and [a-z]\.?\Z")
_NAMES = re.compile(r"[a-z]{0,3}\s?:\s?[-$€]?\d")
LETTERS = {"radius": "r", "height": "h"}  # as in every formula
_BY_THE_OTHER = (("radius", "diameter", 2), ("diameter", "radius", Fraction(1, 2)))
_OF_SOME = frozenset("slant small large shortest longest inner outer".split())


@dataclass(frozen=True, slots=True)
class Told:
    """What a question tells: a value per name, a count per thing, and its words."""

    named: Mapping[tuple[str, ...], Said] = field(default_factory=dict)
    counted: Mapping[tuple[str, ...], Said] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    counts: frozenset[tuple[str, ...]] = frozenset()
    """Names of things that are counted: spheres: 2."""
    values: tuple[Fraction, ...] = ()
    """All values in a row, where the picture shows one list of them."""
    unknown: bool = False
    """Whether the list ends with a letter for what is asked for."""
    in_letters: bool = False
    """Whether all that it tells are lengths and angles with letters: AB, angle A."""

    def __bool__(self) -> bool:
        return bool(self.named or self.counted)


_NOTHING = Told()


@lru_cache(maxsize=4096)  # many samples answer one question
def told(question: str) -> Told:
    """The names and values of a question that describes its picture or gives data."""
    described = _BRACKETS.search(question) if "[" in question and "]" in question else None
    if described is None and (
        not ("=" in question or "°" in question or "circ" in question)
        or _LENGTH_IN_LETTERS.search(question) is None
    ):
        return _NOTHING
    if described and _COLUMNS.search(described[1]):
        return _NOTHING  # of which column a value is, names alone do not tell
    text = untypeset(question)
    if described is None:
        found_names = _geometric(text)
        words = frozenset(words_of(text)) if found_names else frozenset[str]()
        return Told(found_names, {}, words, in_letters=True) if found_names else _NOTHING
    return _described(text, *described.span(1))


def _described(text: str, first: int, last: int) -> Told:
    """What the description between two places tells, and the counts of what is asked behind it."""
    heading = _HEADING.match(text, first, last)
    first = heading.end() if heading else first
    found = list(sayings(text, first, last))
    named, counted = _names_and_counts(text, found)
    if total := _total(text, last):
        named.setdefault(("total",), []).append(total)
    bare = [two for one, two in pairwise(found) if _goes_on(text, one, two)]
    listed = not counted and "(" not in text[first:last] and len(bare) in (0, len(found) - 1)
    listed = listed and not ATTRIBUTES & {word for key in named for word in key}
    listed = listed and (bool(bare) or len(named) == len(found))
    things, counts = _once(counted), set[tuple[str, ...]]()
    for thing, said in things.items():
        alone = [thing[1:]] if all(len(other) == 2 for other in things) else []
        kinds = [other[0] for other in things]
        kind = [thing[:1]] if len(thing) == 2 and kinds.count(thing[0]) == 1 else []
        for name in (thing, *alone, *kind):
            named.setdefault(name, []).append(said)
            counts.add(name)
    for one, other, factor in _BY_THE_OTHER:
        if (one,) in named and (other,) not in named:
            named[other,] = [replace(said, value=factor * said.value) for said in named[one,]]
    for match in _BOUGHT.finditer(text, last):
        thing = words_of(match["thing"])
        if thing in named and thing not in things:
            count = Fraction(_COUNT_WORDS.get(match["count"]) or value_said(match["count"]))
            things[thing] = Said(
                (), count, "", thing, False, "", match.start(), *match.span("count")
            )
    return Told(
        _once(named),
        things,
        frozenset(words_of(text)),
        frozenset(counts),
        tuple(said.value for said in found) if listed else (),
        _AND_X.search(text[first:last]) is not None,
    )


_Sayings = dict[tuple[str, ...], list[Said]]


def _names_and_counts(text: str, found: list[Said]) -> tuple[_Sayings, _Sayings]:
    """What a description says by name, and what it counts."""
    named: _Sayings = {}
    counted: _Sayings = {}
    for place, said in enumerate(found):
        if _NAMES.match(text, said.end):
            continue  # at 6h: 8 °C
        after = found[place + 1] if place + 1 < len(found) else None
        listed = after is not None and _goes_on(text, said, after)
        several = after is not None and _of_one_name(said, after)
        for key in () if listed or several else _keys(said):
            named.setdefault(key, []).append(said)
        in_row = listed or (place > 0 and _goes_on(text, found[place - 1], said))
        if not in_row and (thing := _thing(said)):
            counted.setdefault(thing, []).append(said)
    return named, counted


def _total(text: str, last: int) -> Said | None:
    """The total that a question gives behind its description: if the total is 1200 dollars."""
    total = _TOTAL.search(text, last)
    if total is None:
        return None
    unit = UNIT.match(text, total.end())
    name = (unit["unit"] if unit else "") or ("$" if "$" in total[0] else "")
    where = total.start(), *total.span("value")
    return Said(
        ("total",),
        value_said(total["value"]),
        SIGNS_OF_UNITS.get(name, name),
        (),
        False,
        "",
        *where,
    )


def _goes_on(text: str, one: Said, two: Said) -> bool:
    """Whether two values stand in one list: sides 6 and 10."""
    alike = one.unit in ("", two.unit)
    return alike and _NEXT.fullmatch(text, one.end, two.start) is not None


def _of_one_name(one: Said, two: Said) -> bool:
    """Whether a value of another kind follows with no name of its own: Norway 16 gold, 8 silver."""
    return bool(one.before and one.behind and two.behind) and not two.before


def _once(found: dict[tuple[str, ...], list[Said]]) -> dict[tuple[str, ...], Said]:
    """Only what is told once: the Q1 of two shops may be either's."""
    return {key: said[0] for key, said in found.items() if len(said) == 1}


def _geometric(text: str) -> dict[tuple[str, ...], Said]:
    """Lengths and angles with letters, which a question in prose gives as well."""
    found: dict[tuple[str, ...], list[Said]] = {}
    for match in _GEOMETRIC.finditer(text):
        unit = UNIT.match(text, match.end())
        name = (unit["unit"] if unit else "") or ""
        value, where = Fraction(match["value"]), (match.start(), *match.span())
        said = Said((), value, SIGNS_OF_UNITS.get(name, name), (), False, "", *where)
        found.setdefault(words_of(match["name"]), []).append(said)
    return _once(found)


def _keys(said: Said) -> list[tuple[str, ...]]:
    """The names by which a chain may speak of a value."""
    before = said.before
    if "and" in before:
        before = before[len(before) - before[::-1].index("and") :]
    attribute = ATTRIBUTES & {*before[-1:]}
    if said.plural or _NOT_A_NAME & {*before, *(() if attribute else said.behind[:2])}:
        return []
    words = tuple(word for word in before if word not in SOFT and word not in _SMALL)
    if not words or not any(word[0].isalpha() or len(word) > 2 for word in words):
        return []
    last = words[-1]
    if (len(last) == 1 and last.islower()) or words == ("in",):
        return []
    if last in ATTRIBUTES and _OF_SOME & {*words}:
        return []
    if last.isupper() and words[-2:-1] == ("angle",):
        kind = words[-3:-1] if words[-3:-2] and not words[-3].isupper() else ()
        return [words[-2:], *([kind] if kind else [])]
    if last.isupper() and len(last) > 1:
        return [(last,)]
    if last == "angle":
        return [words[-2:]] if len(words) > 1 else []
    if last in ATTRIBUTES:
        if words[-2:] == ("side", "length"):
            return [words[-2:], ("side",)]
        return [(last,), *([(LETTERS[last],)] if last in LETTERS else [])]
    if said.last == "of" and said.behind:
        return []  # sizes of seven players
    plain_words = not said.behind and all(word.isalpha() and word.islower() for word in words)
    last_alone = [words[-1:]] if plain_words and len(words) > 1 and len(last) > 3 else []
    return [words, *last_alone] if len(words) <= 3 else []


def _thing(said: Said) -> tuple[str, ...]:
    """What a number in front counts: 3 red cubes."""
    if {*said.before} - SOFT - {"with", "bag", "jar", "box"} or said.unit or not said.behind:
        return ()
    if said.value.denominator != 1 or len(said.behind) > 2 or _NOT_A_NAME & {*said.behind}:
        return ()
    if not all(word.isalpha() and word not in _NO_THING for word in said.behind) or (
        len(said.behind[-1]) < 3
    ):
        return ()
    return said.behind
