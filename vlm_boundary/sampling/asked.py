"""What an experiment asks of each arm, and whether arms are asked alike.

What arms differ in, beside their weights, decides no less than these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
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
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import RunArm
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


Found = tuple[Any, str]
"""What is compared of an arm, and how it is said."""


@dataclass(frozen=True)
class Apart:
    """Two arms that are not asked alike, and the setting that allows it."""

    first: str
    other: str
    how: str
    consequence: str
    setting: str
    allowed: bool


def apart(experiment: ExperimentConfig, arms: Mapping[str, RunArm]) -> Iterator[Apart]:
    """How arms differ in chat template, in thinking, or in what they see of pictures.

    Every arm is held against the first of which it is known.
    """
    for name, consequence, setting, of_arm in _KINDS:
        found = ((arm, of_arm(arms[arm])) for arm in experiment.arms if arm in arms)
        known = [(arm, *one) for arm, one in found if one is not None]
        for arm, what, said in known[1:]:
            first, whats, as_said = known[0]
            if what != whats:
                allowed = bool(getattr(experiment, setting))
                how = f"{name} ({as_said}, and {said})"
                yield Apart(first, arm, how, consequence, setting, allowed)


def refuse_apart(experiment: ExperimentConfig, arms: Mapping[str, RunArm]) -> None:
    """Refuse to compare arms that are not asked alike, unless the experiment allows it.

    Raises:
        UserError: naming two such arms, and what to do.
    """
    for one in apart(experiment, arms):
        if not one.allowed:
            raise UserError(
                f"arms {one.first!r} and {one.other!r} have different {one.how}, so "
                f"{one.consequence}, or set {one.setting}: true"
            )


def _template(arm: RunArm) -> Found | None:
    found = arm.identity.chat_template
    return None if found is None else (found, f"{found[:12]}…")


def _thoughts(arm: RunArm) -> Found | None:
    if not arm.identity.weights or arm.engine.get("kind") == "replay":
        return None
    told = dict(arm.identity.chat_template_args or {})
    said = ", ".join(f"{name}: {value}" for name, value in told.items()) or "no arguments"
    return told, said


def _opening(arm: RunArm) -> Found | None:
    opened = arm.thinking_open
    said = "the prompt opens a thought" if opened else "the prompt opens none"
    return None if opened is None else (opened, said)


def _pictures(arm: RunArm) -> Found | None:
    if not arm.pictures:
        return None
    # What was said and what holds unsaid count alike: an engine that says {} says nothing.
    sizes = {name: one.model_dump(exclude_defaults=True) for name, one in arm.pictures.items()}
    return sizes, "; ".join(dict.fromkeys(one.said for one in arm.pictures.values()))


_KINDS: tuple[tuple[str, str, str, Callable[[RunArm], Found | None]], ...] = (
    (
        "chat templates",
        "they would see different prompts: give both one with arms.NAME.chat_template",
        "allow_different_chat_templates",
        _template,
    ),
    (
        "chat_template_args",
        "they may think differently: write the same for both",
        "allow_different_thoughts",
        _thoughts,
    ),
    (
        "thoughts",
        "one begins its answers inside a thought: set chat_template_args, or one chat_template",
        "allow_different_thoughts",
        _opening,
    ),
    (
        "pictures",
        "they see different things: set images.max_pixels, or images.max_tokens across families",
        "allow_different_pictures",
        _pictures,
    ),
)
