"""Equations and inequalities as gold answers: compared as such, and never as their right sides."""

from __future__ import annotations

import re
from dataclasses import replace

from vlm_boundary.mathtext.errors import BeyondLimits
from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.verifier.outcome import Outcome
from vlm_boundary.verifier.values import Number, NumberInterval, Relation, Several, Value

_FUNCTION = re.compile(r"y|[fgh](?:\([a-z]\))?")
_LABEL = re.compile(r"[A-Z]{2,4}|[a-zA-Z]\([^()]{1,12}\)")
_NAME = re.compile(r"[A-Za-z](?:_(?:\w|\{\w+\}))?|[A-Z]{2,4}")
_MOST_TERMS = 12
_TURNED = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}  # what multiplying by -1 makes of a sign


def single(value: Value | None) -> Exact | None:
    """The one number that a value says, by its right side where it is an equation."""
    value = right_side(value) if value is not None else None
    return value.value if isinstance(value, Number) else None


def right_side(value: Value) -> Value:
    """What an equation gives its left side to be; any other value as it is."""
    return value.right if isinstance(value, Relation) and value.operator == "=" else value


def is_name(value: Relation) -> bool:
    """Whether the left side only names what is on the right: x, AB, ∠ABC, f(3), S_1."""
    if value.left is None or _LABEL.fullmatch(value.name):
        return True
    return isinstance(value.left, Number) and value.left.value.is_name


def is_curve(value: Relation) -> bool:
    """Whether an equation is of a curve rather than of what was asked, as a+b = 7 may be."""
    if not isinstance(value.left, Number):
        return False
    if len(value.left.value.terms) < 2:
        return "^" in value.name and bool(value.left.value.variables)  # x² = 3 gives no x
    return any(sum(map(abs, dict(p).values())) > 1 for p in value.left.value.coefficients())


def assigned(value: Relation) -> tuple[str, Value] | None:
    """The name and the number or numbers that an equation gives to it: x = 5, 5 = x, -x = -5."""
    if value.operator not in "=∈":
        return None
    if isinstance(value.right, Several | NumberInterval):
        return value.name, value.right
    if not isinstance(value.right, Number):
        return None
    if not value.right.value.variables and is_name(value):
        return value.name, value.right
    if not isinstance(value.left, Number):
        return None
    for name, number in ((value.left, value.right), (value.right, value.left)):
        if not number.value.variables and name.value.is_name:
            return str(name.value), number
        if not number.value.variables and (-name.value).is_name:
            return str(-name.value), replace(number, value=-number.value)
    return None


def another_name(one: str, two: str) -> bool:
    """Whether two names are of different things: AB and BC, x and y."""
    short = [name.removeprefix("m").lstrip("∠") if "∠" in name else name for name in (one, two)]
    return all(_NAME.fullmatch(name) for name in short) and short[0] != short[1]


def compare_equation(gold: Relation, value: Value) -> Outcome:
    """Equations are equal up to a factor; one that defines something equals its right side."""
    right = single(gold.right)
    if gold.operator != "=" or right is None:
        return _other_relation(gold, right, value)
    defines = is_name(gold)
    if isinstance(value, Number):
        if not defines:
            return Outcome(False, "not_an_equation")
        same = value.value == right
        return Outcome(same, "expression_equal" if same else "expression_differs")
    if not isinstance(value, Relation) or value.operator != "=":
        return Outcome(False, "not_an_equation")
    found = single(value.right)
    if found is None:
        return Outcome(False, "equation_differs")
    if defines and is_name(value) and found == right:
        return _same_name(gold.name, value.name)
    left, other = single(gold.left), single(value.left)
    if left is None or other is None:
        return Outcome(None if found == right else False, "equation_differs")
    same = proportional(left - right, other - found)
    return Outcome(same, "equation_equal" if same else "equation_differs")


def _same_name(gold: str, name: str) -> Outcome:
    if gold == name or (_FUNCTION.fullmatch(gold) and _FUNCTION.fullmatch(name)):
        return Outcome(True, "equation_equal")
    return Outcome(None, "another_name")


