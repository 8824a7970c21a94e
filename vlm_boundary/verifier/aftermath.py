"""An answer in view of what stands behind it: corrected, taken back, doubted, confirmed."""

from __future__ import annotations

import re
from dataclasses import replace

from vlm_boundary.verifier.commitments import Found, open_box, reading
from vlm_boundary.verifier.doubts import (
    DISOWNED,
    checked,
    confirmed,
    corrections,
    reconsidered,
    sentence_before,
)
from vlm_boundary.verifier.phrases import CONCLUSION
from vlm_boundary.verifier.runs import runs
from vlm_boundary.verifier.sentences import core, sentences
from vlm_boundary.verifier.text_answers import option_letter
from vlm_boundary.verifier.values import Number, Relation, Value, Words

_CLAUSE = re.compile(r"[^\n.!?,;。！？，；]{1,80}(?:(?<=\d)[.,](?=\d)[^\n.!?,;。！？，；]{1,40})?")
_CONDITION = re.compile(
    r"\W*(?:(?:so|then|and)\W+)?(?:if|unless|provided|when)(?!\w)", re.IGNORECASE
)
_YET = re.compile(
    r"[^.!?\n]{0,60}[.!?\n]\W{0,6}(?:but|however|yet|unfortunately)(?!\w)", re.IGNORECASE
)
_MAX_TAIL = 8_000
_EMPTY_BOX = re.compile(r"\\f?boxed\s*\{[\s?.…_]{0,8}\}")
_QUERIED = re.compile(r"\s*\(?\s*[?？]+\s*\)?$")


def in_view_of_the_rest(text: str, found: Found, *, words: bool, truncated: bool) -> Found | str:
    """The answer that stands when the output ends, or why none does."""
    if _QUERIED.search(found.raw):
        return replace(found, doubt="queried")
    if _condition_fails(text, found):
        found = replace(found, doubt="condition")
    rest = text[: _MAX_TAIL + found.end]
    corrected = _corrected(rest, found, words=words)
    if corrected is not None:
        found = corrected
    if DISOWNED.search(rest, found.end):
        return "taken_back"
    if found.doubt is None:
        doubt = _unfinished(text, found) or _doubted(rest, found, truncated=truncated)
        found = replace(found, doubt=doubt)
    return found


def withstands(text: str, found: Found) -> Found | str:
    """What sentences say, where nothing behind takes it back or thinks again."""
    rest = text[: _MAX_TAIL + found.end]
    if DISOWNED.search(rest, found.end):
        return "taken_back"
    again = None if found.doubt else reconsidered(rest, found.end)
    if _condition_fails(text, found):
        return replace(found, doubt="condition")
    if again is None or confirmed(rest, again):
        return found
    same = _last_value(rest, again) == core(found.value)
    return found if same else replace(found, doubt="reconsidered")


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
        if letter or (other.value is not None and not isinstance(other.value, Words)):
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
