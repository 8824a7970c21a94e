"""How many times, or by how much more, one quantity is than another, and the values of both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from vlm_boundary.mathtext.words import FIRST_WORDS, ONE_NUMBER, english_number
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.rules.theorems import FACTORS
from vlm_boundary.reasoning.text.passages import opening, unless_excused, words_in
from vlm_boundary.reasoning.text.places import (
    by_last_word,
    matches_at,
    places_of_phrases,
    unhyphenated,
)
from vlm_boundary.reasoning.text.steps import one_step, rounds_to, shown

_FACTOR_NAMES = by_last_word(FACTORS)
_WORDS = frozenset(_FACTOR_NAMES)
RELATION_WORDS = _WORDS | {"than"}
"""A text without any of these words says no relation of two quantities."""
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,6})?"
_NUMBER = re.compile(
    rf"(?<![\w.,]){_DIGITS}(?![\d%]|[.,]\d)|\b{ONE_NUMBER}\b(?! times)", re.IGNORECASE
)
_WAYS = {
    **dict.fromkeys(
        "more older higher longer taller greater larger heavier bigger wider above".split(), 1
    ),
    **dict.fromkeys(
        "fewer less younger lower shorter smaller lighter cheaper narrower below".split(), -1
    ),
}
_OTHER = (  # of which the first is so many times, or by so much more
    r"(?:(?:of |what |the |its |their |his |her |in |on |for |number |amount |value |that of )*"
    rf"(?P<other>(?!than\b)[A-Za-z][a-z]{{1,14}}(?: (?-i:[A-Z]|\d)\b)?|(?-i:[A-Z])\b"
    rf"|(?:[$€£])?{_DIGITS}))"
)
_ENDINGS: dict[str, list[str]] = {}  # of the words for a factor by their first letters
for _word in sorted(FACTORS, key=len)[::-1]:
    _ENDINGS.setdefault(_word[0], []).append(_word[1:].replace(" ", "[ -]"))
_FACTOR = opening([f"{letter}(?:{'|'.join(ends)})" for letter, ends in _ENDINGS.items()])
_TIMES = (
    rf"(?P<factor>{_FACTOR})(?: as (?P<kind>many|much|long|old|high|tall|wide|heavy|big|large"
    r"|expensive|far|fast)"
    r"(?: (?P<things>[a-z]{2,14}))??(?: points| dollars| euros| pages| books)? as)? "
)
_PART = "|".join(name.replace(" ", "[ -]") for name, share in FACTORS.items() if share < 1)
_BY = (
    rf"(?<![\w.,])(?P<by>[$€£]?{_DIGITS}|{ONE_NUMBER}|{_PART})(?: (?!is|are|was|were|has|have|of"
    rf"|and|or"
    rf"|to|in|times?|percent)[a-z]{{2,12}})? (?P<way>{'|'.join(_WAYS)})"
    r"(?: (?P<counted>[a-z]{2,14}))?(?: than)? "
)
_SO_MANY_TIMES = re.compile(rf"{_TIMES}{_OTHER}", re.IGNORECASE)
_BY_MORE = re.compile(rf"{_BY}{_OTHER}", re.IGNORECASE)
_SIZES = FIRST_WORDS | frozenset("hundred thousand million billion".split())
_SIZES |= frozenset(name.split()[-1] for name, share in FACTORS.items() if share < 1)
_SUBJECT = re.compile(
    r"(?P<bare>(?:[.,;:\n\[(*-]|\band|\bthe|\bThe|\bAnd|\A) ?)?(?<![a-zA-Z])"
    r"(?P<subject>[A-Za-z][a-z]{1,14}(?: (?:[A-Z]|\d))?|[A-Z])(?P<verb>: | (?:(?:then|also|now)"
    r" )?(?:is|are|has|have|had|was"
    r"|were|costs?|saved|saves|read|reads|scored|scores|sold|weighs|got|gets|owns|collected|earns"
    r"|earned"
    r"|ate|made|makes|took|takes|caught|won|worked|picked|found|bought) | )(?:only |exactly |just"
    r" |about )*\Z"
)
# Between a relation and the value that it gives.
_GIVES = re.compile(
    r"(?P<link>(?:'s)?(?:(?<=\d) ?(?:°|[a-z]{1,12})(?=[,:]))?(?:(?<=\d) [a-z]+(?: [a-z]+){0,2}\."
    r" (?:That|This|It) is )?(?: (?:saved|has"
    r"|have|had|read|scored|sold|of them|does|did|is|was))?"
    r"(?:(?:,| -|:| =|\)| \(|;)? ?(?:(?:so|that is|which is|that's|i\.e\.|namely|hence|thus"
    r"|therefore|giving|making"
    r"|which makes|which gives|we have|we get|it is|he has|she has|there are|this is|is|makes|or"
    r"|the|are"
    r"|meaning|it has|(?-i:[A-Z]) is)\b,? ?|(?-i:[A-Z]) ?= ?){0,4}))"
    rf"(?P<money>[$€£])?(?P<value>{_DIGITS}|{ONE_NUMBER})(?![\d%^]|[.,]\d)",
    re.IGNORECASE,
)
_RESULT = re.compile(  # of an equation that begins with the value
    rf"(?:(?!\d,)[^=.;:\n+*/×·÷-]){{1,30}}(?:[-+*/×·÷−]|\bx\b)(?:[^=.;:\n]"
    rf"|\.\d){{1,80}}= ?[$€£]?(?P<value>{_DIGITS})(?![\d%^]|[.,]\d)"
)
_GOES_ON = re.compile(
    r"(?: ?[a-z]{1,12})?(?:/[a-z]+)?[^\S\n]?(?:[-+*/×·÷^=−]|x \d)|\s?(?:%|(?:more|less|fewer"
    r"|times|out of|plus|minus|of)\b)"
)
_LINKS = re.compile(
    r"[,:=(;]|\. (?:That|This|It) is|\b(?:is|so|that|which|giving|making|hence|thus|therefore"
    r"|makes|or|meaning)\b"
)
_PLAIN_LINK = re.compile(r"\A(?:\s|is\b|are\b|the\b)*\Z")
_PRONOUNS = frozenset(("that", "this", "it", "them"))
_NO_NAME = frozenset(
    "as so or and the all each both half one two these those other others previous first last next"
    " use take add buy need mix"
    " size speed twice at as by from to when is are was were had has have per if then because he"
    " she they we you i his"
    " her on in with there for than not only just now who what where while how many few some"
    " percent"
    " before expected usual needed which more less than any every same sum total difference"
    " product number result amount value rest remaining day time long much many large big".split()
)
_CHANGED = re.compile(
    r"\b(?:will|would|when|years?|ago|if|after|before|then|now|not|never|almost|nearly|about"
    r"|roughly"
    r"|approximately|at least|at most|over|than half)\b|n't",
    re.IGNORECASE,
)
_SO_MANY = re.compile(
    r"\b(?:twice|half|double|triple|times|third|quarter|of|plus|minus|than)(?: the| of)* ?\Z", re.I
)
_A_THING = re.compile(r".{0,4}?\b(?:the|an?) half (?!of\b|the\b|an?\b|as\b|\d)", re.IGNORECASE)
_MOST = 24


class _Relation(NamedTuple):
    """So many times `other`, or so much more than it."""

    start: int
    end: int
    subject: str
    things: str
    other: str
    factor: Fraction
    by: Fraction

    def of(self, value: Fraction) -> Fraction:
        """What the first is where the other is this."""
        return value * self.factor + self.by


def wrong_relations(
    text: str, told: Set[str], start: int, end: int, question: str
) -> Iterator[Evidence]:
    """A value that is said to be so many times another, or so much more, and is not.

    The other one is a number, what was said just before, or a name whose value the question or the
    chain gives. Any number that stands before may be meant; so nothing is said where one fits.
    `told` are the text's words that are of use.
    """
    relations = [*islice(_relations(text, told, start, end), _MOST)]
    asked = _asked(question) if relations else ()
    for relation in relations:
        if _CHANGED.search(text, max(start, relation.start - 40), relation.start):
            continue
        found = _value_of(text, relation, start, end, question) or _otherwise(
            text, relation, asked, question
        )
        if found is not None:
            last, note = found
            yield from unless_excused(text, relation.start, last, start, end, note)


@lru_cache(maxsize=4096)  # many samples answer one question
def _asked(question: str) -> tuple[_Relation, ...]:
    return tuple(islice(_relations(question, words_in(question), 0, len(question)), _MOST))


def _relations(text: str, told: Set[str], start: int, end: int) -> Iterator[_Relation]:
    found: list[re.Match[str]] = []
    if not _WORDS.isdisjoint(told):
        factors = places_of_phrases(unhyphenated(text), told, _FACTOR_NAMES, start, end)
        found += matches_at(_SO_MANY_TIMES, text, factors, end)
    place = text.find(" than ", start, end) if "than" in told else -1
    while place >= 0:
        if _by_so_much(text[max(start, place - 50) : place]):
            found += [*_BY_MORE.finditer(text, max(start, place - 50), min(end, place + 50))][:1]
        place = text.find(" than ", place + 6, end)
    for match in found:
        parts = match.groupdict()
        factor, by = Fraction(1), Fraction(0)
        if match.re is _SO_MANY_TIMES:
            if _A_THING.match(text, max(0, match.start() - 5), match.end()):
                continue
            factor = FACTORS[match["factor"].lower().replace("-", " ")]
        else:
            way = _WAYS[match["way"].lower()]
            share = FACTORS.get(match["by"].lower().replace("-", " "))
            size = _number(match["by"]) if share is None else share
            if size is None or " than " not in match[0]:
                continue
            factor, by = (Fraction(1), size * way) if share is None else (1 + share * way, by)
        if match["other"].lower() in _NO_NAME or parts.get("things") == "again":
            continue
        named = _SUBJECT.search(text, max(start, match.start() - 40), match.start())
        subject = ""
        if named and (named["verb"].strip() or named["bare"]):
            subject = _name(named["subject"])
        how = "" if parts.get("kind") in (None, "many", "much") else parts["kind"]
        things = _name(parts.get("things") or parts.get("counted") or how)
        yield _Relation(*match.span(), subject, things, match["other"], factor, by)


def _by_so_much(ahead: str) -> bool:
    """Whether "5 more", "5 points more" or "5 more points" stands at the end."""
    *_, size, of, way, counted = "", "", "", "", *ahead.lower().split()
    if counted in _WAYS:
        size, of = of, way
    elif way not in _WAYS:
        return False
    return any(word[-1:].isdigit() or word.rpartition("-")[2] in _SIZES for word in (size, of))


def _value_of(
    text: str, relation: _Relation, start: int, end: int, question: str
) -> tuple[int, str] | None:
    """Where the value that a relation gives ends, and why it is wrong."""
    gives = _GIVES.match(text, relation.end, end)
    if gives is None or not _LINKS.search(gives["link"]):
        return None
    other = relation.other
    first = gives.start("money") if gives["money"] else gives.start("value")
    result = _RESULT.match(text, first, min(end, first + 90))
    said = _number(result["value"] if result else gives["value"])
    last = result.end() if result else gives.end()
    if said is None or (relation.by and said == abs(relation.by)) or _GOES_ON.match(text, last):
        return None
    if other[-1].isdigit() and not other[0].isalpha():
        value = _number(other)
        if (
            value is None
            or "there" in gives["link"]
            or _PLAIN_LINK.match(gives["link"])
            or rounds_to(relation.of(value), said)
        ):
            return None
        return last, f"this is {shown(relation.of(value))}, not {shown(said)}"
    if other.lower() in _PRONOUNS and (note := _of_result(text, relation, start, said)):
        return last, note
    before = [*_numbers(text, start, first), *_numbers(question, 0, len(question))]
    if not before or any(rounds_to(relation.of(value), said) for value in before):
        return None
    if other.lower() in _PRONOUNS:
        needed = (said - relation.by) / relation.factor
        if one_step([*_numbers(text, start, relation.start)[-4:]], needed, "+-*/", usual=False):
            return None
        return (
            last,
            f"this would be {shown(said)} only of {shown(needed)}, which stands nowhere before",
        )
    values = _values(other, f"{question}\n{text[start : relation.start]}")
    if not values or any(
        rounds_to(relation.of(one * two), said) for one in before for two in before
    ):
        return None
    return (
        last,
        f"{other} is {shown(values[-1])}, which makes this {shown(relation.of(values[-1]))}",
    )


_EQUALS = re.compile(
    rf"= ?[$€£]?(?P<value>{_DIGITS})(?: ?°| ?%| ?[a-z²³]{{1,10}})?\.? [^.=\d]{{0,40}}\Z"
)


def _of_result(text: str, relation: _Relation, start: int, said: Fraction) -> str:
    """Why so much of what was just worked out is not what is said, which another share of it is."""
    result = _EQUALS.search(text, max(start, relation.start - 70), relation.start)
    if result is None or relation.by:
        return ""
    value = Fraction(result["value"].replace(",", ""))
    shares = {*FACTORS.values()} - {relation.factor}
    if value and said / value in shares and not rounds_to(relation.of(value), said):
        return f"of {shown(value)} this is {shown(relation.of(value))}, not {shown(said)}"
    return ""


def _otherwise(
    text: str, relation: _Relation, asked: tuple[_Relation, ...], question: str
) -> tuple[int, str] | None:
    """Why a relation is not that of the question, or not that of two known values."""
    other = _name(relation.other)
    if other and not relation.subject and not relation.things:
        return None
    for one in asked:  # the question has it the other way round
        first = one.subject or one.things
        turned = (relation.subject, other) == (_name(one.other), first) and not relation.things
        if (
            turned
            and "" in (one.subject, one.things)
            and other
            and (one.factor, one.by)
            == (
                relation.factor,
                relation.by,
            )
        ):
            return (
                relation.end,
                f"the question says “{question[one.start : one.end]}”, not the reverse",
            )
    same = [one for one in asked if _name(one.other) == other or other in _PRONOUNS]
    same = [
        one
        for one in same
        if one.subject == relation.subject or not relation.subject or not one.subject
    ]
    if len(same) != 1:
        return None
    (one,) = same
    if one.subject != relation.subject and relation.subject != one.things:
        return None
    if one.things and relation.things and one.things != relation.things:
        return None
    turned = one.by == -relation.by != 0
    sizes = (
        {abs(one.by), abs(relation.by)} if one.by and relation.by else {one.factor, relation.factor}
    )
    if turned or (bool(one.by) == bool(relation.by) and len(sizes) == 2):
        note = f"the question says “{question[one.start : one.end]}”, the chain says otherwise"
        return relation.end, note
    return None


def _values(name: str, text: str) -> list[Fraction]:
    """The values that a text gives beside a name, in order."""
    stem = re.escape(_name(name))
    if not stem:
        return []
    number = (
        rf"[$€£]?(?P<value>{_DIGITS})(?![\d%]|[.,]\d|\s?[-+*/×·÷^]|\s(?:more|less|fewer|times)\b)"
    )
    if len(stem) == 1:
        stem = rf"(?-i:{stem.upper()}\b)"
    beside = re.compile(
        rf"\b(?:{stem}\w{{0,6}}(?:'s)?(?::| =| is| are| has| have| had| was| were| costs?| saved|"
        rf" read| scored| shows"
        rf"| sold| with| at| of|,)?(?: only| about)? {number}"
        rf"|{number.replace('value', 'ahead')} {stem}\w{{0,3}}\b)"
        rf"|(?:^|[.;\n] ?)(?:[-*] )?(?:the )?{stem}\w{{0,6}}:?"
        rf" [^.;\n]{{0,60}}[ =$]{number.replace('value', 'last')}"
        r"(?: [a-z]+)?(?=[.;\n])",
        re.IGNORECASE,
    )
    found = []
    for match in islice(beside.finditer(text), _MOST):
        value = _number(match["value"] or match["ahead"] or match["last"])
        so_many = _SO_MANY.search(text, max(0, match.start() - 16), match.start())
        if value is not None and not so_many:
            found.append(value)
    return found


def _name(written: str) -> str:
    """A name in small letters, without a plural s; days and months by their first three."""
    name = written.lower()
    if len(name) > 2 and name[-2] == " " and name[-1].isalpha():  # bar A
        return name[-1]
    if name in _NO_NAME:
        return ""
    if re.fullmatch(
        r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:jan|febr)uary|(?:septem|octo|novem"
        r"|decem)ber|august",
        name,
    ):
        return name[:3]
    return name[:-1] if name.endswith("s") and len(name) > 3 and not name.endswith("ss") else name


def _numbers(text: str, start: int, end: int) -> list[Fraction]:
    found = (_number(match[0]) for match in islice(_NUMBER.finditer(text, start, end), 200))
    return [value for value in found if value is not None]


def _number(written: str) -> Fraction | None:
    plain = written.replace(",", "").lstrip("$€£")
    if plain[0].isdigit():
        return Fraction(plain)
    value = english_number(plain)
    return None if value is None else Fraction(value)
