"""What a question says and asks for: its numbers, its words, the blank to be filled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.verifier.commitments import Found
from vlm_boundary.verifier.phrases import Phrase
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.values import Number

_ASKED = re.compile(
    r"\b(?:which|what)\s+(year|week|day|month|grade|score|step|level|hour|row|column|question)\b",
    re.IGNORECASE,
)
_DIFFERENCE = Phrase(
    r"\b(?:more|less|fewer|times|difference|differ|gap|higher|lower|longer|shorter|\w+er\s+than|older|younger)\b",
    "more less fewer times differ gap higher lower longer shorter older younger er_than",
)
_BLANK = re.compile(r"(?:\(\s*_*\s*\)|_{2,})\s+([a-z]+(?:\s+[a-z]+){1,3})", re.IGNORECASE)
_SHARE_ASKED = re.compile(r"\b(?:fraction|proportion|probability|what\s+part)\b", re.IGNORECASE)
_WORD = re.compile(r"[a-z]{3,}|\d+(?:\.\d+)?|(?<![a-z])[a-z](?=\()")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SENTENCE = re.compile(r"[^.!?\n]+(?:(?<=\d)\.(?=\d)[^.!?\n]*)*[.!?]?")
_ASKS = re.compile(r"\W*(?:find|how|what|determine|calculate)\b", re.IGNORECASE)
_STOP = frozenset(
    "the and are was were how many what which does did has have for from this that with into "
    "there their its they them than please answer question image shown figure following give "
    "value find all one two three you your can will been being per".split()
)


@dataclass(frozen=True)
class QuestionWords:
    """What a question says: its numbers, what it asks for, its words."""

    text: str
    numbers: frozenset[str]
    asked: str
    compares: bool
    share: bool
    words: frozenset[str]
    asking: frozenset[str]
    """The words of the sentence that asks."""


@lru_cache(maxsize=4096)
def question_of(text: str) -> QuestionWords:
    """What a question's text says and asks for."""
    asked = _ASKED.search(text)
    return QuestionWords(
        " ".join(text.split()),
        frozenset(_NUMBER.findall(text)),
        asked[1].lower() if asked else "",
        _DIFFERENCE.search(text) is not None,
        _SHARE_ASKED.search(text) is not None,
        content(text),
        content(asking_sentence(text)),
    )


def asking_sentence(question: str) -> str:
    """The last sentence of a question's text that asks; the whole text where none does."""
    asking = [s for s in _SENTENCE.findall(question) if "?" in s or _ASKS.match(s)]
    return asking[-1] if asking else question


def content(text: str) -> frozenset[str]:
    """The words of a text that say what it is about."""
    return frozenset(w for w in _WORD.findall(text.lower()) if w not in _STOP)


def number_said(text: str) -> Exact | None:
    """The number that a word or digits say."""
    try:
        value = read(text)
    except Unsupported:
        return None
    return value.value if isinstance(value, Number) and not value.value.variables else None


def in_the_blank(text: str, question: QuestionWords) -> Found | None:
    """The number before the words that follow the question's blank, where it is always the same."""
    blank = _BLANK.search(question.text)
    if blank is None:
        return None
    words = r"\s+".join(map(re.escape, blank[1].split()))
    places = list(re.finditer(rf"(?<![\w.,-])(\w{{1,12}})\s+{words}\b", text, re.IGNORECASE))[-20:]
    values = [(m, number_said(m[1])) for m in places]
    if not values or any(value is None or value != values[0][1] for _, value in values):
        return None
    last = values[-1][0]
    return Found("sentence", last[1], last.start(1), last.end(1), read(last[1]))
