"""Kinds, orders, sides, sizes and times that a chain has otherwise than its question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from vlm_boundary.mathtext.words import english_number
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.picture.compared import compared
from vlm_boundary.reasoning.picture.sayings import untypeset, words_of
from vlm_boundary.reasoning.picture.told import NAME, Told, told
from vlm_boundary.reasoning.text.passages import hypothetical, retracted, takes_back
from vlm_boundary.reasoning.text.steps import shown
from vlm_boundary.verifier.phrases import occurs

_PAIR = re.compile(
    r"\b(?=(?P<one>[a-z]{3,10}) (?P<is>(?:are|is) )?(?P<two>[a-z]{3,12})\b)", re.IGNORECASE
)
_NONE = re.compile(r"\b(?:no|not|any|nor|neither|without|if|instead)\b", re.IGNORECASE)
_SIDES = {"pentagon": 5, "hexagon": 6, "heptagon": 7, "octagon": 8, "nonagon": 9, "decagon": 10}
_BY = re.compile(
    r"(?<![\d.])(?P<one>\d{1,3})(?: ?[cm]?m| units?)? by (?P<two>\d{1,3})(?![\d%]|\.\d|,\d)(?! ?=)"
)
_SIDES_OF = re.compile(
    r"\b(?:sides|legs|diagonals)(?: are| have)?(?: (?:of|the))?(?: lengths?)?:? (?P<one>\d{1,3})"
    r"(?: ?[cm]?m)? and (?P<two>\d{1,3})(?![\d%°/]|\.\d|,\d| ?[-+*/×·=])"
)
_SIZED = (" by ", "sides", "legs ", "diagonals")
_SCALED = ("=", "stands for", "represents")
_STANDS_FOR = ("1 ", "ne ", "ach ", "very ")
_TIME = re.compile(
    r"\b(?P<what>dep|leav|start|begin|arr(?=iv|\.)|reach|ends\b)[a-z]*\.?(?: [a-zA-Z]{1,9}){0,3}?"
    r"(?: at| is|:| =)? (?P<time>\d{1,2}:\d\d)(?!\d| ?[-+])",
    re.IGNORECASE,
)
_MOST = frozenset("highest largest biggest greatest tallest longest heaviest oldest".split())
_HOW = f"{'|'.join(sorted(_MOST))}|lowest|smallest|shortest|lightest|youngest"
_OF_WHAT = (
    r"(?: (?:bar|value|point|month|year|day|one|score|number|temperature|sales|entry|team|class))"
)
_IS_MOST = re.compile(
    rf"\b(?P<name>{NAME})(?: is| was| has| had|,) the (?P<how>{_HOW}){_OF_WHAT}"
    r"(?=[.,;\n]| (?:with|at|in the)\b)"
)
_MOST_IS = re.compile(
    rf"(?<!-)(?<!second )(?<!third )(?<!next )\b(?P<how>{_HOW}){_OF_WHAT}(?: is| was|,)"
    r"(?: in| on| for| at| bar)?(?: the)?(?: one (?:in|on|for|of))?"
    rf" (?P<name>{NAME})(?=[.,;\n]| (?:with|at|and)\b)"
)
_MOST_IS_PLAIN = re.compile(
    rf"(?<!-)(?<!second )(?<!third )(?<!next )(?<!nd )(?<!rd )\b(?P<how>{_HOW}) (?:is|was)"
    rf" (?P<name>{NAME})(?=[.,;\n]| (?:with|at|and)\b)"
)
_WHICH = re.compile(r"\b[Ww]hich (?:month|year|day|bar|team|quarter|season|city|country)\b")
_GIVEN_TO = re.compile(
    r"(?:(?:value|is|was|reach\w*|with|at|peak|maximum|minimum|highest|lowest|largest|smallest|[Tt]he)"
    r"|,|\A|(?<=[.\n]) ?)[,:]? ?(?<![\d.])(?P<value>\d{1,6}(?:\.\d{1,3})?)(?: ?°C| [a-z]{2,9})?,?"
    r" (?:(?:in|on|for)|(?:(?:and )?(?:that|this|which|it) )?(?:is|was|belongs to|comes from)"
    r"(?: the (?:value|number|score|age|height|price)(?: of| for| in)?| found in| reached in)?)"
    r" (?:bar )?"
    rf"(?P<name>{NAME})(?='s|[.,;\n]| and\b)"
)
_SLOPE = re.compile(
    r"\bslope(?: of (?:the|this|that) line)?(?: m)?(?: is| =| of|:)?(?: equal to)?"
    r"(?: [\d()/+ −-]{3,25}=)? (?P<value>-?\d{1,3})(?![\d/%]|\.\d| ?[-+*/×·=])"
)
_CROSSES = re.compile(
    r"\by-intercept(?: b)?(?: is| =| of|:)?(?: at)? (?P<value>-?\d{1,3})(?![\d/%]|\.\d| ?[-+*/×·=])"
)
_LINE = re.compile(
    r"\by = (?P<slope>-?\d{0,3})x(?![²^\w]|\s?\*)(?:(?P<sign> ?[-+] ?)(?P<crosses>\d{1,3}))?"
    r"(?![\d.]\d)"
)
_ASKED = re.compile(
    r"\b(?:[Ww]hich|[Ww]ho|[Ww]hat)\b.{0,50}?"
    r"\b(?P<how>[a-z]{3,9}er|[a-z]{3,9}est|most [a-z]{3,12})\b"
)
_TITLE = r"[A-Z][a-z]*(?: [A-Z0-9][a-z]*)?"
_HOW_GOOD = r"(?P<how>best|worst|[a-z]{3,9}est)(?<!rest)(?<!interest)"
_BEST = re.compile(
    r"est (?:year|month|day|quarter|season|bar|team|student|player|city|shop|week|c)"
)
_WHAT = r"(?P<what>year|month|day|quarter|season|bar|team|student|player|city|country|shop|week)"
_WHO = r"(?P<name>(?:19|20)\d\d|[A-Z][a-z]{0,11}(?: [A-Z0-9])?)"
_BEST_IS = re.compile(
    rf"\b{_HOW_GOOD} {_WHAT}(?: of all)?(?:,| is| was)(?: in)? {_WHO}(?=[.,;\n ])"
)
_IS_BEST = re.compile(rf"\b{_WHO}(?:,| is| was) the {_HOW_GOOD} {_WHAT}\b")
_ABOUT = re.compile(
    r"\b(?:more|less|above|below|over|under|than|by|least|most|between|increase|decrease|rise|rose"
    r"|fell|fall|drop|gain|difference|sum|total|mean|average|median|not|from|to|without)\b",
    re.IGNORECASE,
)
_ANOTHER_LINE = re.compile(r"\b(?:perpendicular|parallel|other|second|another|tangent|wait|if)\b")
_ONE_IS = re.compile(
    r"[1OoEe](?<!\w.)(?:(?<=1)|(?<=[Oo])ne|(?<=[Ee])(?:ach|very)) (?P<one>[a-z]{2,12})"
    r"(?: on the map)?"
    r" (?:=|is|stands for|represents|means|corresponds to|equals) (?P<value>\d{1,6}(?:\.\d{1,3})?)"
    r" (?P<other>[a-z]{1,12})\b"
)
_PICTURES = frozenset("symbol icon picture drawing sign".split())
_LONG = {"cm": "centimetre", "km": "kilometres", "m": "metres", "mm": "millimetre"}
_FROM_TO = re.compile(
    r"\b(?:went|goes|rises?|rose|grows?|grew|increase[sd]?|falls?|fell|drop(?:s|ped)?|decrease[sd]?"
    r"|climb(?:s|ed)|chang(?:es|ed)) from (?P<one>\d{1,6}(?:\.\d{1,2})?) to"
    r" (?P<two>\d{1,6}(?:\.\d{1,2})?)(?![\d%]|\.\d)"
)
_PART = re.compile(
    r"\b(?:remaining|rest|left|others?|among|between|except|without|after|before|of these|first"
    r"|last|half|second|third|than|increase|drop|rise|change|aside|apart|next)\b",
    re.IGNORECASE,
)
_POLYGON = re.compile(rf"\b({'|'.join(_SIDES)})\b", re.IGNORECASE)
_SIDED = re.compile(
    rf"\b(?:it|polygon|figure|shape|(?P<name>{'|'.join(_SIDES)})) has"
    r" (?P<count>\d{1,2}|three|four|five|six|seven|eight|nine|ten|twelve)"
    r" (?:equal |straight |congruent )?(?:sides|vertices|corners|angles|interior angles)\b",
    re.IGNORECASE,
)


class _Asks(NamedTuple):
    """Of what a question speaks; of nothing else is anything looked for."""

    polygon: bool
    sizes: frozenset[tuple[str, str]]
    """Both sides of each rectangle."""
    described: bool
    scale: re.Match[str] | None


@lru_cache(maxsize=4096)  # many samples answer one question
def _asks(question: str) -> _Asks:
    return _Asks(
        polygon="gon" in question,
        sizes=frozenset(_BY.findall(question) + _SIDES_OF.findall(question))
        if occurs(_SIZED, question)
        else frozenset(),
        described="[" in question,
        scale=_ONE_IS.search(question) if occurs(_SCALED, question) else None,
    )


def depictions(chain: Chain, start: int, end: int) -> Iterator[Evidence]:
    """What a chain says of its question's picture, other than values, that the question denies."""
    question, text = chain.question, chain.text
    asks = _asks(question)
    if asks.polygon and (" sides" in text or "angles" in text):
        yield from _sides(chain, text, start, end)
    if asks.sizes and occurs(_SIZED, text):
        yield from _sizes(question, asks.sizes, text, start, end)
    if "y = " in text and ("slope" in text or "intercept" in text):
        yield from _slopes(question, text, start, end)
    if asks.described and ":" in text:
        yield from _times(question, text, start, end)
    if text.count("est ") > 1 and len(_BEST.findall(text, start, end)) > 1:
        yield from _best_of(text, start, end)
    if asks.described:
        yield from _asked_for(chain, text, start, end)
    if asks.scale and occurs(_STANDS_FOR, text):
        yield from _scales(asks.scale, text, start, end)
    known = told(question)
    if not known:
        return
    text = untypeset(text)
    if " than " in text:
        yield from compared(text, known, start, end)
    if known.counted:
        yield from _swapped(text, known, start, end)
    if len(known.values) > 1 and "from " in text:
        yield from _ends(text, known, start, end)
    if len(known.values) > 2:
        yield from _extremes(question, text, known, start, end)
        yield from _given_to(text, known, start, end)