def _other_relation(gold: Relation, right: Exact | None, value: Value) -> Outcome:
    """Inequalities: the same up to a factor, the sides in either order; else undecided."""
    if not isinstance(value, Relation) or right is None or (found := single(value.right)) is None:
        return Outcome(None, "inequality")
    if value.operator == gold.operator and value.name == gold.name and found == right:
        return Outcome(True, "inequality")
    left, other = single(gold.left), single(value.left)
    turned = _TURNED.get(gold.operator, gold.operator)
    if left is None or other is None or value.operator not in (gold.operator, turned):
        return Outcome(None, "inequality")
    one, two = left - right, other - found
    factor = _factor(one, two)
    if factor is None or (factor > 0) != (value.operator == gold.operator):
        same = gold.operator == "≠" and factor is not None
        return Outcome(True if same else None, "inequality")
    return Outcome(True, "inequality")


def _factor(one: Exact, two: Exact) -> float | None:
    """What one sum is of another of the same terms, where it is a number."""
    first, second = one.coefficients(), two.coefficients()
    if not first or not proportional(one, two) or first.keys() != second.keys():
        return None
    lead = next(iter(first))
    a, b = first[lead].approximate, second[lead].approximate
    return None if a is None or not b else a / b


def solved(inequality: NumberInterval, side: Exact) -> NumberInterval | None:
    """An inequality of a sum in one variable, to the first power, as one of the variable.

    Args:
        inequality: the bounds of the sum.
        side: the sum, such as 3 - 2x.
    """
    if len(side.variables) != 1:
        return None
    (name,) = side.variables
    coefficients = side.coefficients()
    slope, shift = coefficients.pop(((name, 1),), None), coefficients.pop((), Exact(()))
    size = slope.approximate if slope is not None else None
    if coefficients or slope is None or not size:
        return None

    def bound(number: Number | None) -> Number | None:
        return None if number is None else Number((number.value - shift) / slope)

    low, high, brackets = bound(inequality.low), bound(inequality.high), inequality.brackets
    if size < 0:
        mirrored = brackets.translate(str.maketrans("()[]", ")(]["))
        return NumberInterval(high, low, mirrored[::-1], name)
    return NumberInterval(low, high, brackets, name)


def says(value: Relation, name: str, number: Exact) -> bool | None:
    """Whether an equation in one variable says that it is this number; None if it has no such."""
    left, right = single(value.left), single(value.right)
    if left is None or right is None or not (left - right).variables:
        return None
    return proportional(left - right, Exact.variable(name) - number)


def proportional(one: Exact, two: Exact) -> bool:
    """Whether two equations, both "sum = 0", say the same up to a constant factor."""
    one, two = one.without_denominators(), two.without_denominators()
    if not one.terms or not two.terms or len(one.terms) != len(two.terms):
        return one.terms == two.terms and bool(one.terms)
    first = one.coefficients()
    second = two.coefficients()
    if first.keys() != second.keys() or len(first) > _MOST_TERMS:
        return False
    lead = next(iter(first))
    try:
        return one * second[lead] == two * first[lead]
    except BeyondLimits:
        return False


def as_interval(value: Value) -> NumberInterval | None:
    """A pair in brackets as an interval; an interval as it is."""
    if isinstance(value, NumberInterval):
        return value
    if isinstance(value, Several) and value.brackets[:1] in ("(", "[") and len(value.items) == 2:
        low, high = value.items
        if isinstance(low, Number) and isinstance(high, Number):
            ends = (_end(low), _end(high))
            return NumberInterval(ends[0], ends[1], value.brackets)
    return None


def _end(number: Number) -> Number | None:
    return None if "∞" in number.value.variables else number


def compare_intervals(gold: Value, value: Value) -> Outcome:
    """Intervals, inequalities and their unions, whichever way they are written."""
    one, two = _pieces(gold), _pieces(value)
    if one is None or two is None:
        return Outcome(False, "not_an_interval")
    names = {piece.name for piece in (*one, *two)} - {""}
    if len(names) > 1:
        return Outcome(None, "another_name")
    same = {_bounds(piece) for piece in one} == {_bounds(piece) for piece in two}
    return Outcome(same, "interval_equal" if same else "interval_differs")


def _pieces(value: Value) -> list[NumberInterval] | None:
    value = value.right if isinstance(value, Relation) and value.operator in "=∈" else value
    if isinstance(value, Several) and value.kind in ("union", "either"):
        pieces = [as_interval(item) for item in value.items]
        return None if None in pieces else [piece for piece in pieces if piece is not None]
    piece = as_interval(value)
    return None if piece is None else [piece]


def _bounds(piece: NumberInterval) -> tuple[object, ...]:
    low, high = piece.low, piece.high
    return (
        low and low.value,
        high and high.value,
        low is not None and piece.brackets[0] == "[",
        high is not None and piece.brackets[1] == "]",
    )
