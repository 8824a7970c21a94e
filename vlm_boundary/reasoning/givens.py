"""What a question says that a picture shows, and where a chain reads it differently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from vlm_boundary.reasoning.bindings import Binding, bindings
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.passages import hypothetical, takes_back

_DESCRIBED = re.compile(r"\s*\[(?P<said>[^\[\]]{10,800})\]")
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,6})?"
# Oct 12, Nov 17: a name and its one value.
_PAIR = re.compile(
    rf"\b(?P<name>[A-Z][A-Za-z]{{1,14}})(?::| is| has| =)? [$€£]?(?P<value>{_NUMBER})"
    r"(?=\s?(?:[%°]|[a-z]{1,12}\b)?(?:[,.;\]]|$| and\b))(?![.,]\d)"
)
_ALTERED = re.compile(
    r"\b(?:doubl\w+|tripl\w+|halv\w+|increas\w+|decreas\w+|new|after|before|becomes?|chang\w+"
    r"|another"
    r"|rise|rose|add(?:s|ed)|remov\w+|subtract|if|each|later|more is|less is)\b",
    re.IGNORECASE,
)
_LINK = (
    r"(?:['’]s)?(?: (?:has|is|was|shows|had|reads|at|with|scored|got|sold|costs|turns|weighs|won"
    r"|stands"
    r"|reaches|measures|only|the|value|bar|of|recorded|are))*[\s:|=($€£,]{1,4}"
)
_BEHIND = (
    r"(?![\w^/]|[.,:]\d|\s?(?:[-+*/×÷·=−<>^%]|\\)| (?:more|less|fewer|times|of|out|percent|plus"
    r"|minus"
    r"|years (?:older|younger)|higher|lower|longer|shorter|taller|and \d))"
)
_COMPARES = re.compile(r"\b(?:than|difference|between|more|less|fewer)\b", re.IGNORECASE)
_LISTED = re.compile(
    rf"{_NUMBER}(?:,? (?:and )?{_NUMBER}){{3,30}}(?!\d|\.\d|,\d|[^\S\n]?[-+*/×÷=])"
)
_ORDERED = re.compile(r"\b(?:sort|order|arrang|ascend|descend|rank|smallest|largest|from)\w*", re.I)


def misread(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    """What a chain reads otherwise than the question describes the picture: a value, a list."""
    described = _DESCRIBED.match(question)
    if described is None:
        return
    if _ALTERED.search(question, described.end()) is None:
        yield from _named(text, start, end, described["said"])
        yield from _bound(text, start, end, described["said"])
    yield from _lists(text, start, end, described["said"])


def _named(text: str, start: int, end: int, said: str) -> Iterator[Evidence]:
    pairs = list(_PAIR.finditer(said))
    names = [match["name"] for match in pairs]
    for pair in pairs:
        name = pair["name"]
        if names.count(name) > 1 or len(re.findall(rf"\b{name}\b", said)) > 1 or len(pairs) < 2:
            continue
        pattern = (
            rf"\b{name}{'[a-z]*' if len(name) > 2 else ''}\b{_LINK}(?P<value>{_NUMBER}){_BEHIND}"
        )
        for match in re.finditer(pattern, text[start:end]):
            first, last = start + match.start(), start + match.end()
            if _value(match["value"]) == _value(pair["value"]):
                continue
            if _COMPARES.search(text, last, min(end, last + 30)) or _excused(
                text, first, last, start, end
            ):
                continue
            note = f"the question says {pair[0].strip()}"
            yield Evidence("contradiction", first, last, note)


def _bound(text: str, start: int, end: int, said: str) -> Iterator[Evidence]:
    """Quantities that the description names, with one value each."""
    known: dict[str, list[Binding]] = {}
    for binding in bindings(said, 0, len(said)):
        known.setdefault(binding.head, []).append(binding)
    if not known:
        return
    for two in bindings(text, start, end):
        one = known.get(two.head, [])
        if len(one) != 1 or two.scope or type(two.value) is not type(one[0].value) or two.new:
            continue
        owners = set(one[0].owner.split()), set(two.owner.split())
        if two.value == one[0].value or not (owners[0] <= owners[1] or owners[1] <= owners[0]):
            continue
        if one[0].unit != two.unit or one[0].scope:
            continue
        if not _excused(text, two.start, two.end, start, end):
            note = f"the question says “{said[one[0].start : one[0].end].strip()}”"
            yield Evidence("contradiction", two.start, two.end, note)


def _lists(text: str, start: int, end: int, said: str) -> Iterator[Evidence]:
    """A list of the description that the chain gives in another order, or with other numbers."""
    given = [_values(match[0]) for match in _LISTED.finditer(said)]
    if len(given) != 1:
        return
    for match in _LISTED.finditer(text, start, end):
        values = _values(match[0])
        if len(values) != len(given[0]) or values == given[0] or values == sorted(values):
            continue
        alike = sum(one == two for one, two in zip(values, given[0], strict=True))
        before = text[max(start, match.start() - 80) : match.start()]
        if (
            2 * alike < len(values)
            or values == sorted(values, reverse=True)
            or _ORDERED.search(before)
        ):
            continue
        if not _excused(text, *match.span(), start, end):
            note = f"the question lists {', '.join(map(str, given[0]))}"
            yield Evidence("contradiction", *match.span(), note)


def _excused(text: str, first: int, last: int, start: int, end: int) -> bool:
    """Whether it is only supposed, or taken back."""
    return hypothetical(text, first, start) or takes_back(text, last, min(end, last + 60))


def _values(written: str) -> list[Fraction]:
    return [_value(number) for number in re.findall(_NUMBER, written.replace(", ", " "))]


def _value(written: str) -> Fraction:
    return Fraction(written.replace(",", ""))
