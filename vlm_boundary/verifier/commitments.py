r"""Answers that an output marks as its answer: <answer> tags, \boxed{}, "the answer is"."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vlm_boundary.verifier.exact import Unsupported
from vlm_boundary.verifier.phrases import (
    AFTER_NEGATION,
    NEGATED,
    OPTION_FIRST,
    OR,
    PLACEHOLDER,
    RETRACTION,
    STATEMENT,
    last_match,
)
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.values import Number, Several, Value, Words
from vlm_boundary.verifier.verdict import Source

_SIMPLE_BOX = re.compile(r"\\f?boxed\s*\{([^{}]*)\}")
_BOX = re.compile(r"\\f?boxed\s*\{")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_TAG = re.compile(r"<answer>", re.IGNORECASE)
_TAG_END = re.compile(r"</answer>", re.IGNORECASE)
_BETWEEN_BOXES = re.compile(
    r"[\s$.,;]*(?:\\(?:text|quad|qquad|\s)\s*\{?)?\s*(or|and|或|和)?[\s$.,;}]*"
)
_SENTENCE_END = re.compile(r"[.!?](?=[\s*\"')\]}]|$)|\n|[。！？；;]")
_CLAUSE_END = re.compile(
    r",(?=\s)|\s(?=[(—–])|\s-\s|:\s|(?<=\d)\s*=\s*(?=[a-zA-Z])"
    r"|\s(?=(?:because|since|as|so|with|which|where|when|while|for|if|in|on|of|that|and|than|after|by|"
    r"units?|per)\b)|(?<=\d)(?=[,，](?!\d))|，|。",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\d{1,2}[.)]\s+[A-Z]")  # "the solution: 1. Let h be …"
_MAX_STATEMENTS = 400
_MAX_BOXES = 64
MAX_GUESSES = 3


@dataclass(frozen=True)
class Found:
    """A candidate answer: text as written, where it stands, its value, what else was seen.

    `value` is None where the text says more than a value. `unsupported` says that it is
    mathematical beyond what is read here. `rivals` are other answers of the same standing.
    """

    source: Source
    raw: str
    start: int
    end: int
    value: Value | None = None
    unsupported: Unsupported | None = None
    flags: tuple[str, ...] = ()
    rivals: tuple[Value, ...] = field(default=())


def reading(
    source: Source, text: str, start: int, end: int, *, listed: bool = False, prose: bool = False
) -> Found:
    """A candidate with the value of the text between start and end."""
    raw = text[start:end]
    lead = len(raw) - len(raw.lstrip())
    raw = raw.strip()
    start += lead
    end = start + len(raw)
    try:
        return Found(source, raw, start, end, read(raw, listed=listed, prose=prose))
    except Unsupported as error:
        return Found(source, raw, start, end, None, error)


def last_tag(text: str) -> tuple[int, int, bool] | None:
    """Start and end of the last <answer>'s content, and whether it closes."""
    opening = last_match(_TAG, text)
    if opening is None:
        return None
    closing = _TAG_END.search(text, opening.end())
    if closing:
        return opening.end(), closing.start(), True
    return opening.end(), len(text), False


def boxes(text: str) -> list[tuple[int, int, int]]:
    r"""Complete \boxed{…} as (start, content start, content end), the last ones, in order."""
    found: list[tuple[int, int, int]] = []
    if "boxed" not in text:
        return found
    openings = list(_BOX.finditer(text))[-_MAX_BOXES:]
    if not openings:
        return found
    simple = {m.start(): m for m in _SIMPLE_BOX.finditer(text, openings[0].start())}
    limit = len(text)
    failures = 0
    for opening in reversed(openings):
        if opening.start() in simple:
            found.append((opening.start(), opening.end(), simple[opening.start()].end() - 1))
        elif failures < 2:
            end = _closing(text, opening.end(), limit)
            if end is None:
                failures += 1  # unclosed: what stands before it cannot close either, but for luck
            else:
                found = [box for box in found if box[0] > end]  # boxes within this one
                found.append((opening.start(), opening.end(), end))
    found.reverse()
    return [
        box for box in found if not PLACEHOLDER.fullmatch(text[box[1] : min(box[2], box[1] + 80)])
    ]


def open_box(text: str) -> int | None:
    """Where a box begins that is never closed."""
    if "boxed" not in text:
        return None
    last = last_match(_BOX, text)
    if last is None or _closing(text, last.end(), len(text)) is not None:
        return None
    return last.start()


