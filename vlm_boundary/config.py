"""Experiment settings: which checkpoints meet which benchmarks, under which sampling parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from vlm_boundary.errors import UserError
from vlm_boundary.settings import apply_overrides, load_yaml, validate

# Arm and benchmark names become folder names and Hive partition values.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Control = Literal["no_image", "shuffled_image", "direct_answer"]
Condition = Literal["full", "no_image", "shuffled_image", "direct_answer"]
FULL: Condition = "full"
Role = Literal["base", "rl", "instruct", "distilled", "step", "repeat"]
# "repeat" is a base sampled again under other seeds: the A/A self-test.

MAX_SAMPLES = 1 << 20  # the span of seeds reserved for one problem, see sampling/seeds.py

# The engine arguments that change which texts are likely; the others only change the speed.
_DISTRIBUTION_ARGS = ("dtype", "quantization", "kv_cache_dtype", "max_model_len", "hf_overrides")


def _plain(value: Any) -> Any:
    """A value as JSON gives it back, so that a manifest that was read again compares equal."""
    try:
        return json.loads(json.dumps(value))
    except TypeError as error:
        raise ValueError(
            f"use numbers, text, booleans, null, lists and mappings: {error}"
        ) from None


PlainMapping = Annotated[dict[str, Any], BeforeValidator(_plain)]


class Settings(BaseModel):
    """Base of every settings record: unknown keys are errors, values do not change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), use_attribute_docstrings=True
    )


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
    logprob_sum: bool = True
    """Keep the log-probability of every response."""
    token_logprobs: int = Field(default=0, ge=0)
    """Samples of each problem, from the first, that keep every token's log-probability too."""
    args: PlainMapping = Field(default_factory=dict)
    """Further sampling parameters under the engine's own names (vLLM: stop, min_tokens …)."""

    @field_validator("temperature")
    @classmethod
    def _not_nearly_greedy(cls, temperature: float) -> float:
        if 0.0 < temperature < 0.01:
            raise ValueError(
                f"{temperature} is below what engines draw at exactly; use 0 (greedy) or at "
                f"least 0.01"
            )
        return temperature

    @model_validator(mode="after")
    def _greedy_draws_once(self) -> SamplingConfig:
        if self.temperature == 0.0 and self.n > 1:
            raise ValueError("temperature 0 gives the same answer every time: set n to 1")
        return self

    @model_validator(mode="after")
    def _parts_come_with_their_sum(self) -> SamplingConfig:
        if self.token_logprobs and not self.logprob_sum:
            raise ValueError("token_logprobs needs logprob_sum: leave it true, or keep none")
        return self


class VllmConfig(Settings):
    """vLLM on this machine; the default."""

    needs_checkpoint: ClassVar[bool] = True
    scores: ClassVar[bool] = True

    kind: Literal["vllm"] = "vllm"
    """The engine."""
    in_process: bool | None = None
    """Run vLLM's core in the sampling process; by default only where there is no GPU."""
    args: PlainMapping = Field(default_factory=dict)
    """vLLM's engine arguments under its own names (dtype, max_model_len …)."""

    def identity(self) -> dict[str, Any]:
        """The settings that change which texts are likely."""
        said = {name: self.args[name] for name in _DISTRIBUTION_ARGS if name in self.args}
        return {"kind": self.kind, **said}


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
        """The settings that change which texts are likely."""
        return {"kind": self.kind}


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

    def identity(self) -> dict[str, Any]:
        """The settings that change which texts are likely."""
        return {"kind": self.kind, "dtype": self.dtype}


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

    def identity(self) -> dict[str, Any]:
        """The settings that change which texts are taken."""
        return {"kind": self.kind, "fields": dict(self.fields)}


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


class ArmConfig(ModelConfig):
    """One checkpoint under one prompt protocol and one set of sampling parameters."""

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


class GuessFilterConfig(Settings):
    """Which problems are guessed now and then, by answers given without reasoning."""

    draws: int = Field(default=64, ge=1)
    """Samples of the control `direct_answer` that are looked at, the same number a problem."""
    threshold: float = Field(default=0.05, gt=0.0, lt=1.0)
    """A problem that they get right more rarely than this, but get right, is guessable."""
    arm: Name | None = None
    """The arm that is asked, such as a third model; by default both arms of a pair are, and what
    either of them guesses is left out."""


class VerifierErrorConfig(Settings):
    """What a check of verdicts by hand found."""

    wrong: int = Field(ge=1)
    """Wrong answers that were checked."""
    wrong_accepted: int = Field(ge=0)
    """Those of them that the verifier called right."""
    right: int = Field(ge=1)
    """Right answers that were checked."""
    right_rejected: int = Field(ge=0)
    """Those of them that the verifier did not call right."""

    @model_validator(mode="after")
    def _parts_of_a_whole(self) -> VerifierErrorConfig:
        if self.wrong_accepted > self.wrong or self.right_rejected > self.right:
            raise ValueError("of the answers that were checked, not more can be judged wrongly")
        if self.wrong_accepted / self.wrong + self.right_rejected / self.right >= 1:
            raise ValueError("a verifier that errs this often says nothing about the answers")
        return self


