"""Layer 2: every equation of a chain, in signs, letters or words, to the digits it shows."""

from __future__ import annotations

import re
from fractions import Fraction

from vlm_boundary.mathtext.evaluate import (
    Value,
    has_percent,
    literals,
)
from vlm_boundary.mathtext.parser import Expression
from vlm_boundary.mathtext.tree import PI, Numeral
from vlm_boundary.mathtext.units import NOUNS, UNITS
from vlm_boundary.reasoning.algebra.letters import wrong_letters
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.rules.broken import broken_rules
from vlm_boundary.reasoning.text.agreement import disagreement
from vlm_boundary.reasoning.text.equations import Equation, equations
from vlm_boundary.reasoning.text.passages import hypothetical, retracted
from vlm_boundary.verifier.phrases import occurs

CHECKER = "arithmetic/8"
_EQUALS = ("≈", "\\approx", " is ", "equal")
_ROUND_THE_CLOCK = re.compile(
    r"\b(?:clock|mod(?:ulo)?|hours?|p\.?m\.?|a\.?m\.?|cycle|weekday)\b", re.I
)
_OF_THE_DAY = re.compile(r"(?<![\d.,])0\d{3}(?![\d.])")  # 0900
_BY_A_PART = re.compile(r"\$?([\d.,]*\d) ?/ ?(\d{1,3}) ?/ ?(\d{1,3})")
_LOWEST = re.compile(
    r"(?:1/(?:2|3|4|5|6|7|8|9|10|12|15|20)|2/(?:3|5|7|9|15)|3/(?:4|5|7|8|10|20)|4/(?:5|7|9|15)"
    r"|5/(?:6|7|8|9|12)|6/7|7/(?:8|9|10|12|15|20)|8/(?:9|15)|9/(?:10|20))(?!\d)"
)


def check_arithmetic(chain: Chain) -> tuple[Evidence, ...]:
    """An arithmetic_error for each equation that is false, in signs or words, or breaks a rule.

    A veto where both sides were read whole; a hint where the reading is uncertain or in a
    supposition. Equations that convert units, or that the text takes back, are no errors.
    """
    if chain.is_bare:
        return ()
    text, (start, end) = chain.text, chain.turn
    found = _false_equations(text, start, end)
    found += wrong_letters(text, start, end, chain.question)
    found += broken_rules(text, start, end, chain.question)
    return tuple(found)


def _false_equations(text: str, start: int, end: int) -> list[Evidence]:
    found: list[Evidence] = []
    if "=" not in text and not occurs(_EQUALS, text):
        return found
    for equation in equations(text, start, end):
        wrong = disagreement(equation)
        if wrong is None or _converts(equation):
            continue
        if retracted(text, equation.right.end, end):
            continue
        veto = (
            equation.sure
            and not _other_reading(equation, text, wrong)
            and not hypothetical(text, equation.left.start, start)
        )
        note = f"the left side is {_short(wrong[0])}, the right side {_short(wrong[1])}"
        span = equation.left.start, equation.right.end
        found.append(Evidence("arithmetic_error", *span, note, veto))
    return found


def _converts(equation: Equation) -> bool:
    """Whether units may make both sides equal, as in 2 m + 50 cm = 250 cm or 6 inches = 6 / 12."""
    labels = equation.left.labels | equation.right.labels
    units = labels & NOUNS
    if any("/" in label for label in labels):  # a plural's s is taken off: m/s is "m/"
        parts = {part or "s" for label in labels for part in label.split("/")}
        known = {part.rstrip("^23²³") for part in parts} & UNITS.keys()
        one, other = (abs(float(value or 0)) for value in equation.values)
        sizes = {UNITS[part].dimension for part in known}
        return len(sizes) < len(known) or not (one and other) or _resized(one / other)
    left, right = equation.left, equation.right
    of_other = left.labels - right.labels  # 8 batches = 5.5 * 8
    bare = not left.operations or (_is_scientific(left) and bool(right.labels))
    return len(units) > 1 or bool(of_other and bare)


