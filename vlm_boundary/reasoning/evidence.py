"""What a checker reads of one output, and what it points at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from vlm_boundary.verifier.faults import FAILED, FAULTS

Flag = Literal[
    "no_reasoning",
    "arithmetic_error",
    "answer_unsupported",
    "repetition",
    "truncated",
    "hedging",
    "contradiction",
    "wrong_fact",
    "wrong_step",
    "underived",
    "failed",
]
FLAGS: tuple[Flag, ...] = get_args(Flag)
"""The first seven from the text alone; wrong_fact, wrong_step and underived from exact truth.

failed says that a checker itself raised; what is right is then undecided.
"""


@dataclass(frozen=True, slots=True)
class Chain:
    """One output with what the verifier found in it.

    `span` is where the final answer stands in the text (start, end), `source` how it was said;
    `correct` is None where the verifier could not tell.
    """

    text: str
    question: str = ""
    finish_reason: str | None = None
    correct: bool | None = True
    answer: str | None = None
    span: tuple[int, int] | None = None
    source: str = "none"


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


Check = Callable[[Chain], tuple[Evidence, ...]]


def guarded(check: Check, chain: Chain) -> tuple[Evidence, ...]:
    """What a checker says of an output; that it failed, and by which error, where it raises."""
    try:
        return check(chain)
    except FAULTS as error:
        return (Evidence("failed", 0, 0, type(error).__name__, veto=False),)


def validity(correct: bool | None, evidence: Iterable[Evidence]) -> bool | None:
    """False for a wrong answer or a veto, true for a right answer without one, else None.

    None too where a checker failed and nothing else is a veto.
    """
    evidence = tuple(evidence)
    if not correct:
        return correct
    if any(item.veto for item in evidence):
        return False
    return None if any(item.flag == FAILED for item in evidence) else True


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
        items = [asdict(item) for item in evidence]
        return cls(validity(correct, evidence), flags(evidence), items)
