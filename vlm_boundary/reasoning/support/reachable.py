"""Whether usual steps lead from some numbers to another one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, combinations, permutations

_FACTORS = tuple(
    (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), float(factor))
    for words, factor in (
        ("(?:one|1) and a half|half as (?:much|many) again", 1.5),
        ("half(?! past)|halv\\w+|bisect\\w*|midpoint|midsegment|twice|doubl\\w+|both(?! of)"
         "|every (?:second|other)", 2),
        ("(?:a|one) third|thirds|third of|triple[ds]?|thrice", 3),
        ("quarters?|fourths|(?:a|one) fourth", 4), ("(?:a|one) fifth|fifths", 5),
        ("an? sixth", 6), ("an? eighth", 8), ("an? tenth", 10), ("an? twelfth", 12),
    )
)  # fmt: skip
_UNITS = tuple(
    (re.compile(one, re.IGNORECASE), re.compile(other, re.IGNORECASE), float(size))
    for one, other, size in (
        (r"\b(?:hours?|h)\b", r"\b(?:minutes?|min)\b", 60),
        (r"\bmet(?:er|re)s?\b|\bm\b", r"\b(?:cm|centimet(?:er|re)s?)\b", 100),
        (r"\b(?:dollars?|euros?)\b|[$€]", r"\bcents?\b", 100),
        (r"\b(?:km|kilomet\w+)\b", r"\b(?:m|met(?:er|re)s?)\b", 1000),
        (r"\b(?:cm|centimet(?:er|re)s?)\b", r"\b(?:mm|millimet(?:er|re)s?)\b", 10),
        (r"\bthousands?\b", r"\d", 1000),
        (r"\bmillions?\b", r"\d", 10**6),
        (r"\b(?:kg|kilogram\w*)\b", r"\b(?:g|grams?)\b", 1000),
        (r"\b(?:l|lit(?:er|re)s?)\b", r"\b(?:ml|millilit\w+)\b", 1000),
    )
)


@dataclass(frozen=True, slots=True)
class Steps:
    """Usual steps: the four operations, Pythagoras, percentages, and what the flags allow.

    `angles`: what is left to 90° and 180°, parts of 360°. `means`: of all values. `squares`: a
    value times itself. `halves`: a second step may halve or double. `runs`: sums of some in a row.
    """

    angles: bool = False
    means: bool = True
    squares: bool = True
    halves: bool = True
    runs: bool = True

    def lead(self, values: list[float], goal: float) -> bool:
        """Whether one step leads from some of the values to a goal."""
        goal = round(goal, 9)
        return any(round(made, 9) == goal for made in self.one(values))

    def lead_twice(self, values: list[float], goal: float) -> bool:
        """Whether two steps do; the second one is one of the four operations."""
        two = [2.0] if self.halves else []
        before = {
            round(made, 9)
            for other in {*values, *two}
            for made in (goal - other, goal + other, goal * other, goal / (other or math.inf))
        }
        return any(round(made, 9) in before for made in self.one([*values, *two]))

    def one(self, values: list[float]) -> Iterator[float]:
        """What one step makes of some of the values."""
        if len(values) > 1:
            total = math.fsum(values)
            yield total
            for first in range(len(values) - 1 if self.runs else 0):
                yield from list(accumulate(values[first:]))[1:]
            yield from (total - 2 * one for one in values)
            yield math.prod(values)
            if self.means:
                yield total / len(values)
        for one in values:
            if self.squares:
                yield from (one * one, one**3)
                if (root := float(round(math.sqrt(abs(one))))) ** 2 == one:
                    yield root
            if self.angles:
                yield from (180 - one, 90 - one)
        for one, other in permutations(values, 2):
            yield from _pair(one, other)
            yield one * other / 100
            if self.angles and other:
                yield 360 * one / other
        yield from _roots(values)


def any_near(made: Iterable[float], goals: Iterable[float]) -> bool:
    """Whether a number is one of the goals: rounded, as a percentage, or with the other sign."""
    exact = {abs(goal) for goal in goals}
    ranges = [
        (goal * scale * 0.994, goal * scale * 1.006, scale == 1 and goal.is_integer())
        for goal in exact
        for scale in (1, 100, 0.01)
    ]
    return any(
        value in exact
        or any(
            low <= value <= high and not (whole and value.is_integer())  # whole ones do not round
            for low, high, whole in ranges
        )
        for value in map(abs, made)
    )


def named_factors(text: str) -> list[float]:
    """The factors that words name: 2 of "half" and of "twice", 10 of "a tenth"."""
    return [factor for words, factor in _FACTORS if words.search(text)]


def unit_sizes(text: str) -> list[float]:
    """How many of a smaller unit make a larger one, where a text names both."""
    return [size for one, other, size in _UNITS if one.search(text) and other.search(text)]


def proportions(values: list[float]) -> Iterator[float]:
    """The fourth number of every proportion of three of the values."""
    for one, two, three in permutations(values[:6], 3):
        if three:
            yield one * two / three


def pairs(values: list[float], others: list[float]) -> set[float]:
    """What one of the four operations makes of a value and another one."""
    return {made for one in values for other in others for made in _pair(one, other)}


def _roots(values: list[float]) -> Iterator[float]:
    for one, other in combinations(values, 2):
        for square in (one * one + other * other, abs(one * one - other * other)):
            root = float(round(math.sqrt(square)))
            if root and root * root == square:
                yield root


def _pair(one: float, other: float) -> tuple[float, ...]:
    quotient = (one / other,) if other else ()
    return (one + other, one - other, one * other, *quotient)
