"""A whole experiment: which checkpoints meet which benchmarks, and how."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from vlm_boundary.config.analysis import AnalysisConfig
from vlm_boundary.config.base import (
    FULL,
    STRENGTHS,
    Condition,
    Control,
    Name,
    Settings,
    TemplateArgs,
)
from vlm_boundary.config.files import paths_beside
from vlm_boundary.config.models import (
    ArmConfig,
    ControlConfig,
    EngineConfig,
    JudgeConfig,
    PrmConfig,
    RayConfig,
    ReplayConfig,
    Timeouts,
    VllmConfig,
)
from vlm_boundary.config.sampling import SamplingConfig
from vlm_boundary.errors import UserError
from vlm_boundary.settings import apply_overrides, load_yaml, validate


class ExperimentConfig(Settings):
    """A whole experiment, as its YAML file says it."""

    name: Name
    """Name of the run directory under runs/."""
    run_dir: str | None = None
    """Where the run is kept, when not runs/<name>."""
    seed: int = Field(default=0, ge=0)
    """Root of every sample's seed."""
    benchmarks: dict[Name, dict[str, Any] | None] = Field(min_length=1)
    """Benchmark names, each with the keys of its YAML that this experiment changes."""
    arms: dict[Name, ArmConfig] = Field(min_length=1)
    """The checkpoints, by the name they have in tables and figures."""
    sampling: SamplingConfig = SamplingConfig()
    """Sampling parameters of every arm."""
    controls: dict[Control, ControlConfig] = Field(default_factory=dict)
    """Control conditions: no_image, shuffled_image (another problem's), direct_answer; described
    (words in the picture's place), described_with_image, misleading_caption (another problem's
    description); wrong_prefix (begun with a wrong sample's steps); blurred, cropped, noised,
    rotated; half_question."""
    engine: EngineConfig = VllmConfig()
    """Engine of every arm."""
    chat_template_args: TemplateArgs = Field(default_factory=dict)
    """What every arm's chat template is told, as in {enable_thinking: false}; an arm's own go
    before these, and null takes one away."""
    allow_different_chat_templates: bool = False
    """Compare arms although their chat templates differ."""
    allow_different_thoughts: bool = False
    """Compare arms although only one is asked to think, or their chat_template_args differ."""
    allow_different_pictures: bool = False
    """Compare arms although they are shown pictures in different sizes."""
    gpus: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(default=None, min_length=1)
    """GPUs to use, an engine on each (tensor parallelism: on each few); by default all."""
    parallel_engines: int | None = Field(default=None, ge=1)
    """Engines side by side; by default one a GPU, or one a core on a CPU."""
    waves: tuple[Annotated[int, Field(ge=1)], ...] = (64, 256, 1024, 4096)
    """Samples per problem that all arms are brought to in turn when there are more engines to run
    than places for them, so that a run stopped half way has curves to compare."""
    ray: RayConfig | None = None
    """Run the arms' engines on a Ray cluster; `engine: ray` is short for vLLM under ray: {}."""
    timeouts: Timeouts = Timeouts()
    """How long engines may take, and results wait."""
    analysis: AnalysisConfig = AnalysisConfig()
    """Statistics."""
    judge: JudgeConfig | None = None
    """What judges chains of thought beyond the deterministic checks, if anything."""

    @property
    def judge_engine(self) -> EngineConfig | PrmConfig:
        """The engine settings that hold for the judge."""
        return (self.judge and self.judge.engine) or self.engine

    @property
    def run_path(self) -> Path:
        """The run directory."""
        return Path(self.run_dir) if self.run_dir else Path("runs") / self.name

    def arm_sampling(self, arm: str) -> SamplingConfig:
        """The experiment's sampling parameters with this arm's changes.

        Of the experiment's stopping rule an arm with a smaller n has the looks below that.
        """
        changes = self.arms[arm].sampling
        merged = self.sampling.model_dump() | changes
        if "stop" not in changes and isinstance(n := changes.get("n"), int):
            merged["stop"] = self.sampling.stopping_within(n)
        return validate(SamplingConfig, merged, where=f"arms.{arm}.sampling")

    def arm_chat_template_args(self, arm: str) -> dict[str, Any]:
        """What an arm's chat template is told beside the turns."""
        if isinstance(self.arm_engine(arm), ReplayConfig):
            return {}
        told = self.chat_template_args | self.arms[arm].chat_template_args
        return {name: value for name, value in told.items() if value is not None}

    def repeats(self, arm: str, base: str) -> bool:
        """Whether an arm samples a base's checkpoint again in the same way, however often."""
        one, other = self.arms[arm], self.arms[base]
        alike = {"role": one.role, "sampling": one.sampling}
        first, second = (
            self.arm_sampling(name).model_dump(exclude={"n", "stop"}) for name in (arm, base)
        )
        roles = (one.role, other.role) == ("repeat", "base")
        return roles and other.model_copy(update=alike) == one and first == second

    def recipes(self) -> list[dict[str, int]]:
        """RL arms that differ in their training seed alone, each with its seed, two or more."""
        groups: dict[tuple[str, ...], dict[str, int]] = {}
        for name, arm in self.arms.items():
            if arm.seed is not None:
                drawn = self.arm_sampling(name).model_dump(exclude={"n", "stop"})
                told = sorted(self.arm_chat_template_args(name).items())
                alike = (arm.recipe, arm.step, arm.base, arm.prompt, arm.chat_template)
                groups.setdefault((repr(alike), repr(told), repr(drawn)), {})[name] = arm.seed
        return [arms for arms in groups.values() if len(arms) > 1]

    def with_self_test(self) -> ExperimentConfig:
        """The experiment with every base sampled once more, a quarter as often: the A/A self-test.

        A sample's seed depends on its arm's name, so that these are other samples.

        Raises:
            UserError: no base can be sampled again.
        """
        again = {}
        for name, arm in self.arms.items():
            drawn = self.arm_sampling(name)
            again_n = -(-drawn.n // 4)
            replayed = isinstance(self.arm_engine(name), ReplayConfig)
            if arm.role == "base" and drawn.n > 1 and not replayed:
                stop = drawn.stopping_within(again_n)
                sampling = arm.sampling | {"n": again_n}
                if "stop" in sampling:
                    sampling["stop"] = stop.model_dump() if stop else None
                changes = {"role": "repeat", "sampling": sampling}
                again[f"{name}-again"] = arm.model_copy(update=changes)
        if not again:
            raise UserError("--self-test: there is no arm of role base that samples more than once")
        return self.model_copy(update={"arms": self.arms | again})

    def targets(self) -> list[tuple[str, str, Condition, int]]:
        """What is to be sampled: arm, benchmark, condition, and samples per problem."""
        wanted = []
        for arm in self.arms:
            sampling = self.arm_sampling(arm)
            for benchmark in self.benchmarks:
                wanted.append((arm, benchmark, FULL, sampling.n))
                for condition, control in self.controls.items():
                    n = control.n if sampling.temperature > 0 else 1
                    wanted.append((arm, benchmark, condition, n))
        return wanted

    def prompt(self, arm: str, condition: Condition) -> str | None:
        """The prompt protocol that an arm sees in place of the benchmark's own, if any."""
        control = self.controls[condition].prompt if condition in self.controls else None
        return control or self.arms[arm].prompt

    def strength(self, condition: Condition) -> float | None:
        """How much a condition alters pictures; None where it leaves them as they are."""
        if condition == FULL or condition not in STRENGTHS:
            return None
        control = self.controls.get(condition)
        said = control.strength if control else None
        return STRENGTHS[condition][0] if said is None else said

    def arm_engine(self, arm: str) -> EngineConfig:
        """The engine settings that hold for an arm."""
        return self.arms[arm].engine or self.engine

    @model_validator(mode="before")
    @classmethod
    def _ray_for_short(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping) and raw.get("engine") == "ray":
            others = {key: value for key, value in raw.items() if key != "engine"}
            return others | {"ray": raw.get("ray") or {}}
        return raw

    @model_validator(mode="after")
    def _strengths_are_of_pictures(self) -> ExperimentConfig:
        for name, control in self.controls.items():
            if control.strength is None:
                continue
            if name not in STRENGTHS:
                raise ValueError(
                    f"controls.{name} has no strength; {', '.join(STRENGTHS)} have one"
                )
            _, least, most = STRENGTHS[name]
            if not least < control.strength < most:
                raise ValueError(
                    f"controls.{name}.strength {control.strength:g} is not between {least:g} and "
                    f"{most:g}"
                )
        return self

    @model_validator(mode="after")
    def _waves_ascend(self) -> ExperimentConfig:
        if list(self.waves) != sorted(set(self.waves)):
            raise ValueError(f"waves must ascend, not {list(self.waves)}")
        return self

    def ks(self, n: int) -> tuple[int, ...]:
        """The k at which curves are reported for n samples per problem, ascending."""
        if self.analysis.ks is not None:
            return tuple(sorted(set(self.analysis.ks)))
        powers = [1 << i for i in range(n.bit_length())]
        return tuple(sorted({*powers, n}))


def load_experiment(path: Path, overrides: tuple[str, ...] = ()) -> ExperimentConfig:
    """Read an experiment YAML and apply `section.key=value` overrides.

    Raises:
        UserError: the file is missing, not YAML, or says something that is not valid; a path that
            it names is one thing beside it and another in the working directory.
    """
    raw = paths_beside(load_yaml(path), path)
    return build_experiment(raw, overrides, where=str(path))


def build_experiment(raw: Any, overrides: tuple[str, ...], *, where: str) -> ExperimentConfig:
    """Check an experiment's settings as a whole; see `load_experiment`."""
    config = validate(ExperimentConfig, apply_overrides(raw, overrides), where=where)
    for arm in config.arms:
        sampling = config.arm_sampling(arm)
        largest = max(config.ks(sampling.n))
        # One greedy or single-pass arm beside sampled ones has no curve, only its accuracy.
        repeat = config.arms[arm].role == "repeat"
        if 1 < sampling.n < largest and not repeat:
            raise UserError(
                f"{where}: arm {arm!r} draws n = {sampling.n} samples per problem, but "
                f"analysis.ks asks for pass@{largest}; set sampling.n to at least {largest} "
                f"or drop the ks above {sampling.n}"
            )
        _check_arm(config, arm, where=where)
    checked = config.analysis.verifier_error.arms if config.analysis.verifier_error else {}
    for arm in checked:
        if arm not in config.arms:
            raise UserError(
                f"{where}: analysis.verifier_error.arms: there is no arm {arm!r}; there are "
                f"{', '.join(config.arms)}"
            )
    for seeds in config.recipes():
        twice = [arm for arm, seed in seeds.items() if list(seeds.values()).count(seed) > 1]
        if twice:
            raise UserError(
                f"{where}: arms.{twice[1]}.seed {seeds[twice[1]]} is that of {twice[0]} too; give "
                f"another seed, or say in recipe: what each is a seed of"
            )
    if config.judge and isinstance(config.judge_engine, ReplayConfig):
        raise UserError(f"{where}: judge: stored samples judge nothing; set judge.engine")
    if (
        config.judge
        and config.judge.chat_template_args
        and isinstance(config.judge_engine, PrmConfig)
    ):
        raise UserError(f"{where}: judge.chat_template_args has no effect with engine kind prm")
    return config


def _check_arm(config: ExperimentConfig, name: str, *, where: str) -> None:
    """Refuse what contradicts itself before anything is loaded."""
    arm, engine, sampling = config.arms[name], config.arm_engine(name), config.arm_sampling(name)
    if isinstance(engine, VllmConfig):
        room = engine.args.get("max_model_len")
        # A negative one asks vLLM to find the largest that fits.
        if isinstance(room, int) and 0 < room <= sampling.max_tokens:
            raise UserError(
                f"{where}: arm {name!r}: engine.args.max_model_len {room} holds prompt and "
                f"response, so it must be above sampling.max_tokens {sampling.max_tokens} by at "
                f"least the longest prompt"
            )
    for key in ("seed", "recipe"):
        if getattr(arm, key) is not None and arm.role != "rl":
            raise UserError(f"{where}: arms.{name}.{key} is of role rl, and this is {arm.role}")
    if arm.recipe is not None and arm.seed is None:
        raise UserError(f"{where}: arms.{name}.recipe says what it is a seed of; give its seed")
    if not engine.needs_checkpoint:
        for key in ("base", "chat_template"):
            if getattr(arm, key) is not None:
                raise UserError(
                    f"{where}: arms.{name}.{key} has no effect with engine kind {engine.kind}; "
                    f"drop it"
                )
    if isinstance(engine, ReplayConfig):
        for key in ("revision", "chat_template_args"):
            if getattr(arm, key):
                raise UserError(f"{where}: arms.{name}.{key} has no effect with engine kind replay")
