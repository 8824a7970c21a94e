"""Layer 2: every equation of a chain, checked to the digits it shows."""

from __future__ import annotations

import re
from fractions import Fraction

from vlm_boundary.reasoning.equations import Equation, equations
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.expressions import (
    UNITS,
    Expression,
    Node,
    Number,
    Unread,
    evaluate,
    literals,
    operators,
)
from vlm_boundary.reasoning.passages import hypothetical, own_turn, retracted

CHECKER = "arithmetic/1"
_PI_ERROR = 0.0016  # 3.14 and 22/7 are taken for π
_ROUND_THE_CLOCK = re.compile(
    r"\b(?:clock|mod(?:ulo)?|hours?|p\.?m\.?|a\.?m\.?|cycle|weekday)\b", re.I
)


def check_arithmetic(chain: Chain) -> tuple[Evidence, ...]:
    """An arithmetic_error for each equation that is false.

    A veto where both sides were read whole; a hint where the reading is uncertain or in a
    supposition. Equations that convert units, or that the text takes back, are no errors.
    """
    text = chain.text
    if "=" not in text and not any(sign in text for sign in ("≈", "\\approx", " is ", "equal")):
        return ()
    start, end = own_turn(text, chain.question)
    found = []
    for equation in equations(text, start, end):
        wrong = _wrong(equation)
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
    return tuple(found)


def _wrong(equation: Equation) -> tuple[Number, Number] | None:
    """The two values, if no reading of % and no rounding makes them equal."""
    left, right = equation.left.node, equation.right.node
    try:
        values = evaluate(left), evaluate(right)
        if values[0] == values[1]:
            return None
        if _close(equation, *values, percent=False):
            return None
        if "%" in operators(left) | operators(right):
            percent = evaluate(left, percent=True), evaluate(right, percent=True)
            if _close(equation, *percent, percent=True):
                return None
    except (Unread, OverflowError):
        return None
    return values


def _close(equation: Equation, left: Number, right: Number, *, percent: bool) -> bool:
    """Whether two values agree to the digits shown."""
    if left == right:
        return True
    distance = abs(float(left) - float(right))
    inexact = isinstance(left, float) or isinstance(right, float)
    allowed = 1e-9 * max(abs(float(left)), abs(float(right))) if inexact else 0.0
    allowed += _spread(equation.left, percent) + _spread(equation.right, percent)
    sides = ((equation.right, equation.left, left), (equation.left, equation.right, right))
    for shown, other, value in sides:
        if shown.operations == 0:
            unit = _shown_unit(shown.node, loose=equation.loose, percent=percent)
            exact = isinstance(value, int | Fraction) and Fraction(value) % unit == 0
            rounded = any(node[0] == "pi" or node[2] for node in literals(other.node))
            if not exact or equation.loose or rounded:
                bare = right if shown is equation.right else left
                # Whole numbers may be rounded up (boxes needed), decimals also be cut off.
                below = abs(float(bare)) < abs(float(value))
                cut = unit == 1 or equation.loose or rounded or below
                allowed += float(unit) * (1 if cut else 0.5)
            if distance < allowed:
                return True
    return distance <= allowed


def _spread(side: Expression, percent: bool) -> float:
    """How far the value of a side may be off because its decimals are rounded."""
    if side.operations == 0:
        return 0.0
    signs = operators(side.node)
    numbers = literals(side.node)
    inexact = [node for node in numbers if node[0] == "pi" or node[2]]
    if not inexact or not signs & {"*", "/", "^", "sqrt"} or len(numbers) > 40:
        return 0.0
    value = float(evaluate(side.node, percent=percent))
    total = 0.0
    for node in inexact:
        shift = _PI_ERROR if node[0] == "pi" else Fraction(1, 2 * 10 ** node[2])
        try:
            moved = evaluate(side.node, percent=percent, shift=(node, shift))
        except Unread:
            continue
        total += abs(float(moved) - value)
    return total


def _shown_unit(node: Node, *, loose: bool, percent: bool) -> Fraction:
    """What the last digit of a bare number is worth."""
    scale = Fraction(1)
    while node[0] in ("neg", "%"):
        if node[0] == "%" and percent:
            scale = Fraction(1, 100)
        node = node[1]
    if node[0] != "num":
        return Fraction(0) + Fraction(1, 10**9)
    unit = Fraction(1, 10 ** node[2])
    if loose and node[2] == 0 and node[1]:
        digits = str(node[1])
        unit = Fraction(10 ** (len(digits) - len(digits.rstrip("0"))))
    return unit * scale


def _converts(equation: Equation) -> bool:
    """Whether units may make both sides equal, as in 2 m + 50 cm = 250 cm or 6 inches = 6 / 12."""
    units = (equation.left.labels | equation.right.labels) & UNITS
    return len(units) > 1 or (bool(equation.left.labels & UNITS) and not equation.left.operations)


def _other_reading(equation: Equation, text: str, values: tuple[Number, Number]) -> bool:
    """Whether something other than an error may explain the difference."""
    first = literals(equation.right.node)[0]
    if equation.right.operations and first[0] == "num" and first[1] == values[0]:
        return True  # 2 + 3 = 5 × 4 = 20: said in passing
    has_pi = [any(n[0] == "pi" for n in literals(s.node)) for s in (equation.left, equation.right)]
    if has_pi[0] != has_pi[1] and not equation.loose:
        ratio = abs(float(values[0])) / abs(float(values[1])) if values[1] else 0.0
        if abs(ratio - 3.14159) < 0.01 or abs(ratio - 0.31831) < 0.001:
            return True  # π left out on one side
    difference = abs(float(values[0]) - float(values[1]))
    if difference in (7, 12, 24, 60) or difference % 360 == 0:
        around = text[max(0, equation.left.start - 80) : equation.right.end + 40]
        return _ROUND_THE_CLOCK.search(around) is not None
    return False


def _short(value: Number) -> str:
    if isinstance(value, Fraction) and value.denominator != 1:
        return f"{float(value):.6g}"
    return f"{float(value):.6g}" if isinstance(value, float) else str(value)[:40]
