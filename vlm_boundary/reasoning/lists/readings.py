"""A list that a chain reads otherwise than the question gives it, or counts or adds up wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from vlm_boundary.reasoning.lists.listed import Listed, sentence_start
from vlm_boundary.reasoning.lists.number_lists import (
    LEAST,
    MOST,
    VALUE,
    NumberList,
    count_of,
    value_of,
)
from vlm_boundary.reasoning.lists.orders import nths
from vlm_boundary.reasoning.lists.properties import Found, Speech
from vlm_boundary.reasoning.text.passages import words_in
from vlm_boundary.reasoning.text.steps import shown
from vlm_boundary.verifier.phrases import occurs

_MADE = re.compile(  # of something made of the list
    r"\b(?:round\w*|about|approx\w*|roughly|nearest|new|after|before|cumulat\w*|running"
    r"|differen\w*"
    r"|chang\w*|becom\w*|increas\w*|decreas\w*|sort\w*|order\w*|rank\w*|arrang\w*|ascend\w*"
    r"|descend\w*"
    r"|percent\w*|deviat\w*|if|next|squares?|doubl\w*|ratios?|options?|choices?|from)\b",
    re.IGNORECASE,
)
_NOUN = (
    r"(?:values?|numbers?|scores?|bars?|entries|elements|items|marks|data points|observations"
    r"|readings|months|days|weeks|years|temperatures|sizes|heights|ages|prices|lengths|angles"
    r"|cards|segments"
    r"|players|students|people|teams|cities|countries)"
)
_COUNT = r"(?P<count>\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_BEFORE = re.compile(
    rf"\b{_COUNT} (?:(?!(?:{MOST}|{LEAST}|middle)\b)[a-z]{{3,12}} )?{_NOUN}"
    r"(?: (?:are|is|were|in order(?: are)?)|:|,)? ?[$(\[]*\Z",
    re.IGNORECASE,
)
_THERE = re.compile(
    rf"\b(?:there are|we have|with) (?:a total of )?{_COUNT} {_NOUN}(?= ?(?:[.,;:]|\band\b"
    r"|in (?:the list|total|all)|$))",
    re.IGNORECASE,
)
_MAKES = re.compile(
    rf"[°%$)]{{0,2}}[,;:]? (?:(?:which|that|this|so|and|these|they)[, ]{{0,2}})?(?:makes?|make"
    rf"|making|are|is|gives?"
    rf"|i\.e\.|there are|we have) (?:in (?:all|total) )?{_COUNT} {_NOUN}(?= ?[.,;:]| in (?:all"
    rf"|total)|$)",
    re.IGNORECASE,
)
_ADDED = re.compile(
    rf"\b(?P<of>they|these|which|values|numbers|scores|marks|the (?:four|five|six"
    rf"|seven)) (?:all )?(?:add up|sum|add) to:?"
    rf" [$€£]?(?P<total>{VALUE})(?![\w/^]|[.,]\d)",
    re.IGNORECASE,
)
_STEADY = re.compile(
    r"\b(?:(?:every|each) (?:[a-z]{3,10} )?(?:is|has|was) (?P<how>higher|larger|greater|more"
    r"|bigger"
    r"|lower|smaller|less) than the (?:one |[a-z]{3,10} )?(?:before|previous)"
    r"|(?:values?|it|line|numbers?|sales|bars|curve) (?P<way>rises?|increases?|grows?|falls?"
    r"|decreases?)"
    r" (?:every|each) (?:year|month|day|week|time|quarter)"
    r"|(?:values?|numbers?|bars) (?:get|become|are getting) (?P<getting>higher|larger|greater"
    r"|taller"
    r"|bigger|lower|smaller|shorter) from left to right"
    r"|(?P<going>(?:go|goes|rise|climb|move)s? up|rises?|climbs?|increases?|grows?|falls?"
    r"|(?:go|goes) down|decreases?) from (?:each|one|every) [a-z]{3,10} to the next)\b",
    re.IGNORECASE,
)
_STEADILY = frozenset(
    "higher larger greater more bigger taller lower smaller less shorter rise rises increase"
    " increases grow grows fall falls decrease decreases climb climbs move moves go goes".split()
)
_RISES = re.compile(
    r"higher|larger|greater|taller|more|bigger|rise|increase|grow|climb|\w+ up", re.I
)
_GOES_ON = re.compile(r"\b(?:next|pattern|sequence|terms?|if|replac|chang)")
_FEW = 3


def wrong_readings(speech: Speech, lists: Sequence[NumberList]) -> Iterator[Found]:
    """Lists that are not those of the question; how many values there are, and their sum."""
    data = speech.data
    if data.asked:
        for one in lists[:2]:
            yield from _misread(speech, one)
    yield from _lengths(speech, lists)
    if len(data.values) < _FEW:
        return
    words = words_in(speech.text)
    for said in (
        _ADDED.finditer(speech.text, speech.start, speech.end) if words & {"add", "sum"} else ()
    ):
        total, right = value_of(said["total"]), sum(data.values, Fraction(0))
        if max(data.values) < total != right and _of_all(speech, said, lists):
            yield *said.span(), f"they add up to {shown(right)}"
    if data.asked and not occurs(("sort", "order", "rank", "scend", "arrang"), speech.text.lower()):
        yield from nths(speech.text, speech.start, speech.end, data.values)
    if not _STEADILY.isdisjoint(words):
        yield from _trends(speech)


def _misread(speech: Speech, one: NumberList) -> Iterator[Found]:
    """One or two values in a list that otherwise is the one that the question gives."""
    text, data = speech.text, speech.data
    first = max(text.rfind(sign, speech.start, one.start) for sign in (". ", "\n\n")) + 1
    if _MADE.search(text, max(first, one.start - 100, 0), one.start):
        return
    if _GOES_ON.search(speech.asked):
        return
    if any(one.names) and any(data.names):
        pairs = _by_name(one, data)
    elif len(one.values) == len(data.values) > _FEW:
        pairs = [*zip(one.values, data.values, strict=True)]
    else:
        return
    wrong = [(said, given) for said, given in pairs if said != given]
    if len(pairs) < _FEW or not 0 < len(wrong) <= max(1, len(pairs) // 3):
        return
    if sorted(said for said, _ in pairs) == sorted(given for _, given in pairs):
        return  # in another order
    said, given = wrong[0]
    yield one.start, one.end, f"the question has {shown(given)} where {shown(said)} stands here"


def _by_name(one: NumberList, data: Listed) -> list[tuple[Fraction, Fraction]]:
    named = [data.named(name.title()) for name in one.names]
    if not all(named) or len({*named}) != len(named):
        return []
    return [(value, data.value(name)) for value, name in zip(one.values, named, strict=True)]


def _lengths(speech: Speech, lists: Sequence[NumberList]) -> Iterator[Found]:
    """The six marks are …, of which there are seven."""
    for one in lists:
        if speech.text.count(")", one.start, one.end) > speech.text.count("(", one.start, one.end):
            continue  # (2, 4) and 2 others: two lists
        makes = _MAKES.match(speech.text, one.end, speech.end)
        count = count_of(makes["count"]) if makes else 0
        near = 0 < abs(count - len(one.values)) < _FEW
        if makes and near and count not in (len({*one.values}), sum(one.values)):
            note = f"the list has {len(one.values)} numbers, not {makes['count']}"
            yield one.start, makes.end(), note
        start = max(speech.start, one.start - 60)
        said = _BEFORE.search(speech.text, start, one.start)
        if said is None or re.search(
            r"\b(?:first|last|other|of the|next)\s\Z", speech.text[start : said.start()]
        ):
            continue
        count = count_of(said["count"])
        if count != len(one.values) and count != sum(one.values):
            yield (
                said.start(),
                one.end,
                f"the list has {len(one.values)} numbers, not {said['count']}",
            )
    size = len(speech.data.values)
    told = speech.data.asked and "how many" not in speech.asked
    for said in _THERE.finditer(speech.text, speech.start, speech.end) if told else ():
        count = count_of(said["count"])
        if (
            size >= _FEW
            and count != size
            and abs(count - size) <= _FEW
            and count != len({*speech.data.values})  # as many kinds may be meant
        ):
            yield *said.span(), f"there are {size}, not {said['count']}"


def _of_all(speech: Speech, said: re.Match[str], lists: Sequence[NumberList]) -> bool:
    """Whether what is added up is the whole list, which stands before in the same sentence."""
    size = len(speech.data.values)
    first = sentence_start(speech.text, speech.start, said.start())
    near = [one for one in lists if first <= one.start and one.end < said.start()]
    if near:
        return len(near[-1].values) == size
    return said["of"].lower() not in ("they", "these", "which") and speech.data.asked


def _trends(speech: Speech) -> Iterator[Found]:
    """Every value is larger than the one before; the line rises every year."""
    for said in _STEADY.finditer(speech.text, speech.start, speech.end):
        rises = (
            _RISES.match(said["how"] or said["way"] or said["getting"] or said["going"]) is not None
        )
        for one, two in pairwise(speech.data.values):
            if one == two or (one < two) != rises:
                yield *said.span(), f"after {shown(one)} the list has {shown(two)}"
                break
