"""Experiment settings: which checkpoints meet which benchmarks, under which sampling parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from vlm_boundary.errors import UserError
from vlm_boundary.settings import apply_overrides, load_yaml, validate

# Arm and benchmark names become folder names and Hive partition values.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Role = Literal["base", "rl", "instruct", "distilled", "step"]

MAX_SAMPLES = 1 << 20  # the span of seeds reserved for one problem, see sampling/seeds.py


class Settings(BaseModel):
    """Base of every settings record: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class SamplingConfig(Settings):
    """How answers are drawn; every value is sent to the engine explicitly."""

    n: int = Field(default=128, ge=1, le=MAX_SAMPLES)
    """Samples per problem."""
    temperature: float = Field(default=0.6, ge=0.0, le=2.0)
    """Softmax temperature; 0 is greedy and allows one sample."""
    top_p: float = Field(default=0.95, gt=0.0, le=1.0)
    """Nucleus mass."""
    top_k: int = Field(default=0, ge=0)
    """Candidates kept per token; 0 keeps all."""
    min_p: float = Field(default=0.0, ge=0.0, le=1.0)
    """Smallest probability kept, relative to the likeliest token's."""
    repetition_penalty: float = Field(default=1.0, gt=0.0)
    """1 is none."""
    max_tokens: int = Field(default=16384, ge=1)
    """Longest response, in tokens."""
    token_logprobs: int = Field(default=0, ge=0)
    """Samples of each problem, from the first, that keep every token's log-probability."""

    @model_validator(mode="after")
    def _greedy_draws_once(self) -> SamplingConfig:
        if self.temperature == 0.0 and self.n > 1:
            raise ValueError("temperature 0 gives the same answer every time: set n to 1")
        return self


class EngineConfig(Settings):
    """What generates: the engine and its own arguments."""

    kind: Literal["vllm"] = "vllm"
    """The engine."""
    in_process: bool | None = None
    """Run vLLM's core in the sampling process; by default only where there is no GPU."""
    args: dict[str, Any] = Field(default_factory=dict)
    """vLLM's engine arguments under its own names (dtype, max_model_len …)."""


class ArmConfig(Settings):
    """One checkpoint under one prompt protocol and one set of sampling parameters."""

    model: str
    """Hub id, local folder, or tiny:NAME for an embedded checkpoint."""
    revision: str | None = None
    """Branch, tag or commit of a hub model."""
    role: Role
    """What the checkpoint is to the comparison."""
    step: int | None = None
    """Training step, for checkpoints along a run."""
    prompt: str | None = None
    """Prompt protocol in place of the benchmark's own."""
    sampling: dict[str, Any] = Field(default_factory=dict)
    """Sampling parameters that differ from the experiment's."""
    engine: EngineConfig | None = None
    """Engine settings in place of the experiment's."""


class AnalysisConfig(Settings):
    """Which statistics are computed."""

    ks: tuple[int, ...] | None = None
    """The k of pass@k; by default 1, 2, 4 … and n."""
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    """Level of the intervals."""


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
    engine: EngineConfig = EngineConfig()
    """Engine of every arm."""
    parallel_engines: int | None = Field(default=None, ge=1)
    """Arms sampled side by side; by default one on a GPU, and one a core on a CPU."""
    analysis: AnalysisConfig = AnalysisConfig()
    """Statistics."""

    @property
    def run_path(self) -> Path:
        """The run directory."""
        return Path(self.run_dir) if self.run_dir else Path("runs") / self.name

    def arm_sampling(self, arm: str) -> SamplingConfig:
        """The experiment's sampling parameters with this arm's changes."""
        merged = self.sampling.model_dump() | self.arms[arm].sampling
        return validate(SamplingConfig, merged, where=f"arms.{arm}.sampling")

    def arm_engine(self, arm: str) -> EngineConfig:
        """The engine settings that hold for an arm."""
        return self.arms[arm].engine or self.engine

    def ks(self, n: int) -> tuple[int, ...]:
        """The k at which curves are reported for n samples a problem, ascending."""
        if self.analysis.ks is not None:
            return tuple(sorted(set(self.analysis.ks)))
        powers = [1 << i for i in range(n.bit_length())]
        return tuple(sorted({*powers, n}))


def load_experiment(path: Path, overrides: tuple[str, ...] = ()) -> ExperimentConfig:
    """Read an experiment YAML and apply `section.key=value` overrides.

    Raises:
        UserError: the file is missing, not YAML, or says something that is not valid.
    """
    raw = load_yaml(path)
    return build_experiment(raw, overrides, where=str(path))


def build_experiment(raw: Any, overrides: tuple[str, ...], *, where: str) -> ExperimentConfig:
    """Check an experiment's settings as a whole; see `load_experiment`."""
    config = validate(ExperimentConfig, apply_overrides(raw, overrides), where=where)
    for arm in config.arms:
        sampling = config.arm_sampling(arm)
        largest = max(config.ks(sampling.n))
        # One greedy or single-pass arm beside sampled ones has no curve, only its accuracy.
        if sampling.n > 1 and sampling.n < largest:
            raise UserError(
                f"{where}: arm {arm!r} draws n = {sampling.n} samples a problem, but "
                f"analysis.ks asks for pass@{largest}; set sampling.n to at least {largest} "
                f"or drop the ks above {sampling.n}"
            )
    return config
