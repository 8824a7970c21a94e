"""Properties that a chain says members of a list to have: to lie above 50, to be even or prime."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Set
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from statistics import median

from vlm_boundary.reasoning.lists.listed import Listed
from vlm_boundary.reasoning.lists.number_lists import VALUE, value_of
from vlm_boundary.reasoning.text.passages import opening

Found = tuple[int, int, str]
"""What a flag has: where it begins and ends, and its note."""
COMPARED: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "below": operator.lt, "under": operator.lt, "less than": operator.lt,
    "smaller than": operator.lt, "lower than": operator.lt, "fewer than": operator.lt,
    "shorter than": operator.lt, "above": operator.gt, "over": operator.gt,
    "greater than": operator.gt, "larger than": operator.gt, "more than": operator.gt,
    "higher than": operator.gt, "bigger than": operator.gt, "exceed": operator.gt,
    "exceeding": operator.gt, "taller than": operator.gt, "longer than": operator.gt,
    "warmer than": operator.gt, "colder than": operator.lt,
    "at least": operator.ge, "at most": operator.le,
}  # fmt: skip
_THAN = frozenset(how.split()[0] for how in COMPARED if how.endswith(" than"))
_ALONE = frozenset(how for how in COMPARED if " " not in how)
_LEAST_OR_MOST = frozenset(("least", "most"))
_HOW = opening(sorted(COMPARED, key=len, reverse=True))
THRESHOLD = re.compile(
    rf"(?P<how>{_HOW})s? (?:a |the )?(?:value of )?"
    rf"[$€£]?(?P<bound>{VALUE})(?![\w/^]|[.,]\d)",
    re.IGNORECASE,
)
_KINDS = opening(("even", "odd", "primes?", "acute", "obtuse"))
_OF = opening(("multiples? of", "divisible by", "factors? of", "divisors? of"))
PROPERTY = re.compile(
    rf"{THRESHOLD.pattern}|(?P<than>{_HOW}) the (?P<mean>mean|average|median)\b"
    rf"|(?P<kind>{_KINDS})\b|(?P<of>{_OF}) (?P<base>\d{{1,4}})(?![\w/^]|[.,]\d)",
    re.IGNORECASE,
)

_NAMES = ("even", "odd", "prime", "acute", "obtuse", "multiple", "divisible", "factor", "divisor")
BEGINNINGS = (*COMPARED, *_NAMES)
"""How a property begins, which is found much faster than the whole."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Where a chain speaks of the one list that it, or its question, gives."""

    text: str
    low: str
    """The text in small letters."""
    question: str
    asked: str
    """The question without what it says in brackets, in small letters."""
    data: Listed
    start: int
    end: int


def compares(words: Set[str]) -> bool:
    """Whether a text with these words may compare values with a bound."""
    if not _ALONE.isdisjoint(words):
        return True
    if "than" in words and not _THAN.isdisjoint(words):
        return True
    return "at" in words and not _LEAST_OR_MOST.isdisjoint(words)


@lru_cache(maxsize=4096)
def properties_in(asked: str) -> tuple[re.Match[str], ...]:
    """The properties that a question names."""
    return tuple(PROPERTY.finditer(asked))


def holds(said: re.Match[str], data: Listed) -> Callable[[Fraction], bool]:
    """The property that words name."""
    if said["how"]:
        name = data.named(said["bound"])
        bound = data.value(name) if name else value_of(said["bound"])
        compare = COMPARED[said["how"].lower()]
        return lambda value: compare(value, bound)
    if said["than"]:
        values = [*data.values]
        middle = said["mean"].lower() == "median"
        mean = Fraction(median(values)) if middle else sum(values, Fraction(0)) / len(values)
        compare = COMPARED[said["than"].lower()]
        return lambda value: compare(value, mean)
    if said["of"]:
        base = int(said["base"])
        if said["of"].lower().startswith(("factor", "divisor")):
            return lambda value: value != 0 and (base / value).denominator == 1
        return lambda value: base != 0 and (value / base).denominator == 1
    kind = said["kind"].lower()
    if kind == "acute":
        return lambda value: 0 < value < 90
    if kind == "obtuse":
        return lambda value: 90 < value < 180
    if kind.startswith("prime"):
        return _is_prime
    return lambda value: value % 2 == (kind == "odd")


def _is_prime(value: Fraction) -> bool:
    if value.denominator != 1 or value < 2:
        return False
    return all(value % factor for factor in range(2, min(int(value), 1000)) if factor**2 <= value)


def meant(said: re.Match[str]) -> tuple[object, ...]:
    """What makes two ways of saying a property the same."""
    if said["how"]:
        return COMPARED[said["how"].lower()], value_of(said["bound"])
    if said["than"]:
        return COMPARED[said["than"].lower()], said["mean"].lower()
    return ((said["kind"] or said["of"]).lower().rstrip("s"), said["base"])


def worded(said: re.Match[str]) -> str:
    """A property as a note names it: "above 50", "even", "a factor of 12"."""
    if said["of"]:
        word = said["of"].lower().split()[0].rstrip("s")
        return (
            f"divisible by {said['base']}" if word == "divisible" else f"a {word} of {said['base']}"
        )
    if said["kind"]:
        return said["kind"].lower().rstrip("s")
    return re.sub(r"^exceed\w*", "above", said[0].lower())
