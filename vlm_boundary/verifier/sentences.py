"""What a sentence says of a number, when an output marks no answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.verifier.phrases import CLOSING
from vlm_boundary.verifier.questions import QuestionWords, content, number_said
from vlm_boundary.verifier.runs import ASSERTED, WHICH_IS, Stretch, runs
from vlm_boundary.verifier.values import Number, Relation, Several, Value, Words, unnamed

_BOUNDARY = re.compile(  # the mark itself belongs to the sentence, except ; and line breaks
    r"[.!?\n;。！？；](?:(?<=[.!?])(?<!\bi\.e\.)(?<!\be\.g\.)(?<!\b[MD][rs]\.)(?<!\bMrs\.)[*_\"')\]]*\s+(?=\S)|(?<=\n)\n*|(?<=[。！？；])|(?<=;)\s+)"
)
_LEFT_OUT = "\n;"
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
_WORDY = re.compile(r"[^\W\d_]{2}")
_LEFT_OVER = re.compile(
    r"\s+(?:[\w-]+\s+){0,3}?(?:left|remaining|remain|in\s+total|altogether)\b", re.IGNORECASE
)
_TOTAL = re.compile(
    r"\b(?:total\w*|sum|altogether|in\s+all|together|combined|mak(?:es?|ing))\b", re.IGNORECASE
)
_MARKER = re.compile(
    r"^\s*(?:[-*•+]\s+|\(?\d{1,2}[.)]\s+(?=\S)|step\s+\d+\s*[.:)]\s*|#+\s+)", re.IGNORECASE
)
_OR_BETWEEN = re.compile(
    r"\s*,?\s*(?:or|to|or\s+maybe|and/or|或者?)\s*(?:maybe|even|about|around)?\s*", re.IGNORECASE
)
_SHARE = re.compile(
    r"\s*(?:[a-zA-Z]+\s+)?out\s+of\s+(?:every\s+|the\s+|all\s+)?(\w{1,12})", re.IGNORECASE
)
_GAP = re.compile(
    r"(?<![\w.])(\d{1,4}|[a-z]{3,9})-(?:year|month|week|day|hour|minute|degree|point|inch|foot|mile)s?[-\s]+"
    r"(?:old\s+)?(?:age\s+)?(?:gap|difference|lead|margin)\b",
    re.IGNORECASE,
)
_IS = re.compile(
    r"(?<!there )\b(?:is|are|was|were|equals)\s+(?:about\s+)?[$*]{0,3}$", re.IGNORECASE
)
_OF_ANOTHER = re.compile(r"\bthan\s[^,.]{1,40},\s(?:who|which)\s[^,.]{1,20}$", re.IGNORECASE)
_CLOSED = re.compile(r",\s(?:which|who|with)\b[^,]{1,120},\s", re.IGNORECASE)
_WEAK = ("in the question", "share", "subordinate clause", "leading clause")
_ZERO = Number(Exact.rational(0))
_ECHO = Words("said by the question")
MAX_SENTENCES = 60


@dataclass(frozen=True)
class Sentence:
    """A sentence and where it stands."""

    start: int
    end: int
    text: str


def sentences(text: str) -> list[Sentence]:
    """The last sentences of a text, except for a chat's closing words."""
    found = []
    start = 0
    for boundary in [*_BOUNDARY.finditer(text), None]:
        end = len(text)
        if boundary:
            end = boundary.start() + (boundary[0][0] not in _LEFT_OUT)
        piece = text[start:end]
        if piece.strip() and not CLOSING.search(piece):
            found.append(Sentence(start, end, piece))
        start = boundary.end() if boundary else end
    return found[-MAX_SENTENCES:]


