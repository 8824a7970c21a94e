"""What a sentence says of a number, when an output marks no answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from vlm_boundary.verifier.commitments import Found, complement
from vlm_boundary.verifier.exact import Exact, Unsupported
from vlm_boundary.verifier.phrases import (
    CLOSING,
    CONCLUSION,
    HYPOTHETICAL,
    REFUSAL,
    last_match,
)
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.units import SCALES, UNITS
from vlm_boundary.verifier.values import Number, Relation, Several, Value, Words
from vlm_boundary.verifier.words import ENGLISH, FIRST_WORDS

_BOUNDARY = re.compile(r"(?<=[.!?])[*_\"')\]]*\s+(?=[^\s])|\n+|(?<=[。！？；])|;\s+")
_TOKEN = re.compile(
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][+-]?\d+(?![a-zA-Z\d]))?|\.\d+)"
    r"|(?P<glue>\$|\\[()\[\]]|\*\*|\\(?:left|right|displaystyle|,|;|!|:)(?![a-zA-Z])|\\boxed)"
    r"|(?P<wrapped>\\(?:text|mathrm|textbf|textit|mathbf)\s*\{[^{}]*\})"
    r"|(?P<command>\\[a-zA-Z]+|[π√])"
    r"|(?P<degree>°|%|\\%)"
    r"|(?P<name>[^\W\d_]{2,}(?:'[a-z]+)?)"
    r"|(?P<letter>[^\W\d_])"
    r"|(?P<operator>[-+*/^=×÷·≈:<>≤≥±!_~])"
    r"|(?P<bracket>[(){}\[\]])"
    r"|(?P<other>\S)"
)
_NUMBER_WORDS = re.compile(rf"{ENGLISH}(?!\w)", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_SPLIT = re.compile(r"[a-z]+")
_COMPARING = re.compile(
    r"(?:\b(?:than|least|most|above|below|over|under|between|exceeds?|from|beyond|within|every|"
    r"until|up\s+to|each\s+of\s+the|first|last|next|past|fewer|per)\s+(?:the\s+)?(?:about\s+)?[$€£]?)$",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(?:step|figure|fig\.?|option|question|part|case|table|problem|equation|method|image|no\.|"
    r"number|example|chapter|page|item|group|class|grade|level|row|column|day|week|angle|line|point|"
    r"vertex|triangle|circle|side|model|version|stage|room|route|player|jersey|round)\s*#?\s*$",
    re.IGNORECASE,
)
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
_ASSERTED = re.compile(
    r"\b(?:is|are|was|were|be|has|have|equals?|contains?)\s+(?:(?:only|exactly|about|approximately)\s+)?[$*]*$|=\s*$",
    re.IGNORECASE,
)
_NONE_EXISTS = re.compile(r"\bthere\s+(?:is|are|was|were)\s+(?:no|none)\b", re.IGNORECASE)
_NOT = re.compile(
    r"(?:\b(?:not|never|isn't|aren't|wasn't|neither|nor)\s+|不是\s*)[$*]*$", re.IGNORECASE
)
_RELATIVE = re.compile(
    r"\s*(?:[a-zA-Z]+\s+){0,2}?(?:more|less|fewer|times|greater|larger|higher|older|younger|taller)\b",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(
    r"\b(?:more|less|fewer|times|difference|differ|gap|longer|shorter|\w+er\s+than|older|younger)\b",
    re.IGNORECASE,
)
_OUT_OF = re.compile(r"\s*(?:[a-zA-Z]+\s+)?out\s+of\s+(?:every\s+)?\d+\b", re.IGNORECASE)
_WORDY = re.compile(r"[^\W\d_]{2}")
_LEFT_OVER = re.compile(
    r"\s+(?:[\w-]+\s+){0,3}?(?:left|remaining|remain|in\s+total|altogether)\b", re.IGNORECASE
)
_SUBORDINATE = re.compile(
    r",\s(?:with|which|where|when|who|for|including|given|according|based\s+on|compared\s+to|such\s+as)\b"
    r"|,?\s(?:because|since|while|whereas|when|where|out\s+of|than|for\s+a\s+total)\b",
    re.IGNORECASE,
)
_LEADING_CLAUSE = re.compile(
    r"^\W*(?:(?:so|therefore|thus|hence|and)\W+)?(?:if|after|when|since|because|given|based\s+on|"
    r"according|of|out\s+of|by|with|using|from|as|for|while|among)\b[^,]*,\s",
    re.IGNORECASE,
)
_SO = re.compile(r"[,;]\s*(?:and\s+)?(?:so|therefore|thus|hence)\b(?!\s+that)", re.IGNORECASE)
_RANGE_START = re.compile(r"\b(?:between|from)\s+(?:about\s+)?[$€£]?$", re.IGNORECASE)
_RANGE_MIDDLE = re.compile(r"\s*(?:and|to|-|until)\s*[$€£]?", re.IGNORECASE)
_OPERAND = re.compile(
    r"(?:\*\*|\$)?\s*(?:[a-zA-Z]{1,12}\.?\s*)?(?:\^?[²³2])?(?:\*\*|\$)?\s*"
    r"(?:[-+/×÷=]|(?<!\*)\*(?!\*))\s*(?:\*\*)?[\d$(\\-]"
)
_WHICH_IS = re.compile(
    r"\bwhich\s+(?:is|gives|equals|makes|leaves|comes\s+to)\s+(?:\w+\s+){0,2}[$*]*$", re.IGNORECASE
)
_ASKED = re.compile(
    r"\b(?:which|what)\s+(year|week|day|month|grade|score|step|level|hour|row|column|question)\b",
    re.IGNORECASE,
)
_MARKER = re.compile(
    r"^\s*(?:[-*•+]\s+|\(?\d{1,2}[.)]\s+(?=\S)|step\s+\d+\s*[.:)]\s*|#+\s+)", re.IGNORECASE
)
_CODE = re.compile(r"__\w+__|\blambda\b|\bimport\b|\bprint\(|\b\w+\.\w+\(|\(\)")
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
MAX_SENTENCES = 60
MAX_SENTENCE = 600


@dataclass(frozen=True)
class Run:
    """A stretch of a sentence that is one value, and how it is used there."""

    start: int
    end: int
    value: Value
    aside: str = ""
    """Why it is hardly what the sentence is about: a threshold, a label, a subordinate clause."""


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


def runs(sentence: str, question_numbers: frozenset[str]) -> list[Run]:
    """Every value in a sentence, in order."""
    if _CODE.search(sentence):
        return []
    found: list[Run] = []
    for start, end in _stretches(sentence):
        run = _run(sentence, start, end, question_numbers)
        if run is not None:
            found.append(run)
    leading = _LEADING_CLAUSE.match(sentence)
    if leading and any(run.start >= leading.end() for run in found):
        found = [
            replace(r, aside=r.aside or "leading clause") if r.end <= leading.end() else r
            for r in found
        ]
    turns = [m.start() for m in _SO.finditer(sentence)]
    if turns and any(run.start > turns[-1] and not run.aside for run in found):
        found = [replace(r, aside="premise") if r.start < turns[-1] else r for r in found]
    return _ranges(sentence, found)


def _ranges(sentence: str, found: list[Run]) -> list[Run]:
    """Between 2000 and 2005 is one range."""
    joined: list[Run] = []
    for run in found:
        before = joined[-1] if joined else None
        if (
            before is not None
            and _RANGE_START.search(sentence[: before.start])
            and _RANGE_MIDDLE.fullmatch(sentence[before.end : run.start])
        ):
            values = Several("range", (before.value, run.value))
            joined[-1] = Run(before.start, run.end, values)
        else:
            joined.append(run)
    return joined


def _stretches(sentence: str) -> list[tuple[int, int]]:
    """Maximal stretches of tokens that may be mathematics, each with a digit or a command."""
    stretches: list[tuple[int, int]] = []
    current: list[tuple[re.Match[str], str | None]] = []

    def close() -> None:
        if any(k in ("number", "command") for _, k in current):
            stretches.append((current[0][0].start(), current[-1][0].end()))
        current.clear()

    previous_end = 0
    for match in _TOKEN.finditer(sentence):
        if match.start() < previous_end:
            continue  # within a number in words
        kind, text = match.lastgroup, match[0]
        if kind == "name" and text.lower() in FIRST_WORDS:
            spelled = _NUMBER_WORDS.match(sentence, match.start())
            if spelled and sentence[match.start() - 1 : match.start()] != "-":
                match, kind = spelled, "number"
        spaced = match.start() > previous_end
        before, last = current[-1] if current else (None, None)
        joins = True
        if kind == "name":
            joins = before is not None and last == "operator" and before[0] in "+*/^×"
        elif kind == "letter":
            joins = text.isascii() and (
                not spaced or (before is not None and last == "operator" and before[0] != "-")
            )
            joins = joins and (before is not None or _operator_follows(sentence, match.end()))
        elif kind == "number":
            if last == "number":
                close()
        elif kind == "other":  # the comma of (1, 2)
            joins = text == "," and sum((m[0] in "([") - (m[0] in ")]") for m, _ in current) > 0
        elif kind == "bracket" and text in "([{" and spaced and last in ("number", "degree"):
            close()
        if joins:
            current.append((match, kind))
        else:
            close()
        previous_end = match.end()
    close()
    return stretches


def _operator_follows(sentence: str, place: int) -> bool:
    return re.match(r"\s*[=+*/^]\s*[-\\\w(]", sentence[place : place + 8]) is not None


_TRIM_LEFT = " \t*_$=:,.!)]}>~≈"
_TRIM_RIGHT = " \t*_$=:,.-+/([{<^!~"


def _run(sentence: str, start: int, end: int, question_numbers: frozenset[str]) -> Run | None:
    while start < end and sentence[start] in _TRIM_LEFT:
        start += 1
    while end > start and sentence[end - 1] in _TRIM_RIGHT:
        end -= 1
    if sentence.count("(", start, end) != sentence.count(")", start, end):
        while start < end and sentence[start] == "(":
            start += 1
        while end > start and sentence[end - 1] == ")":
            end -= 1
    if start >= end:
        return None
    before, after = sentence[:start], sentence[end:]
    if re.match(r"-[a-zA-Z]", after) or re.match(r"(?:st|nd|rd|th)\b|[a-zA-Z]", after):
        unit = re.match(r"[a-zA-Z]+", after)
        if not unit or unit[0] not in UNITS:
            return None  # 3-point, 2nd, 4x4
    if re.search(r"[a-zA-Z_]$", before):
        return None
    end = _with_unit(sentence, end)
    try:
        value = read(sentence[start:end].replace("\\boxed", ""), prose=True)
    except Unsupported:
        return None
    if value is None:
        return None
    aside = _aside(before, after, sentence[start:end], question_numbers)
    return Run(start, end, value, aside)


def _with_unit(sentence: str, end: int) -> int:
    """The end of a value with the unit behind it."""
    match = re.match(
        r"\s*(?:%|percent(?:age points?)?\b|per cent\b|°|[a-zA-Z]+(?:\^\{?[23]\}?|[²³])?"
        r"|平方\S{1,2}|立方\S{1,2}|[一-鿿]{1,2})",
        sentence[end:],
    )
    if not match:
        return end
    word = match[0].strip()
    name = re.sub(r"\^.*|[²³]", "", word)
    known = name in UNITS or name.lower() in UNITS or name.lower() in SCALES or word[0] in "%°平立"
    if not known and not word.startswith("per"):
        return end
    if name.lower() in ("in", "a", "s", "h", "t", "l", "m", "g", "second", "day") and not (
        match[0][0] != " " or name in ("m", "g", "s")
    ):
        return end
    return end + match.end()


def _aside(before: str, after: str, text: str, question_numbers: frozenset[str]) -> str:
    if _NOT.search(before):
        return "negated"
    if _OPERAND.match(after) and not re.match(r"\s*[-–]\s*[a-zA-Z]", after):
        return "operand"
    if _WHICH_IS.search(before):
        return ""
    if _COMPARING.search(before):
        return "comparison"
    if _OUT_OF.match(after):
        return "share"
    if _LABEL.search(before):
        return "label"
    if before.count("(") > before.count(")"):
        return "parenthesis"
    if _SUBORDINATE.search(before):
        return "subordinate clause"
    if text.strip().replace(",", "") in question_numbers and not _ASSERTED.search(before):
        return "in the question"
    if (
        text.strip().lower() == "one"
        and not re.search(r"\b(?:is|are|with|only|exactly|be)\s+$", before)
        and not re.match(r"\W*$", after)
    ):
        return "word"
    return ""


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
        if len({repr(_core(run.value)) for run in weak}) != 1:
            return None, ()
        # What the question says already is hardly its answer, nor is 1 of "1 out of 10".
        doubtful = weak[-1].aside in ("in the question", "share")
        return weak[-1], ((replace(weak[-1], value=_ECHO),) if doubtful else ())
    hedged = _hedged(body, main)
    if hedged:
        return hedged, ()
    if len({repr(_core(run.value)) for run in main}) == 1:
        return main[-1], ()
    for chosen in (
        [r for r in main if _EXISTS.search(body[: r.start])],
        [r for r in main if _LEFT_OVER.match(body[r.end :])],
        [r for r in main if _WHICH_IS.search(body[: r.start])],
        _after_being(body, main),
    ):
        if len({repr(_core(run.value)) for run in chosen}) == 1:
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


def _core(value: Value) -> object:
    return (
        value.right
        if isinstance(value, Relation)
        else (value.value if isinstance(value, Number) else value)
    )


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
    return not (HYPOTHETICAL.search(text) or REFUSAL.search(text) or text.strip() in question.text)


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
    if not found or len({repr(_core(run.value)) for _, run in found}) != 1:
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
        close = [s for s in scored if s[0] >= best[0] - 0.15]
        values = {repr(_core(s[2][1].value)) if s[2][1] else "several" for s in close}
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
    if last is None:
        return None
    found = complement(
        text, chosen.start + last.end(), chosen.end, listed=False, words=True, source="sentence"
    )
    return found if found and found.raw else None
