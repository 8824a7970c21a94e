"""Whether the sides of an equation agree, to the digits that they show."""

from __future__ import annotations

from fractions import Fraction

from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.evaluate import (
    Value,
    has_percent,
    is_rounded,
    last_place,
    literals,
    numeric,
    spread,
)
from vlm_boundary.reasoning.text.equations import Equation


def disagreement(equation: Equation) -> tuple[Value, Value] | None:
    """The values of both sides, if no reading of % and no rounding makes them equal; else None."""
    left, right = equation.left.node, equation.right.node
    one, other = equation.values
    if one is None or other is None or one == other:
        return None
    try:
        if _close(equation, one, other, percent=False):
            return None
        if has_percent(left) or has_percent(right):
            percent = numeric(left, percent=True), numeric(right, percent=True)
            if _close(equation, *percent, percent=True):
                return None
    except (Unsupported, OverflowError):
        return None
    return one, other


def _close(equation: Equation, left: Value, right: Value, *, percent: bool) -> bool:
    """Whether two values agree to the digits shown."""
    if left == right:
        return True
    distance = abs(float(left - right))  # as floats whole numbers past 2^53 would be alike
    inexact = isinstance(left, float) or isinstance(right, float)
    allowed = 1e-9 * max(abs(float(left)), abs(float(right))) if inexact else 0.0
    allowed += sum(
        spread(side.node, percent=percent)
        for side in (equation.left, equation.right)
        if side.operations
    )
    sides = ((equation.right, equation.left, left), (equation.left, equation.right, right))
    for shown, other, value in sides:
        if shown.operations == 0:
            unit = last_place(shown.node, loose=equation.loose, percent=percent)
            exact = isinstance(value, int | Fraction) and Fraction(value) % unit == 0
            rounded = any(map(is_rounded, literals(other.node)))
            if not exact or equation.loose or rounded:
                bare = right if shown is equation.right else left
                # Whole numbers may be rounded up (boxes needed), decimals also be cut off.
                below = bare * bare < value * value
                cut = unit == 1 or equation.loose or rounded or below
                allowed += float(unit) * (1 if cut else 0.5)
            if distance < allowed:
                return True
    return distance <= allowed