def _closing(text: str, start: int, limit: int) -> int | None:
    depth = 1
    for match in _BRACES.finditer(text, start, limit):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if depth == 0:
                return match.start()
    return None


def boxed(text: str, *, listed: bool) -> Found | None:
    """The last box, with those that it is listed together with."""
    all_boxes = boxes(text)
    if not all_boxes:
        return None
    last = all_boxes[-1]
    found = reading("box", text, last[1], last[2], listed=listed)
    group = [found]
    joint = ""
    begin = last[0]
    for start, inner, end in reversed(all_boxes[:-1]):
        gap = text[end + 1 : begin]
        between = _BETWEEN_BOXES.fullmatch(gap) if len(gap) < 24 else None
        if not between:
            break
        joint = between[1] or joint
        group.append(reading("box", text, inner, end, listed=listed))
        begin = start
    values = [item.value for item in group]
    if len(group) == 1 or all(item.raw == found.raw for item in group) or None in values:
        return found
    group.reverse()
    kind = "list" if joint not in ("or", "或") and listed else "either"
    several = Several(kind, tuple(item.value for item in group if item.value is not None))  # type: ignore[arg-type]
    return Found("box", text[begin : last[2] + 1], begin, last[2] + 1, several, None, ("guesses",))


def statements(text: str, start: int, *, listed: bool, words: bool) -> Found | None:
    """The last answer stated as the answer after `start`; a list of guesses as such.

    Args:
        words: the gold answer is text, so that a statement in words is an answer.
    """
    found: list[tuple[int, Found]] = []
    if text[start : start + 64].isspace() or start >= len(text):
        return None
    for match in STATEMENT.at_keys(text, start)[-_MAX_STATEMENTS:]:
        stated = _stated(text, match.end(), listed=listed, words=words)
        if stated is not None:
            found.append((match.start(), stated))
    option = OPTION_FIRST.search(text, start)
    if option and words:
        letter = Found("statement", option[1], option.start(1), option.end(1), read(option[1]))
        found.append((option.start(), letter))
    if not found:
        return None
    found.sort(key=lambda item: item[0])
    last = found[-1][1]
    distinct = {repr(item.value) if item.value else item.raw for _, item in found}
    if len(distinct) >= MAX_GUESSES and not RETRACTION.search(text, start):
        values = tuple(item.value for _, item in found if isinstance(item.value, Number))
        if len(values) >= MAX_GUESSES:
            guesses = Several("either", values[-12:])
            return Found("statement", last.raw, last.start, last.end, guesses, None, ("guesses",))
    return last


def _stated(text: str, start: int, *, listed: bool, words: bool) -> Found | None:
    """The answer that stands where a statement's phrase ends."""
    while start < len(text) and text[start] in " \n\t*_:：":
        start += 1
    if start >= len(text):
        return None
    if text[start - 1] == "\n" and _ITEM.match(text, start):
        return None
    stop = _SENTENCE_END.search(text, start)
    end = stop.start() if stop else len(text)
    negated = NEGATED.match(text, start, end)
    if negated:
        instead = AFTER_NEGATION.search(text, negated.end())
        if not instead or instead.start() > end + 40:
            return None
        start = instead.end()
        stop = _SENTENCE_END.search(text, start)
        end = stop.start() if stop else len(text)
    return complement(text, start, end, listed=listed, words=words)


def complement(
    text: str, start: int, end: int, *, listed: bool, words: bool, source: Source = "statement"
) -> Found | None:
    """The value that a clause says, whole or up to where it goes on about something else."""
    whole = reading(source, text, start, end, listed=listed, prose=True)
    if whole.unsupported and not re.search(r"[a-z]{3,} [a-z]{3,}", whole.raw):
        return whole
    if _is_value(whole.value) or (words and whole.value is not None and len(whole.raw) <= 40):
        return whole
    heads = [m.start() for m in _CLAUSE_END.finditer(text, start, end)][:12]
    for stop in reversed(heads):
        if stop <= start:
            continue
        head = reading(source, text, start, stop, listed=listed, prose=True)
        rest = text[stop:end]
        if not _is_value(head.value) and not head.unsupported:
            continue
        if OR.match(rest):
            return Found(source, whole.raw, start, end, Several("either", ()), None, ("hedged",))
        return head
    if words and whole.raw:
        stop = heads[0] if heads else end
        return reading(source, text, start, stop)
    return None


def _is_value(value: Value | None) -> bool:
    return value is not None and not isinstance(value, Words)
