"""The parts of analysis.json that say what sampling costs, and what more of it might do."""

from __future__ import annotations

from pydantic import Field

from vlm_boundary.records.record import ArmPair, ByK, Curve, Entry, Interval, Record


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


class FittedModel(Record):
    """A model of the problems' accuracies, and what it says past n."""

    a: float | None
    b: float | None
    never_solved: Interval
    pass_at_k: ByK[Interval]


class PredictionError(Record):
    """How far a model was off where it is known."""

    predicted: Interval
    error: Interval


class BackTest(Record):
    """Models fitted on the first part of the samples, held against all of them."""

    fitted_on: int
    k: int
    observed: float
    beta_binomial: PredictionError
    zero_inflated: PredictionError

    @property
    def models(self) -> dict[str, PredictionError]:
        """By the model's name."""
        return {"beta_binomial": self.beta_binomial, "zero_inflated": self.zero_inflated}


class BeyondNOfArm(Record):
    """An arm's curve past the samples that were drawn."""

    n: int
    problems: int
    left_out: int
    beta_binomial: FittedModel
    zero_inflated: FittedModel
    back_test: BackTest | None

    @property
    def models(self) -> dict[str, FittedModel]:
        """By the model's name."""
        return {"beta_binomial": self.beta_binomial, "zero_inflated": self.zero_inflated}


class BeyondNOfPair(ArmPair):
    """A difference past n, by model."""

    n: int
    problems: int
    back_test_error: dict[str, float | None]
    difference: dict[str, ByK[Interval]]


class BeyondN(Record):
    """What more samples might do: a model, not a measurement."""

    reach: int
    """How many times n the claims go."""
    arms: dict[str, BeyondNOfArm]
    pairs: list[BeyondNOfPair]
