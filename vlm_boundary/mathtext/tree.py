"""What a mathematical text is read as: a tree of numbers, names and what is done with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


class Numeral(NamedTuple):  # the most common nodes are tuples, which are made at half the cost
    """A number in digits. Its last digit is worth 10^-`decimals`; `start` and `end` are places."""

    value: int | Fraction
    decimals: int = 0
    significant: int = 0
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or a constant such as π and ∞."""

    text: str


class Operation(NamedTuple):
    """Two things and what is done with them: + - * / or ^."""

    sign: str
    left: Node
    right: Node


class Applied(NamedTuple):
    """One thing and what is done with it: - before it, % or ! behind it, | around it, or sin."""

    sign: str
    of: Node


@dataclass(frozen=True, slots=True)
class Root:
    """A root, square without another order."""

    of: Node
    order: int = 2


@dataclass(frozen=True, slots=True)
class Logarithm:
    """A logarithm, natural without a base."""

    of: Node
    base: Node | None = None


Node = Numeral | Name | Operation | Applied | Root | Logarithm
PI = Name("π")
_LEAVES = (Numeral, Name)


def parts(node: Node) -> Iterator[Node]:
    """A node and all below it, from left to right."""
    yield node
    if isinstance(node, Operation):
        yield from parts(node.left)
        yield from parts(node.right)
    elif not isinstance(node, _LEAVES):
        yield from parts(node.of)
        if isinstance(node, Logarithm) and node.base is not None:
            yield from parts(node.base)
