"""What a verifier says of one output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["correct", "incorrect", "no_answer", "truncated", "undecided"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class Verdict:
    """Whether an output's final answer is right.

    `correct` is None where it cannot be told; such outputs count as not correct in headline
    numbers, and the bound that counts them as correct is printed beside. `rule` names what decided.
    """

    correct: bool | None
    status: Status
    extracted: str | None
    rule: str


@dataclass(frozen=True)
class Output:
    """One thing to grade: a model's text, the gold answer and its type, and how it ended."""

    text: str
    gold: str
    finish_reason: str | None = None
    answer_type: str | None = None
