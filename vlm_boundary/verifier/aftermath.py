"""An answer in view of what stands behind it: corrected, taken back, doubted, confirmed."""

from __future__ import annotations

import re
from dataclasses import replace

from vlm_boundary.verifier.asked import another_thing
from vlm_boundary.verifier.commitments import Found, open_box, reading
from vlm_boundary.verifier.compare import GoldTarget
from vlm_boundary.verifier.doubts import (
    DISOWNED,
    checked,
    conditional,
    confirmed,
    corrections,
    reconsidered,
    says_nothing,
    sentence_before,
)
from vlm_boundary.verifier.phrases import CONCLUSION
from vlm_boundary.verifier.questions import content, question_of
from vlm_boundary.verifier.runs import runs
from vlm_boundary.verifier.sentences import core, said, sentences
from vlm_boundary.verifier.text_answers import option_letter
from vlm_boundary.verifier.values import Number, Relation, Value, is_value, unnamed

_CLAUSE = re.compile(r"[^\n.!?,;。！？，；]{1,80}(?:(?<=\d)[.,](?=\d)[^\n.!?,;。！？，；]{1,40})?")
_CONDITION = re.compile(
    r"\W*(?:(?:so|then|and)\W+)?(?:if|unless|provided|when)(?!\w)", re.IGNORECASE
)
_YET = re.compile(
    r"[^.!?\n]{0,60}[.!?\n]\W{0,6}(?:but|however|yet|unfortunately)(?!\w)", re.IGNORECASE
)
_REST = re.compile(r"[^.!?\n;]{0,160}(?:(?<=\d)\.(?=\d)[^.!?\n;]{0,80})?")
_MORE = re.compile(  # 7 stars, then 3 more
    r"[^.!?\n\d=]{0,40}(?:,|\band|\bplus|\bthen)\s+(?:and\s+|then\s+|there\s+(?:is|are)\s+)?"
    r"(?:another\s+(?:\d+|one|two|three|four|five|six)\b|(?:\d+|one|two|three|four|five|six)\s+(?:more|others?)\b)",
    re.IGNORECASE,
)
_CLAIMS = re.compile(
    r"(?:\b(?:is|are|was|were|equals|gives|becomes)\s+(?:(?:actually|really|then|about|only)\s+)?|=\s*)[$*\\(]{0,4}$",
    re.IGNORECASE,
)
_COUNTS = re.compile(
    r"\bthere\s+(?:is|are|were)\s+(?:(?:actually|really|only|exactly|in\s+fact)\s+)?[$*]{0,3}$",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"\W*(?:so\s+)?(?:the\s+)?(?:total|altogether)\W+$", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w'\\])[b-hj-zA-HJ-Z](?![\w'])")
_WORDS = re.compile(r"[a-z]+")
_SAYS = re.compile(r"[^\W_]")
_MAX_TAIL = 8_000
_EMPTY_BOX = re.compile(r"\\f?boxed\s*\{[\s?.…_]{0,8}\}")
_OR_ANOTHER = re.compile(
    r"[\s.…$]{0,6}(?:\\text\s?\{)?\s?or\s+(?:\}\s?)?(?:maybe\s+|is\s+it\s+)?[$\\(]{0,3}-?\d"
)
_QUERIED = re.compile(r"\s*\(?\s*[?？]+\s*\)?$")


def in_view_of_the_rest(
    text: str, found: Found, target: GoldTarget, *, words: bool, truncated: bool
) -> Found | str:
    """The answer that stands when the output ends, or why none does."""
    if _QUERIED.search(found.raw):
        return replace(found, doubt="queried")
    behind = found.end + (text[found.end : found.end + 1] == "}")
    if _condition_fails(text, found) or conditional(text, behind, loosely=False):
        found = replace(found, doubt="condition")
    if found.doubt is None and _OR_ANOTHER.match(text, behind):
        found = replace(found, doubt="hedged")
    rest = text[: _MAX_TAIL + found.end]
    corrected = _corrected(rest, found, words=words)
    if corrected is not None:
        found = corrected
    if DISOWNED.search(rest, found.end):
        return "taken_back"
    if found.doubt is None:
        doubt = _unfinished(text, found) or _doubted(rest, found, truncated=truncated)
        if doubt is None and not words and not truncated:
            doubt = _concludes_otherwise(rest, found, target.gold.question)
        found = replace(found, doubt=doubt)
    return found


def withstands(text: str, found: Found, question: str) -> Found | str:
    """What sentences say, where nothing behind takes it back or thinks again."""
    rest = text[: _MAX_TAIL + found.end]
    if DISOWNED.search(rest, found.end):
        return "taken_back"
    again = None if found.doubt else reconsidered(rest, found.end)
    if _condition_fails(text, found) or conditional(text, found.end, loosely=True):
        return replace(found, doubt="condition")
    if not found.doubt:
        found = replace(found, doubt=_said_of_another(text, found, question))
    if again is None or confirmed(rest, again):
        return found
    same = _last_value(rest, again) == core(found.value)
    return found if same else replace(found, doubt="reconsidered")


