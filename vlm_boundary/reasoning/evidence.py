"""What a checker reads of one output, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from vlm_boundary.reasoning.text.passages import AnswerPlace, answer_place, own_turn
from vlm_boundary.records.validity import Evidence
from vlm_boundary.verifier.faults import FAULTS

__all__ = ["Chain", "Check", "Evidence", "guarded"]

_LONGEST_BARE = 24


@dataclass(frozen=True)
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

    @cached_property
    def turn(self) -> tuple[int, int]:
        """Where the output's own turn begins and ends; every layer asks for it."""
        return own_turn(self.text, self.question)

    @cached_property
    def answer_place(self) -> AnswerPlace:
        """Where the final answer is said."""
        return answer_place(self.text, *self.turn, self.span)

    @property
    def is_bare(self) -> bool:
        """Whether its answer is one number or word, and nothing but marks stands around it.

        There is then nothing that the answer could be compared with, or that leads to it.
        """
        (start, end), span = self.turn, self.span
        if end - start > _LONGEST_BARE or span is None or not start <= span[0] < span[1] <= end:
            return False
        text = self.text
        value = text[span[0] : span[1]]
        return (
            (value.isalnum() or value.replace(".", "", 1).isdecimal())
            and end == len(text)
            and not text[start : span[0]].strip(" \n$*(")
            and not text[span[1] :].strip(" \n$*)°%.")
        )


Check = Callable[[Chain], tuple[Evidence, ...]]


def guarded(check: Check, chain: Chain) -> tuple[Evidence, ...]:
    """What a checker says of an output; that it failed, and by which error, where it raises."""
    try:
        return check(chain)
    except FAULTS as error:
        return (Evidence("failed", 0, 0, type(error).__name__, veto=False),)
