r"""Answers that an output marks as its answer: <answer> tags, \boxed{}, "the answer is"."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.records.verdict import Source
from vlm_boundary.verifier.doubts import only_supposed
from vlm_boundary.verifier.phrases import (
    AFTER_NEGATION,
    CHANGED_BEHIND,
    FILLER,
    HEDGE,
    NEGATED,
    OPTION_FIRST,
    OR,
    PLACEHOLDER,
    RETRACTION,
    STATEMENT,
    UNTOLD,
    last_match,
)
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.values import Number, Several, Value, is_value

_SIMPLE_BOX = re.compile(r"\\f?boxed\s*\{([^{}]*)\}")
_BOX = re.compile(r"\\f?boxed\s*\{")
_BARE_BOX = re.compile(  # without braces
    r"\\f?boxed\s{0,3}(?:\(([^()\n]{1,80})\)|\s(-?\d{1,20}(?:[.,]\d{1,20})*|[A-J](?!\w)))"
)
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_TAG = re.compile(r"<answer>", re.IGNORECASE)
_TAG_END = re.compile(r"</answer>", re.IGNORECASE)
_GAP = r"(?:[\s$.,;{}]|\\(?:text|quad|qquad)(?![a-zA-Z])|\\[,;:()\[\] ])*"
_BETWEEN_BOXES = re.compile(rf"{_GAP}(or|and|或|和)?{_GAP}")
_SENTENCE_END = re.compile(r"[.!?](?=[\s*\"')\]}]|$)|\n|[。！？；;]")
_JSON_VALUE = re.compile(
    r"\"([^\"\n]{0,400})\"|'([^'\n]{0,400})'|(\[[^\[\]]{0,400}\])|([^,}\n\"']{1,400})"
)
_CELL = re.compile(r"[*_]{0,3}([^|\n]{1,200}?)[*_]{0,3}\s*(?:\||$)", re.MULTILINE)
_CLAUSE_END = re.compile(
    r",(?=\s)|\s(?=[(—–])|\s-\s|:\s|(?<=\d)\s*=\s*(?=[a-zA-Z])"
    r"|\s(?=(?:because|since|as|so|with|which|where|when|while|for|if|in|on|of|that|and|than|after|by|"
    r"units?|per)\b)|(?<=\d)(?=[,，](?!\d))|，|。|(?<=[\dA-J)])(?=です|である|だ|となる|になる)",
    re.IGNORECASE,
)
_FURTHER = re.compile(r"\s{0,3}\$?-?\d[\d.,]{0,12}\$?(?=\s*(?:[.;]?\s*$|\.\s|;))", re.MULTILINE)
_NOT_OTHER = re.compile(r"(?<=\w),?\s{1,3}(?:and\s+|but\s+)?not\s", re.IGNORECASE)  # B, not D
_SHARE = re.compile(r"\$?\d+\$?\s+(?:out\s+of|in)\s+\$?\d{1,4}(?!\s*\w)", re.IGNORECASE)
_POLITE = re.compile(r"(?:です|である|だ|でした)\s*$")
_ASIDE = re.compile(  # words of correction behind a dash; what they say is read from them on
    r"\s*(?:--?|—|–|\.\.\.?|…)\s*(?:no|wait|hmm+|sorry|oops|actually|or\s+rather|i\s+mean)(?!\w)",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\d{1,2}[.)]\s+[A-Z]")  # "the solution: 1. Let h be …"
_MAX_STATEMENTS = 400
_GOES_INTO = re.compile(  # but "- \boxed{5}" is the item of a list, "> \boxed{5}" a quotation
    r"(?:(?<!-)-|[\d})][^\S\n]?[-+][^\S\n]|[/^√±≠]\s?|(?<=[ $])[<>]\s?|\\frac\s?\w{1,2}|\d"
    r"|\\(?:times|cdot|pm|mp|neq?|sqrt|ln|log|sin|cos|tan)\s?)\{?\Z"
)
_GOES_ON = re.compile(
    r"[^\S\n]?(?:\^(?!\s?\{?\s?\\circ)|\\(?:pi|times|cdot|sqrt|frac)(?![a-zA-Z])"
    r"|[+*/]\s?[\d\\]|-\s?\d)|,\d{3}|\.\d"
)
_CONCLUDED = re.compile(
    r"[.!?;\n。！？；=≈⇒→]|\b(?:so|thus|hence|therefore|then|is|answer|no|wait|actually|rather|instead|correct\w*)\b"
    r"|\\(?:implies|Rightarrow|to|text)(?![a-zA-Z])",
    re.IGNORECASE,
)
_MAX_BOXES = 64
_MAX_GAP = 40  # characters between boxes of one answer
MAX_GUESSES = 3


@dataclass(frozen=True)
class Found:
    """A candidate answer: text as written, where it stands, its value, what else was seen.

    `value` is None where the text says more than a value. `unsupported` says that it is
    mathematical beyond what is read here. `rivals` are other answers of the same standing. `doubt`
    names what leaves it open whether the answer stands; right is then undecided.
    """

    source: Source
    raw: str
    start: int
    end: int
    value: Value | None = None
    unsupported: Unsupported | None = None
    flags: tuple[str, ...] = ()
    rivals: tuple[Value, ...] = field(default=())
    doubt: str | None = None


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
    bare = [(m.start(), *m.span(1 if m[1] else 2)) for m in _BARE_BOX.finditer(text)][-_MAX_BOXES:]
    openings = list(_BOX.finditer(text))[-_MAX_BOXES:]
    if not openings:
        return bare
    simple = {m.start(): m for m in _SIMPLE_BOX.finditer(text, openings[0].start())}
    limit = len(text)
    failures = 0
    for opening in reversed(openings):
        if opening.start() in simple:
            found.append((opening.start(), opening.end(), simple[opening.start()].end() - 1))
        elif failures < 2:
            end = _closing(text, opening.end(), limit)
            if end is None:
                failures += 1  # unclosed: what stands before it cannot close either, except by luck
            else:
                found = [box for box in found if box[0] > end]  # boxes within this one
                found.append((opening.start(), opening.end(), end))
    found = sorted([*found, *bare])
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
    all_boxes = [b for b in boxes(text) if not only_supposed(text, b[0], b[0], b[2] + 1)]
    if not all_boxes:
        return None
    last = all_boxes[-1]
    found = reading("box", text, last[1], last[2], listed=listed)
    if _part_of_more(text, last[0], last[2] + 1):
        found = replace(found, doubt="part_of_a_formula")
    group = [found]
    joint = ""
    begin = last[0]
    for start, inner, end in reversed(all_boxes[:-1]):
        gap = text[end + 1 : begin]
        between = _BETWEEN_BOXES.fullmatch(gap) if len(gap) < _MAX_GAP else None
        if not between:
            if (
                _beside(gap)
                and reading("box", text, inner, end, listed=listed).value != found.value
            ):
                found = replace(found, doubt="two_boxes")
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
    raw = text[begin : last[2] + 1]  # a box without braces may end the text
    return Found("box", raw, begin, begin + len(raw), several, None, ("guesses",))


def _part_of_more(text: str, start: int, end: int) -> bool:
    r"""Whether a box stands in a formula that goes on around it: -\boxed{5}, \boxed{5}^2."""
    before = text[max(0, start - 12) : start]
    return _GOES_INTO.search(before) is not None or _GOES_ON.match(text, end) is not None


def _beside(gap: str) -> bool:
    """Whether only words that do not conclude stand between two boxes: 3 as well as 5."""
    return len(gap) < _MAX_GAP and _CONCLUDED.search(gap) is None


def statements(text: str, start: int, *, listed: bool, words: bool) -> Found | None:
    """The last answer stated as the answer after `start`; a list of guesses as such.

    Args:
        words: the gold answer is text, so that a statement in words is an answer.
    """
    found: list[tuple[int, Found]] = []
    if text[start : start + 64].isspace() or start >= len(text):
        return None
    for match in STATEMENT.at_keys(text, start)[-_MAX_STATEMENTS:]:
        if match[0].rstrip().endswith("|") or '"' in match[0] or "'" in match[0]:
            stated = _in_cell(text, match, listed=listed, words=words)
        else:
            stated = _stated(text, match.end(), listed=listed, words=words)
        if stated is not None and not only_supposed(text, match.start(), stated.start, stated.end):
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


def _in_cell(text: str, match: re.Match[str], *, listed: bool, words: bool) -> Found | None:
    """The answer in a JSON field or a table's cell named answer."""
    cell = (_CELL if "|" in match[0] else _JSON_VALUE).match(text, match.end())
    if cell is None:
        return None
    group = cell.lastindex or 0
    found = reading("statement", text, *cell.span(group), listed=listed)
    if not found.raw or found.raw == "null":
        return None
    return found if words or is_value(found.value) or found.unsupported else None


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
    if stop and stop[0] == ";" and (further := _FURTHER.match(text, stop.end())):
        end = further.end()  # 3; 4
    filler = FILLER.match(text, start, end)
    start = filler.end() if filler else start
    aside = _ASIDE.search(text, start, end)
    if aside:
        end = aside.start()
    negated = NEGATED.match(text, start, end)
    if negated:
        if UNTOLD.match(text, start, end):
            return None
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
    if words and (polite := _POLITE.search(text, start, end)):
        end = polite.start()
    if words and (other := _NOT_OTHER.search(text, start, end)):
        end = other.start()
    whole = _uncut(reading(source, text, start, end, listed=listed, prose=True))
    if whole.unsupported and not re.search(r"[a-z]{3,} [a-z]{3,}", whole.raw):
        return whole
    if is_value(whole.value) or (words and whole.value is not None and len(whole.raw) <= 40):
        return whole
    heads = [m.start() for m in _CLAUSE_END.finditer(text, start, end)][:12]
    for stop in reversed(heads):
        if stop <= start:
            continue
        head = _uncut(reading(source, text, start, stop, listed=listed, prose=True))
        rest = text[stop:end]
        if not is_value(head.value) and not head.unsupported:
            continue
        if _SHARE.match(text, head.end - len(head.raw), end):
            return replace(head, doubt="share")
        hedge = OR.match(rest)
        return head if hedge is None else _hedged(text, head, stop + hedge.end(), end, source)
    if words and whole.raw:
        stop = heads[0] if heads else end
        return reading(source, text, start, stop)
    return None


def _uncut(found: Found) -> Found:
    """The candidate without its value where the words behind its number change it: 3 tenths."""
    if found.value is not None and CHANGED_BEHIND.search(found.raw):
        return replace(found, value=None)
    return found


def _hedged(text: str, head: Found, start: int, end: int, source: Source) -> Found:
    """An answer with another behind "or": both, or the first in doubt where the other is no value.

    What stands behind "or rather" replaces the first.
    """
    hedge = HEDGE.match(text, start, end)
    place = hedge.end() if hedge else start
    stops = [m.start() for m in _CLAUSE_END.finditer(text, place, end)][:4]
    for stop in (*stops, end):
        other = reading(source, text, place, stop, prose=True)
        if other.raw.endswith(")") and "(" not in other.raw:
            other = reading(source, text, place, other.end - 1, prose=True)
        if head.value is not None and is_value(other.value):
            if hedge and "rather" in hedge[0].lower():
                return replace(other, flags=("corrected",))
            both = Several("either", (head.value, other.value))
            whole = reading(source, text, head.start, other.end)
            return replace(whole, value=both, unsupported=None, flags=("hedged",))
    return replace(head, doubt="hedged", flags=("hedged",))
