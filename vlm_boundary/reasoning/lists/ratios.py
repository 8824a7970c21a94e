"""How many times one member of the question's list another is, or by how much they differ."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
_REACH = 240


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


def _factors(speech: Speech) -> Iterator[Found]:
    """Ana has half of what Cy has."""
    data, text = speech.data, speech.text
    for first, last in sentences(text, speech.start, speech.end):
        for said in _FACTOR.finditer(text, first, last):
            cut = max(first, said.start() - _REACH)
            for sign in _CUT.finditer(text, cut, said.start()):
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


def _both(one: str, two: str, data: Listed) -> str:
    has = f"{one.capitalize()} has {shown(data.value(one))}"
    return f"{has} and {two.capitalize()} {shown(data.value(two))}"
