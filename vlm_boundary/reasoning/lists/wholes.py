"""What a chain says of a whole list: of all or none of it, from where to where it goes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vlm_boundary.mathtext.words import english_number
from vlm_boundary.reasoning.lists.listed import PICKS, Mention, mention_of, mentions_in, sentences
from vlm_boundary.reasoning.lists.number_lists import VALUE, value_of
from vlm_boundary.reasoning.lists.properties import (
    PROPERTY,
    Found,
    Speech,
    holds,
    properties_in,
    worded,
)
from vlm_boundary.reasoning.text.steps import shown

_THINGS = (
    r"(?:values?|numbers?|scores?|bars?|marks?|readings?|points|data|entries|cards|temperatures?"
    r"|heights|prices|ages|days?|months?|years?|one)"
)
_ALL = re.compile(
    rf"\b(?P<how>all|every|each|none|no)(?: (?:of (?:them|these|those|the {_THINGS})|(?:the "
    rf"|these )?(?:\w{{3,5}} )?{_THINGS}))?"
    r" (?:are|is|lies?|were|was|have|has)(?: a| an| strictly| clearly| values)? \Z",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"\b(?:nobody|no one|nothing|none|no (?:other )?[a-z]{3,10})(?: else)? (?:is|has|was"
    r"|had|scored|got|lies|sold)"
    r" (?:a )?(?:(?P<more>more|higher|larger|greater|taller|bigger|longer|warmer|better)|less"
    r"|fewer|lower|smaller"
    r"|shorter|colder) than (?P<whom>[\w'’.]{1,16})(?: (?P<next>[\w'’.]{1,12}))?",
    re.IGNORECASE,
)
_GOES = re.compile(
    rf"\b(?:{_THINGS}|they) (?:all )?(?:runs?|ranges?|vary|varies|extend|lie) (?P<word>from"
    rf"|between)"
    rf" [$€£]?(?P<low>{VALUE})[°%]? (?:to|and|up to) [$€£]?(?P<high>{VALUE})(?![\w/^-]|[.,]\d)",
    re.IGNORECASE,
)
_APART = re.compile(
    r"\b(?:not|never|if|would|except\w*|other\w*|but|apart|besides?|without|nearly|almost"
    r"|until|after"
    r"|before|which|left|remain\w*|differen\w*|change\w*|sums?)\b|n't\b",
    re.IGNORECASE,
)
_SUM_UP = re.compile(
    r"(?:,|;|:|\.|→|=|\b(?:so|that is|that's|which is|these are|this is|they are|makes?|making"
    r"|giving|gives?|i\.e\.|count)\b)"
    r"[^.,;:\d\n]{0,24}?\b(?P<count>\d{1,2}|one|two|three|four|five|six|seven|eight|nine)"
    r"(?: [a-z]{3,12}| in (?:all|total)){0,2}[.!]?\s*\Z",
    re.IGNORECASE,
)
_PIECE = re.compile(r",(?!\d{3}(?!\d)) ?(?:and )?| and |;")


def wrong_wholes(speech: Speech) -> Iterator[Found]:
    """What is not true of all, of none, or of the ends of the list that the question gives."""
    if len(speech.data.values) < 3 or not speech.data.asked:
        return
    low = speech.low
    if " all" in f" {low}" or "no" in low or "every" in low or "each" in low:
        yield from _universal(speech)
    if "only " in low or "just " in low:
        yield from _only(speech)
    if " from " in low or " between " in low:
        yield from _ends(speech)
    if "how many" in speech.asked:
        yield from _counted(speech)


_ONLY = re.compile(
    r"\b(?:only|just) (?P<items>[^.;:\n]{1,60}?) (?:is|are|has|have|was|were|had|lies?|got"
    r"|scored) \Z",
    re.IGNORECASE,
)


def _only(speech: Speech) -> Iterator[Found]:
    """Only Dot is above 8."""
    data, text = speech.data, speech.text
    for first, last in sentences(text, speech.start, speech.end):
        said = PROPERTY.search(text, first, last)
        only = _ONLY.search(text, first, said.start()) if said else None
        if said is None or only is None or _APART.search(text, first, said.start()):
            continue
        mentions = mentions_in(only["items"], data)
        if not mentions or text.startswith((" and", " or"), said.end()):
            continue
        told = {data.of(one) for one in mentions}
        has = holds(said, data)
        for value in data.values:
            if told <= {*data.values} and has(value) and value not in told:
                yield only.start(), said.end(), f"{shown(value)} is {worded(said)} too"
                break


def _universal(speech: Speech) -> Iterator[Found]:
    """All of them are even; nobody has more than Di."""
    data, text = speech.data, speech.text
    for first, last in sentences(text, speech.start, speech.end):
        if _APART.search(text, first, last) or PICKS.search(
            re.sub(r"(?i)\b(?:no|not|even|odd|prime)\b", "", text[first:last])
        ):
            continue
        said = PROPERTY.search(text, first, last)
        if said and (whole := _ALL.search(text, first, said.start())):
            if text[said.end() : said.end() + 4] in (" and", " or "):
                continue
            none = whole["how"].lower() in ("none", "no")
            has = holds(said, data)
            for value in data.values:
                if has(value) == none:
                    note = f"{shown(value)} is {'' if none else 'not '}{worded(said)}"
                    yield whole.start(), said.end(), note
                    break
        for nobody in _NOBODY.finditer(text, first, last):
            name = data.named(nobody["whom"].strip(".")) or data.named(
                (nobody["next"] or "").strip(".")
            )
            ends = max(data.values) if nobody["more"] else min(data.values)
            if name and data.value(name) != ends:
                yield *nobody.span(), f"{name.capitalize()} has {shown(data.value(name))}"


def _ends(speech: Speech) -> Iterator[Found]:
    """The values run from 12 to 19."""
    least, most = min(speech.data.values), max(speech.data.values)
    for said in _GOES.finditer(speech.text, speech.start, speech.end):
        low, high = value_of(said["low"]), value_of(said["high"])
        first = max(speech.text.rfind(sign, speech.start, said.start()) for sign in (". ", "\n"))
        before = max(first, speech.start), said.start()
        if PICKS.search(speech.text, *before) or _APART.search(speech.text, *before):
            continue
        if not {low, high} <= {*speech.data.values}:
            continue
        if low < high and (low, high) != (least, most):
            yield *said.span(), f"they go from {shown(least)} to {shown(most)}"


def _counted(speech: Speech) -> Iterator[Found]:
    """Ben, Cy and Eve, so 3: as many as there are, and others than those that are asked for."""
    limits = properties_in(speech.asked)
    if len(limits) != 1 or _APART.search(speech.asked):
        return
    data = speech.data
    has = holds(limits[0], data)
    right = sum(map(has, data.values))
    text = speech.text
    for first, last in sentences(text, speech.start, speech.end):
        count = _SUM_UP.search(text, first, last)
        if count is None or _number(count["count"]) != right or _APART.search(text, first, last):
            continue
        members = _members(text[first : count.start()], speech)
        wrong = [one for one in members if not has(data.of(one))]
        if len(members) == right > 1 and len(wrong) == 1:
            (one,) = wrong
            value = shown(data.of(one))
            whose = f"{one.name.capitalize()} has {value}, which" if one.name else value
            yield first, last, f"{whose} is not {worded(limits[0])}"


def _members(part: str, speech: Speech) -> list[Mention]:
    """The one row of members in a part of a sentence; none where there are two, or foreign ones."""
    found: list[Mention] = []
    for at, piece in enumerate(pieces := _PIECE.split(part)):
        mention = mention_of(piece, speech.data)
        if mention is None and at == 0:
            words = piece.split()
            mention = mention_of(words[-1], speech.data) if words else None
        if mention is None and at == len(pieces) - 1 and found:
            head = re.match(r"[\w'’.-]+(?: \([^()]*\))?", piece.strip())
            mention = mention_of(head[0], speech.data) if head else None
        if mention is None:
            return []
        if not mention.name and mention.value not in speech.data.values:
            return []
        found.append(mention)
    return found


def _number(word: str) -> int:
    return int(word) if word.isdigit() else english_number(word.lower()) or 0
