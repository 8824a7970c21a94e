"""What is made of one sample's reasoning: whether it is valid, what it states, what is false."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Flag = Literal[
    "no_reasoning",
    "arithmetic_error",
    "answer_unsupported",
    "repetition",
    "truncated",
    "hedging",
    "contradiction",
    "thought_agrees",
    "thought_differs",
    "wrong_fact",
    "wrong_step",
    "underived",
    "failed",
]
FLAGS: tuple[Flag, ...] = get_args(Flag)
"""The first seven from the text alone; wrong_fact, wrong_step and underived from exact truth.

thought_agrees and thought_differs say how the final answer compares with what a separate thought
concludes; they are never a veto.

failed says that a checker itself raised; what is right is then undecided.
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A flag and the characters of the text that raised it.

    Without `veto` it is a hint, which leaves the output as valid as it was.
    """

    flag: Flag
    start: int
    end: int
    note: str
    veto: bool = True


def validity(correct: bool | None, evidence: Iterable[Evidence]) -> bool | None:
    """False for a wrong answer or a veto, true for a right answer without one, else None.

    None too where a checker failed and nothing else is a veto.
    """
    evidence = tuple(evidence)
    if not correct:
        return correct
    if any(item.veto for item in evidence):
        return False
    return None if any(item.flag == "failed" for item in evidence) else True


_EVIDENCE = [field.name for field in fields(Evidence)]


def flags(evidence: Iterable[Evidence]) -> list[str]:
    """The flags raised, vetoes and hints, sorted, each once."""
    return sorted({item.flag for item in evidence})


@dataclass(frozen=True, slots=True)
class Validity:
    """What a layer says of one sample's reasoning; see `store.schemas.VALIDITY`."""

    valid: bool | None
    flags: list[str]
    evidence: list[dict[str, Any]]
    votes: list[bool | None] | None = None

    @classmethod
    def of(cls, correct: bool | None, evidence: tuple[Evidence, ...]) -> Validity:
        """What follows from a checker's evidence and the answer's verdict."""
        items = [{name: getattr(item, name) for name in _EVIDENCE} for item in evidence]
        return cls(validity(correct, evidence), flags(evidence), items)


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
