"""Two evaluators of a tree: exact, and numeric to the digits that it shows."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction

from vlm_boundary.mathtext.errors import BeyondLimits, Unsupported
from vlm_boundary.mathtext.exact import PI as EXACT_PI
from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.mathtext.tree import (
    PI,
    Applied,
    Logarithm,
    Name,
    Node,
    Numeral,
    Operation,
    Root,
    parts,
)

_MAX_BITS = 640
_MAX_EXPONENT = 64
_MAX_FACTORIAL = 20
_MAX_BASE = 1e30
_MOST_SHIFTED = 40
_PI_ERROR = 0.0016  # 3.14 and 22/7 are taken for π

Value = int | Fraction | float
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "sec": lambda value: 1 / math.cos(value),
    "csc": lambda value: 1 / math.sin(value),
    "cot": lambda value: 1 / math.tan(value),
    "exp": math.exp,
}
_NO_NAMES: Mapping[str, float] = {}
_EXACTLY: dict[str, Callable[[Exact, Exact], Exact]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "^": operator.pow,
}  # fmt: skip


def exactly(node: Node) -> Exact:
    """The value of a tree as a sum of rationals × roots × constants and variables.

    Raises:
        Unsupported: exact arithmetic does not cover it, or it is beyond the bounds.
    """
    if isinstance(node, Numeral):
        return Exact.rational(node.value)
    if isinstance(node, Operation):
        return _EXACTLY[node.sign](exactly(node.left), exactly(node.right))
    if isinstance(node, Name):
        return Exact.variable(EXACT_PI if node is PI else node.text)
    value = exactly(node.of)
    if isinstance(node, Root):
        return value.root() if node.order == 2 else value.nth_root(node.order)
    if isinstance(node, Logarithm):
        return value.logarithm(None if node.base is None else exactly(node.base))
    if node.sign == "-":
        return -value
    if node.sign == "%":
        return value * Exact.rational(Fraction(1, 100))
    if node.sign == "!":
        return value.factorial()
    size = value.approximate
    if size is None or node.sign != "|":
        raise Unsupported("a function, or the absolute value of a variable")
    return value if size >= 0 else -value


def numeric(
    node: Node,
    *,
    percent: bool = False,
    names: Mapping[str, float] = _NO_NAMES,
    shifted: tuple[Numeral | Name, Value] | None = None,
) -> Value:
    """The value of a tree; an integer or a fraction as long as it is exact.

    Args:
        percent: divide by 100 at %.
        names: the values of variables.
        shifted: one number of the tree, and by how much it is moved.

    Raises:
        Unsupported: a variable, a division by zero, or a number beyond the bounds.
    """
    if isinstance(node, Numeral):
        return node.value + shifted[1] if shifted and shifted[0] is node else node.value
    if isinstance(node, Operation):
        left = numeric(node.left, percent=percent, names=names, shifted=shifted)
        right = numeric(node.right, percent=percent, names=names, shifted=shifted)
        return _bounded(_worked_out(node.sign, left, right))
    if isinstance(node, Name):
        if node == PI:
            return math.pi + (float(shifted[1]) if shifted and shifted[0] is node else 0.0)
        if node.text not in names:
            raise Unsupported("a variable")
        return names[node.text]
    value = numeric(node.of, percent=percent, names=names, shifted=shifted)
    if isinstance(node, Root):
        return _root(value, node.order)
    if isinstance(node, Logarithm):
        base = None if node.base is None else numeric(node.base, names=names)
        return _called("ln", value, base)
    if node.sign == "-":
        return -value
    if node.sign == "%":
        return _divided(value, 100) if percent else value
    if node.sign == "|":
        return max(value, -value)
    if node.sign != "!":
        return _called(node.sign, value)
    if value < 0 or value != int(value):
        raise Unsupported("a factorial of no whole number")
    if value > _MAX_FACTORIAL:
        raise BeyondLimits("factorial too large")
    return math.factorial(int(value))


def _called(name: str, value: Value, base: Value | None = None) -> float:
    try:
        if name == "ln":
            return math.log(value) if base is None else math.log(value, base)
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](float(value))
    except (ValueError, ArithmeticError) as error:
        raise Unsupported("outside of what a function is defined on") from error
    raise Unsupported(f"{name} is not covered")


def _worked_out(sign: str, left: Value, right: Value) -> Value:
    try:
        if sign == "+":
            return left + right
        if sign == "-":
            return left - right
        if sign == "*":
            return left * right
        return _divided(left, right) if sign == "/" else _powered(left, right)
    except OverflowError as error:
        raise BeyondLimits("number too large") from error


def _bounded(value: Value) -> Value:
    if isinstance(value, float):
        beyond = not math.isfinite(value)
    elif isinstance(value, int):
        beyond = value.bit_length() > _MAX_BITS
    else:
        beyond = max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS
    if beyond:
        raise BeyondLimits("number too large")
    return value


def _divided(one: Value, two: Value) -> Value:
    if two == 0:
        raise Unsupported("division by zero")
    if isinstance(one, float) or isinstance(two, float):
        return float(one) / float(two)
    if isinstance(one, int) and isinstance(two, int):
        return Fraction(one, two) if one % two else one // two
    return Fraction(one) / Fraction(two)


def _root(value: Value, order: int) -> Value:
    if value < 0:
        if order % 2:
            return -_root(-value, order)
        raise Unsupported("a root of a negative number")
    try:
        near: int = round(float(value) ** (1 / order))
    except OverflowError as error:
        raise BeyondLimits("number too large") from error
    if isinstance(value, int):
        if order == 2:
            near = math.isqrt(value)
        if near**order == value:
            return near
    return math.sqrt(value) if order == 2 else float(value) ** (1 / order)


def _powered(base: Value, exponent: Value) -> Value:
    if isinstance(exponent, Fraction) and exponent.denominator == 1:
        exponent = int(exponent)
    if not -_MAX_EXPONENT <= exponent <= _MAX_EXPONENT or (base == 0 and exponent < 0):
        raise BeyondLimits("exponent too large")
    if isinstance(base, float) or not isinstance(exponent, int):
        if not -_MAX_BASE <= base <= _MAX_BASE or (base < 0 and not isinstance(exponent, int)):
            raise BeyondLimits("base too large")
        return float(base) ** float(exponent) if base else float(exponent == 0)
    _bounded(base)
    if abs(base.numerator).bit_length() * abs(exponent) > 4 * _MAX_BITS:
        raise BeyondLimits("power too large")
    power: int | Fraction = base ** abs(exponent)
    return power if exponent >= 0 else Fraction(1) / power


def literals(node: Node) -> list[Numeral | Name]:
    """The numbers of a tree, from left to right."""
    return [part for part in parts(node) if isinstance(part, Numeral | Name)]


def has_percent(node: Node) -> bool:
    """Whether a percent sign stands in it."""
    return any(isinstance(part, Applied) and part.sign == "%" for part in parts(node))


def is_rounded(part: Numeral | Name) -> bool:
    """Whether a number may not be exact: it has decimals, or is π."""
    return not isinstance(part, Numeral) or part.decimals > 0


def last_place(node: Node, *, loose: bool = False, percent: bool = False) -> Fraction:
    """What the last digit of a bare number is worth; nothing to speak of for anything else.

    Args:
        loose: zeros at its end may be rounded too.
        percent: divide by 100 at %.
    """
    scale = Fraction(1)
    while isinstance(node, Applied) and node.sign in "-%":
        if percent and node.sign == "%":
            scale = Fraction(1, 100)
        node = node.of
    if not isinstance(node, Numeral):
        return Fraction(1, 10**9)
    place = Fraction(1, 10**node.decimals) if node.decimals > 0 else Fraction(10**-node.decimals)
    if loose and node.decimals == 0 and node.value:
        shown = str(node.value)
        place = Fraction(10 ** (len(shown) - len(shown.rstrip("0"))))
    return place * scale


def _magnifies(node: Node) -> bool:
    return isinstance(node, Root) or (isinstance(node, Operation) and node.sign in "*/^")


def spread(node: Node, *, percent: bool) -> float:
    """How far the value of a tree may be off because its decimals are rounded."""
    numbers = literals(node)
    inexact = [part for part in numbers if is_rounded(part)]
    if not inexact or len(numbers) > _MOST_SHIFTED or not any(map(_magnifies, parts(node))):
        return 0.0
    value = float(numeric(node, percent=percent))
    total = 0.0
    for part in inexact:
        by = Fraction(1, 2 * 10**part.decimals) if isinstance(part, Numeral) else _PI_ERROR
        try:
            moved = numeric(node, percent=percent, shifted=(part, by))
        except Unsupported:
            continue
        total += abs(float(moved) - value)
    return total
