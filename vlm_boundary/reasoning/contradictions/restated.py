"""One thing given two values, or put in order both ways, with no word of a change between."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from vlm_boundary.reasoning.contradictions.bindings import Binding, differing
from vlm_boundary.reasoning.contradictions.sites import CHANGE, ORDINAL
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.text.equations import equations
from vlm_boundary.reasoning.text.passages import takes_back

# What is worked out, and has other values in other steps unless it is said of what.
_WORKED_OUT = frozenset(
    "area perimeter volume average mean median mode range probability percentage cost price"
    " distance number amount value angle side time speed rate factor slope ratio share".split()
)
_OF_FIGURES = frozenset("length width height base radius diameter side depth thickness".split())
_FIGURE = re.compile(
    r"\b(?:rectangle|triangle|square|circle|cube|box|trapezoid|trapezium|parallelogram|rhombus"
    r"|prism"
    r"|cylinder|cone|sphere|pyramid|hexagon|pentagon)\b"
)
_TRIANGLE = re.compile(r"(?:[Tt]riangle|\\triangle|△) ?([A-Z]{3})\b")
_COMPARED = re.compile(
    r"\b(?:[Tt]he )?(?P<one>[Bb]ar [A-Z]|[A-Z]{1,2}|[A-Z][a-z]{2,12}|[a-z]{3,10}(?: one| bar)?)"
    r" (?:is|was|has) (?P<how>taller|longer|shorter|larger|smaller|higher|lower|bigger|greater"
    r"|older"
    r"|younger|heavier|lighter|more|fewer|less|faster|slower)(?: [a-z]{3,12})? than"
    r" (?:the )?(?P<two>[Bb]ar [A-Z]|[A-Z]{1,2}|[A-Z][a-z]{2,12}|[a-z]{3,10}(?: one|"
    r" bar)?)(?=[.,;!])"
)
_TURNED = re.compile(r"\b(?:if|when|case|in|then|after|before|but|while|instead|other)\b", re.I)
_TRIED = re.compile(
    r"\s{0,8}(?:try(?:ing)?|test(?:ing)?|let|set|suppose|say|take|with)\b", re.IGNORECASE
)
_CLAUSE = re.compile(r"[,.;](?=\s)|\n")
_LOOKS_ELSEWHERE = re.compile(  # find the row for Friday, and what follows is said of Friday
    r"(?:\A|[.:\n*])\s{0,4}(?:Find|Look|Locate|Read|Go (?:to|back)|Turn|Consider|Take|Check)\b"
    r"(?:[^.\n]|(?<=[A-Z][a-z])\.){0,100}[.:\n]\s{0,4}\Z"  # Miss West, Ms. North
)
_FAR = 1000
_SHORTEST = len("x = 1. x = 2")
_MOST = 200


def restatements(text: str, start: int, end: int) -> Iterator[Evidence]:
    """Both places of a thing that is said twice, differently, with no word of a change between."""
    if end - start < _SHORTEST:
        return
    said = list(islice(differing(text, start, end, _FAR), _MOST + 1))
    found: list[Evidence] = []
    for one, two in _pairs(text, said, start, end) if said else ():
        if all(item.end <= one.start or two.end <= item.start for item in found):
            found += _both(text, (one.start, one.end), (two.start, two.end))
    yield from found
    if "er than" in text:
        yield from _both_ways(text, start, end)


def _both(text: str, one: tuple[int, int], two: tuple[int, int]) -> Iterator[Evidence]:
    said = text[slice(*one)].strip(), text[slice(*two)].strip()
    note = f"“{said[0]}”, then “{said[1]}”, with no word of a change between"
    yield Evidence("contradiction", *one, note)
    yield Evidence("contradiction", *two, note)


def _without_names(text: str, said: list[Binding]) -> str:
    """The text with the ordinals in names blanked: the second number is no second case."""
    pieces, place = [], 0
    for binding in sorted(said, key=lambda one: one.start):
        if binding.start >= place:
            named = ORDINAL.sub(
                lambda match: "-" * len(match[0]), text[binding.start : binding.end]
            )
            pieces += [text[place : binding.start], named]
            place = binding.end
    return "".join([*pieces, text[place:]])


def _pairs(
    text: str, stated: list[Binding], start: int, end: int
) -> Iterator[tuple[Binding, Binding]]:
    """Neighbouring statements of one thing that differ."""
    groups: dict[str, list[Binding]] = defaultdict(list)
    for binding in stated:
        groups[binding.head].append(binding)
    plain = ""
    for said in groups.values():
        if len({binding.value for binding in said}) < 2:
            continue
        if len(said[0].head) == 1 and len({binding.value for binding in said}) > 2:
            continue  # values that are tried
        owners = {binding.owner for binding in said} - {""}
        kind = "" if said[0].head == "right angle" else said[0].head.split()[-1]
        bare = not owners and ORDINAL.match(said[0].head) is None
        if bare and kind in _WORKED_OUT and not all(binding.scope for binding in said):
            continue
        if (
            kind in _OF_FIGURES
            and len(set(_FIGURE.findall(text, start, end))) > 1
            and not (all(binding.owner for binding in said))
        ):
            continue
        if "angle" in said[0].head and len(set(_TRIANGLE.findall(text, start, end))) > 1:
            continue
        told = {binding.value for binding in said if not binding.recalled}
        for place, two in enumerate(said):
            if two.recalled and len(told) > 1:
                continue
            for one in reversed(said[:place]):
                same = (
                    two.scope == one.scope
                    or (two.scope and two.scope == one.owner)
                    or (two.recalled and two.scope in one.scope)
                )
                if same and (
                    one.owner == two.owner or (len(owners) == 1 and "" in (one.owner, two.owner))
                ):
                    plain = plain or _without_names(text, stated)
                    if _differ(plain, one, two, start, end):
                        yield one, two
                    break


def _differ(text: str, one: Binding, two: Binding, start: int, end: int) -> bool:
    """Whether two statements of one thing cannot both hold."""
    if ("counted" in one.head or len(one.head) == 1) and not re.search(
        r"[.\n]", text[one.end : two.start]
    ):
        return False
    if _TRIED.match(text, one.start):
        return False
    if one.recalled or two.new or one.value == two.value or type(one.value) is not type(two.value):
        return False
    if one.unit != two.unit and ((one.unit and two.unit) or "%" in (one.unit, two.unit)):
        return False
    if two.start - one.end > _FAR or takes_back(text, one.end, min(end, two.end + 60)):
        return False
    opened = max(
        start, text.rfind("\n", start, one.start) + 1, text.rfind(". ", start, one.start) + 1
    )
    began = max(text.rfind(sign, one.end, two.start) + len(sign) for sign in (". ", "\n"))
    if began > one.end and _LOOKS_ELSEWHERE.search(text, max(one.end, began - 120), began):
        return False
    closed = _CLAUSE.split(text[two.end : min(end, two.end + 60)])[0]
    opened = one.start if two.recalled else opened
    around = f"{text[opened : one.start]}|{text[one.end : two.start]}|{closed}"
    if CHANGE.search(around):
        return False
    if isinstance(one.value, str) or isinstance(two.value, str):
        return True
    whole = one.value.denominator == 1 and two.value.denominator == 1
    if not whole and abs(one.value - two.value) <= abs(one.value) / 50:
        return False  # one is the other rounded
    return not any(
        equation.values[0] == two.value
        and str(one.value) in text[equation.left.start : equation.left.end]
        for equation in equations(text, start, end)
        if one.end <= equation.left.start <= two.start
    )


def _both_ways(text: str, start: int, end: int) -> Iterator[Evidence]:
    known: dict[tuple[str, str, str], tuple[int, int]] = {}
    for count, match in enumerate(_COMPARED.finditer(text, start, end)):
        one, two, how = (match[name].lower() for name in ("one", "two", "how"))
        before = known.get((two, one, how))
        known[one, two, how] = match.span()
        if before is None or one == two or count > _MOST or match.start() - before[1] > _FAR:
            continue
        between = text[before[1] : match.start()]
        if not takes_back(text, before[1], match.start()) and not _TURNED.search(between):
            yield from _both(text, before, match.span())
