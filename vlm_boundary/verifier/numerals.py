"""Numbers as they were written: the value of an expression, and the digits of a literal."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from vlm_boundary.mathtext.dialects import Dialect
from vlm_boundary.mathtext.evaluate import exactly
from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.mathtext.lexer import Token, digits
from vlm_boundary.mathtext.parser import Parser
from vlm_boundary.mathtext.tree import Applied, Node, Numeral, Operation
from vlm_boundary.verifier.values import Number


@lru_cache(maxsize=16384)
def literal(text: str) -> Number:
    """A number written in digits, with thousands separators, a point and an exponent or not.

    Raises:
        BeyondLimits: more digits or a larger exponent than any answer has.
    """
    value, decimals, significant = digits(text)
    return _number(Exact.rational(value), decimals, significant)


def leading_number(tokens: list[Token], dialect: Dialect) -> tuple[Number, list[Token]]:
    """The longest expression that tokens begin with, and the tokens behind it.

    Raises:
        Unsupported: no expression stands here that is covered.
    """
    parser = Parser(tokens, dialect)
    node = parser.node()
    value = exactly(node)
    shown = _shown(node)
    number = Number(value) if shown is None else _number(value, *shown)
    return number, parser.rest


def _number(value: Exact, decimals: int, significant: int) -> Number:
    return Number(value, step=Fraction(10) ** -decimals, significant=significant)


def _shown(node: Node) -> tuple[int, int] | None:
    """Decimals and significant digits of a literal, and of a literal × a power of ten."""
    power: int | None = 0
    if isinstance(node, Operation) and node.sign == "*":
        power, node = _power_of_ten(node.right), node.left
        if not _is_mantissa(_unsigned(node)):
            return None
    node = _unsigned(node)
    if power is None or not isinstance(node, Numeral):
        return None
    return node.decimals - power, node.significant


def _unsigned(node: Node) -> Node:
    return node.of if isinstance(node, Applied) and node.sign == "-" else node


def _is_mantissa(node: Node) -> bool:
    """Whether a factor shows its digits, as in 1.5 × 10^3; those of 15 × 10^3 may be a product."""
    return isinstance(node, Numeral) and (node.decimals > 0 or node.value < 10)


def _power_of_ten(node: Node) -> int | None:
    """The whole exponent of a power of ten."""
    if not isinstance(node, Operation) or node.sign != "^" or not isinstance(node.left, Numeral):
        return None
    exponent = _unsigned(node.right)
    if node.left.value != 10 or not isinstance(exponent, Numeral):
        return None
    whole = exponent.value if isinstance(exponent.value, int) else None
    return whole if whole is None or exponent is node.right else -whole