def _stands(text: str, span: tuple[int, int], start: int, end: int) -> bool:
    """Whether a place is neither only supposed nor taken back."""
    return not hypothetical(text, span[0], start) and not retracted(text, span[1], end)


def _swapped(text: str, known: Told, start: int, end: int) -> Iterator[Evidence]:
    """Things with another thing's colour: 2 red spheres, where the spheres are blue."""
    pairs = [thing for thing in known.counted if len(thing) == 2]
    kinds = dict(pairs)
    if len(pairs) < 2 or len(kinds) < len(pairs) or len({*kinds.values()}) < len(pairs):
        return
    of_noun = {noun: kind for kind, noun in pairs}
    for match in _PAIR.finditer(text, start, end):
        one, two = match["one"].lower(), match["two"].lower()
        kind, noun = (two, words_of(one)[0]) if match["is"] else (one, words_of(two)[0])
        if noun not in of_noun or kind not in kinds or of_noun[noun] == kind:
            continue
        first, last = match.span("one")[0], match.span("two")[1]
        before = text[max(start, first - 40) : first]
        if hypothetical(text, first, start) or retracted(text, last, end) or _NONE.search(before):
            continue
        note = f"the {noun}s of the question are {of_noun[noun]}, not {kind}"
        yield Evidence("contradiction", first, last, note)


