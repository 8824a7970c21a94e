"""What an answer can be once it has been read."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias, TypeGuard

from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.mathtext.units import Measure

Kind: TypeAlias = Literal["list", "tuple", "set", "ratio", "either", "range", "union", "matrix"]


@dataclass(frozen=True)
class Number:
    """A value with how it was written.

    `step` is what its last digit is worth, and `significant` counts its significant digits, where
    it was written as one literal. `doubtful` says that a letter beside it may be a unit or a
    variable.
    """

    value: Exact
    step: Fraction | None = None
    significant: int = 0
    percent: bool = False
    unit: Measure | None = None
    doubtful: bool = False
    scale: Fraction = Fraction(1)
    """What a word like "million" multiplied the number by."""

    def __str__(self) -> str:
        return f"{self.value}{'%' if self.percent else ''}"


@dataclass(frozen=True)
class Several:
    """Several values: a list, tuple, set, union or ratio, a matrix by rows, or alternatives."""

    kind: Kind
    items: tuple[Value, ...]
    brackets: str = ""

    def __str__(self) -> str:
        joint = {"ratio": ":", "either": " or ", "range": " to ", "union": "∪"}.get(self.kind, ", ")
        inside = joint.join(map(str, self.items))
        brackets = self.brackets or ("[]" if self.kind == "list" else "")
        return f"{brackets[:1]}{inside}{brackets[1:]}"


@dataclass(frozen=True)
class Relation:
    """Two sides and what stands between them: = or an inequality."""

    operator: str
    left: Value | None
    right: Value
    name: str
    """The left side as written, without spaces."""

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{self.right}"


@dataclass(frozen=True)
class NumberInterval:
    """All numbers between two; an end is None where there is none, a bracket says if it is in."""

    low: Number | None
    high: Number | None
    brackets: str
    name: str = ""
    """The variable in it, where it was written as an inequality."""

    def __str__(self) -> str:
        low = "-∞" if self.low is None else self.low
        high = "∞" if self.high is None else self.high
        return f"{self.brackets[0]}{low}, {high}{self.brackets[1]}"


@dataclass(frozen=True)
class Approximated:
    """One value written twice: exactly, and rounded after ≈."""

    exact: Value
    rounded: Value

    def __str__(self) -> str:
        return f"{self.exact}≈{self.rounded}"


@dataclass(frozen=True)
class Words:
    """Text without a value in it."""

    text: str

    def __str__(self) -> str:
        return self.text


Value = Number | Several | Relation | NumberInterval | Approximated | Words
Said = Number | Several | Relation | NumberInterval | Approximated


def is_value(value: Value | None) -> TypeGuard[Said]:
    """Whether it says more than words do."""
    return value is not None and not isinstance(value, Words)


def unnamed(value: Value | None) -> Value | None:
    """A value without the names that relations give it: 5 of x = 5."""
    while isinstance(value, Relation):
        value = value.right
    return value