class AnalysisConfig(Settings):
    """Which statistics are computed."""

    ks: tuple[int, ...] | None = None
    """The k of tables; by default 1, 2, 4 … and n. analysis.json has every k up to n."""
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    """Level of the intervals."""
    bootstrap_draws: int = Field(default=10_000, ge=100)
    """Resamples behind bootstrap intervals and simultaneous bands."""
    guess_priors: dict[Name, str] = Field(default_factory=dict)
    """By benchmark, a file with a column `answer` of held-out answers (JSONL, JSON, CSV, TSV,
    Parquet) that a blind guesser draws from; by default it draws from the other problems'."""
    guess_smoothing: float = Field(default=1.0, ge=0.0)
    """How many further answers the guesser's prior has, spread evenly over 0 to 100."""
    false_discovery_rate: float = Field(default=0.05, gt=0.0, lt=1.0)
    """Of the problems called solved above an arm's floor, the share that may not be."""
    guess_filter: GuessFilterConfig = GuessFilterConfig()
    """Problems that are left out where only those that cannot be guessed count."""
    verifier_error: VerifierErrorConfig | None = None
    """How often the verifier was found to err."""
    slices: tuple[str, ...] | None = None
    """Metadata fields, or answer_type, by whose values results are split; by default every field
    that has between 2 and 24 values."""


class ControlConfig(Settings):
    """A control condition, sampled for every arm beside the experiment itself."""

    n: int = Field(default=16, ge=1, le=MAX_SAMPLES)
    """Samples per problem."""
    prompt: str | None = None
    """Prompt protocol in place of the arm's own; either is reworded for the condition."""


class JudgeSamplingConfig(SamplingConfig):
    """How a judge's votes are drawn."""

    n: int = Field(default=3, ge=1, le=64)
    """Votes on each chain of thought."""
    max_tokens: int = Field(default=8192, ge=1)
    """Longest verdict, its reasoning included; one that is cut off is an abstention."""
    logprob_sum: bool = False
    """Not kept of verdicts."""


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


class Timeouts(Settings):
    """When an engine counts as stuck; it is then ended and started again."""

    start_seconds: float = Field(default=3600.0, gt=0.0)
    """Longest start, loading and compiling included."""
    stall_seconds: float = Field(default=900.0, gt=0.0)
    """Longest time without a single step."""


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
    """Control conditions: no_image, shuffled_image (another problem's), direct_answer."""
    engine: EngineConfig = VllmConfig()
    """Engine of every arm."""
    allow_different_chat_templates: bool = False
    """Compare arms although their chat templates differ."""
    gpus: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(default=None, min_length=1)
    """GPUs to use, an engine on each (tensor parallelism: on each few); by default all."""
    parallel_engines: int | None = Field(default=None, ge=1)
    """Engines side by side; by default one a GPU, or one a core on a CPU."""
    waves: tuple[Annotated[int, Field(ge=1)], ...] = (64, 256, 1024, 4096)
    """Samples a problem that all arms are brought to in turn when there are more engines to run
    than places for them, so that a run stopped half way has curves to compare."""
    timeouts: Timeouts = Timeouts()
    """When an engine counts as stuck."""
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
        """The experiment's sampling parameters with this arm's changes."""
        merged = self.sampling.model_dump() | self.arms[arm].sampling
        return validate(SamplingConfig, merged, where=f"arms.{arm}.sampling")

    def repeats(self, arm: str, base: str) -> bool:
        """Whether an arm samples a base's checkpoint again in the same way, whatever their n."""
        one, other = self.arms[arm], self.arms[base]
        alike = {"role": one.role, "sampling": one.sampling}
        first, second = (self.arm_sampling(name).model_dump(exclude={"n"}) for name in (arm, base))
        roles = (one.role, other.role) == ("repeat", "base")
        return roles and other.model_copy(update=alike) == one and first == second

    def with_self_test(self) -> ExperimentConfig:
        """The experiment with every base sampled once more, a quarter as often: the A/A self-test.

        A sample's seed depends on its arm's name, so that these are other samples.

        Raises:
            UserError: no base can be sampled again.
        """
        again = {}
        for name, arm in self.arms.items():
            n = self.arm_sampling(name).n
            if arm.role == "base" and n > 1 and not isinstance(self.arm_engine(name), ReplayConfig):
                sampling = arm.sampling | {"n": -(-n // 4)}
                changes = {"role": "repeat", "sampling": sampling}
                again[f"{name}-again"] = arm.model_copy(update=changes)
        if not again:
            raise UserError("--self-test: there is no arm of role base that samples more than once")
        return self.model_copy(update={"arms": self.arms | again})

    def targets(self) -> list[tuple[str, str, Condition, int]]:
        """What is to be sampled: arm, benchmark, condition, and samples a problem."""
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

    def arm_engine(self, arm: str) -> EngineConfig:
        """The engine settings that hold for an arm."""
        return self.arms[arm].engine or self.engine

    @model_validator(mode="after")
    def _waves_ascend(self) -> ExperimentConfig:
        if list(self.waves) != sorted(set(self.waves)):
            raise ValueError(f"waves must ascend, not {list(self.waves)}")
        return self

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
        repeat = config.arms[arm].role == "repeat"
        if 1 < sampling.n < largest and not repeat:
            raise UserError(
                f"{where}: arm {arm!r} draws n = {sampling.n} samples a problem, but "
                f"analysis.ks asks for pass@{largest}; set sampling.n to at least {largest} "
                f"or drop the ks above {sampling.n}"
            )
        _check_arm(config, arm, where=where)
    if config.judge and isinstance(config.judge_engine, ReplayConfig):
        raise UserError(f"{where}: judge: stored samples judge nothing; set judge.engine")
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
    if not engine.needs_checkpoint:
        for key in ("base", "chat_template"):
            if getattr(arm, key) is not None:
                raise UserError(
                    f"{where}: arms.{name}.{key} has no effect with engine kind {engine.kind}; "
                    f"drop it"
                )
    if isinstance(engine, ReplayConfig) and arm.revision is not None:
        raise UserError(f"{where}: arms.{name}.revision has no effect with engine kind replay")
