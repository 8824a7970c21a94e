"""Arms that belong together: along training, over temperatures, and training seeds of a recipe."""

from __future__ import annotations

from pydantic import Field

from vlm_boundary.records.record import ByK, Curve, Estimate, Interval, Range, Record


class TrainingArm(Record):
    """A checkpoint on the way; a base has no step."""

    arm: str
    role: str
    step: int | None
    pass_at_k: Curve


class TrainingSteps(Record):
    """Arms with a training step, in their order, after the bases."""

    ks: list[int]
    arms: list[TrainingArm]


class WarmArm(Record):
    """A checkpoint at one temperature."""

    arm: str
    temperature: float
    pass_at_k: Curve


class Temperatures(Record):
    """Arms of one checkpoint that differ in temperature."""

    model: str
    arms: list[WarmArm]


class SpreadOfSeeds(Interval):
    """Mean over checkpoints, and how they differ."""

    standard_deviation: float
    checkpoints: int


class Seeds(Record):
    """RL checkpoints of one recipe."""

    arms: list[str]
    step: int | None
    problems: int
    pass_at_k: ByK[SpreadOfSeeds]


class SeedEffect(Estimate):
    """What RL does as a recipe: a mean over its checkpoints, with those taken as drawn, too."""

    seeds: int
    each: dict[str, float]
    """What each checkpoint does, by arm."""
    these_checkpoints: Interval
    """The same mean were only problems drawn: it is of these checkpoints, and no others."""
    between: Interval
    """Standard deviation between training runs, noise of samples and problems taken out."""
    another: Range
    """Where another checkpoint of the recipe would be found on these problems."""
    seeds_needed: int | None
    """How many find a gap of this size 80 % of the time; null where it takes more problems."""


class RecipeEffect(Record):
    """RL checkpoints that differ in their training seed alone, against a base."""

    base: str
    seeds: dict[str, int]
    """By arm."""
    benchmarks: dict[str, ByK[SeedEffect]]
    together: ByK[SeedEffect] | None = None
    """Over all benchmarks, each as heavy, where there are several."""


class ArmSeries(Record):
    """Arms that belong together, along training, temperature or seeds."""

    training: TrainingSteps | None = None
    temperature: list[Temperatures] = Field(default_factory=list)
    seeds: list[Seeds] = Field(default_factory=list)
