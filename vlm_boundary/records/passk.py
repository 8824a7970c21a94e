"""What `passk FILE --json` writes: two models compared without a run."""

from __future__ import annotations

from vlm_boundary.records.record import ByK, Crossover, Curve, Difference, Equivalence, Record


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
    """pass@k of every model, and of the RL model less the base on the problems that both have."""

    models: dict[str, ModelCurve]
    difference: ByK[Difference]
    crossover_k: Crossover
    equivalence: Equivalence | None = None
    """Where a margin is stated."""
    clusters: int | None = None
    """How many, where the file has that column."""
    solved: CountsByModel
    solved_problems: ProblemsByModel
