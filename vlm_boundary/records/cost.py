"""The section `efficiency` of analysis.json: what sampling costs, and pairs at equal cost."""

from __future__ import annotations

from pydantic import Field

from vlm_boundary.records.record import ArmPair, Curve, Entry, Record


class Coverage(Record):
    """What k samples of a problem cost and solve."""

    k: int
    tokens_per_problem: float | None
    pass_at_k: Entry


class CostOfArm(Record):
    """Tokens that an arm generated; null where not all lengths are known."""

    tokens: int | None
    tokens_per_sample: Entry
    tokens_per_solved_problem: float | None
    tokens_per_correct_sample: float | None
    coverage: list[Coverage]


class EfficiencyGap(ArmPair):
    """The base's pass@k less the other arm's pass@1."""

    k: int
    sampling_efficiency_gap: Entry


class AtTokens(Record):
    """Two arms that spend as many tokens a problem."""

    tokens: float
    base_k: float
    """How many samples of each problem these are."""
    other_k: float
    base_pass_at_k: Entry
    other_pass_at_k: Entry
    difference: Entry


class ShorterResponses(Record):
    """Two arms with responses up to a length; longer ones answer nothing."""

    max_tokens: int
    base_longer: float
    """The share of its samples."""
    other_longer: float
    base_pass_at_k: Curve
    other_pass_at_k: Curve
    difference: Curve


class EqualBudgets(ArmPair):
    """A pair at equal cost; null where not all lengths are known."""

    by_tokens: list[AtTokens] | None
    by_max_tokens: list[ShorterResponses] | None


class Efficiency(Record):
    """What sampling costs."""

    arms: dict[str, CostOfArm]
    pairs: list[EfficiencyGap]
    budgets: list[EqualBudgets] = Field(default_factory=list)
