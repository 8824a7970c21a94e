"""Lists said to be in order: whether they are, what they lost, and what stands in their middle."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from vlm_boundary.reasoning.lists.listed import (
    PICKS,
    Listed,
    Mention,
    mention_of,
    row_after,
    sentence_at,
)
from vlm_boundary.reasoning.lists.number_lists import NTHS, VALUE, place_of, value_of
from vlm_boundary.reasoning.lists.properties import Found, Speech
from vlm_boundary.reasoning.text.passages import opening, words_in
from vlm_boundary.reasoning.text.places import matches_at, places_of
from vlm_boundary.reasoning.text.steps import shown
from vlm_boundary.verifier.phrases import occurs

_SMALL = "smallest|least|lowest|shortest|fewest"
_LARGE = "largest|greatest|highest|biggest|longest|tallest|most"
_UP = (
    *("ascending", "increasing", rf"from (?:the )?(?:{_SMALL}|small|low)\b"),
    *(rf"{word} to (?:the )?(?:{_LARGE})" for word in _SMALL.split("|")),
)
_DOWN = (
    *("descending", "decreasing", rf"from (?:the )?(?:{_LARGE}|large|high)\b"),
    *(rf"{word} to (?:the )?(?:{_SMALL})" for word in _LARGE.split("|")),
)
_SORTED = (
    *(r"sort(?:s|ed|ing)?\b", r"numerical order\b", r"arrang\w+", r"rank(?:ed|ing)\b"),
    r"order(?:ed|ing|)\b(?! (?:to|pairs?|triples?)\b)",
)
_ORDER = re.compile(opening((*_UP, *_DOWN, *_SORTED)), re.IGNORECASE)
_RISING, _FALLING = (re.compile("|".join(words), re.IGNORECASE) for words in (_UP, _DOWN))
_WORDS = frozenset(
    "ascending increasing descending decreasing order ordered ordering sort sorts sorted sorting"
    " ranked ranking arrange arranged arranges arranging arrangement arrangements".split()
)
_ENDS = frozenset(f"small|low|large|high|{_SMALL}|{_LARGE}".split("|"))
_WAYS = ("st to ", "from the ", *(f"from {end}" for end in ("low", "smal", "larg", "high")))
_BEGINNINGS = (
    *("ascending", "increasing", "descending", "decreasing", "sort", "order", "numerical order"),
    *("arrang", "rank", "from ", *(f"{end} to " for end in f"{_SMALL}|{_LARGE}".split("|"))),
)
_SIGN = re.compile(  # what stands between such words and the list
    r"(?::|,|(?=\n\s{0,4}(?:[-*•]|1[.)])\s)|\b(?:are|gives?|is|get|yields?|have"
    r"|as)\b:?)[ *_$]{0,4}"
)
_ASIDE = re.compile(
    r"[.\n\d]|\b(?:of(?! the (?:values|data|scores|list|numbers))|operations|magnitude|could"
    r"|multipl\w*|weight\w*)\b"
)
_BEGINS = re.compile(
    rf"[\s*_$(\[|•-]{{0,8}}(?:\d{{1,2}}[.)] )?"
    rf"(?:[$€£]?{VALUE}|[\w' ]{{1,20}}(?:[,:(>–]| \(?[$€£]?\d))"
)
_BY = re.compile(
    r"\b(?:by|following|this order|that order|shows?|shown|reads?|not|original"
    r"|unsorted|alphabet\w*|chronolog\w*|before|should|must|needs?|if|left|right"
    r"|bottom|appear\w*|turn|step|swap\w*|pass|ratios?|increasing function|time)\b",
    re.IGNORECASE,
)
_DISTINCT = re.compile(
    r"\b(?:distinct|different|unique|without|remain\w*|rest|others?|only|first|last|half|lower"
    r"|upper|except\w*|left|even|odd|prime|above|below|new|top|best|two|three|some|squar\w*"
    r"|differ\w*"
    r"|gaps?|changes?|percent\w*|sums?|frequenc\w*|counts?|after|repeat\w*)\b",
    re.IGNORECASE,
)
_IF = re.compile(r"\b(?:if|chang|next|pattern|sequence)")
_ITEMS = re.compile(r"[,;](?!\d{3}(?!\d))\s*(?:and\b)?|[<>≤≥→]|\band\b")


def wrong_orders(speech: Speech) -> Iterator[Found]:
    """Lists that are not in the order said, lost or gained a value, or have another middle."""
    words = words_in(speech.text)
    if _WORDS.isdisjoint(words) and (_ENDS.isdisjoint(words) or not occurs(_WAYS, speech.low)):
        return
    text, last = speech.text, speech.start
    places = places_of(_BEGINNINGS, speech.low, speech.start, speech.end)
    for order in matches_at(_ORDER, text, places, speech.end):
        if order.start() < last:
            continue
        first, last = sentence_at(text, order.start(), last, speech.end)
        if _BY.search(text, first, order.start()):
            continue
        row, stop, values = _row(speech, order.end())
        if len(values) < 3 or "..." in row or "…" in row:
            continue
        if (
            order[0].lower() == "order"
            and any(speech.data.names)
            and (values == [*speech.data.values] and "numerical" not in text[first:last].lower())
        ):
            continue  # in order of the days
        if (note := _out_of_order(values, order[0])) or (
            note := _other_values(speech, values, text[first : stop - len(row)])
        ):
            yield first + len(text[first:last]) - len(text[first:last].lstrip()), stop, note
        elif stop < speech.end:
            yield from _places(text, stop, min(speech.end, stop + 400), values)
            yield from _ranks(text, stop, min(speech.end, stop + 400), values)


def _row(speech: Speech, at: int) -> tuple[str, int, list[Fraction]]:
    """The list behind the words that say its order, where it ends, and its values."""
    text, end = speech.text, speech.end
    for sign in _SIGN.finditer(text, at, min(end, at + 120)):
        if _ASIDE.search(text, at, sign.start()) or _BY.search(text, at, sign.start()):
            break
        if _BEGINS.match(text, sign.end(), end):
            row, stop = row_after(text, sign.end(), end)
            values = [speech.data.of(item) for item in _items(row, speech.data)]
            if len(values) > 2:
                return row, stop, values
    return "", at, []


def _items(row: str, data: Listed) -> list[Mention]:
    """The members in a row, to the first piece that names none."""
    found: list[Mention] = []
    for piece in _ITEMS.split(row):
        if not piece.strip(" *_$.\n"):
            continue
        item = mention_of(piece, data) or _unknown(piece)
        if item is None:
            break
        found.append(item)
    return found


_OWN = re.compile(
    rf"(?:[A-Z][\w'’-]{{0,14}} ?){{1,2}}\W{{1,3}}(?P<one>{VALUE})\W*"
    rf"|[$€£]?(?P<other>{VALUE})(?:[ °%a-z]{{0,12}}| \([^()]{{1,20}}\))\W*"
)


def _unknown(piece: str) -> Mention | None:
    """A value with a name of which nothing else is known."""
    own = _OWN.fullmatch(piece.strip(" *_$."))
    return Mention("", value_of(own["one"] or own["other"])) if own else None


def _out_of_order(values: Sequence[Fraction], order: str) -> str | None:
    rising, falling = sorted(values), sorted(values, reverse=True)
    ways = (
        [rising]
        if _RISING.match(order)
        else [falling]
        if _FALLING.match(order)
        else [rising, falling]
    )
    if list(values) in ways:
        return None
    nearest = min(ways, key=lambda way: sum(a != b for a, b in zip(way, values, strict=True)))
    at = next(i for i, value in enumerate(values) if value != nearest[i])
    return f"the list is said to be in order, and {shown(values[at])} stands out of it"


def _other_values(speech: Speech, values: Sequence[Fraction], before: str) -> str | None:
    """What a sorted list lost or gained against the list that was to be sorted."""
    data = speech.data
    if _DISTINCT.search(before) or _DISTINCT.search(speech.asked) or not data.values:
        return None
    if PICKS.search(speech.asked) or PICKS.search(before) or _IF.search(speech.asked):
        return None
    lost, gained = Counter(data.values) - Counter(values), Counter(values) - Counter(data.values)
    common = len(values) - gained.total()
    if common < 3 or lost.total() > 1 or gained.total() > 1:
        return None
    once = not gained and len({*data.values}) == len({*values}) == len(values)
    if lost and once and "median" not in speech.asked:
        return None  # each value once
    for value in lost:
        other = [f", {shown(one)} is new" for one in gained]
        return f"{shown(value)} is not in the sorted list{''.join(other)}"
    inside = [value for value in gained if min(data.values) < value < max(data.values)]
    for value in inside:
        return f"the sorted list has {shown(value)}, which the list has not"
    return None


_MIDDLE = re.compile(
    r"\b(?:(?P<two>two (?:middle|central)|(?:middle|central) two)|middle|central)"
    r"(?: (?:values?|numbers?|scores?|ones?|entr(?:y|ies)|elements?|terms?|data points?))?"
    rf"(?: in the list| here)?(?: is|:| are|,| being)\s?\**[$€£]?(?P<a>{VALUE})(?![\w/]|[.,]\d)"
    rf"(?:[ °a-zA-Z%]{{0,8}}(?: and|,) (?P<b>{VALUE})(?![\w/]|[.,]\d))?",
    re.IGNORECASE,
)
_NTH = re.compile(
    rf"\b(?<!\bat )(?P<a>{NTHS}|[1-9](?:st|nd|rd|th))"
    rf"(?:(?: and|,)(?: the)? (?P<b>{NTHS}|[1-9](?:st|nd|rd|th)))?"
    r"(?(b)(?: (?P<nouns>[a-z]{3,9}))?| (?P<noun>[a-z]{3,9}))(?: in (?:the|this) list)?"
    rf"(?:,? which (?:is|are)|,? that is,?|,? i\.e\.|,? namely| is|:| are|,| being"
    rf"| \()\s?\**[$€£]?(?P<one>{VALUE})(?![\w/]|[.,]\d)"
    rf"(?:[ °a-zA-Z%]{{0,8}}(?: and|,) (?P<other>{VALUE})(?![\w/]|[.,]\d))?",
    re.IGNORECASE,
)
_OTHERS = frozenset(
    "most least maximum minimum there this that it day days month months year years week weeks time"
    " times quarter".split()
)
_AT = re.compile(
    rf"\b(?:median|middle)(?: (?:value|one|number))? is(?: therefore| then)?(?: at)? the"
    rf" (?P<nth>{NTHS}"
    r"|\d{1,2}(?:st|nd|rd|th))(?! (?:and|of|from))(?=[\s,.;:])",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:without|remov\w*|instead|other|upper|lower|half|new|quartile)\b", re.I
)


def _places(text: str, at: int, end: int, values: Sequence[Fraction]) -> Iterator[Found]:
    """The middle of the list, and its nth, as said behind it."""
    if _ELSEWHERE.search(text, at, end):
        return
    size = len(values)
    for said in _MIDDLE.finditer(text, at, end):
        middle = [values[(size - 1) // 2], values[size // 2]]
        told = [value_of(said[name]) for name in ("a", "b") if said[name]]
        if len(told) == 2 - size % 2 and {*told} != {*middle}:
            yield *said.span(), f"in the middle of the list stands {_and(middle)}"
    yield from nths(text, at, end, values)
    for said in _AT.finditer(text, at, end):
        if size % 2 and place_of(said["nth"]) != size // 2:
            yield *said.span(), f"of {size} values the one in the middle is number {size // 2 + 1}"


def nths(text: str, at: int, end: int, values: Sequence[Fraction]) -> Iterator[Found]:
    """The third value is 109; the second and the third are 5 and 7."""
    for said in _NTH.finditer(text, at, end):
        noun = (said["noun"] or said["nouns"] or "").lower()
        if noun in _OTHERS or noun.endswith("est"):  # the third longest is no third
            continue
        for nth, value in ((said["a"], said["one"]), (said["b"], said["other"])):
            if nth and value and bool(said["b"]) == bool(said["other"]):
                place = place_of(nth)
                if place < len(values) and values[place] != value_of(value) in values:
                    yield *said.span(), f"the {nth.lower()} of the list is {shown(values[place])}"


def _and(values: Sequence[Fraction]) -> str:
    return " and ".join(dict.fromkeys(map(shown, values)))


_RANKED = re.compile(
    rf"\b(?P<rank>second|third) (?P<way>largest|highest|longest|tallest|smallest|lowest|shortest)"
    rf"(?: [a-z]{{3,12}})? is(?: therefore| then)? the (?P<nth>{NTHS}|\d(?:nd|rd|th))"
    r"(?: one| entry| value"
    r"| number)?(?: (?:in|of) (?:this|the) list)?[,.;]",
    re.IGNORECASE,
)


def _ranks(text: str, at: int, end: int, values: Sequence[Fraction]) -> Iterator[Found]:
    """The second longest is the third in this list, where the longest is its first."""
    for said in _RANKED.finditer(text, at, end):
        most = said["way"].lower() in ("largest", "highest", "longest", "tallest")
        place = place_of(said["rank"])
        if most != (values[0] > values[-1]):
            place = len(values) - 1 - place
        if len({*values}) == len(values) and place_of(said["nth"]) != place:
            yield *said.span(), f"it is number {place + 1} of the list"
