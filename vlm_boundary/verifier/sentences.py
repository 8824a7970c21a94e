"""What a sentence says of a number, when an output marks no answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from vlm_boundary.verifier.commitments import Found, complement
from vlm_boundary.verifier.doubts import NOT_BEFORE, says_nothing
from vlm_boundary.verifier.exact import Exact
from vlm_boundary.verifier.phrases import CLOSING, CONCLUSION, HYPOTHETICAL, REFUSAL, last_match
from vlm_boundary.verifier.runs import WHICH_IS, Run, runs
from vlm_boundary.verifier.values import Number, Relation, Several, Value, Words
from vlm_boundary.verifier.words import FIRST_WORDS

_BOUNDARY = re.compile(r"(?<=[.!?])[*_\"')\]]*\s+(?=[^\s])|\n+|(?<=[。！？；])|;\s+")
_DIGIT = re.compile(r"\d")
_SPLIT = re.compile(r"[a-z]+")
_COPULA = re.compile(
    r"(?:\b(?:is|are|was|were|be|equals?|becomes?|has|have|had|measures?|costs?|needs?|contains?|gives?|"
    r"get|totals?|makes?|requires?|shows?|say|says|took|takes?|spent|pays?|paid|earned?|scored?|in|"
    r"of|at|to|for|only|exactly|about|approximately|around|roughly|just|a|an|the|year|by|will|"
    r"almost|nearly|value|still|now|also|equal|total|actually)\s+)+[$€£]?$|[是为有于]\s*$|=\s*$",
    re.IGNORECASE,
)
_BEING = re.compile(r"\b(?:is|are|was|were|be|equals?|becomes?)\b|[是为]\s*\S*$|=", re.IGNORECASE)
_EXISTS = re.compile(
    r"\b(?:there|here)\s+(?:is|are|was|were|will\s+be|would\s+be|remains?|must\s+be|should\s+be)\s+"
    r"(?:(?:about|approximately|around|exactly|only|a\s+total\s+of|still|now|at\s+most|just|in\s+total)\s+)*$",
    re.IGNORECASE,
)
_NONE_EXISTS = re.compile(r"\bthere\s+(?:is|are|was|were)\s+(?:no|none)\b", re.IGNORECASE)
_RELATIVE = re.compile(
    r"\s*(?:[a-zA-Z]+\s+){0,2}?(?:more|less|fewer|times|greater|larger|higher|older|younger|taller)\b",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(
    r"\b(?:more|less|fewer|times|difference|differ|gap|higher|lower|longer|shorter|\w+er\s+than|older|younger)\b",
    re.IGNORECASE,
)
_WORDY = re.compile(r"[^\W\d_]{2}")
_LEFT_OVER = re.compile(
    r"\s+(?:[\w-]+\s+){0,3}?(?:left|remaining|remain|in\s+total|altogether)\b", re.IGNORECASE
)
_ASKED = re.compile(
    r"\b(?:which|what)\s+(year|week|day|month|grade|score|step|level|hour|row|column|question)\b",
    re.IGNORECASE,
)
_MARKER = re.compile(
    r"^\s*(?:[-*•+]\s+|\(?\d{1,2}[.)]\s+(?=\S)|step\s+\d+\s*[.:)]\s*|#+\s+)", re.IGNORECASE
)
_WORD = re.compile(r"[a-z]{3,}|\d+(?:\.\d+)?|(?<![a-z])[a-z](?=\()")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_STOP = frozenset(
    "the and are was were how many what which does did has have for from this that with into "
    "there their its they them than please answer question image shown figure following give "
    "value find all one two three you your can will been being per".split()
)
_OR_BETWEEN = re.compile(
    r"\s*,?\s*(?:or|to|or\s+maybe|and/or|或者?)\s*(?:maybe|even|about|around)?\s*", re.IGNORECASE
)
_BOLD = re.compile(r"\*\*[^*\n]{1,40}\*\*")
_WEAK = ("in the question", "share", "subordinate clause", "leading clause")
_ZERO = Number(Exact.rational(0))
_ECHO = Words("said by the question")
_VALUE_WORDS = FIRST_WORDS | {"no", "none", "half"}
_ALSO_ANSWERS = 0.3  # share of the question's words from which a sentence is a rival
MAX_SENTENCES = 60
MAX_SENTENCE = 600


@dataclass(frozen=True)
class Sentence:
    """A sentence and where it stands."""

    start: int
    end: int
    text: str


def sentences(text: str) -> list[Sentence]:
    """The last sentences of a text, but for a chat's closing words."""
    found = []
    start = 0
    for boundary in [*_BOUNDARY.finditer(text), None]:
        end = boundary.start() if boundary else len(text)
        piece = text[start:end]
        if piece.strip() and not CLOSING.search(piece):
            found.append(Sentence(start, end, piece))
        start = boundary.end() if boundary else end
    return found[-MAX_SENTENCES:]