def _sides(chain: Chain, text: str, start: int, end: int) -> Iterator[Evidence]:
    """A figure that the question names, with another number of sides."""
    names = {name.lower() for name in _POLYGON.findall(chain.question)}
    if len(names) != 1 or "polygon" in chain.question or "sided" in chain.question:
        return
    (name,) = names
    for match in _SIDED.finditer(text, start, end):
        count, figure = _count_of(match["count"]), (match["name"] or name).lower()
        if count == _SIDES[figure] or hypothetical(text, match.start(), start):
            continue
        if not retracted(text, match.end(), end):
            note = f"a {figure} has {_SIDES[figure]} sides, not {count}"
            yield Evidence("contradiction", *match.span(), note)


def _count_of(written: str) -> int:
    return int(written) if written.isdigit() else english_number(written) or 0


def _sizes(
    question: str, sizes: frozenset[tuple[str, str]], text: str, start: int, end: int
) -> Iterator[Evidence]:
    """A rectangle of the question, with one of its sides changed: 8 by 7 for 8 by 6."""
    numbers = {int(number) for number in re.findall(r"\d+", question)}
    made = (
        numbers
        | {abs(a - b) for a in numbers for b in numbers}
        | {a + b for a in numbers for b in numbers}
    )
    for match in (*_BY.finditer(text, start, end), *_SIDES_OF.finditer(text, start, end)):
        size = match["one"], match["two"]
        if size in sizes or size[::-1] in sizes:
            continue
        like = [one for one in sizes if (one[0] == size[0]) != (one[1] == size[1])]
        other = size[1] if like and like[0][0] == size[0] else size[0]
        if len(like) != 1 or int(other) in made or f"= {other}" in text:
            continue
        if _stands(text, match.span(), start, end):
            note = f"the question has {' by '.join(like[0])}, not {' by '.join(size)}"
            yield Evidence("contradiction", *match.span(), note)


