"""What each statement of a chain gives a value to: which quantity, of whom, and in which case."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice

from vlm_boundary.mathtext.words import ENGLISH, english_number
from vlm_boundary.reasoning.contradictions.sites import (
    ATTRIBUTES,
    DROPPED,
    MEASURES,
    NOBODY,
    NOT_COUNTED,
    differing_sites,
)
from vlm_boundary.reasoning.lists.number_lists import value_of
from vlm_boundary.reasoning.text.passages import SENTENCE, opening, words_in
from vlm_boundary.verifier.phrases import occurs

_PICTURE = (
    r"(?:figure|diagram|chart|graph|table|picture|image|drawing|plot|legend|scale|axis|map|photo"
    r"|sketch|scene|label|description|question|problem|data)"
)
_SOURCE = re.compile(  # where a value is read, which says nothing of whose it is
    rf"\b(?:according to|as (?:shown|seen|given|read|marked|we (?:see|read))(?: in| on| from| by)?"
    rf"|from|in|on|by|looking at|reading)"
    rf" (?:the |this |that |our )?(?:[a-z]{{3,9}} )?{_PICTURE}\b|\bas (?:shown|given|marked)\b",
    re.IGNORECASE,
)
_VALUE = (
    r"[$\\(]{0,2}[$€£]?(?P<value>-?(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,6})?"
    rf"(?![\d/^:]|[.,]\d| : \d)|{ENGLISH}(?![\w-]))"
)
_UNIT = (
    r"(?:\s?(?P<unit>°|\^\{?\\circ\}?|\\?%|(?:degrees?|percent|(?:[cmk]?m|kg|g|l|ml|h|s|min)[²³]?"
    r"|centimet\w+|met(?:er|re)s?|kilomet\w+|inch(?:es)?|feet|units?|dollars?|euros?|cents?"
    r"|minutes?|hours?|seconds?|days?|years?|points?|grams?|kilograms?|lit(?:er|re)s?|km/h|m/s"
    r"|(?:square|cubic) [a-z]{2,12})(?!\w)))?[$)\\]{0,2}"
)
_SOFT = (
    r"(?:\s(?:an?|the|about|exactly|approximately|only|just|at|to|therefore|thus|also|equal|given"
    r"|as|indeed|clearly|found|marked|hence|again|of))*"
)
_SPLIT = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"(?-i:[;:),\sasbwtiASBWTI])(?:(?:(?<=[;)])|(?<=:)(?<!\s:))\s?|(?<=\s)(?:\(|(?<![\d)].)[–—]\s)|(?<=,)\s(?:and\s|so\s)?"
    r"|(?<!\w.)(?:(?P<and>(?<=a)nd)\s|(?:(?<=s)(?:o|ince)|(?<=b)(?:ecause|ut)"
    r"|(?<=w)(?:hile|here|hose|hich|hereas|ith|e (?:get|have|see|find|know|read|obtain))"
    r"|(?<=t)h(?:en|at)|(?<=a)(?:lthough|s)|(?<=i) (?:get|see|find|read))\b\s?))",
    re.IGNORECASE,
)
_WORD = r"[A-Za-z∠][A-Za-z0-9'’-]{0,15}"
_NP = rf"(?P<np>(?:{_WORD} ){{0,7}}{_WORD})"
_STATED = re.compile(
    rf"{_NP}\s?(?:(?<=\s)(?P<verb>is|are|was|were|equals?|measures|reads|reaches|weighs|costs?"
    rf"|comes|being|stands|amounts)|=|:){_SOFT}\s?{_VALUE}{_UNIT}(?P<tail>.*)",
    re.IGNORECASE | re.DOTALL,
)
_CALLING = frozenset("most least winner maximum minimum".split())
_SUPERLATIVE = rf"(?:{'|'.join(sorted(_CALLING))}|[a-z]{{3,9}}est)"
_NAMED_FIRST = re.compile(
    rf"(?:[Tt]he )?(?P<value>[A-Za-z][a-z]{{0,11}}(?: [A-Za-z][a-z]{{0,9}})?) (?:is|was|has|are)"
    rf" (?P<np>(?:the )?(?:[a-z]{{3,12}} )?{_SUPERLATIVE}(?: {_WORD}){{0,4}})\s{{0,4}}",
)
_CALLED = re.compile(  # a name that is called the largest, or a right angle
    r"[iwha](?:(?<=i)ght[- ]angle|(?:(?<=i)s|(?<=[wh])as|(?<=a)re)"
    rf" (?:the )?(?:[a-z]{{3,12}} )?{_SUPERLATIVE}\b)"
)
_HAVING = re.compile(  # a length of 8; of width 4
    rf"(?P<head>{opening(ATTRIBUTES)}) (?:of)?{_SOFT}\s?{_VALUE}{_UNIT}"
    r"(?=\s?(?:[.,;:)]|$|(?:and|so|is|are|the|as|because|gives|give|which|this|that|in|on)\b))",
    re.IGNORECASE,
)
_OWNER = re.compile(  # what stands before it: the tower has a, a rectangle of
    rf"(?:\b(?P<np>(?:{_WORD} ){{0,5}}{_WORD}) (?P<by>has|have|having|with|of) |\b(?:with|and"
    rf"|of) )?"
    r"(?P<det>\b(?:an?|the|its) )?(?P<kind>[a-z]{3,9} )?\Z",
    re.IGNORECASE,
)
_NOT_IT = rf"(?!(?:{'|'.join(NOT_COUNTED)}|possib\w+)\b)"
_THING = (
    rf"(?P<thing>(?:{_NOT_IT}[a-z]{{2,12}} ){{0,2}}{_NOT_IT}[a-z]{{3,14}}(?:s|people|children|men))"
)
_COUNTED = re.compile(
    rf"(?:there (?:is|are|were)|(?P<np>(?:{_WORD} ){{0,5}}{_WORD}) (?:has|have|owns?|shows?"
    rf"|contains?|holds"
    rf"|includes?|sees?|counts?))(?: only| exactly)? {_VALUE} {_THING}\b(?P<tail>.*)",
    re.IGNORECASE | re.DOTALL,
)
_ITEM = re.compile(rf"(?:and )?{_VALUE} {_THING}\b(?P<tail>.*)", re.IGNORECASE | re.DOTALL)
_RECALLED = re.compile(
    rf"{opening('the these those his her their all'.split())} {_VALUE} {_THING}\b"
    rf"(?P<tail>(?: (?!and\b|make|give|plus|is\b|are\b)[a-z]+)*)",
    re.IGNORECASE,
)
_RIGHT = re.compile(
    r"\bright[- ]angled?(?: triangle)?(?: (?:is|lies|being|located))? (?:at|in)"
    r"(?: (?:vertex|corner|point|angle))? (?P<value>[A-Z])\b"
)
_YEAR = re.compile(r"In ((?:19|20)\d\d)\b,?", re.IGNORECASE)
_DETERMINER = re.compile(r"\b(an?|the|its|this|that)\s", re.IGNORECASE)
_DEMONSTRATIVE = re.compile(r"\b(?:this|that|these|those|one|another|other|both|all)\b", re.I)
_ONE = re.compile(r"^\s*one (?=[a-z]+$)", re.IGNORECASE)
_MAKES = re.compile(r"\b(?:makes?|gives?|equals?|together)\b.*", re.IGNORECASE | re.DOTALL)
_THERE = re.compile(r"\bthere (?:is|are|were)\b", re.IGNORECASE)
_FRONTED = re.compile(
    r"(?:In|On|At|For|After|Before|During|When|If|By|Until|Under|Using|Taking|Considering)\s",
    re.I,
)
_TYPESET = re.compile(r"\\angle(?![a-zA-Z])|\^\{?\\circ\}?|\$|\\[()\[\]]|\*\*|\\text\{|\\,")
_PLAIN = {"\\angle": " angle", "^\\circ": "°     ", "^{\\circ}": "°       "}
_WITH = re.compile(r"\bwith\s\Z", re.IGNORECASE)
_OF_PART = re.compile(r"\s?(?:with|that|which|who|whose|where)\b", re.IGNORECASE)
_KIND = re.compile(r"([A-Za-z]{3,12})\s?")
_COPULA = re.compile(r"\b(?:is|are) (?=∠|angle [A-Z]|[A-Z]{2})")  # the apex angle is ∠A = 50°
_PICTURED = re.compile(rf" {_PICTURE}\b|\b[Aa]s ")
_NO_NUMBER = re.compile(r"est\b|most|least|mum\b")
_ARTICLE = re.compile(r"\bA (?=[a-z])")
_DIGIT = re.compile(r"\d")
_WORDED = re.compile(rf"\b{ENGLISH}\b", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z]+|\d+|∠")
_OF = re.compile(r" (?:of|for|in|on|at) |['’]s ")
_UNIT_NAMES = frozenset("ft sq cm mm km kg ml mi yd lb oz hr hrs min sec mph in inch".split())
_NO_UNIT = frozenset("more less fewer times and out other".split())
_OF_VERB = {"cost": "price", "costs": "price", "weighs": "weight"}
_OF_ADJECTIVE = {
    "wide": "width", "long": "length", "tall": "height", "high": "height", "deep": "depth",
    "thick": "thickness", "old": "age", "heavy": "weight",
}  # fmt: skip
_UNITS = {"degrees": "°", "degree": "°", "percent": "%", "unit": "", "units": "", "^\\circ": "°"}
_GOES_ON = re.compile(
    r"[a-zA-Z(\[{]|\s{0,2}(?:[-+*/×÷·^=<>–−]|\\times|\\cdot|\\div|more |less |times |fewer )"
)


@dataclass(frozen=True, slots=True)
class Binding:
    """A value given to `head` of `owner` ("" where none is named), in the case of `scope`."""

    head: str
    owner: str
    scope: str
    value: Fraction | str
    unit: str
    start: int
    end: int
    recalled: bool = False
    """Whether it only speaks of a count again: the 4 dogs."""
    new: bool = False
    """Whether it is said of something that is named here for the first time: a square of side 4."""


def differing(text: str, start: int, end: int, far: int) -> Iterator[Binding]:
    """The statements of those sentences in which one name may stand with different values.

    The words beside two values, at most `far` characters apart, tell it before one is taken apart.
    """
    places = differing_sites(text, start, end, far)
    named = _may_call_twice(text)
    named = named and len(list(islice(_CALLED.finditer(text, start, end), 2))) > 1
    if not places and not named:
        return
    first = start if named else max(start, text.rfind("\n", start, places[0]) + 1)
    for match in SENTENCE.finditer(text, first, end):
        if not named and match.start() > places[-1]:
            return
        sentence = match[0]
        here = bisect_left(places, match.start()) < bisect_left(places, match.end())
        if here or (named and _CALLED.search(sentence)):
            yield from _of_sentence(sentence, match.start())


def _may_call_twice(text: str) -> bool:
    """Whether a word by which a name is called something, without a number, stands twice."""
    words = words_in(text)
    said = _CALLING & words
    if text.count("est") > 1:
        said |= {word for word in words if word.endswith("est")}
    if said and any(text.count(word) > 1 for word in said):
        return True
    return "angle" in words and text.count("ight angle") + text.count("ight-angle") > 1


def _of_sentence(sentence: str, at: int) -> Iterator[Binding]:
    if "$" in sentence or "\\" in sentence or "*" in sentence:
        sentence = _TYPESET.sub(lambda match: _PLAIN.get(match[0], " " * len(match[0])), sentence)
    if _PICTURED.search(sentence):
        sentence = _SOURCE.sub(lambda match: " " * len(match[0]), sentence)
    scope, counting, label = "", True, ""
    if year := _YEAR.match(sentence.lstrip()):
        scope = year[1]
        first = len(sentence) - len(sentence.lstrip()) + year.end()
        sentence = " " * first + sentence[first:]
    taken: set[int] = set()
    for first, last in _clauses(sentence):
        if _FRONTED.match(sentence, first, last):
            there = _THERE.search(sentence, first, last)
            scope = _words(sentence[first : there.start() if there else last])
            if there is None:
                continue
            first = there.start()
        clause = sentence[first:last]
        if not label and sentence[:first].rstrip().endswith(":"):
            counting = False  # "Miss Petit: 31 desks" is of her
        if sentence.startswith(":", last) and (kind := _KIND.fullmatch(clause.lstrip("*_-#> "))):
            label, counting = kind[1], True
            continue
        match: re.Match[str] | None = None
        if _has_value(clause):
            item = counting and not _WITH.search(sentence, max(0, first - 6), first)
            match = _COUNTED.match(clause) or (_ITEM.match(clause) if item else None)
            counting = match is not None
            match = match or _STATED.match(clause)
        if match is None and _NO_NUMBER.search(clause):
            match = _NAMED_FIRST.fullmatch(clause)
        counted = match is not None and "thing" in match.re.groupindex
        part = counted and _OF_PART.match(sentence, last)
        if match and not part and (found := _bound(match, scope, at + first)):
            taken.add(first + match.start("value"))
            if label and found.head.endswith(" counted"):
                found = replace(found, head=f"{_words(label)} {found.head}")
            yield found
        label = ""
    if "ight" in sentence:
        for match in _RIGHT.finditer(sentence):
            where = at + match.start(), at + match.end()
            yield Binding("right angle", "", "", match["value"], "", *where)
    having = occurs(ATTRIBUTES, sentence.lower())
    for match in _HAVING.finditer(sentence) if having else ():
        owner = _OWNER.search(sentence, max(0, match.start() - 60), match.start())
        alone = owner is not None and sentence[: owner.start()].rstrip()[-1:] != "("
        named = owner is not None and (owner["np"] or owner["det"] or (alone and owner[0].strip()))
        if (
            named
            and match.start("value") not in taken
            and (found := _bound(match, scope, at, owner))
        ):
            yield found
    if "the" in sentence or " her" in sentence or " his" in sentence or "all " in sentence:
        for match in _RECALLED.finditer(sentence):
            if match.start("value") not in taken and (found := _bound(match, scope, at)):
                yield found


def _has_value(words: str) -> bool:
    return _DIGIT.search(words) is not None or _WORDED.search(words) is not None


def _clauses(sentence: str) -> Iterator[tuple[int, int]]:
    """Where each clause stands. What "and" joins before there is a value is one name."""
    first = 0
    for cut in _SPLIT.finditer(sentence):
        piece = sentence[first : cut.start()]
        if cut["and"] and not _has_value(piece):
            continue
        if kept := piece.lstrip():
            yield cut.start() - len(kept), cut.start()
        first = cut.end()
    yield len(sentence) - len(sentence[first:].lstrip()), len(sentence)


def _bound(
    match: re.Match[str], scope: str, at: int, owner_said: re.Match[str] | None = None
) -> Binding | None:
    parts = {key: found or "" for key, found in match.groupdict().items()}
    if owner_said:
        parts |= {key: found or "" for key, found in owner_said.groupdict().items()}
    tail = parts.get("tail", "")
    value = _value(parts["value"], match.re)
    if (
        value is None
        or _GOES_ON.match(tail)
        or _DEMONSTRATIVE.search(_ONE.sub("", parts.get("np", "")))
    ):
        return None
    if match.re in (_COUNTED, _ITEM, _RECALLED):
        tail = _MAKES.sub("", tail)
    adjective = tail.strip().partition(" ")[0]
    if adjective in _OF_ADJECTIVE:
        parts["head"], tail = _OF_ADJECTIVE[adjective], tail.replace(adjective, "", 1)
    head, owner = _quantity(match.re, parts)
    if not head or {*head.split(), owner.lower()} & NOBODY or {*head.split()} <= _UNIT_NAMES:
        return None
    where = " ".join(filter(None, (scope, _words(_SOURCE.sub(" ", tail)))))
    unit = parts.get("unit", "").lower().strip("\\").replace("{", "").replace("}", "")
    unit = "" if unit in _NO_UNIT else _UNITS.get(unit, _words(unit) or unit)
    first = at + match.end() - len(match[0].lstrip())
    again = match.re is _RECALLED
    new = match.re is _HAVING and _is_new(parts)
    return Binding(head, owner, where, value, unit, first, at + match.end("value"), again, new)


def _quantity(pattern: re.Pattern[str], parts: dict[str, str]) -> tuple[str, str]:
    """What the value is of, and whose it is."""
    written = _COPULA.split(parts.get("np", ""))[-1]
    if pattern is _COUNTED or parts.get("by", "").lower() in ("with", "of"):
        written = _DETERMINER.split(written)[-1]
    head, owner = _name(written)
    whole = " ".join(filter(None, (head, owner)))
    if "thing" in parts:
        return f"{_words(parts['thing'])} counted", "" if head.lower() in NOBODY else whole
    named = parts.get("kind", "") + parts.get("head", "") or _OF_VERB.get(
        parts.get("verb", "").lower(), ""
    )
    whole = _ONE.sub("", whole)
    if named:
        return _words(named), whole
    return head, owner


def _is_new(parts: dict[str, str]) -> bool:
    """Whether it is said of something that is only named here: a circle of radius 3."""
    if parts["by"].lower() not in ("with", "of"):
        return False
    *_, before, _ = ["", *_DETERMINER.split(parts["np"])]
    return before.lower() not in ("the", "its")


def _value(written: str, pattern: re.Pattern[str]) -> Fraction | str | None:
    if pattern is _NAMED_FIRST:
        return None if written.lower() in NOBODY else written.lower()
    if written[0].isdigit() or written[0] == "-":
        return value_of(written)
    number = english_number(written)
    return None if number is None else Fraction(number)


def _name(written: str) -> tuple[str, str]:
    """The quantity and whose it is: the width of the door, the door's width, bar A."""
    head, owner = "", written
    while not head:
        cut = _OF.search(owner)
        if cut is None:
            return _words(owner), ""
        one, two = owner[: cut.start()], owner[cut.end() :]
        if cut[0].startswith(("'", "’")):
            one, two = two, one
        head, owner = _words(one), two
        if head in MEASURES:
            head = ""
    return head, _words(owner)


def _words(written: str) -> str:
    """The words that tell one name from another: no articles, no plural, letters as they stand."""
    kept = []
    plain = _ARTICLE.sub(" ", written.replace("∠", "angle ").replace("’s", "").replace("'s", ""))
    for word in _TOKEN.findall(plain):
        if len(word) <= 3 and word.isupper():
            kept.append(word)
        elif (low := word.lower()) not in DROPPED:
            kept.append(low[:-1] if len(low) > 3 and low[-1] == "s" and low[-2] != "s" else low)
    return " ".join(kept)
