"""What the verifier says of one output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["correct", "incorrect", "no_answer", "truncated", "undecided"]
STATUSES: tuple[Status, ...] = get_args(Status)

Source = Literal["tag", "box", "statement", "conclusion", "sole", "sentence", "none", "program"]
SOURCES: tuple[Source, ...] = get_args(Source)
"""Where an answer stood: <answer> tags, \\boxed{}, "the answer is", a concluding sentence, an
output (or last line) that is a value alone, another sentence that answers the question; program: a
grader of the benchmark's own did not say where."""
COMMITTED: frozenset[Source] = frozenset(("tag", "box", "statement", "sole", "program"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an output's final answer is right, and everything that decided it.

    `correct` is None where it cannot be told; such outputs count as not correct in headline
    numbers, and the bound that counts them as correct is printed beside. `rule` names what decided.
    `extracted` is the answer as written, at `span` (start, end) of the output's characters, and
    `normalised` the value it was read as. `flags` say what else was seen.
    """

    correct: bool | None
    status: Status
    extracted: str | None
    rule: str
    normalised: str | None = None
    span: tuple[int, int] | None = None
    source: Source = "none"
    flags: tuple[str, ...] = ()
    tolerance: str | None = None

    @property
    def strict(self) -> bool:
        """Right, and said outright (tagged, boxed, stated, said alone), or by a program."""
        return self.correct is True and self.source in COMMITTED

    @property
    def lenient(self) -> bool:
        """Right, or not known to be wrong."""
        return self.correct is not False
