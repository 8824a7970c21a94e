"""Parts of an output: its own turn, suppositions, and what it takes back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_lowercase

from vlm_boundary.records.validity import Evidence
from vlm_boundary.verifier.phrases import occurs
from vlm_boundary.verifier.scope import turn_span


def opening(words: Iterable[str]) -> str:
    r"""One of several words, as the beginning of a pattern that ignores case; \b stands before it.

    It begins with a set of characters, so that the search passes over all others fast.
    """
    words = list(words)
    letters = sorted({letter for word in words for letter in (word[0].lower(), word[0].upper())})
    rest = "|".join(f"(?<={word[0]}){word[1:]}" for word in words)
    return rf"(?-i:[{''.join(letters)}])(?<!\w.)(?:{rest})"


_TAKEN_BACK = re.compile(
    opening(
        [
            *"wait|hmm|oops|actually|correction|sorry|scratch that|mistake|I meant".split("|"),
            *"or rather|recalculat|recomput|recheck|redo|no[,.;!](?= )".split("|"),
            "let me (?:re|double|check|try|correct|fix)",
            "that(?:'s| is| was) (?:not right|wrong|incorrect|not correct)",
            *(f"{word} (?:quite )?(?:right|correct)" for word in ("not", "isn't")),
        ]
    ),
    re.IGNORECASE,
)
_TAKEN_BACK_IN_CHINESE = ("等等", "不对", "错了", "更正")
_REJECTED = re.compile(
    r"≠|\\neq?\b|✗|✘|❌|\b(?:(?:does|do|is|are|which is) ?n[o']t|doesn't|isn't|cannot be|too (?:big"
    r"|small|large|high|low|much|many|few)|not (?:equal|satisf\w*|work\w*|match\w*|an? )|fails?"
    r"|contradict\w*|impossible|reject\w*|invalid|false|wrong|incorrect|no(?! other))\b",
    re.IGNORECASE,
)
_ABSURD = re.compile(r"\b(?:contradict\w*|impossible|not possible|does not hold|no solution)", re.I)
_SUPPOSED = re.compile(
    r"\b(?:if|suppos\w+|assum\w+|try|trying|tries|tested|testing|test|would|option|choice|let's say"
    r"|guess\w*|could|might|maybe|whether|is it|imagine|were|for example|e\.g|verify|check(?:ing)?"
    r"|student|someone|claims?|one might|tempt\w+)\b|如果|假设",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"(?:\$+\s*|\\\(\s*)?\\(?:boxed|fbox)\s*\{|<answer>|####"
    r"|(?:(?:so|thus|hence|therefore)[, ]+)?(?:the\s+|my\s+)?(?:final\s+"
    r"|correct\s+)?answer\s*(?:in\s+\w+\s*)?"
    r"(?:is|:|=|\*\*:?)|答案",
    re.IGNORECASE,
)
_STATING = ("boxed", "nswer", "fbox", "####", "答案")
_CHANGES = re.compile(
    r"\b(?:if(?! the total)|suppos\w+|imagin\w+|instead|swap\w*|replac\w*|burst\w*|thrown again"
    r"|(?:is|are|was|were) (?:then )?(?:moved|shifted|added|changed|taken|eaten|broken)"
    r"|then (?:scores?|gives?|gets?|takes?|loses?|buys?|sells?|eats?)|gives? \w+ \w+ to)\b",
    re.IGNORECASE,
)
_LETTERS_ALONE = bytes(byte if chr(byte) in ascii_lowercase else ord(" ") for byte in range(256))
_DESCRIBED = re.compile(r"\[[^\]]*\]")
_BEHIND = re.compile(r"[\s$}\])°%.!*]*(?:\\\)|\\\]|</answer>)?[.!]?")
_AHEAD = 110
SENTENCE = re.compile(r"[^.!?\n。！？]+(?:\.(?=\d)[^.!?\n。！？]*)*")
"""A sentence, without the sign that ends it."""
_SENTENCE_SIGNS = (". ", "\n", "! ", "? ", "。", "！", "？")
_SENTENCE_END = re.compile(r"[.!?。！？](?=\s|$)|\n")


def own_turn(text: str, question: str = "") -> tuple[int, int]:
    """Where an output's own reasoning and answer stand: no echo of the prompt, no further turn."""
    return turn_span(text, question)


