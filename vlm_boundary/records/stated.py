"""What a chain states: what it says it sees, what it works out, and what of that is false first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

FirstFalse = Literal["seeing", "reasoning", "answer", "none"]
FIRST_FALSE: tuple[FirstFalse, ...] = get_args(FirstFalse)
"""What kind of statement is the first false one of a chain on a problem whose truth is known.

seeing: of the picture; reasoning: an equation, or what is concluded; answer: all that was read
before the answer is true and the answer is wrong; none: no false statement was found.
"""


@dataclass(frozen=True, slots=True)
class Stated:
    """One sample's statements; see `store.schemas.STATEMENTS`."""

    names: list[str]
    values: list[str]
    steps: list[str]
    first_false: FirstFalse | None = None
    place: list[int] | None = None