def _said_of_another(text: str, found: Found, question: str) -> str | None:
    """Whether the sentence of an answer says it of something else, or only a part of it."""
    before = sentence_before(text, found.start)
    behind = _REST.match(text, found.end)
    sentence = before + text[found.start : found.end] + (behind[0] if behind else "")
    place = len(before) + found.end - found.start
    if another_thing(sentence, len(before), place, found.value, question):
        return "another_thing"
    return "not_added" if _MORE.match(sentence, place) else None


def _concludes_otherwise(text: str, found: Found, asked: str) -> str | None:
    """Whether a later sentence in the question's words says a clearly different value."""
    if not _SAYS.search(text, found.end):
        return None
    behind = sentences(text[found.end :])
    question = question_of(asked)
    names = question.words | frozenset(_NAME.findall(asked))
    other = False
    total: float | None = 0.0
    for sentence in behind:
        run, rivals = said(sentence, question)
        if run is None or rivals or says_nothing(sentence.text):
            continue
        if not _differs(found.value, run.value):
            other = False
            continue
        size = _size(run.value)
        total = None if total is None or size is None else total + size
        before = sentence.text[: run.start]
        counted = content(sentence.text[run.end : run.end + 24])
        name = run.value.name if isinstance(run.value, Relation) else ""
        claims = _CLAIMS.search(before) and names & set(_WORDS.findall(before.lower()))
        counts = _COUNTS.search(before) and question.words & counted
        if claims or counts or name in names or (_TOTAL.match(before) and not name):
            other = True
    own = _size(found.value)
    adds_up = total is not None and own is not None and abs(total - own) < 1e-6
    return "second_answer" if other and not adds_up else None


def _differs(one: Value | None, other: Value | None) -> bool:
    """Whether two numbers are clearly different, whatever they are rounded or scaled to."""
    a, b = _size(one), _size(other)
    if a is None or b is None:
        return False
    return all(abs(a - b * scale) > 0.02 * max(abs(a), abs(b * scale)) for scale in (1, 100, 0.01))


def _size(value: Value | None) -> float | None:
    value = unnamed(value)
    if not isinstance(value, Number) or value.value.variables:
        return None
    return value.value.approximate


def _condition_fails(text: str, found: Found) -> bool:
    """Whether the answer stands under a condition to which a "but" answers: "if h = 4, 12. But"."""
    if not _CONDITION.match(sentence_before(text, found.start)):
        return False
    return _YET.match(text, found.end) is not None


def _corrected(text: str, found: Found, *, words: bool) -> Found | None:
    """The last value that words of correction introduce: "wait, no: 7"."""
    for place in reversed(corrections(text, found.end)):
        clause = _CLAUSE.match(text, place)
        if clause is None:
            continue
        other = reading("statement", text, place, clause.end(), prose=True)
        if _computes(other.value) or other.raw == found.raw:
            continue
        letter = words and len(other.raw) <= 12 and option_letter(other.raw) is not None
        if letter or is_value(other.value):
            return replace(other, flags=(*found.flags, "corrected"))
    return None


def _computes(value: Value | None) -> bool:
    """Whether it is a sum worked out, as in a check: 8 - 4 = 4."""
    return (
        isinstance(value, Relation)
        and isinstance(value.left, Number)
        and not value.left.value.variables
    )


def _unfinished(text: str, found: Found) -> str | None:
    """Whether a box behind the answer is empty, or says something else and never closes."""
    if "boxed" not in text[found.end :]:
        return None
    empty = _EMPTY_BOX.search(text, found.end)
    if empty and text[found.end : empty.start()].strip(" \n\t}$*"):
        return "empty_box"
    cut = open_box(text)
    if cut is not None and cut >= found.end:
        inside = text[text.index("{", cut) + 1 :].strip(" $}\n.")
        if inside != found.raw.strip():
            return "open_box"
    return None


def _doubted(text: str, found: Found, *, truncated: bool) -> str | None:
    """Whether what stands behind the answer thinks again and does not come back to it.

    A check that was cut off says nothing yet.
    """
    again = reconsidered(text, found.end)
    if again is not None:
        if confirmed(text, again) or _last_value(text, again) == core(found.value):
            return None
        return "reconsidered"
    check = checked(text, found.end)
    if check is None or truncated or confirmed(text, check):
        return None
    said = _values(text, max(found.end, check - len(sentence_before(text, check))))
    if not said or core(found.value) in (said[-1], _last_value(text, check)):
        return None
    concluded = CONCLUSION.search(text, check) is not None
    return "second_answer" if concluded or core(found.value) not in said else None


def _values(text: str, start: int) -> list[object]:
    """The values in what stands from there on, in order."""
    return [
        core(run.value)
        for sentence in sentences(text[start:])
        for run in runs(sentence.text, frozenset())
        if run.aside != "label"
    ]


def _last_value(text: str, start: int) -> object:
    values = _values(text, start)
    return values[-1] if values else None
