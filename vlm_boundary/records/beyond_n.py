"""What analysis.json says of more samples than were drawn."""

from __future__ import annotations

from vlm_boundary.records.record import ArmPair, ByK, Interval, Record


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
