"""What stands behind a number: per cent, scale words, units, or the thing counted."""

from __future__ import annotations

from dataclasses import replace

from vlm_boundary.mathtext.dialects import ANSWER
from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.mathtext.lexer import FORMULAS, NAMES, Token
from vlm_boundary.mathtext.units import LETTERS, PER_CENT, SCALES, UNITS, Measure, parse_unit
from vlm_boundary.verifier.numerals import leading_number
from vlm_boundary.verifier.values import Number, Value

# After a number these words change its value, so what precedes them is not the value alone.
_CHANGING = frozenset(
    "or to plus minus times divided by and more less than fewer over point squared cubed if but "
    "not between each hundred thousandths below above dozen either through until pi versus vs "
    "x ratio multiplied added subtracted greater smaller larger higher lower is was are were has "
    "wrong incorrect because since factorial halves half thirds quarters fourths fifths sixths "
    "sevenths eighths ninths tenths twelfths hundredths millionths".split()
)
_MARKS = {"'": ("foot", "arcminute"), '"': ("inch", "arcsecond")}


def with_trailing(number: Number, rest: list[Token], money: Measure | None) -> Number | None:
    """The number with what stands behind it: per cent, a scale, a unit, or the thing counted."""
    number = replace(number, unit=money)
    if rest and rest[0].text.lower() in SCALES:
        scale = SCALES[rest[0].text.lower()]
        number = replace(
            number,
            value=number.value * Exact.rational(scale),
            step=None if number.step is None else number.step * scale,
            scale=scale,
        )
        rest = rest[1:]
    if not rest:
        return number
    first = rest[0].text.lower()
    if first in PER_CENT:
        number, rest = replace(number, percent=True), rest[1:]
    elif first == "per":
        if len(rest) < 2 or rest[1].text.lower() != "cent":
            return None
        number, rest = replace(number, percent=True), rest[2:]
    elif first == "°":
        number, rest = replace(number, unit=UNITS["°"]), rest[1:]
        if rest and rest[0].text in ("C", "F"):
            number, rest = replace(number, unit=UNITS["°" + rest[0].text]), rest[1:]
    if not rest:
        return number
    return _with_unit(number, rest)


def _with_unit(number: Number, rest: list[Token]) -> Number | None:
    further = next((i for i, t in enumerate(rest) if t.kind == "number" and _apart(rest, i)), None)
    if further is not None:
        whole = _with_unit(number, rest[:further]) if further else number
        return whole and _with_part(whole, rest[further:])
    if rest[0].text in _MARKS:
        return _marked(number, rest, minutes=number.unit == UNITS["°"])
    words = _unit_text(rest)
    if words is None:
        return None
    unit = parse_unit(words)
    if unit is None:  # "12 cm of string": the unit stands first
        head, _, more = words.partition(" ")
        unit = parse_unit(head) if more and head != "in" else None
    doubtful = (
        len(rest) == 1 and rest[0].text in LETTERS and not rest[0].spaced and number.unit is None
    )
    if unit is None and all(t.text == "*" or (len(t.text) == 1 and t.text.isascii()) for t in rest):
        doubtful = len(rest) == 1 or words.islower()  # N·m is a unit, g·t hardly
    return replace(number, unit=number.unit or unit, doubtful=doubtful)


def _unit_text(rest: list[Token]) -> str | None:
    """What stands behind a number, where it can only be a unit or the thing counted."""
    depth = 0
    pieces: list[str] = []
    previous = ""
    for token in rest:
        text = token.text
        depth += (text in "({[") - (text in ")}]")
        if token.kind in FORMULAS or "_" in text or text in "=<>≤≥≈±+∞:_\\":
            return None
        if token.kind == "number" and previous not in ("^", "{", "-"):
            return None
        hyphen = text == "-" and previous.isalpha() and not token.spaced
        if text in "*-" and previous != "^" and not hyphen:
            if text == "*" and previous.isalpha():  # N·m
                pieces.append("*")
                previous = text
                continue
            return None
        if token.kind in NAMES and text.lower() in _CHANGING and depth == 0:
            return None
        if depth == 0 and text in ",;":
            return None
        pieces.append((" " if token.spaced and pieces else "") + text)
        previous = text
    return "".join(pieces)


def _apart(rest: list[Token], place: int) -> bool:
    """Whether a number begins a further quantity, rather than being an exponent."""
    return place == 0 or rest[place - 1].text not in ("^", "{", "-", "/")


def _with_part(number: Number, rest: list[Token]) -> Number | None:
    """One quantity in several units: 1 hour 30 minutes, 5 feet 6 inches, 30° 15'."""
    if number.unit is None:
        return None
    further, after = leading_number(rest, ANSWER)
    if after and after[0].text in _MARKS:
        minutes = number.unit.dimension == "angle"
        part = _marked(further, after, minutes=minutes)
    else:
        part = with_trailing(further, after, None)
    return combined([number, part]) if part is not None else None


def _marked(number: Number, rest: list[Token], *, minutes: bool) -> Number | None:
    """A number with a prime behind it: feet and inches, or minutes and seconds of arc."""
    mark, rest = rest[0].text, rest[1:]
    if mark == "'" and rest and rest[0].text == "'":
        mark, rest = '"', rest[1:]
    number = replace(number, unit=UNITS[_MARKS[mark][minutes]])
    return _with_part(number, rest) if rest else number


def combined(parts: list[Value]) -> Number | None:
    """The sum of quantities in ever smaller units of one kind, in the first one's unit."""
    total: Number | None = None
    last: Measure | None = None
    for part in parts:
        if not isinstance(part, Number) or part.unit is None or part.percent:
            return None
        unit = part.unit
        if total is None or last is None:
            total, last = part, unit
            continue
        assert total.unit is not None
        if unit.dimension != last.dimension or unit.size >= last.size:
            return None
        share = part.value * Exact.rational(unit.size / total.unit.size)
        total, last = replace(total, value=total.value + share, step=None), unit
    return None if total is None else replace(total, doubtful=False)
