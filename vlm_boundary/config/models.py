"""The models of an experiment: its arms, controls and judge, and what runs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from vlm_boundary.config.base import MAX_SAMPLES, Name, PlainMapping, Role, Settings, TemplateArgs
from vlm_boundary.config.sampling import SamplingConfig

# The engine arguments that change which texts are likely; the others only change the speed.
_DISTRIBUTION_ARGS = (
    *("dtype", "quantization", "kv_cache_dtype", "max_model_len", "hf_overrides"),
    "mm_processor_kwargs",
)


# Engine arguments of vLLM that are settings of ours.
_SAID_ELSEWHERE = {
    "logprobs_mode": "use processed_logprobs",
    "trust_remote_code": "set it for the arm",
}


def _masking(masked: bool) -> dict[str, Any]:
    # Not said where it is off, as in runs from before there was a mask: those go on unmasked.
    return {"mask_picture_tokens": True} if masked else {}


class VllmConfig(Settings):
    """vLLM on this machine; the default."""

    needs_checkpoint: ClassVar[bool] = True
    scores: ClassVar[bool] = True

    kind: Literal["vllm"] = "vllm"
    """The engine."""
    in_process: bool | None = None
    """Run vLLM's core in the sampling process; by default only where there is no GPU."""
    processed_logprobs: bool = False
    """Record log-probabilities after temperature and top-p in place of the model's own."""
    mask_picture_tokens: bool = True
    """Never draw the tokens that stand for pictures, video or sound in a prompt."""
    swap_weights: bool | None = None
    """Let an engine go on with another checkpoint of the same shape, its weights put in place of
    those before; by default only on a CPU, where tests hold it to engines of their own."""
    args: PlainMapping = Field(default_factory=dict)
    """vLLM's engine arguments under its own names (dtype, max_model_len …)."""

    @field_validator("args")
    @classmethod
    def _are_not_said_elsewhere(cls, args: dict[str, Any]) -> dict[str, Any]:
        for name in args.keys() & _SAID_ELSEWHERE.keys():
            raise ValueError(f"{name} is not to be set: {_SAID_ELSEWHERE[name]}")
        return args

    def identity(self) -> dict[str, Any]:
        """The settings that change which texts are likely, or what is recorded of them."""
        said = {name: self.args[name] for name in _DISTRIBUTION_ARGS if name in self.args}
        recorded = {"processed_logprobs": True} if self.processed_logprobs else {}
        return {"kind": self.kind, **said, **recorded, **_masking(self.mask_picture_tokens)}


class OpenAIConfig(Settings):
    """A server with OpenAI's chat API, such as vLLM's; the arm's `model` is its name there."""

    needs_checkpoint: ClassVar[bool] = False
    scores: ClassVar[bool] = False

    kind: Literal["openai"]
    """The engine."""
    base_url: str | tuple[str, ...]
    """Where the API is, as in http://localhost:8000/v1; with several, each problem keeps to one."""
    api_key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; servers without keys need none."""
    samples_per_request: int = Field(default=8, ge=1)
    """Samples of one problem asked for at a time."""
    concurrency: int = Field(default=32, ge=1)
    """Requests in flight."""
    timeout_seconds: float = Field(default=3600.0, gt=0.0)
    """How long one request may take."""
    max_retries: int = Field(default=8, ge=0)
    """How often a request is repeated, with growing pauses, before the run stops."""
    server_sets_pixels: bool = False
    """The server was started with the benchmark's pixel budget; it is not sent with requests."""
    thinking_open: bool | None = None
    """Whether its chat template ends prompts inside a thought, as one that writes <think>; texts
    without a closing mark are then no answers."""

    @property
    def base_urls(self) -> tuple[str, ...]:
        """Every server's address, without the slash at its end."""
        urls = (self.base_url,) if isinstance(self.base_url, str) else self.base_url
        return tuple(url.rstrip("/") for url in urls)

    @field_validator("base_url")
    @classmethod
    def _are_addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for url in (value,) if isinstance(value, str) else value:
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"{url!r} is not an address; write http://HOST:PORT/v1")
        if not value:
            raise ValueError("name at least one server, as in http://HOST:PORT/v1")
        return value

    def identity(self) -> dict[str, Any]:
        """The settings that change which texts are likely, and how they are read."""
        said = {} if self.thinking_open is None else {"thinking_open": self.thinking_open}
        return {"kind": self.kind, **said}


