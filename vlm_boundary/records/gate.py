"""What a gate says: one decision, each rule's, and the problems that flipped."""

from __future__ import annotations

from typing import Literal

from vlm_boundary.records.record import ArmPair, Record

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
    """The decision of a gate."""

    decision: Decision
    level: float
    """Nominal, of either error: GO though a rule is violated, NO-GO though all hold."""
    tests: int
    """How many rules are tested, for which NO-GO allows; the others are counted."""
    rules: list[JudgedRule]
    flips: list[Flip]
