"""Arithmetic said in words: half of 16 is 7, the sum of 4 and 5 is 10, 15% of 250 is 45."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Set
from fractions import Fraction
from itertools import chain

from vlm_boundary.mathtext.words import FIRST_WORDS, ONE_NUMBER, english_number
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.text.passages import hypothetical, opening, retracted, words_in
from vlm_boundary.reasoning.text.places import (
    by_last_word,
    matches_at,
    places_of_phrases,
    unhyphenated,
)
from vlm_boundary.reasoning.text.steps import rounds_to, shown
from vlm_boundary.verifier.phrases import occurs

_UNIT = r"(?:\s?(?:°|%|\\%)|\s(?:cm|mm|km|m|kg|g|degrees|units|dollars|percent|euros)\b)?"
_MONEY = r"(?:\\?[$€£])?"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,6})?"
_VALUE = rf"{_MONEY}({_DIGITS}|{ONE_NUMBER}){_UNIT}"
_SAYS = (
    r",?\s(?:is|are|equals|gives|makes|=|yields|(?:we|you) (?:get|have|obtain)|results in|which is)"
    r"(?: (?:equal to|just|simply|also|exactly))?\s"
)
# Behind the result: a sentence's end, or another clause.
_END = (
    r"(?![\w%°]|[.,]\d|\s?[-+*/×÷^·(=]|\s(?:more|less|times|plus|minus|and a|percent|%|out"
    r"|o'clock))"
)
_SHARES = {
    "half": Fraction(1, 2), "a half": Fraction(1, 2), "one half": Fraction(1, 2),
    "a third": Fraction(1, 3), "one third": Fraction(1, 3), "two thirds": Fraction(2, 3),
    "a quarter": Fraction(1, 4), "one quarter": Fraction(1, 4), "a fourth": Fraction(1, 4),
    "one fourth": Fraction(1, 4), "three quarters": Fraction(3, 4),
    "three fourths": Fraction(3, 4), "a fifth": Fraction(1, 5), "one fifth": Fraction(1, 5),
    "a tenth": Fraction(1, 10), "one tenth": Fraction(1, 10),
}  # fmt: skip
_TIMES = {
    "twice": 2, "double": 2, "doubling": 2, "triple": 3, "thrice": 3, "tripling": 3,
    "three times": 3, "four times": 4,
}  # fmt: skip
_WRITTEN_SHARES = [name.replace(" ", "[ -]") for name in sorted(_SHARES, key=len)[::-1]]
# The patterns below that begin with one of these phrases are tried where it stands.
_FACTORS = by_last_word([*_SHARES, "halving", *_TIMES])
_NAMES = by_last_word(("sum", "product", "difference", "average", "mean"))
_SHARE = re.compile(
    rf"(?P<share>{opening([*_WRITTEN_SHARES, 'halving'])}) (?:of )?{_VALUE}(?:"
    rf" each)?{_SAYS}{_VALUE}{_END}",
    re.IGNORECASE,
)
_OF_THAT = re.compile(  # "a third of that, 72°": of the value just said
    rf"(?P<factor>{opening([*_WRITTEN_SHARES, *_TIMES])}) (?:of )?(?:that|this|it|the rest|the"
    rf" result)"
    rf"(?:,| =|:|,? (?:which|that|so it|so that) is| is| gives| makes) {_VALUE}{_END}",
    re.IGNORECASE,
)
_MULTIPLE = re.compile(
    rf"(?P<times>{opening(_TIMES)}) (?:of )?{_VALUE}{_SAYS}{_VALUE}{_END}", re.IGNORECASE
)
_OF_SEVERAL = re.compile(
    rf"(?P<what>{opening(_NAMES)})"
    rf" (?:of|between) (?P<list>{_VALUE}(?:,? (?:and )?{_VALUE}){{1,11}}){_SAYS.replace('|=', '')}"
    rf"{_VALUE}{_END}",  # in "the sum of 3 and 4 = 8" the sign may be that of an equation
    re.IGNORECASE,
)
_ACTIONS = (
    "add", "subtract", "multiply", "divide", "adding", "subtracting", "multiplying", "dividing"
)  # fmt: skip
_ACTING = by_last_word(_ACTIONS)
_ACTED = re.compile(
    rf"(?P<act>{opening(_ACTIONS)}) {_VALUE} (?P<by>and|to|from|by) {_VALUE}{_SAYS}{_VALUE}{_END}",
    re.IGNORECASE,
)
_OPERATED = re.compile(
    rf"(?<!and )(?<![\w.,-])(?P<one>{_DIGITS}|{ONE_NUMBER}) (?P<sign>times|plus|minus|divided by) "
    rf"(?P<two>{_DIGITS}|{ONE_NUMBER}){_SAYS}(?P<said>{_DIGITS}|{ONE_NUMBER}){_END}",
    re.IGNORECASE,
)
_SIGN = re.compile(r" (?:times|plus|minus|divided by) ")
_ROOTED = re.compile(rf"\bsquare root of {_VALUE}{_SAYS}{_VALUE}{_END}", re.IGNORECASE)
_PART = re.compile(
    rf"\b({_DIGITS}) (?:out )?of (?:the |all )?({_DIGITS})(?: [a-z]{{1,15}}){{0,3}},?"
    rf" (?:which is|that is|i\.e\.|or|is|are) (?:exactly )?({_DIGITS})\s?(?:\\?%|percent)",
    re.IGNORECASE,
)
_REVERSED = re.compile(
    rf"(?:(?<=\. )|(?<=\n)|^|(?<=and )|(?<=so )|(?<=, )|(?<=Now )|(?<=since )|(?<=that"
    rf" )){_VALUE} is"
    rf" (?P<share>{'|'.join(sorted(_SHARES, key=len)[::-1])}|twice|double) (?:of )?{_VALUE}{_END}",
    re.IGNORECASE,
)
_ADD_UP = re.compile(
    rf"(?P<list>{_VALUE}(?:,? (?:and )?{_VALUE}){{1,11}}) (?:add up to|sum to|sum up to|together"
    rf" make|make|makes)"
    rf" {_VALUE}{_END}",
    re.IGNORECASE,
)
_PER_CENT = re.compile(r"\s?(?:\\?%|percent\b)", re.IGNORECASE)
_NUMBER = re.compile(rf"{_DIGITS}|\b{ONE_NUMBER}\b", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
WORDED = frozenset(
    f"third thirds quarter quarters fourth fourths fifth tenth times plus minus divided root make"
    f" makes sum difference product average mean percent percents percentage halving half add"
    f" {' '.join(_TIMES)} {' '.join(_ACTIONS)}".split()
)
"""A text without any of these words or a sign of percent has no arithmetic in words."""
_THAT = frozenset(("that", "this", "it", "rest", "result"))
_ADDING = frozenset(("sum", "add", "make", "makes"))
_TOTALS = _ADDING | _NAMES.keys()
_OPERATING = frozenset(("times", "plus", "minus", "divided"))
_ADDED = ("add up to", "sum to", "sum up to", " make")
_ADDED_TO = re.compile(rf" (?:add up to|sum to|sum up to|makes?) {_VALUE}", re.IGNORECASE)
_BEHIND_A_SIGN = re.compile(
    r"(?:[-+*/×÷^·=(]|\b(?:of|than|plus|minus|times|by|over|least|most|about|nearly|almost|twice"
    r"|and a|one|two|three|four|five|number|square|cube|root|sum|product|half|if))"
    r"\s(?:the |an? )?$",
    re.IGNORECASE,
)


def wrong_words(text: str, told: Set[str], start: int, end: int) -> Iterator[Evidence]:
    """Each arithmetical statement in words that is false; nothing where it may mean another thing.

    Numbers agree to the digits shown; statements that are taken back or supposed are no errors.
    `told` are the text's words that are of use.
    """
    for first, last, right, said, what in _statements(text, told, start, end):
        if rounds_to(right, said) or _BEHIND_A_SIGN.search(text, max(start, first - 20), first):
            continue
        if retracted(text, last, end) or hypothetical(text, first, start):
            continue
        note = f"{what} is {shown(right)}, not {shown(said)}"
        yield Evidence("arithmetic_error", first, last, note)


_Said = tuple[int, int, Fraction, Fraction, str]


def _statements(text: str, told: Set[str], start: int, end: int) -> Iterator[_Said]:
    low = unhyphenated(text)
    named = places_of_phrases(low, told, _FACTORS, start, end)
    if named:
        for pattern in (_SHARE, _MULTIPLE):
            yield from _simple(matches_at(pattern, text, named, end))
        if not _THAT.isdisjoint(words_in(text)):
            yield from _of_that(text, named, start, end)
        yield from _reversed(text, named, start, end)
    if not _TOTALS.isdisjoint(told):
        yield from _several(text, low, told, start, end)
    acting = places_of_phrases(low, told, _ACTING, start, end)
    if acting:
        yield from _acted(text, acting, start, end)
    if not (_OPERATING.isdisjoint(told) or FIRST_WORDS.isdisjoint(words_in(text))):
        yield from _operated(text, start, end)
    if "root" in told and "quare root" in text:
        for match in _ROOTED.finditer(text, start, end):
            of, said = (_value(match[place]) for place in (1, 2))
            if of is not None and said is not None:
                right = (
                    Fraction(math.isqrt(int(of))) if _is_square(of) else Fraction(float(of) ** 0.5)
                )
                yield *match.span(), right, said, f"the square root of {match[1]}"
    if "%" in text or "percent" in told:
        for match in _PART.finditer(text, start, end):
            part, whole, said = (_value(match[place]) for place in (1, 2, 3))
            if part is not None and whole and said is not None:
                yield (
                    *match.span(),
                    100 * part / whole,
                    said,
                    f"{match[1]} of {match[2]} in percent",
                )


def _simple(found: Iterable[re.Match[str]]) -> Iterator[_Said]:
    for match in found:
        word = match[1].lower().replace("-", " ")
        factor = _SHARES.get(word) or _TIMES.get(word) or Fraction(1, 2)
        of, said = _value(match[2]), _value(match[3])
        if of is not None and said is not None and _alike(match, 2, 3):
            link = "" if word in _TIMES or word == "halving" else " of"
            yield *match.span(), of * factor, said, f"{word}{link} {match[2]}"


def _of_that(text: str, named: list[int], start: int, end: int) -> Iterator[_Said]:
    """A share or a multiple of what was just said, where it is that of no number before."""
    for match in matches_at(_OF_THAT, text, named, end):
        word = match["factor"].lower().replace("-", " ")
        factor, said = _SHARES.get(word) or Fraction(_TIMES[word]), _value(match[2])
        before = [_value(number) for number in _NUMBER.findall(text, start, match.start())]
        known = [number for number in before if number is not None]
        if said is None or not known or any(rounds_to(one * factor, said) for one in known):
            continue
        yield *match.span(), known[-1] * factor, said, f"{word} of {shown(known[-1])}"


def _reversed(text: str, named: list[int], start: int, end: int) -> Iterator[_Said]:
    for place in named:
        if text[place - 4 : place] != " is ":
            continue
        match = _REVERSED.search(text, max(start, place - 50), min(end, place + 120))
        if match is None or match.start("share") != place:
            continue
        word = match["share"].lower()
        part, whole = _value(match[1]), _value(match[3])
        if part is not None and whole is not None and _alike(match, 1, 3):
            right = whole * (_SHARES.get(word) or Fraction(_TIMES[word]))
            yield *match.span(), right, part, f"{word} of {match[3]}"


def _alike(match: re.Match[str], one: int, other: int) -> bool:
    """Whether two values are both in percent or both not: in "5% is half of 120" 5% has a value."""
    return (
        len({_PER_CENT.match(match.string, match.end(place)) is None for place in (one, other)})
        == 1
    )


def _several(text: str, low: str, told: Set[str], start: int, end: int) -> Iterator[_Said]:
    named = places_of_phrases(low, told, _NAMES, start, end)
    found: list[Iterable[re.Match[str]]] = (
        [matches_at(_OF_SEVERAL, text, named, end)] if named else []
    )
    adding = not _ADDING.isdisjoint(told) and occurs(_ADDED, text)
    if adding and (added := [*_ADDED_TO.finditer(text, start, end)]):
        line = text.rfind("\n", start, added[0].start()) + 1
        last = min(end, added[-1].end() + 20)
        found.append(_ADD_UP.finditer(text, max(start, line), last))
    for match in chain.from_iterable(found):
        values = [_value(number) for number in _NUMBER.findall(match["list"])]
        said = _value(_NUMBER.findall(match[0])[-1])
        numbers = [value for value in values if value is not None]
        if said is None or len(numbers) < 2 or len(numbers) != len(values):
            continue
        if all(_YEAR.fullmatch(number) for number in _NUMBER.findall(match["list"])):
            continue  # of what stands at these years
        what = match["what"].lower() if match.re is _OF_SEVERAL else "sum"
        if what == "difference" and len(numbers) != 2:
            continue
        right = {
            "sum": sum(numbers, Fraction(0)),
            "product": math.prod(numbers),
            "difference": abs(numbers[0] - numbers[-1]),
        }.get(what, sum(numbers, Fraction(0)) / len(numbers))
        yield *match.span(), Fraction(right), said, f"the {what} of {match['list']}"


def _acted(text: str, acting: list[int], start: int, end: int) -> Iterator[_Said]:
    for match in matches_at(_ACTED, text, acting, end):
        one, two, said = (_value(match[place]) for place in (2, 4, 5))
        if one is None or two is None or said is None:
            continue
        act, by = match["act"].lower(), match["by"].lower()
        if act.startswith("add") and by in ("and", "to"):
            right = one + two
        elif act.startswith("subtract") and by == "from":
            right = two - one
        elif act.startswith("multipl") and by == "by":
            right = one * two
        elif act.startswith("divid") and by == "by" and two:
            right = one / two
        else:
            continue
        first = match.start()
        for words in ("if we ", "if you ", "if one "):  # no supposition
            if text[max(start, first - len(words)) : first].lower() == words:
                first -= len(words)
        yield first, match.end(), right, said, f"{act} {match[2]} {by} {match[4]}"


def _operated(text: str, start: int, end: int) -> Iterator[_Said]:
    """Six times four is twenty-four; what is all in digits is an equation."""
    signs = [sign.start() for sign in _SIGN.finditer(text, start, end)]
    first, last = (max(start, signs[0] - 60), min(end, signs[-1] + 120)) if signs else (end, end)
    for match in _OPERATED.finditer(text, first, last):
        one, two, said = (_value(match[name]) for name in ("one", "two", "said"))
        if one is None or two is None or said is None:
            continue
        if all(match[name][0].isdigit() for name in ("one", "two", "said")):
            continue
        sign = match["sign"].lower()
        if sign == "divided by" and not two:
            continue
        right = {"times": one * two, "plus": one + two, "minus": one - two}.get(sign)
        right = one / two if right is None else right
        yield *match.span(), right, said, f"{match['one']} {sign} {match['two']}"


def _value(written: str) -> Fraction | None:
    if written[0].isdigit():
        return Fraction(written.replace(",", ""))
    number = english_number(written)
    return None if number is None else Fraction(number)


def _is_square(value: Fraction) -> bool:
    return value.denominator == 1 and math.isqrt(int(value)) ** 2 == value
