"""What an experiment asks of each arm, read out of its settings before anything is loaded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from vlm_boundary.config import (
    FULL,
    ArmConfig,
    Condition,
    EngineConfig,
    ExperimentConfig,
    SamplingConfig,
)
from vlm_boundary.stopping import StoppingRule


@dataclass(frozen=True)
class Target:
    """A benchmark under a condition, as an arm is asked it; how often makes no other one.

    `protocol` is the prompt in place of the benchmark's own, `strength` how much pictures are
    altered, `rule` what may end a problem before it has n samples.
    """

    benchmark: str
    condition: Condition
    n: int = field(compare=False)
    protocol: str | None = None
    strength: float | None = None
    rule: StoppingRule | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """As the manifest has it."""
        plain = self.condition == FULL
        return self.benchmark if plain else f"{self.benchmark}/{self.condition}"


@dataclass(frozen=True)
class Asked:
    """An arm's settings as they hold; `told` is what its chat template is told beside the turns."""

    arm: ArmConfig
    engine: EngineConfig
    engine_identity: dict[str, Any]
    sampling: SamplingConfig
    told: dict[str, Any]
    seed: int
    targets: tuple[Target, ...]

    @classmethod
    def of(cls, experiment: ExperimentConfig, name: str) -> Asked:
        """What an experiment asks of one arm."""
        engine, sampling = experiment.arm_engine(name), experiment.arm_sampling(name)
        targets = (
            Target(
                benchmark,
                condition,
                n,
                protocol=experiment.prompt(name, condition),
                strength=experiment.strength(condition),
                rule=sampling.rule if condition == FULL else None,
            )
            for arm, benchmark, condition, n in experiment.targets()
            if arm == name
        )
        return cls(
            arm=experiment.arms[name],
            engine=engine,
            engine_identity=engine.identity(),
            sampling=sampling,
            told=experiment.arm_chat_template_args(name),
            seed=experiment.seed,
            targets=tuple(targets),
        )

    @classmethod
    def of_arms(
        cls, experiment: ExperimentConfig, only: Collection[str] | None
    ) -> dict[str, Asked]:
        """What an experiment asks of each arm, or of some, in its order."""
        names = (name for name in experiment.arms if only is None or name in only)
        return {name: cls.of(experiment, name) for name in names}
