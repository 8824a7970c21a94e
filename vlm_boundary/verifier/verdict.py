"""What is graded, and against what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

if TYPE_CHECKING:
    from vlm_boundary.records.problem import Grading


_Kind = Literal["exact", "decimals", "absolute", "relative"]


@dataclass(frozen=True)
class Tolerance:
    """How far a number may be from the gold answer.

    Attributes:
        kind: "exact"; "decimals", half a unit of that decimal place (0.5 × 10^-amount);
            "absolute"; or "relative", a share of the gold answer (0.05 is 5 %).
        amount: decimals, distance or share.
    """

    KINDS: ClassVar[tuple[_Kind, ...]] = ("exact", "decimals", "absolute", "relative")
    kind: _Kind
    amount: Fraction | int | float | str | Decimal = 0

    def distance(self, gold: Fraction) -> Fraction:
        """The largest difference from this gold answer that is right."""
        if self.kind == "exact":
            return Fraction(0)
        if self.kind == "decimals":
            return Fraction(1, 2) / Fraction(10) ** int(self.amount)
        amount = Fraction(str(self.amount)) if isinstance(self.amount, float) else self.amount
        return Fraction(amount) * (abs(gold) if self.kind == "relative" else 1)

    def __str__(self) -> str:
        if self.kind == "exact":
            return "exact"
        if self.kind == "relative":
            return f"±{float(Fraction(str(self.amount))) * 100:g}%"
        return f"±{float(self.distance(Fraction(1))):g}"


class GradedProblem(Protocol):
    """What a verdict depends on besides the output; a `records.problem.Problem` is one."""

    @property
    def question(self) -> str: ...  # noqa: D102
    @property
    def answer(self) -> str: ...  # noqa: D102
    @property
    def answer_type(self) -> str | None: ...  # noqa: D102
    @property
    def unit(self) -> str | None: ...  # noqa: D102
    @property
    def precision(self) -> int | None: ...  # noqa: D102
    @property
    def choices(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def grading(self) -> Grading: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Gold:
    """A gold answer and all that decides what equals it.

    Args:
        answer: as the data set writes it.
        answer_type: integer, float, list, expression or text; without one the answer decides.
        unit: of the answer where the data set names one.
        precision: decimals to which a float is given.
        choices: the texts of a multiple-choice question, in order; the answer is a letter or a
            text.
        question: read for what it asks about; the numbers in it are rarely its answer.
        tolerance: in place of the one that answer type and precision imply.
        alternatives: further answers, each right by itself.
        letter_set: the answer is the letters of several options, in any order.
    """

    answer: str
    answer_type: str | None = None
    unit: str | None = None
    precision: int | None = None
    choices: tuple[str, ...] = ()
    question: str = ""
    tolerance: Tolerance | None = None
    alternatives: tuple[str, ...] = ()
    letter_set: bool = False

    @classmethod
    def of(cls, problem: GradedProblem) -> Gold:
        """The gold answer of a benchmark's problem, under the rules that its YAML declares."""
        return cls(
            problem.answer,
            problem.answer_type,
            problem.unit,
            problem.precision,
            tuple(problem.choices),
            problem.question,
            _tolerance(problem.grading),
            problem.grading.alternatives,
            problem.grading.letters == "set",
        )

    def each(self) -> tuple[Gold, ...]:
        """Every answer that is right by itself, the first one first."""
        others = (replace(self, answer=other, alternatives=()) for other in self.alternatives)
        return (replace(self, alternatives=()), *others)


def _tolerance(grading: Grading) -> Tolerance | None:
    if grading.numeric == "exact":
        return None  # what answer type and precision imply
    amount = grading.decimals if grading.numeric == "decimals" else grading.tolerance
    return Tolerance(grading.numeric, amount or 0)


@dataclass(frozen=True, slots=True)
class Output:
    """One thing to grade: a model's text, the gold answer, and how the text began and ended.

    `answer_type` may be given here where `gold` is a bare string. `thinking_open` says that the
    prompt ended inside a thought (a chat template that writes `<think>`), so that a text without a
    closing mark is all thought; False that it did not. None is not known: a text without any mark
    of a thought is then read as an answer.
    """

    text: str
    gold: Gold | str
    finish_reason: str | None = None
    answer_type: str | None = None
    thinking_open: bool | None = None

    def target(self) -> Gold:
        """The gold answer with its type."""
        return self.gold if isinstance(self.gold, Gold) else Gold(self.gold, self.answer_type)