def _is_scientific(side: Expression) -> bool:
    """Whether it is a number and a power of ten."""
    numbers = [part.value for part in literals(side.node) if isinstance(part, Numeral)]
    return side.operations == 2 and len(numbers) == 3 and numbers[1] == 10


def _resized(ratio: float) -> bool:
    """Whether the ratio is that of two units of a speed, a density or the like."""
    return any(
        abs(scale - size) <= 0.005 * size
        for size in (3.6, 60, 100, 1000, 3600)
        for scale in (ratio, 1 / ratio)
    )


def _other_reading(equation: Equation, text: str, values: tuple[Value, Value]) -> bool:
    """Whether something other than an error may explain the difference."""
    first = literals(equation.right.node)[0]
    if equation.right.operations and isinstance(first, Numeral) and first.value == values[0]:
        return True  # 2 + 3 = 5 × 4 = 20: said in passing
    if _share_of(equation, text) or _whole_in_percent(equation, text):
        return True
    cents = {"cent", "cents"} & equation.right.labels
    if cents and "$" in text[equation.left.start - 1 : equation.left.end]:
        return True  # $1 / 2 = 50 cents
    names = {label for label in equation.left.labels | equation.right.labels if len(label) == 1}
    if any(
        name not in UNITS or re.search(rf"\b{name}\s?=|\bfor \$?{name}\b", text) for name in names
    ):
        return True  # a variable, which is no unit: 2 - 7 m = -12
    if _OF_THE_DAY.search(text, equation.left.start, equation.right.end):
        return True
    left = text[equation.left.start : equation.left.end]
    if by_part := _BY_A_PART.fullmatch(left.rstrip()):  # 28 / 1/5 is 28 / (1/5)
        top, part, of = (Fraction(number.replace(",", "")) for number in by_part.groups())
        if part and _rounds(top * of / part, values[1]):
            return True
    has_pi = [PI in literals(side.node) for side in (equation.left, equation.right)]
    if any(has_pi) and ("°" in left or "circ" in left):
        return True  # degrees in radians
    if has_pi[0] != has_pi[1] and not equation.loose:
        ratio = abs(float(values[0])) / abs(float(values[1])) if values[1] else 0.0
        if abs(ratio - 3.14159) < 0.01 or abs(ratio - 0.31831) < 0.001:
            return True  # π left out on one side
    difference = abs(float(values[0] - values[1]))
    if difference in (7, 12, 24, 60) or difference % 360 == 0:
        around = text[max(0, equation.left.start - 80) : equation.right.end + 40]
        return _ROUND_THE_CLOCK.search(around) is not None
    return False


def _share_of(equation: Equation, text: str) -> bool:
    """2/5 = 12.8 hectares, $20 is 1 - 1/3: a share and what it comes to."""
    sides = (equation.left, equation.right)
    in_words = "=" not in text[sides[0].end : sides[1].start + 1]
    for (part, whole), (value, other) in (
        (sides, equation.values),
        (sides[::-1], equation.values[::-1]),
    ):
        if value is None or other is None or not 0 < value < 1 or other < 1:
            continue
        written = text[part.start : part.end]
        named = part is equation.left and _LOWEST.match(written) is not None
        of_things = whole.labels or whole.operations or "$" in text[whole.start - 1 : whole.end]
        if "/" in written and "*" not in written and (in_words or (named and of_things)):
            return True
    return False


def _rounds(exact: Fraction, shown: Value) -> bool:
    return abs(float(exact) - float(shown)) <= 0.006 * abs(float(shown))


def _whole_in_percent(equation: Equation, text: str) -> bool:
    """48 = 100% + 20%: what all of it, and more, is."""
    sides = (equation.left, equation.right)
    return any(
        side.operations == 0
        and not has_percent(side.node)
        and "100%" in text[other.start : other.end + 1].replace(" ", "").replace("\\", "")
        for side, other in (sides, sides[::-1])
    )


def _short(value: Value) -> str:
    if isinstance(value, Fraction) and value.denominator != 1:
        return f"{float(value):.6g}"
    return f"{float(value):.6g}" if isinstance(value, float) else str(value)[:40]