def said(sentence: Sentence, question: QuestionWords) -> tuple[Stretch | None, tuple[Stretch, ...]]:
    """The value that a sentence is about, and those that it may as well be about."""
    marker = _MARKER.match(sentence.text)
    body = sentence.text
    if marker:
        body = " " * marker.end() + body[marker.end() :]
    found = _apart([_as_asked(body, run, question) for run in runs(body, question.numbers)])
    gap = _GAP.search(body) if question.compares else None
    if gap and (years := number_said(gap[1])) is not None:
        return Stretch(gap.start(1), gap.end(1), Number(years)), ()
    main = [run for run in found if not run.aside]
    nothing = _NONE_EXISTS.search(body)
    if nothing and not main:
        return Stretch(nothing.start(), nothing.end(), _ZERO), ()
    if not found or (len(found) > 1 and not _WORDY.search(body)):
        return None, ()
    if not main:
        weak = [r for r in found if r.aside in _WEAK]
        if len({repr(core(run.value)) for run in weak}) != 1:
            return None, ()
        # What the question says already is hardly its answer, nor is 1 of "1 out of 10", nor
        # what only a clause beside the main one says.
        only = weak[-1]
        said_outright = (
            only.aside == "subordinate clause"
            and not _OF_ANOTHER.search(body[: only.start])
            and (ASSERTED.search(body[: only.start]) or _CLOSED.search(body[: only.start]))
        )
        return only, (() if said_outright else (replace(only, value=_ECHO),))
    new = [
        r for r in found if r.aside == "subordinate clause" and not _said_before(body, r, question)
    ]
    if new and all(_said_before(body, r, question) for r in main):
        return None, (*main, *new)
    hedged = _hedged(body, main)
    if hedged:
        return hedged, ()
    if whole := _total(body, found):
        return whole, ()
    if len({repr(core(run.value)) for run in main}) == 1:
        return main[-1], ()
    if any(isinstance(r.value, Several) and r.value.kind == "ratio" for r in main):
        return None, tuple(main)
    for chosen in (
        [r for r in main[-1:] if _EXISTS.search(body[: r.start])],
        [r for r in main if _LEFT_OVER.match(body[r.end :]) and not _added(body, main, r)],
        [r for r in main if WHICH_IS.search(body[: r.start])],
        _after_being(body, main),
        _in_the_questions_words(body, main, question),
    ):
        if len({repr(core(run.value)) for run in chosen}) == 1:
            return chosen[-1], ()
    return None, tuple(main)


def _said_before(body: str, run: Stretch, question: QuestionWords) -> bool:
    return body[run.start : run.end].strip().replace(",", "") in question.numbers


def _apart(found: list[Stretch]) -> list[Stretch]:
    """The runs without those that stand within another: the whole of "3 out of 4"."""
    kept: list[Stretch] = []
    for run in found:
        if not kept or run.start >= kept[-1].end:
            kept.append(run)
    return kept


def _total(body: str, found: list[Stretch]) -> Stretch | None:
    """The last value, where it is said to be the total of those before it, and is their sum."""
    *parts, last = [run for run in found if run.aside in ("", "subordinate clause")]
    values = [run.value.value for run in (*parts, last) if isinstance(run.value, Number)]
    if len(parts) < 2 or len(values) <= len(parts):
        return None
    named = _TOTAL.search(body, parts[-1].end, last.start) or _LEFT_OVER.match(body, last.end)
    *addends, whole = values
    total = sum(addends[1:], addends[0])
    return last if named and repr(total) == repr(whole) else None


def _added(body: str, main: list[Stretch], run: Stretch) -> bool:
    """Whether another value is named beside it: 1 block and 2 cylinders."""
    before = [r for r in main if r.end < run.start]
    return bool(before) and re.search(r"\band\s+\W*$", body[before[-1].end : run.start]) is not None


def _as_asked(body: str, run: Stretch, question: QuestionWords) -> Stretch:
    """The run as it counts where the question asks for a year, a week, a difference."""
    asked = question.asked
    if question.share and (of := _SHARE.match(body, run.end)):
        whole = number_said(of[1])
        part = run.value.value if isinstance(run.value, Number) else None
        if part is not None and whole is not None and whole.terms:
            return Stretch(run.start, of.end(), Number(part / whole))
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


def _after_being(body: str, main: list[Stretch]) -> list[Stretch]:
    """Values right behind is, are or =, where none stands behind them."""

    def follows(run: Stretch) -> bool:
        near = body[max(0, run.start - 40) : run.start]
        return bool(_COPULA.search(body[: run.start]) and _BEING.search(near))

    last = main[-1]
    ends = re.match(r"[\s\w,%°\"*)/-]{0,60}[.!?\"*)\]\s]*$", body[last.end :])
    if not ends or not (isinstance(last.value, Relation) or follows(last)):
        return []
    return [] if any(map(follows, main[:-1])) else [last]


def _in_the_questions_words(
    body: str, main: list[Stretch], question: QuestionWords
) -> list[Stretch]:
    """The one value that is said of what the question asks: the perimeter is 8, the area is 4."""
    said = []
    for before, run in zip([None, *main], main, strict=False):
        start = before.end if before else 0
        if not _IS.search(body[start : run.start]):
            return []
        if question.words & content(body[start : run.start]):
            said.append(run)
    return said if len(said) == 1 else []


def _hedged(body: str, main: list[Stretch]) -> Stretch | None:
    """Alternatives: 12 or maybe 15, 5 to 7."""
    for one, two in pairwise(main):
        if _OR_BETWEEN.fullmatch(body[one.end : two.start]):
            return Stretch(one.start, two.end, Several("either", (one.value, two.value)))
    return None


def core(value: Value | None) -> object:
    """What two readings share that say the same number, with a name before it or a unit behind."""
    value = unnamed(value)
    return value.value if isinstance(value, Number) else value
