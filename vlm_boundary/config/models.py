"""The models of an experiment: its arms, their controls, and what judges them."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from vlm_boundary.config.base import MAX_SAMPLES, Name, Role, Settings, TemplateArgs
from vlm_boundary.config.engines import EngineConfig, JudgeEngineConfig, PrmConfig
from vlm_boundary.config.sampling import SamplingConfig


class ModelConfig(Settings):
    """Which checkpoint, or which model of a server."""

    model: str
    """Hub id, local folder (of a LoRA adapter too), or tiny:NAME for an embedded checkpoint; with
    engine openai the name that the server gives it, with replay what the samples came from."""
    revision: str | None = None
    """Branch, tag or commit of a hub model; with engine openai your own name of the weights that
    the server holds, in whose place otherwise its address stands."""
    base: str | None = None
    """The checkpoint under a LoRA adapter, in place of the one that the adapter names."""
    chat_template: str | None = None
    """A Jinja file in place of the checkpoint's own chat template."""
    chat_template_args: TemplateArgs = Field(default_factory=dict)
    """What the chat template is told beside the turns, as in {enable_thinking: false}; an argument
    that the template never reads is refused."""
    trust_remote_code: bool = False
    """Run Python code that the checkpoint brings, as some families' processors need; read it
    first."""


class ArmConfig(ModelConfig):
    """One checkpoint under one prompt protocol and one set of sampling parameters."""

    role: Role
    """What the checkpoint is to the comparison."""
    step: int | None = None
    """Training step, for checkpoints along a run."""
    seed: int | None = None
    """Training seed, for checkpoints of role rl that differ in nothing else."""
    recipe: Name | None = None
    """What they are seeds of, where an experiment has checkpoints of several recipes."""
    prompt: str | None = None
    """Prompt protocol in place of the benchmark's own."""
    sampling: dict[str, Any] = Field(default_factory=dict)
    """Sampling parameters that differ from the experiment's."""
    engine: EngineConfig | None = None
    """Engine settings in place of the experiment's."""


class ControlConfig(Settings):
    """A control condition, sampled for every arm beside the experiment itself."""

    n: int = Field(default=16, ge=1, le=MAX_SAMPLES)
    """Samples per problem."""
    prompt: str | None = None
    """Prompt protocol in place of the arm's own; either is reworded for the condition."""
    strength: float | None = Field(default=None, allow_inf_nan=False)
    """How much pictures are altered: blurred, the Gaussian's standard deviation as a share of the
    shorter side (0.02); cropped, the share of the area that is painted white (0.5); noised, the
    weight of noise in the mixture (0.5); rotated, degrees anticlockwise (90)."""


class JudgeSamplingConfig(SamplingConfig):
    """How a judge's votes are drawn."""

    n: int = Field(default=3, ge=1, le=64)
    """Votes on each chain of thought."""
    max_tokens: int = Field(default=8192, ge=1)
    """Longest verdict, its reasoning included; one that is cut off is an abstention."""
    logprob_sum: bool = False
    """Not kept of verdicts."""

    @model_validator(mode="after")
    def _all_votes_are_given(self) -> JudgeSamplingConfig:
        if self.stop is not None:
            raise ValueError("stop: a judge gives all of its votes; drop it")
        return self


class JudgeProbeConfig(Settings):
    """Chains whose verdict is known beforehand, to learn what the judge lets through."""

    chains: int = Field(default=32, ge=1)
    """Chains of each arm on each benchmark that are spoilt, drawn uniformly from those judged."""


class JudgeConfig(ModelConfig):
    """A model that reads right answers' chains of thought and says whether they are valid."""

    name: Name
    """Name of its layer (judge-NAME); another judge, prompt or setting takes another name."""
    engine: JudgeEngineConfig | None = None
    """Engine settings in place of the experiment's."""
    prompt: Name = "reasoning-v1"
    """Which of the judge prompts, by name and version."""
    pictures: bool = True
    """Show the problem's pictures; false for a model that reads text alone."""
    sampling: JudgeSamplingConfig = JudgeSamplingConfig()
    """How its votes are drawn; a vote is a sample."""
    per_problem: int = Field(default=16, ge=1)
    """Right answers of a problem that are judged: all where there are no more, else so many, drawn
    uniformly."""
    probe: JudgeProbeConfig | None = None
    """Also judge spoilt copies, and with blank and other pictures."""
    allow_model_under_test: bool = False
    """Let a model judge although it is an arm of this experiment."""

    @model_validator(mode="after")
    def _reward_models_read_once(self) -> JudgeConfig:
        if isinstance(self.engine, PrmConfig) and (self.pictures or self.sampling.n > 1):
            raise ValueError(
                "a process reward model reads text and always finds the same: set pictures: false "
                "and sampling: {n: 1}"
            )
        return self
