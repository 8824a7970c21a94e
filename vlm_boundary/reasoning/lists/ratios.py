"""How many times one member of the question's list another is, or by how much they differ."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from vlm_boundary.reasoning.lists.listed import Listed, sentences
from vlm_boundary.reasoning.lists.number_lists import VALUE, value_of
from vlm_boundary.reasoning.lists.properties import Found, Speech
from vlm_boundary.reasoning.rules.theorems import FACTORS
from vlm_boundary.reasoning.text.passages import opening
from vlm_boundary.reasoning.text.steps import rounds_to, shown
from vlm_boundary.verifier.phrases import occurs

_KEYS = (
    "half", "third", "quarter", "fourth", "fifth", "twice", "double", "triple", " times ", "thrice",
)  # fmt: skip
_SAME_KEYS = ("same", "equal", "as many as", "as much as", "as high as", " by ", "between ")
_WORD = r"[A-Za-z\d][\w'’-]{0,15}"
_TIMES = opening([name.replace(" ", "[ -]") for name in sorted(FACTORS, key=len)[::-1]])
_FACTOR = re.compile(
    rf"\b(?P<factor>{_TIMES})\b"
    r"(?P<fill>(?: (?:as|many|much|high|tall|long|big|large|old|warm|the|of|what|that|size"
    r"|height|value|number"
    r"|amount|bar|count|for|in|on|at|those|ones))*)"
    rf" (?P<two>{_WORD}(?: {_WORD})?)",
    re.IGNORECASE,
)
_LAST_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|sold|scored|got|gets|shows?|reads?|costs?|weighs?|made"
    r"|makes|equals)"
    r"(?: also| exactly| just| only| then)?\Z",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:not|never|if|would|could|should|might|may|nearly|almost|about|roughly|around"
    r"|approx\w*|over|less"
    r"|more|than|under|both|together|plus|minus|and|or|sum|total|difference|change\w*"
    r"|increas\w*|rise|drop"
    r"|percent\w*|average|mean|rest|remain\w*|left|after|before|will|each|every|first|last|how"
    r"|between)\b|n't\b|\?",
    re.IGNORECASE,
)
_CUT = re.compile(
    r"[,;:(\n]|\b(?:and|but|so|because|since|while|whereas|that|which)\b", re.IGNORECASE
)
_BEHIND = re.compile(
    r"'?s? ?(?:and\b|or\b|plus\b|minus\b|together|combined|[-+/*×(]|less\b|more\b)"
    r"|['’]s [a-z]+ (?:and|minus|plus)"
)
_SAME = re.compile(
    rf"\b(?P<one>{_WORD}) (?:(?:is|are|has|have|had|got|scored|sold|costs?|was)(?: just"
    rf"| exactly| also)?"
    rf" (?:(?:as (?:many|much|high|tall|big|large|warm|expensive)(?: [a-z]{{3,10}})?"
    rf"|the same(?: [a-z]{{3,10}})?) as|equal to)"
    rf"|equals) (?:the |that of |in |on )?(?P<two>{_WORD})(?=[.,;:]|$)"
    rf"|\b(?P<a>{_WORD}) and (?P<b>{_WORD}) (?:have|are|got|scored|sold|cost|had|were"
    rf"|both have)(?: exactly| both)?"
    r" (?:the same|equal|equally)\b"
)
_BY = re.compile(
    rf"\b(?P<one>{_WORD}) (?:beats?|exceeds?|tops?|leads?"
    rf"|surpasses) (?P<two>{_WORD}) by [$€£]?(?P<by>{VALUE})(?![\w%]|[.,]\d)"
    rf"|\b(?:the )?(?:[Bb]etween|difference between|difference of"
    rf"|gap between) (?P<a>{_WORD}) and (?P<b>{_WORD})"
    rf" (?:is|are|there are|there is|lie|lies|was) [$€£]?(?P<size>{VALUE})(?![\w%]|[.,]\d"
    rf"| ?[-+*/×·÷])"
)


def wrong_ratios(speech: Speech) -> Iterator[Found]:
    """Relations of two members of the list that the values of both do not bear out."""
    data = speech.data
    if not data.asked or not any(data.names):
        return
    asked = speech.asked
    if _FACTOR.search(asked) or re.search(r"\b(?:if|suppose|will|would|than|as many)\b", asked):
        return
    if occurs(_KEYS, speech.low):
        yield from _factors(speech)
    if occurs(_SAME_KEYS, speech.low):
        yield from _differences(speech)


def _factors(speech: Speech) -> Iterator[Found]:
    """Ana has half of what Cy has."""
    data, text = speech.data, speech.text
    for first, last in sentences(text, speech.start, speech.end):
        for said in _FACTOR.finditer(text, first, last):
            cut = first
            for sign in _CUT.finditer(text, first, said.start()):
                cut = sign.end()
            before = text[cut : said.start()].rstrip()
            verb = _LAST_VERB.search(before)
            if verb is None or _UNSURE.search(before):
                continue
            one, two = _only_member(before[: verb.start()], data), _member(said["two"], data)
            end = said.start("two") + len(said["two"].split()[0])
            if not one or not two or one == two or _BEHIND.match(text, end):
                continue
            factor = FACTORS[said["factor"].lower().replace("-", " ")]
            right = data.value(two) * factor
            if not rounds_to(right, data.value(one)):
                yield cut, said.end(), _both(two, one, data)


def _member(words: str, data: Listed) -> str:
    return data.named(words) or data.named(words.split()[0].strip("."))


def _only_member(part: str, data: Listed) -> str:
    """The one member that a part of a sentence names; "" with two or a foreign number."""
    names = {name for word in re.findall(_WORD, part) if (name := data.named(word))}
    names |= {name for name in data.names if " " in name and name in part.lower()}
    known = {*map(data.value, names)}
    numbers = re.findall(rf"(?<![\w.,]){VALUE}", part)
    if any(value_of(one) not in known for one in numbers if not data.named(one)):
        return ""
    return names.pop() if len(names) == 1 else ""


def _differences(speech: Speech) -> Iterator[Found]:
    """Ana and Cy have the same; Ben beats Ana by 10."""
    data, text = speech.data, speech.text
    for first, last in sentences(text, speech.start, speech.end):
        for said in (*_SAME.finditer(text, first, last), *_BY.finditer(text, first, last)):
            one, two = data.named(said["one"] or said["a"]), data.named(said["two"] or said["b"])
            before = text[max(first, said.start() - 40) : said.start()]
            if not one or not two or one == two or _UNSURE.search(before.replace(" and", "")):
                continue
            values = data.value(one), data.value(two)
            size: Fraction | None = Fraction(0)
            if said.re is _BY:
                size = value_of(said["by"] or said["size"])
            if abs(values[0] - values[1]) != size:
                yield *said.span(), _both(one, two, data)


def _both(one: str, two: str, data: Listed) -> str:
    has = f"{one.capitalize()} has {shown(data.value(one))}"
    return f"{has} and {two.capitalize()} {shown(data.value(two))}"
