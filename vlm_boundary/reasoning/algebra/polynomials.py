"""Formulas with letters, read and worked out as polynomials."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from vlm_boundary.mathtext.dialects import FORMULA
from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.evaluate import exactly
from vlm_boundary.mathtext.exact import Constant, Exact
from vlm_boundary.mathtext.lexer import raw_tokens
from vlm_boundary.mathtext.parser import Parser

CUT = frozenset("\\_%|<>≤≥≠≈√π∠∫'’!^+*/=)}0123456789")
"""What stands beside a formula that is perhaps a part of something longer."""


@lru_cache(maxsize=1024)  # two rooms read the same sides
def read(written: str) -> Exact | None:
    """What a formula comes to; None where it is none, or beyond the bounds."""
    if written.isascii() and written.isdecimal() and len(written) < 10:
        return Exact.rational(int(written))
    if len(written) == 1 and "a" <= written <= "z":
        return Exact.variable(written)
    try:
        parser = Parser(raw_tokens(written, 0, len(written)), FORMULA)
        node = parser.expression().node
        return None if parser.rest else exactly(node)
    except (Unsupported, IndexError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def apart(one: str, other: str) -> Exact:
    """How far apart two formulas are that can be read."""
    left, right = read(one), read(other)
    if left is None or right is None:
        raise ValueError(f"no formulas: {one!r}, {other!r}")
    return left - right


def by_power(value: Exact) -> dict[int, float]:
    """Of a polynomial in one letter, its coefficients by power."""
    plain = all(radicand == 1 and not _has_constant(of) for (radicand, of), _ in value.terms)
    with suppress(OverflowError):
        if plain:
            return {(of[0][1] if of else 0): float(size) for (_, of), size in value.terms}
    return {
        (powers[0][1] if powers else 0): coefficient.approximate or 0.0
        for powers, coefficient in value.coefficients().items()
    }


def degree(value: Exact) -> int:
    """Of a polynomial in one letter; 99 where the letter stands below a line."""
    found = [
        power for (_, of), _ in value.terms for name, power in of if not isinstance(name, Constant)
    ]
    return 99 if min(found, default=0) < 0 else max(found, default=0)


def _has_constant(powers: tuple[tuple[str, int], ...]) -> bool:
    return any(isinstance(name, Constant) for name, _ in powers)


def solution_of(difference: Exact) -> float | None:
    """The one value at which a linear polynomial in one letter is zero."""
    powers = by_power(difference)
    if set(powers) - {0, 1} or not powers.get(1):
        return None
    return -powers.get(0, 0.0) / powers[1]


def at(difference: Exact, value: float) -> float | None:
    """What a polynomial in one letter is where the letter has a value; None beyond the bounds."""
    powers = by_power(difference)
    if min(powers) < 0 or max(powers) > 6 or abs(value) > 1e9:
        return None
    return sum(coefficient * value**power for power, coefficient in powers.items())


def shown(value: Exact) -> str:
    """A polynomial, for a note."""
    return str(value).replace("+-", "-")[:60]