def _times(question: str, text: str, start: int, end: int) -> Iterator[Evidence]:
    """Another time for a departure or an arrival than the question has."""
    known: dict[bool, set[str]] = {True: set(), False: set()}
    for match in _TIME.finditer(question):
        known[_leaves(match)].add(match["time"].lstrip("0"))
    for match in _TIME.finditer(text, start, end):
        times = known[_leaves(match)]
        if len(times) != 1 or match["time"].lstrip("0") in times:
            continue
        if _stands(text, match.span(), start, end):
            note = f"the question has {next(iter(times))}, not {match['time']}"
            yield Evidence("contradiction", *match.span(), note)


def _leaves(match: re.Match[str]) -> bool:
    return match["what"][0].lower() in "dlsb"


def _extremes(question: str, text: str, known: Told, start: int, end: int) -> Iterator[Evidence]:
    """A name that is called the largest or smallest, and is not."""
    patterns = [_IS_MOST, _MOST_IS]
    if "Who " in question or _WHICH.search(question):
        patterns.append(_MOST_IS_PLAIN)  # the oldest is Cy
    for pattern in patterns:
        for match in pattern.finditer(text, start, end):
            name = words_of(match["name"])
            fact = known.named.get(name) or known.named.get(name[-1:])
            if fact is None or fact.value not in known.values:
                continue
            most = match["how"].lower() in _MOST
            right = max(known.values) if most else min(known.values)
            if fact.value == right or hypothetical(text, match.start(), start):
                continue
            if not retracted(text, match.end(), end) and not _PART.search(
                text, max(start, match.start() - 90), min(end, match.end() + 40)
            ):
                note = f"the {match['how']} value in the question is {shown(right)}"
                yield Evidence("contradiction", *match.span(), f"{note}, not {shown(fact.value)}")


def _scales(told_of: re.Match[str], text: str, start: int, end: int) -> Iterator[Evidence]:
    """What one of a thing stands for, said otherwise: 1 cm = 4 km, and 5 km for a centimetre."""
    ones = {told_of["one"], _LONG.get(told_of["one"], told_of["one"])}
    ones |= _PICTURES if told_of["one"] not in _LONG else set()
    others = {told_of["other"], _LONG.get(told_of["other"], told_of["other"])}
    for match in _ONE_IS.finditer(text, start, end):
        if match["one"] not in ones or match["other"].rstrip("s") not in {
            o.rstrip("s") for o in others
        }:
            continue
        if match["value"] == told_of["value"] or hypothetical(text, match.start(), start):
            continue
        if not retracted(text, match.end(), end):
            note = f"the question has {told_of['value']} {told_of['other']}, not {match['value']}"
            yield Evidence("contradiction", *match.span(), note)


def _ends(text: str, known: Told, start: int, end: int) -> Iterator[Evidence]:
    """A change from one value to another, of which one is nowhere else: from 45 to 70."""
    for match in islice(_FROM_TO.finditer(text, start, end), 20):
        values = [Fraction(match["one"]), Fraction(match["two"])]
        strange = [value for value in values if value not in known.values]
        if len(strange) != 1:
            continue
        written = shown(strange[0])
        if len(re.findall(rf"(?<![\d.]){re.escape(written)}(?![\d]|\.\d)", text[start:end])) > 1:
            continue
        if _stands(text, match.span(), start, end):
            note = f"{written} is not one of the values of the question"
            yield Evidence("contradiction", *match.span(), note)