def said(sentence: Sentence, question: _Question) -> tuple[Run | None, tuple[Run, ...]]:
    """The value that a sentence is about, and those that it may as well be about."""
    marker = _MARKER.match(sentence.text)
    body = sentence.text
    if marker:
        body = " " * marker.end() + body[marker.end() :]
    found = [_as_asked(body, run, question) for run in runs(body, question.numbers)]
    main = [run for run in found if not run.aside]
    nothing = _NONE_EXISTS.search(body)
    if nothing and not main:
        return Run(nothing.start(), nothing.end(), _ZERO), ()
    if not found or (len(found) > 1 and not _WORDY.search(body)):
        return None, ()
    if not main:
        weak = [r for r in found if r.aside in _WEAK]
        if len({repr(core(run.value)) for run in weak}) != 1:
            return None, ()
        # What the question says already is hardly its answer, nor is 1 of "1 out of 10".
        doubtful = weak[-1].aside in ("in the question", "share")
        return weak[-1], ((replace(weak[-1], value=_ECHO),) if doubtful else ())
    hedged = _hedged(body, main)
    if hedged:
        return hedged, ()
    if len({repr(core(run.value)) for run in main}) == 1:
        return main[-1], ()
    for chosen in (
        [r for r in main[-1:] if _EXISTS.search(body[: r.start])],
        [r for r in main if _LEFT_OVER.match(body[r.end :])],
        [r for r in main if WHICH_IS.search(body[: r.start])],
        _after_being(body, main),
    ):
        if len({repr(core(run.value)) for run in chosen}) == 1:
            return chosen[-1], ()
    return None, tuple(main)


def _as_asked(body: str, run: Run, question: _Question) -> Run:
    """The run as it counts where the question asks for a year, a week, a difference."""
    asked = question.asked
    if not question.compares and not run.aside and _RELATIVE.match(body[run.end :]):
        return replace(run, aside="relative")
    if not asked:
        return run
    if asked == "year":
        value = run.value.value.fraction if isinstance(run.value, Number) else None
        year = value is not None and value.denominator == 1 and 1000 <= value < 3000
        plain = isinstance(run.value, Number) and not run.value.percent and not run.value.unit
        if year and plain and run.aside in ("subordinate clause", "label"):
            return replace(run, aside="")
        return run if year and plain else replace(run, aside=run.aside or "not a year")
    if re.search(rf"\b{asked}\s+(?:of\s+)?[$*]*$", body[: run.start], re.IGNORECASE):
        return replace(run, aside="")
    return replace(run, aside=run.aside or f"not a {asked}")


def _after_being(body: str, main: list[Run]) -> list[Run]:
    """Values right behind is, are or =, where none stands behind them."""
    last = main[-1]
    before = body[: last.start]
    ends = re.match(r"[\s\w,%°\"*)-]{0,60}[.!?\"*)\]\s]*$", body[last.end :])
    if (
        ends
        and (isinstance(last.value, Relation) or _COPULA.search(before))
        and _BEING.search(before[-40:] if not isinstance(last.value, Relation) else "=")
    ):
        others = [
            r
            for r in main[:-1]
            if _COPULA.search(body[: r.start])
            and _BEING.search(body[max(0, r.start - 40) : r.start])
        ]
        if not others:
            return [last]
    return []


def _hedged(body: str, main: list[Run]) -> Run | None:
    """Alternatives: 12 or maybe 15, 5 to 7."""
    for one, two in pairwise(main):
        if _OR_BETWEEN.fullmatch(body[one.end : two.start]):
            return Run(one.start, two.end, Several("either", (one.value, two.value)))
    return None


def core(value: Value | None) -> object:
    """What two readings share that say the same number, with a name before it or a unit behind."""
    while isinstance(value, Relation):
        value = value.right
    return value.value if isinstance(value, Number) else value


@dataclass(frozen=True)
class _Question:
    """What a question says: its numbers, what it asks for, its words."""

    text: str
    numbers: frozenset[str]
    asked: str
    compares: bool
    words: frozenset[str]


@lru_cache(maxsize=4096)
def _question(text: str) -> _Question:
    asked = _ASKED.search(text)
    return _Question(
        " ".join(text.split()),
        frozenset(_NUMBER.findall(text)),
        asked[1].lower() if asked else "",
        _DIFFERENCE.search(text) is not None,
        _content(text),
    )


def _content(text: str) -> frozenset[str]:
    return frozenset(w for w in _WORD.findall(text.lower()) if w not in _STOP)