@lru_cache(maxsize=4)  # many rules ask for the words of one text
def words_in(text: str) -> frozenset[str]:
    """The words of a text in small letters, each once: a rule whose words it lacks is no use."""
    letters = text.lower().encode("utf-8", "replace").translate(_LETTERS_ALONE)
    return frozenset(letters.decode("ascii").split())


def asked_of(question: str) -> str:
    """A question without what it says in brackets of its picture."""
    return _DESCRIBED.sub(" ", question) if "[" in question and "]" in question else question


@lru_cache(maxsize=4096)  # many samples answer one question
def asks_of_another(question: str) -> bool:
    """Whether what is asked is of a changed picture: a card is taken away, a value would fall."""
    return _CHANGES.search(asked_of(question)) is not None


def retracted(text: str, end: int, limit: int) -> bool:
    """Whether the text soon takes back or rejects what ends here."""
    ahead = text[end : min(limit, end + _AHEAD)]
    if _TAKEN_BACK.search(ahead) or occurs(_TAKEN_BACK_IN_CHINESE, ahead):
        return True
    if _ABSURD.search(ahead):
        return True
    stop = _SENTENCE_END.search(ahead)
    same = ahead[: stop.start()] if stop else ahead
    if _REJECTED.search(same):
        return True
    return stop is not None and _REJECTED.match(ahead[stop.end() :].lstrip()) is not None


def hypothetical(text: str, start: int, limit: int) -> bool:
    """Whether the sentence says, before this place, that it only supposes."""
    before = text[max(limit, start - 100) : start]
    cut = 0
    for match in _SENTENCE_END.finditer(before):
        cut = match.end()
    return _SUPPOSED.search(before, cut) is not None


def takes_back(text: str, start: int, end: int) -> bool:
    """Whether a word of correction or rejection stands between."""
    between = text[start:end]
    return (
        _TAKEN_BACK.search(text, start, end) is not None
        or occurs(_TAKEN_BACK_IN_CHINESE, between)
        or _REJECTED.search(text, start, end) is not None
    )


def unless_excused(
    text: str, first: int, last: int, start: int, end: int, note: str
) -> Iterator[Evidence]:
    """The error of a passage, unless the text takes it back or only supposes it."""
    if not retracted(text, last, end) and not hypothetical(text, first, start):
        yield Evidence("arithmetic_error", first, last, note)


@dataclass(frozen=True, slots=True)
class AnswerPlace:
    """Where the final answer is said.

    `start` to `end` is what only says it: a box, "the answer is …"; or the whole sentence, where
    the answer is part of one and not `stated` apart. `sentence` is where its sentence begins.
    """

    start: int
    end: int
    sentence: int
    stated: bool


def answer_place(text: str, start: int, end: int, span: tuple[int, int] | None) -> AnswerPlace:
    """The answer's statement around its span; the last sentence where there is no answer."""
    if span is None or not start <= span[0] <= end:
        first = _sentence_start(text, start, len(text[start:end].rstrip()) + start)
        return AnswerPlace(first, end, first, stated=False)
    sentence = _sentence_start(text, start, span[0])
    opened = max(start, sentence, span[0] - 60)
    after = _BEHIND.match(text, span[1], end)
    last = after.end() if after else span[1]
    until = min(end, span[0] + 7)
    said = occurs(_STATING, text[opened:until].lower())
    mark = _STATEMENT.search(text, opened, until) if said else None
    if mark:
        return AnswerPlace(mark.start(), last, sentence, stated=True)
    alone = not text[sentence : span[0]].strip(" \n$*_=:.,(")
    if alone and not text[last : last + 1].strip():
        return AnswerPlace(sentence, last, sentence, stated=True)
    stop = _SENTENCE_END.search(text, span[1], end)
    return AnswerPlace(sentence, stop.end() if stop else end, sentence, stated=False)


def _sentence_start(text: str, start: int, place: int) -> int:
    """Where the sentence that reaches to a place begins, at most 400 characters before it."""
    first = max(start, place - 400)
    last = max(first, place - 1)
    for sign in _SENTENCE_SIGNS if last > first else ():
        place = text.rfind(sign, first, last)
        if place >= 0:
            first = place + len(sign)
    return first
