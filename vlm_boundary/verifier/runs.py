"""The values in a sentence, and how each is used there: as a result, a threshold, an operand."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.units import PER_CENT, SCALES, UNITS
from vlm_boundary.mathtext.words import ENGLISH, FIRST_WORDS
from vlm_boundary.verifier.doubts import NOT_BEFORE
from vlm_boundary.verifier.phrases import CHANGES_BEFORE, CHANGES_BEHIND, occurs
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.values import Several, Value

_TOKEN = re.compile(
    r"(?P<name>(?!π)[^\W\d_]{2,}(?:'[a-z]+)?)"  # first, for most are names
    r"|(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][+-]?\d+(?![a-zA-Z\d]))?|\.\d+)"
    r"|(?P<glue>\$|\\[()\[\]]|\*\*|\\(?:left|right|displaystyle|,|;|!|:)(?![a-zA-Z])|\\boxed)"
    r"|(?P<wrapped>\\(?:text|mathrm|textbf|textit|mathbf)\s*\{[^{}]*\})"
    r"|(?P<command>\\[a-zA-Z]+|[π√])"
    r"|(?P<degree>°|%|\\%)"
    r"|(?P<letter>[^\W\d_])"
    r"|(?P<operator>[-+*/^=×÷·≈:<>≤≥±!_~])"
    r"|(?P<bracket>[(){}\[\]])"
    r"|(?P<other>\S)"
)
_NUMBER_WORDS = re.compile(rf"{ENGLISH}(?!\w)", re.IGNORECASE)
_COMPARING = re.compile(
    r"(?:\b(?:than|least|most|above|below|over|under|between|exceeds?|from|beyond|within|every|"
    r"until|(?<!add )(?<!adds )(?<!sum )(?<!sums )up\s+to|each\s+of\s+the|first|last|next|past"
    r"|fewer|per)\s+(?:the\s+)?(?:about\s+)?[$€£]?)$",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(?:step|figure|fig\.?|option|question|part|case|table|problem|equation|method|image|no\.|"
    r"number|example|chapter|page|item|group|class|grade|level|row|column|day|week|angle|line|point|"
    r"vertex|triangle|circle|side|model|version|stage|room|route|player|jersey|round)\s*#?\s*$",
    re.IGNORECASE,
)
ASSERTED = re.compile(
    r"\b(?:is|are|was|were|be|has|have|equals?|contains?)\s+(?:(?:only|exactly|about|approximately)\s+)?[$*]*$|=\s*$",
    re.IGNORECASE,
)
_OUT_OF = re.compile(r"\s*(?:[a-zA-Z]+\s+)?out\s+of\s+(?:every\s+)?\d+\b", re.IGNORECASE)
_GROUP = re.compile(
    r"\W*(?:(?:so|then|thus),?\s+)?(?:of|among|out\s+of|from)\s+(?:(?:the|these|those|all|its|our)\s+){0,2}",
    re.IGNORECASE,
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
_SO = re.compile(
    r"[,;]\s*(?:and\s+)?(?:so|therefore|thus|hence|which\s+means)\b(?!\s+that\s+(?:it|they)\b)",
    re.IGNORECASE,
)
_WORDED_OPERATION = re.compile(
    r"\b(?:minus|plus|times|divided\s+by|multiplied\s+by)\s+[$*]*$", re.IGNORECASE
)
_RANGE_START = re.compile(r"\b(?:between|from)\s+(?:about\s+)?[$€£]?$", re.IGNORECASE)
_RANGE_MIDDLE = re.compile(r"\s*(?:and|to|-|until)\s*[$€£]?", re.IGNORECASE)
_OPERAND = re.compile(
    r"(?:\*\*|\$)?\s*(?:[a-zA-Z]{1,12}\.?\s*)?(?:\^?[²³2])?(?:\*\*|\$)?\s*"
    r"(?:[-+/×÷=]|(?<!\*)\*(?!\*))\s*(?:\*\*)?[\d$(\\-]"
)
WHICH_IS = re.compile(
    r"\bwhich\s+(?:is|gives|equals|makes|leaves|comes\s+to)\s+(?:\w+\s+){0,2}[$*]*$", re.IGNORECASE
)
_BEFORE_ONE = re.compile(r"\b(?:is|are|with|only|exactly|be)\s+$")
_BESIDE = PER_CENT | SCALES.keys()
_NEAR = 48  # characters before a value in which the words that bear on it stand
_CODE = re.compile(r"__\w+__|\blambda\b|\bimport\b|\bprint\(|\b\w+\.\w+\(|\(\)")
_IN_CODE = ("__", "lambda", "import", "(")


@dataclass(frozen=True)
class Stretch:
    """A stretch of a sentence that is one value, and how it is used there."""

    start: int
    end: int
    value: Value
    aside: str = ""
    """Why it is hardly what the sentence is about: a threshold, a label, a subordinate clause."""


@lru_cache(maxsize=256)  # what a sentence says and what it works out are read apart
def runs(sentence: str, question_numbers: frozenset[str]) -> tuple[Stretch, ...]:
    """Every value in a sentence, in order."""
    if occurs(_IN_CODE, sentence) and _CODE.search(sentence):
        return ()
    found: list[Stretch] = []
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
    elif turns:  # "which means" begins a clause of the same standing as the one before
        found = [_from(sentence, turns[-1], r) if r.start > turns[-1] else r for r in found]
    return tuple(_ranges(sentence, found))


def _from(sentence: str, turn: int, run: Stretch) -> Stretch:
    """The run without what only stands before the turn of its sentence."""
    if run.aside != "subordinate clause":
        return run
    turned = _SO.match(sentence, turn)
    start = turned.end() if turned else turn
    return run if _SUBORDINATE.search(sentence[start : run.start]) else replace(run, aside="")


def _ranges(sentence: str, found: list[Stretch]) -> list[Stretch]:
    """Between 2000 and 2005 is one range."""
    joined: list[Stretch] = []
    for run in found:
        before = joined[-1] if joined else None
        if (
            before is not None
            and _RANGE_START.search(sentence[: before.start])
            and _RANGE_MIDDLE.fullmatch(sentence[before.end : run.start])
        ):
            values = Several("range", (before.value, run.value))
            joined[-1] = Stretch(before.start, run.end, values)
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
            if before is None:
                signs = "+*/^" if spaced else "=+*/^"  # "n + 1 = 12" is whole, "so x = 12" says 12
                joins = text.isascii() and _sign_follows(sentence, match.end(), signs)
            else:
                joins = text.isascii() and (not spaced or (last == "operator" and before[0] != "-"))
        elif kind == "number":
            if last == "number":
                close()
        elif kind == "other":  # the comma of (1, 2)
            joins = text == "," and sum((m[0] in "([") - (m[0] in ")]") for m, _ in current) > 0
        elif kind == "bracket" and text in "([{" and spaced and last in ("number", "degree"):
            close()
        if joins:
            current.append((match, kind))
        elif current:
            close()
        previous_end = match.end()
    close()
    return stretches


def _sign_follows(sentence: str, place: int, signs: str) -> bool:
    following = re.match(r"\s*(\S)\s*[-\\\w(]", sentence[place : place + 8])
    return following is not None and following[1] in signs


_TRIM_LEFT = " \t*_$=:,.!)]}>~≈"
_TRIM_RIGHT = " \t*_$=:,.-+/([{<^!~"


def _run(sentence: str, start: int, end: int, question_numbers: frozenset[str]) -> Stretch | None:
    while start < end and sentence[start] in _TRIM_LEFT:
        start += 1
    while end > start and sentence[end - 1] in _TRIM_RIGHT:
        end -= 1
    if sentence.count("(", start, end) != sentence.count(")", start, end):
        while start < end and sentence[start] == "(":
            start += 1
        while end > start and sentence[end - 1] == ")":
            end -= 1
    if start >= end or sentence[start] in "+*/^×÷·":  # the rest of an expression
        return None
    before, after = sentence[:start], sentence[end:]
    if re.match(r"-[a-zA-Z]", after) or re.match(r"(?:st|nd|rd|th)\b|[a-zA-Z]", after):
        unit = re.match(r"[a-zA-Z]+", after)
        if not unit or (unit[0] not in UNITS and unit[0] not in PER_CENT):
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
    return Stretch(start, end, value, aside)


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
    known = name in UNITS or name.lower() in UNITS or name.lower() in _BESIDE or word[0] in "%°平立"
    if not known and not word.startswith("per"):
        return end
    if name.lower() in ("in", "a", "s", "h", "t", "l", "m", "g", "second", "day") and not (
        match[0][0] != " " or name in ("m", "g", "s")
    ):
        return end
    return end + match.end()


def _aside(before: str, after: str, text: str, question_numbers: frozenset[str]) -> str:
    near = max(0, len(before) - _NEAR)
    if NOT_BEFORE.search(before[-40:]):
        return "negated"
    if CHANGES_BEFORE.search(before[-40:]) or CHANGES_BEHIND.match(after):
        return "changed"
    if _OPERAND.match(after) and not re.match(r"\s*[-–]\s*[a-zA-Z]", after):
        return "operand"
    if _WORDED_OPERATION.search(before, near):
        return "operand"
    if WHICH_IS.search(before, near):
        return ""
    if _COMPARING.search(before, near):
        return "comparison"
    if _OUT_OF.match(after) or _GROUP.fullmatch(before):
        return "share"
    if _LABEL.search(before, near):
        return "label"
    if before.count("(") > before.count(")"):
        return "parenthesis"
    if _SUBORDINATE.search(before):
        return "subordinate clause"
    if text.strip().replace(",", "") in question_numbers and not ASSERTED.search(before, near):
        return "in the question"
    if (
        text.strip().lower() == "one"
        and not _BEFORE_ONE.search(before, near)
        and not re.match(r"\W*$", after)
    ):
        return "word"
    return ""