def _given_to(text: str, known: Told, start: int, end: int) -> Iterator[Evidence]:
    """A value of one name that is said to be another's: 70 in 2014."""
    for match in _GIVEN_TO.finditer(text, start, end):
        name = words_of(match["name"])
        fact = known.named.get(name) or known.named.get(name[-1:])
        value = Fraction(match["value"])
        if fact is None or fact.value == value or known.values.count(value) != 1:
            continue
        before = text[max(start, match.start() - 40) : match.start("value")]
        if _ABOUT.search(before) or hypothetical(text, match.start("value"), start):
            continue
        if not retracted(text, match.end(), end):
            note = (
                f"for “{' '.join(name)}” the question has {shown(fact.value)}, not {match['value']}"
            )
            yield Evidence("contradiction", match.start("value"), match.end(), note)


def _slopes(question: str, text: str, start: int, end: int) -> Iterator[Evidence]:
    """A slope or an intercept that is stated, and an equation of the line that has another."""
    lines = list(_LINE.finditer(text, start, end))
    if not lines or _LINE.search(question) or _ANOTHER_LINE.search(text, start, end):
        return
    if len({match[0] for match in lines}) > 1 or retracted(text, lines[0].end(), end):
        return
    line = lines[0]
    written = {"": "1", "-": "-1"}.get(line["slope"], line["slope"])
    crosses = (line["sign"] or "").strip("+ ") + line["crosses"] if line["crosses"] else "0"
    for what, pattern, has in (("slope", _SLOPE, written), ("intercept", _CROSSES, crosses)):
        stated = {match["value"] for match in pattern.finditer(text, start, end)}
        if len(stated) == 1 and stated != {has.replace(" ", "")}:
            note = f"the {what} is said to be {next(iter(stated))}, and the equation has {has}"
            yield Evidence("contradiction", *line.span(), note)


def _asked_for(chain: Chain, text: str, start: int, end: int) -> Iterator[Evidence]:
    """A name that is said to be what is asked for, and is not the answer: Shop A is cheaper."""
    described, _, asked = chain.question.partition("]")
    answer, adjective = (chain.answer or "").strip(" .*$"), _ASKED.search(asked)
    if adjective is None or not answer[:1].isalnum() or answer not in described:
        return
    how = re.escape(adjective["how"])
    pattern = (
        rf"(?P<one>{_TITLE}) (?:is|was|has|had) (?:the )?{how}(?: one| [a-z]{{3,10}})?(?=[.,;\n])"
        rf"|(?<!second )(?<!third )\b{how}(?: one| [a-z]{{3,10}})? (?:is|was|in)(?: in| on| for)?"
        rf" (?P<two>{_TITLE})(?=[.,;\n])"
    )
    for match in re.finditer(pattern, text[:end]):
        name = match["one"] or match["two"]
        if match.start() < start or name not in described or name in answer or answer in name:
            continue
        before = text[max(start, match.start() - 60) : match.start()]
        if (
            _NONE.search(before)
            or answer in before
            or _PART.search(before)
            or text[match.end() : match.end() + 1] == "?"
        ):
            continue
        if _stands(text, match.span(), start, end):
            note = f"{name} is said to be {adjective['how']}, and the answer is {answer}"
            yield Evidence("contradiction", *match.span(), note)


def _best_of(text: str, start: int, end: int) -> Iterator[Evidence]:
    """One superlative of two names: the best year is 2019, and 2018, the best year."""
    known: dict[tuple[str, str], re.Match[str]] = {}
    for match in sorted(
        (*_BEST_IS.finditer(text, start, end), *_IS_BEST.finditer(text, start, end)),
        key=lambda match: match.start(),
    ):
        key = match["how"].lower(), match["what"].lower()
        before = known.setdefault(key, match)
        if before["name"] == match["name"] or hypothetical(text, match.start(), start):
            continue
        if takes_back(text, before.end(), match.end()) or _PART.search(
            text, before.end(), match.start()
        ):
            continue
        note = f"the {' '.join(key)} is {before['name']}, and then {match['name']}"
        yield Evidence("contradiction", *before.span(), note)
        yield Evidence("contradiction", *match.span(), note)
