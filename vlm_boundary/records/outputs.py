"""What commands write for other programs beside analysis.json: gates, compared files, figures."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from vlm_boundary.records.record import (
    ArmPair,
    ByK,
    Crossover,
    Curve,
    Difference,
    Equivalence,
    Record,
)

Decision = Literal["GO", "NO-GO", "INCONCLUSIVE"]
Standing = Literal["holds", "violated", "open"]


class JudgedRule(ArmPair):
    """A rule, asked of one pair on one benchmark."""

    benchmark: str
    kind: str
    rule: str
    """What it asks, in words."""
    standing: Standing
    why: str
    """The numbers behind it, in one line."""
    estimate: float | None = None
    """Of the difference, with its interval as the report prints it; of a share, the larger one."""
    low: float | None = None
    high: float | None = None
    p_holds: float | None = None
    """One-sided, of this rule alone: that it does not hold; no key where nothing is tested."""
    p_violated: float | None = None
    """One-sided, of this rule alone: that it is not violated."""
    p_violated_holm: float | None = None
    """The same adjusted for all rules that are tested."""


class Flip(ArmPair):
    """A problem that one arm solves at least once and the other does not."""

    benchmark: str
    problem_id: str
    solved_by: str
    """The arm that does."""
    base_right: int
    base_samples: int
    other_right: int
    other_samples: int
    p: float
    """The chance that the arm which does not solve it drew none of the right samples, were both
    equally likely to be right on it; of this problem alone."""


class Gate(Record):
    """What `gate --json` writes: one decision, each rule's, and the problems that flipped."""

    decision: Decision
    level: float
    """Nominal, of either error: GO though a rule is violated, NO-GO though all hold."""
    tests: int
    """How many rules are tested, for which NO-GO allows; the others are counted."""
    rules: list[JudgedRule]
    flips: list[Flip]


class ModelCurve(Record):
    """A model of the file."""

    pass_at_k: Curve


class CountsByModel(Record):
    """How many problems both models solve, one of them alone, or none."""

    both: int
    base_only: int
    rl_only: int
    neither: int


class ProblemsByModel(Record):
    """Which problems both models solve, one of them alone, or none."""

    both: list[str]
    base_only: list[str]
    rl_only: list[str]
    neither: list[str]


class ComparedModels(Record):
    """What `passk FILE --json` writes: two models compared without a run.

    pass@k of every model, and of the RL model less the base on the problems that both have.
    """

    models: dict[str, ModelCurve]
    difference: ByK[Difference]
    crossover_k: Crossover
    equivalence: Equivalence | None = None
    """Where a margin is stated."""
    clusters: int | None = None
    """How many, where the file has that column."""
    solved: CountsByModel
    solved_problems: ProblemsByModel


class DrawnFigure(Record):
    """A figure of the report."""

    name: str
    """Of its files, without suffix."""
    title: str
    caption: str = ""
    """How it is read; older reports do not say it."""


class ReportContents(Record):
    """The file report/contents.json."""

    figures: list[DrawnFigure]
    """In the order of the page."""


def read_contents(path: Path) -> ReportContents:
    """Read a contents.json; of one that says something else nothing is known."""
    try:
        return ReportContents.model_validate_json(path.read_bytes())
    except ValidationError:
        return ReportContents(figures=[])
