"""Where a text says a value: in digits, in words, as a fraction, behind a sign of equality."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from vlm_boundary.mathtext.evaluate import Value
from vlm_boundary.mathtext.words import ENGLISH, english_number
from vlm_boundary.reasoning.evidence import Chain
from vlm_boundary.reasoning.text.passages import AnswerPlace
from vlm_boundary.reasoning.text.steps import NUMBER, same

_FRACTION = re.compile(
    r"(?<![\d./^])(\d{1,9})/(\d{1,9})(?![\d/]|\.\d)"
    r"|\\[dt]?frac ?\{ ?-? ?(\d{1,9}) ?\} ?\{ ?(\d{1,9}) ?\}"
    r"|(?<![\d./^])(\d{1,9}) out of (?:the )?(\d{1,9})(?![\d/]|\.\d)"
)
_WORDED = re.compile(rf"\b{ENGLISH}(?!\w)", re.IGNORECASE)
_BEFORE = re.compile(r"[-+*/×÷·^−–√]\s*[({$\\]*\s*[$€£]?$|\\(?:times|cdot|div)\s*[({$]*$|\\frac\{$")
_NO_OPERATOR = re.compile(r"(?:=\s*[-−]|\n[^\S\n]*[-*])\s*$")  # a sign, the mark of a list
_AFTER = re.compile(  # an operator, that is no part of a unit
    r"(?!\s?(?:[a-zA-Z]{1,15} ?/ ?[a-zA-Z]|[ckm]?m[²³]))"
    r"\s{0,3}(?:°|\^\\circ|\^\{\\circ\}|%|[)}$]){0,4}\s{0,3}(?:[a-zA-Z]{1,12}\s{0,3})?"
    r"(?:[+*/×÷·^²³−]|-\s{0,3}[\d(\\$]|\\(?:times|cdot|div))"
)
_SIGNED = re.compile(r"[=≈]\s{0,2}[-−–]?\s?[$€£({\\]{0,3}\Z")
SPACED = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")  # 17 000
_TYPESET = re.compile(r"[\s$&\\.]|math(?:bf|rm)|text|left|right|[dt](?=frac)")
_BRACES = str.maketrans("", "", "{}()")


def states(text: str, start: int, end: int, value: Value) -> bool:
    """Whether a number equal to the value stands there as something other than an operand."""
    for match, number in _stated(text, start, end, fractions=value != int(value)):
        negative = value < 0 and text[match.start() - 1 : match.start()] in ("-", "−")
        if not same(-number if negative else number, value):
            continue
        before = text[max(start, match.start() - 12) : match.start() - negative]
        if _BEFORE.search(before) and not _NO_OPERATOR.search(before):
            continue
        if _AFTER.match(text, match.end(), min(end, match.end() + 24)):
            continue
        return True
    if isinstance(value, int) and 0 <= value <= 1000:
        for match in _WORDED.finditer(text, start, end):
            if english_number(match[0]) == value:
                return True
    return False


def behind_sign(text: str, start: int, end: int, value: Value) -> bool:
    """Whether the value stands behind a sign of equality."""
    body = SPACED.sub("", text[start:end])
    return any(
        same(number, value) and _SIGNED.search(body, max(0, match.start() - 8), match.start())
        for match, number in _stated(body, 0, len(body), fractions=value != int(value))
    )


def written_behind_sign(chain: Chain, start: int, answer: AnswerPlace) -> bool:
    """Whether the answer stands behind a sign of equality just as it is written."""
    said = _TYPESET.sub("", chain.answer or "")
    plain = _TYPESET.sub("", chain.text[start : answer.start])
    return any(not after.isdecimal() for after in _behind(f"={said}", plain))


def says_as_written(chain: Chain, start: int, answer: AnswerPlace) -> bool:
    """Whether an answer with a root or π stands there just as it is written: "Both: 24√3"."""
    said = _in_signs(chain.answer or "")
    if "√" not in said and "π" not in said:
        return False
    plain = _in_signs(chain.text[start : answer.start])
    if said not in plain:
        return False
    return re.search(rf"(?<![\d+*/·×√^-]){re.escape(said)}(?![\d+*/·×^])", plain) is not None


def _behind(written: str, text: str) -> Iterator[str]:
    """The character behind each place of a text that has these characters; "" at its end."""
    place = text.find(written)
    while place >= 0:
        after = place + len(written)
        yield text[after : after + 1]
        place = text.find(written, place + 1)


def _in_signs(text: str) -> str:
    plain = _TYPESET.sub("", text.replace("**", "")).replace("sqrt", "√").replace("pi", "π")
    return plain.translate(_BRACES)


def _stated(
    text: str, start: int, end: int, *, fractions: bool
) -> Iterator[tuple[re.Match[str], Value]]:
    """The numbers of a text in digits, and its fractions where the answer is no whole number."""
    for match in NUMBER.finditer(text, start, end):
        written = match[0]
        if len(written) <= 24:
            yield match, int(written) if written.isdigit() else Fraction(written.replace(",", ""))
    for match in _FRACTION.finditer(text, start, end) if fractions else ():
        top, bottom = int(match[1] or match[3] or match[5]), int(match[2] or match[4] or match[6])
        if bottom:
            yield match, Fraction(top, bottom)


def spelled(text: str) -> list[Value]:
    """The numbers that a text spells in words."""
    found = (english_number(match[0]) for match in _WORDED.finditer(text))
    return [number for number in found if number is not None]


def number_of(written: str) -> Value | None:
    """A number in digits or words."""
    plain = written.replace(",", "")
    return Fraction(plain) if plain[-1].isdigit() else english_number(written)


def in_short(results: list[Value]) -> str:
    """The last of some results, for a note."""
    return f"{float(results[-1]):.6g}" if results else "nothing"
