"""Members of a list that are said to have a property that they have not, and those left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vlm_boundary.reasoning.lists.listed import (
    NOTHING,
    Listed,
    Mention,
    mentions_in,
    row_after,
    sentence_at,
    sentences,
)
from vlm_boundary.reasoning.lists.number_lists import count_of
from vlm_boundary.reasoning.lists.properties import (
    BEGINNINGS,
    PROPERTY,
    Found,
    Speech,
    compares,
    holds,
    meant,
    properties_in,
    worded,
)
from vlm_boundary.reasoning.text.passages import words_in
from vlm_boundary.reasoning.text.places import matches_at, places_of
from vlm_boundary.reasoning.text.steps import shown
from vlm_boundary.verifier.phrases import occurs

_WORDS = frozenset("even odd prime primes acute obtuse multiples divisible".split())
_OF_WORDS = frozenset("factors factor divisors divisor".split())  # with "of" behind them
_FEW, _NEAR = 2, 80
_TAIL = re.compile(
    r"(?P<tail>[°%]?(?:[ /](?!(?:are|is|were|was|include|we|i)\b)[A-Za-z°%²³]{1,14}){0,5})[ *]{0,3}"
    r"(?:[:→–—]|\b(?P<verb>are|is|were|was|include|(?:came|occurred|fell|were|are) (?:on|in)"
    r"|,? ?(?:we|i) (?:find|have|get|see|count))\b:?(?: (?:only|just|therefore|thus|then|hence))?"
    r"|(?P<beside>(?<= numbers)(?= \d)))"
    r"[ *]{0,3}"
)
_THESE = re.compile(  # less than 90°. Of the list 35°, 90° and 48° these are …
    r"°?\.(?P<tail>) (?:(?:in|of|from) (?:the|this) (?:list|data|values?)[^.]{0,60} )?"
    r"(?:these|those|they)(?P<verb> are):? ",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:not|no|none|neither|nor|never|except\w*|others?|without|if|would|could|might|or|almost"
    r"|nearly|about|between|differ\w*|sum|product|mean|average|times|change\w*|rises?|drops?"
    r"|increas\w*|decreas\w*|common|double|twice|half|percent\w*|probab\w*|than"
    r"|how many|number of)\b"
    r"|n't\b|\?",
    re.IGNORECASE,
)
_DOUBTS = tuple("at first|thought|think|seem|expect|suppose|assume|suggest|mistak".split("|"))
_DOUBT = re.compile(
    r"\b(?:at first|thought|think|seems?|expect\w*|suppose|assume|suggest\w*|mistak\w*)\b", re.I
)
_SOME = re.compile(
    r"\b(?:examples?|such|including|like|some|first|last|also|another|one|any|next|e\.g|other\w*"
    r"|largest|smallest|until|up to|in both|here|(?:of|among) (?:these|those|them))\b",
    re.IGNORECASE,
)
_OF_NUMBERS = re.compile(r"\b(?:numbers|values|integers|scores|entries|evens|odds|primes)\b", re.I)
_SATISFY = re.compile(
    r"\b(?:(?:(?:which|that) )?(?:satisfy|meet|fulfil|match)(?:es|s)? (?:the|this|that)"
    r" (?:condition|requirement|criterion)|(?:(?:which|that) )?qualif(?:y|ies))\b"
    r"(?P<verb>(?: are| is|:):? )?",
    re.IGNORECASE,
)
_COPULA = re.compile(
    r"(?<=[\w°%),])(?: (?:values?|heights?|temperatures?|scores?|sales))?"
    r"(?: (?:is|are|was|were|lies?|have|has|had|got|scored|shows?|being|costs?|sold|weighs?"
    r"|stays?|remains?)\b"
    r"(?P<not>n't| not)?(?: (?:both|all|each|strictly|clearly|also|only|the|a|an|values?"
    r"|scores?|still|just))*)"
    r"\s*\Z",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?<!\bof the )(?<!\bof these )(?<!\bof all )"
    r"(?P<count>\d{1,2}|two|three|four|five|six|seven|eight|nine) [a-z]{3,12}"
    r"(?: (?:are|were|lie|have|with|that are|had|scored))?\s*\Z",
    re.IGNORECASE,
)
_SCOPED = re.compile(
    r"\b(?:after|before|since|until|first|last|except\w*|exclud\w*|without|ignor\w*|remov\w*|even"
    r"|odd|prime|divisible|multiples?|among|others?|rest|remain\w*|if|boys?|girls?|wom[ae]n|m[ae]n"
    r"|only|not|between|weekend|weekdays?|from|each|per|both|either|new|left|half|months? of)\b",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(  # of the 36 entries, 6 are prime
    r"(?<!\d, )(?<!\d and )(?<!\d )\b\d{1,3} (?:are|were)\s*\Z", re.IGNORECASE
)
_MAKES = re.compile(
    r"[\s.,;)]{0,4}(?:so|thus|hence|and|therefore)?,?\s?(?:(?:that|this|which|it|these|they)"
    r"(?:'s| is| makes?| gives?| are)(?: a total of| up| altogether| only)?"
    r"|there (?:are|is)(?: only)?|making|giving|count(?: is|:| =)|(?:the )?(?:count|number)"
    r"(?: of \w+)? is)\s"
    r"(?P<count>\d{1,2}|[a-z]{3,6})\b(?![.,]\d|\s?[%/°^*×·+-])",
    re.IGNORECASE,
)


def wrong_members(speech: Speech) -> Iterator[Found]:
    """Each member that is said to be what it is not, or that is left out."""
    words = words_in(speech.text)
    named = not _WORDS.isdisjoint(words)
    named = named or (not _OF_WORDS.isdisjoint(words) and "of" in words)
    if named or (speech.data.values and compares(words)):
        yield from _of_properties(speech)
    if speech.data.asked and occurs(
        ("qualif", "condition", "requirement", "criterion"), speech.low
    ):
        yield from _qualified(speech)


def _of_properties(speech: Speech) -> Iterator[Found]:
    """The values below 9 are 7 and 9; A and B are below 9; the even numbers: 4, 6 and 9."""
    text, first, last, opened = speech.text, speech.start, speech.start, speech.start
    doubts = occurs(_DOUBTS, speech.low)
    places = places_of(BEGINNINGS, speech.low, speech.start, speech.end)
    for said in matches_at(PROPERTY, text, places, speech.end):
        if said.start() >= last:
            first, last = sentence_at(text, said.start(), last, speech.end)
            opened = first
        if text[last : last + 1] == "?":
            continue
        before, opened = text[opened : said.start()], said.end()
        if doubts and _DOUBT.search(text, first, said.start()):
            continue
        if not text.startswith((" or", " one out"), said.end()) and (
            found := _of_property(speech, said, before)
        ):
            stop, note = found
            yield first, stop, note


def _of_property(speech: Speech, said: re.Match[str], before: str) -> tuple[int, str] | None:
    """What is wrong with members behind or before what they are said to be, and where it ends."""
    text = speech.text
    tail = _TAIL.match(text, said.end(), speech.end)
    these = None if tail else _THESE.match(text, said.end(), speech.end)
    tail = tail or these
    if tail and (these or not _UNSURE.search(before)) and not _UNSURE.search(tail["tail"]):
        row, stop = row_after(text, tail.end(), speech.end)
        beside = not these and tail["beside"] is not None
        single = tail["verb"] in ("is", "was") or beside
        if note := _listed(speech, said, before + tail["tail"], row, stop, single=single):
            return stop, note
    if _HOW_MANY.search(before, max(0, len(before) - _NEAR)):
        return None
    note = _named(speech, said, before)
    return (said.end(), note) if note else None


def _known(speech: Speech, said: re.Match[str]) -> Listed:
    """The list that is known where words stand."""
    return speech.data if speech.data.start <= said.start() else NOTHING


def _qualified(speech: Speech) -> Iterator[Found]:
    """The months that satisfy the condition are January and April: that of the question."""
    asked = properties_in(speech.asked)
    if len(asked) != 1 or _SCOPED.search(speech.asked.replace(asked[0][0], "")):
        return
    text = speech.text
    for first, last in sentences(text, speech.start, speech.end):
        for said in _SATISFY.finditer(text, first, last):
            before = text[first : said.start()]
            if _UNSURE.search(before) or _DOUBT.search(before):
                continue
            if said["verb"]:
                row, stop = row_after(text, said.end(), speech.end)
                mentions = mentions_in(row, speech.data)
            else:
                stop, mentions = said.end(), mentions_in(before, speech.data)
            if mentions and (note := _unlike(mentions, asked[0], speech.data)):
                yield first, stop, note


def _may_be(mentions: Sequence[Mention], before: str, data: Listed, said: re.Match[str]) -> bool:
    """Whether the numbers are values of the list, and not what stands under them."""
    if said["kind"] or said["of"] or _OF_NUMBERS.search(before):
        return True
    has = holds(said, data)
    if not all(one.name or one.value in data.values for one in mentions):
        return False
    return data.asked or any(one.name or has(data.of(one)) for one in mentions)


def _listed(
    speech: Speech, said: re.Match[str], before: str, row: str, stop: int, *, single: bool
) -> str | None:
    """What is wrong with a row of members behind what they are said to be."""
    data = _known(speech, said)
    mentions = mentions_in(row, data)
    if mentions and data.asked and not said["of"]:
        foreign = [
            one for one in mentions if one.value is not None and one.value not in data.values
        ]
        if len(foreign) == 1 and len(mentions) > _FEW:
            return f"{shown(data.of(foreign[0]))} is not in the list"
    if not mentions or not _may_be(mentions, before, data, said):
        return None
    if note := _unlike(mentions, said, data):
        return note
    if (counted := _COUNTED.search(before)) and len(mentions) != count_of(counted["count"]):
        return f"{len(mentions)} are listed, not {counted['count']}"
    asked = speech.asked.replace(said[0].lower(), "")
    if single or _SCOPED.search(asked) or not _alone(said, speech.asked) or _SOME.search(before):
        return None
    if said["of"] or not data.values or (said["how"] and data.named(said["bound"])):
        return None
    if any(one.value is not None and one.value not in data.values for one in mentions):
        return None
    names = {one.name for one in mentions if one.name}
    values = {one.value for one in mentions if not one.name}
    has = holds(said, data)
    for name, value in zip(data.names, data.values, strict=True):
        if has(value) and value not in values and (not name or name not in names):
            whose = f" ({name.capitalize()})" if name else ""
            return f"{shown(value)}{whose} is {worded(said)} too, and is left out"
    return _wrong_count(speech, stop, mentions)


def _alone(said: re.Match[str], asked: str) -> bool:
    """Whether the question names no other property: 15 is odd, and not above 20."""
    return all(meant(other) == meant(said) for other in properties_in(asked))


def _wrong_count(speech: Speech, stop: int, mentions: Sequence[Mention]) -> str | None:
    """A count behind a row that has more or fewer members."""
    makes = _MAKES.match(speech.text, stop, speech.end)
    if makes is None or "how many" not in speech.asked:
        return None
    count = count_of(makes["count"])
    values = speech.data.values
    of_values = sum(1 for value in values if any(m.value == value for m in mentions))
    if 0 < count < len(values) and count not in (len(mentions), of_values):
        return f"{len(mentions)} are listed, not {count}"
    return None


def _unlike(
    mentions: Sequence[Mention], said: re.Match[str], data: Listed, *, negated: bool = False
) -> str | None:
    has = holds(said, data)
    for one in mentions:
        value = data.of(one)
        if has(value) == negated:
            whose = (
                f"{one.name.capitalize()} has {shown(value)}, which" if one.name else shown(value)
            )
            return f"{whose} is {'' if negated else 'not '}{worded(said)}"
    return None


def _named(speech: Speech, said: re.Match[str], before: str) -> str | None:
    """What is wrong with members before what they are said to be: 49 and 55 are above 50."""
    copula = _COPULA.search(before, max(0, len(before) - _NEAR))
    data = _known(speech, said)
    if said["kind"] and copula and not re.search(r"\b(?:is|are|was|were)\b", copula[0]):
        return None
    how = (said["how"] or "").lower()
    if copula is None and not how.startswith("exceed"):
        return None
    items = (
        before[: copula.start()]
        if copula
        else re.sub(r"(?: (?:also|both|all|clearly))+ \Z", "", before)
    )
    items = items[items.rfind(";") + 1 :]
    if said["of"] and not said["of"].lower().startswith(("multiple", "divisible")):
        return None
    behind = speech.text[said.end() : said.end() + 12].lower()
    if re.match(r" (?:times|more|less|of|percent|of them)|[%+*/-]", behind):
        return None
    mentions = mentions_in(items, data)
    if mentions and _may_be(mentions, "", data, said):
        return _unlike(mentions, said, data, negated=bool(copula and copula["not"]))
    return None