class TransformersConfig(Settings):
    """`transformers` generate: the slow reference."""

    needs_checkpoint: ClassVar[bool] = True
    scores: ClassVar[bool] = False

    kind: Literal["transformers"]
    """The engine."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """Of weights and activations; auto is the checkpoint's own."""
    device: str | None = None
    """As torch names it; by default a GPU where there is one."""
    batch_size: int = Field(default=16, ge=1)
    """Samples of one problem drawn side by side."""
    mask_picture_tokens: bool = True
    """Never draw the tokens that stand for pictures, video or sound in a prompt."""

    def identity(self) -> dict[str, Any]:
        """The settings that change which texts are likely."""
        return {"kind": self.kind, "dtype": self.dtype, **_masking(self.mask_picture_tokens)}


class ReplayConfig(Settings):
    """Samples that exist already; the arm's `model` says what they were drawn from."""

    needs_checkpoint: ClassVar[bool] = False
    scores: ClassVar[bool] = False

    kind: Literal["replay"]
    """The engine."""
    path: str
    """A .jsonl or .parquet file, or a folder of them."""
    fields: dict[
        Literal[
            "benchmark",
            "condition",
            "problem_id",
            "sample_index",
            "text",
            "token_ids",
            "finish_reason",
            "logprob_sum",
        ],
        str,
    ] = Field(default_factory=dict)
    """Columns whose names differ from ours, as in {problem_id: id, text: response}."""
    thinking_open: bool | None = None
    """Whether the prompt that they answer ended inside a thought, as after a chat template that
    writes <think>; texts without a closing mark are then no answers."""

    def identity(self) -> dict[str, Any]:
        """The settings that change which texts are taken, and how they are read."""
        said = {} if self.thinking_open is None else {"thinking_open": self.thinking_open}
        return {"kind": self.kind, "fields": dict(self.fields), **said}


class PrmConfig(Settings):
    """A process reward model in vLLM's pooling; judges only."""

    needs_checkpoint: ClassVar[bool] = True
    scores: ClassVar[bool] = False

    kind: Literal["prm"]
    """The engine."""
    step_tag: str = "<extra_0>"
    """The token that the model was trained to judge steps at."""
    threshold: float = Field(default=0.5, gt=0.0, lt=1.0)
    """A chain is valid when no step's probability of being right is below this."""
    args: PlainMapping = Field(default_factory=dict)
    """vLLM's engine arguments under its own names (dtype, max_model_len …)."""

    def identity(self) -> dict[str, Any]:
        """The settings that change what the model finds."""
        said = {name: self.args[name] for name in _DISTRIBUTION_ARGS if name in self.args}
        return {"kind": self.kind, "step_tag": self.step_tag, "threshold": self.threshold, **said}


def _vllm_unless_said(value: Any) -> Any:
    if isinstance(value, Mapping) and "kind" not in value:
        return {"kind": "vllm", **value}
    return value


EngineConfig = Annotated[
    VllmConfig | OpenAIConfig | TransformersConfig | ReplayConfig,
    Field(discriminator="kind"),
    BeforeValidator(_vllm_unless_said),
]
"""What generates, by its `kind`."""
JudgeEngineConfig = Annotated[
    VllmConfig | OpenAIConfig | TransformersConfig | PrmConfig,
    Field(discriminator="kind"),
    BeforeValidator(_vllm_unless_said),
]
"""What judges, by its `kind`."""


class Timeouts(Settings):
    """How long things may take: stuck engines are ended and started again."""

    start_seconds: float = Field(default=3600.0, gt=0.0)
    """Longest start, loading and compiling included."""
    stall_seconds: float = Field(default=900.0, gt=0.0)
    """Longest time without a single step."""
    flush_seconds: float = Field(default=5.0, gt=0.0)
    """Longest time that a finished sample waits to be stored; each wait makes a file an engine."""


class RayConfig(Settings):
    """A Ray cluster that engines run on, in place of this machine alone."""

    address: str | None = None
    """As `ray.init` takes it: auto, HOST:PORT, ray://HOST:10001 or local; by default the cluster
    that RAY_ADDRESS names or that this machine belongs to, else Ray started here."""
    max_engines: int | None = Field(default=None, ge=1)
    """The most engines at once; by default as many as the cluster has, or grows, room for."""
    samples_per_engine: int = Field(default=2048, ge=1)
    """Samples below which one more engine's start costs more than it saves."""
    gpus_per_engine: float | None = Field(default=None, ge=0.0)
    """By default its tensor_parallel_size times pipeline_parallel_size; 0 on a cluster of CPUs."""
    cpus_per_engine: float = Field(default=1.0, ge=0.0)
    """CPU cores that Ray sets aside for each engine."""
    resources: dict[str, float] = Field(default_factory=dict)
    """Further resources of yours that an engine needs, as in {a100: 1}."""
    storage: str | None = None
    """Where engines keep what they draw when their machines do not share the run directory's file
    system, as in s3://BUCKET/RUN; it is copied into the run directory as it comes."""
    max_crashes: int = Field(default=3, ge=1)
    """Engines that one problem may end before it is recorded as a failure."""


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