def conclude(text: str, question_text: str) -> Found | None:
    """The value of the sentence that answers, and its rivals.

    A concluding sentence (therefore …) wins; else the only sentence with a value; else the one
    that answers in the question's words; else they are rivals.
    """
    question = _question(question_text)
    candidates = [s for s in sentences(text) if _may_say(s, question)]
    if "**" not in text:
        for sentence in reversed(candidates):
            if CONCLUSION.search(sentence.text):
                run, rivals = said(sentence, question)
                if run is not None or rivals:
                    return _found("conclusion", sentence, run, rivals)
    readable: list[_Said] = []
    for sentence in candidates:
        run, rivals = said(sentence, question)
        if run is not None or rivals:
            readable.append((sentence, run, rivals))
    if not readable:
        return None
    bold = _emphasised(readable)
    if bold is not None:
        return bold
    concluding = [item for item in readable if CONCLUSION.search(item[0].text)]
    if concluding:
        return _found("conclusion", *concluding[-1])
    if len(readable) == 1:
        return _found("sentence", *readable[0])
    return _answering(readable, question)


def _may_say(sentence: Sentence, question: _Question) -> bool:
    """Whether a sentence has a value, and is neither hypothetical, a refusal nor an echo."""
    text = sentence.text
    if len(text) > MAX_SENTENCE or not (
        _DIGIT.search(text)
        or not _VALUE_WORDS.isdisjoint(_SPLIT.findall(text.lower()))
        or "√" in text
        or "π" in text
        or "\\" in text
    ):
        return False
    return not (
        HYPOTHETICAL.search(text)
        or says_nothing(text)
        or REFUSAL.search(text)
        or text.strip() in question.text
    )


_Said = tuple[Sentence, Run | None, tuple[Run, ...]]


def _emphasised(readable: list[_Said]) -> Found | None:
    """The one number in bold, where every bold number is the same: "is **8**"."""
    found: list[tuple[Sentence, Run]] = []
    for sentence, _, _ in readable:
        for bold in _BOLD.finditer(sentence.text):
            inside = [
                Run(bold.start() + r.start, bold.start() + r.end, r.value)
                for r in runs(bold[0], frozenset())
                if r.aside in ("", "label")
            ]
            if len(inside) != 1:
                return None
            found += [(sentence, run) for run in inside]
    if not found or len({repr(core(run.value)) for _, run in found}) != 1:
        return None
    sentence, run = found[-1]
    source = "conclusion" if CONCLUSION.search(sentence.text) else "sentence"
    return _found(source, sentence, run, ())


def _answering(readable: list[_Said], question: _Question) -> Found | None:
    """Among several sentences, the one in the question's words; the first and last are rivals."""
    asked = question.words
    scored = []
    for place, item in enumerate(readable):
        overlap = len(asked & _content(item[0].text)) / len(asked) if asked else 0.0
        scored.append((overlap, place, item))
    best = max(scored, key=lambda s: (round(s[0], 2), s[1]))
    if best[0] >= 0.5:
        close = [s for s in scored if s[0] >= min(best[0] - 0.15, _ALSO_ANSWERS)]
        values = {repr(core(s[2][1].value)) if s[2][1] else "several" for s in close}
        chosen = close[0][2] if len(values) == 1 else best[2]
        found = _found("sentence", *chosen)
        if len(values) > 1:
            others = tuple(s[2][1].value for s in close if s[2][1] is not None)
            found = replace(found, rivals=(*found.rivals, *others), flags=("several_sentences",))
        return found
    first, last = readable[0], readable[-1]
    found = _found("sentence", *last)
    others = tuple(item[1].value for item in (first, last) if item[1] is not None)
    return replace(found, rivals=(*found.rivals, *others), flags=("several_sentences",))


def _found(source: str, sentence: Sentence, run: Run | None, rivals: tuple[Run, ...]) -> Found:
    if run is not None and rivals:
        found = _found(source, sentence, run, ())
        return replace(found, flags=("echo",), rivals=tuple(r.value for r in rivals))
    if run is None:
        start, end = sentence.start + rivals[-1].start, sentence.start + rivals[-1].end
        raw = sentence.text[rivals[-1].start : rivals[-1].end]
        values = tuple(r.value for r in rivals)
        return Found(source, raw, start, end, rivals[-1].value, None, ("several_values",), values)  # type: ignore[arg-type]
    raw = sentence.text[run.start : run.end]
    start = sentence.start + run.start
    return Found(source, raw, start, start + len(raw), run.value)  # type: ignore[arg-type]


_PREDICATE = re.compile(
    r"\b(?:is|are|was|were|shows?|reads?|says?|called|named|be|=)\s+(?:the\s+|a\s+|an\s+)?",
    re.IGNORECASE,
)


def predicate(text: str) -> Found | None:
    """What the last, or only, sentence says something is: "the highest bar is red"."""
    all_sentences = sentences(text)
    if not all_sentences:
        return None
    chosen = next(
        (s for s in reversed(all_sentences) if CONCLUSION.search(s.text)), all_sentences[-1]
    )
    last = last_match(_PREDICATE, chosen.text)
    if last is None or says_nothing(chosen.text) or NOT_BEFORE.search(chosen.text[: last.end()]):
        return None
    found = complement(
        text, chosen.start + last.end(), chosen.end, listed=False, words=True, source="sentence"
    )
    return found if found and found.raw else None
