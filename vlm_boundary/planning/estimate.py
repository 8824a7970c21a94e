"""What an experiment would draw, and what that would take; the run stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from PIL.Image import Image

from vlm_boundary.benchmarks import (
    BenchmarkConfig,
    load_benchmark,
    load_problems,
    prompt_hash,
)
from vlm_boundary.benchmarks.images import open_rgb
from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.config import Condition, ExperimentConfig, VllmConfig
from vlm_boundary.engines.bound import Bound, Gpu, TokenSums, lower_bound
from vlm_boundary.engines.model_size import ModelSize, NoBound, read_model_size
from vlm_boundary.planning.prompts import PromptLengths, measure_prompts, processor_hash
from vlm_boundary.progress import progress_bar
from vlm_boundary.records.manifest import Checkpoint, FilterStep
from vlm_boundary.records.problem import Problem, dataset_hash
from vlm_boundary.sampling.changes import changed_since, has_samples, refuse_other_problems
from vlm_boundary.sampling.conditions import alteration_of, rules_of, shown_under
from vlm_boundary.sampling.plan import Scope, Span, missing_spans
from vlm_boundary.store import Partition, RunDirectory, sample_indices

# Bytes of one response's token in the tables before compression: its id, and about as much text.
_TOKEN_BYTES = 4 + 4
# Bytes of the other columns of a sample and of its verdict.
_ROW_BYTES = 200


@dataclass(frozen=True)
class BenchmarkPlan:
    """A benchmark's problems, after its filters, and how many of them can be used."""

    name: str
    filters: list[FilterStep]
    problems: int
    unusable: int
    picture_bytes: int


@dataclass(frozen=True)
class ArmPlan:
    """What one arm is still to draw on one benchmark under one condition.

    `prompts` is the reason where no prompt was measured; `too_long` counts the measured ones that
    leave no room for max_tokens. `response_tokens` is the mean length of a response, as given or as
    measured on the samples that exist, None where neither is known. `bytes` is the size of the
    missing samples before compression; `bounds` has a value, or the reason for none, for each GPU.
    """

    arm: str
    benchmark: str
    condition: Condition
    n: int
    problems: int
    stored: int
    missing: int
    prompts: PromptLengths | str
    too_long: int
    response_tokens: float | None
    bytes: float
    bounds: dict[str, Bound | str]


@dataclass(frozen=True)
class Plan:
    """An experiment's plan; times are for `gpus` of each accelerator."""

    run: Path
    benchmarks: list[BenchmarkPlan]
    arms: list[ArmPlan]
    gpus: int


@dataclass(frozen=True)
class _Loaded:
    """A benchmark in memory, with the folder that holds its pictures."""

    config: BenchmarkConfig
    problems: list[Problem]
    images: Path
    plan: BenchmarkPlan


@dataclass(frozen=True)
class _Arm:
    """What is known of an arm before its prompts; the size is the reason where there is none.

    `checkpoint` is None where vLLM on this machine is not what draws.
    """

    name: str
    kind: str
    args: dict[str, Any]
    checkpoint: Checkpoint | None
    size: ModelSize | str


def plan(
    run: RunDirectory,
    experiment: ExperimentConfig,
    *,
    gpus: Sequence[Gpu] = (),
    gpu_count: int = 1,
    response_tokens: float | None = None,
    limit: int | None = None,
) -> Plan:
    """Work out what the experiment asks for and the run lacks, without an engine or a GPU.

    Args:
        gpus: accelerators for which the least time is worked out.
        gpu_count: how many of each there are.
        response_tokens: the mean length of a response; by default that of the samples which the
            arm has stored under the same condition.
        limit: plan only each benchmark's first problems.

    Raises:
        UserError: a benchmark or a checkpoint is not what it should be.
    """
    configs = {
        name: load_benchmark(name, changes) for name, changes in experiment.benchmarks.items()
    }
    arms = {name: _look_up(experiment, name, sized=bool(gpus)) for name in experiment.arms}
    with TemporaryDirectory() as scratch:
        loaded = {
            name: _load(run, config, Path(scratch) / name) for name, config in configs.items()
        }
        planner = _Planner(run, experiment, gpus, gpu_count, response_tokens, limit)
        plans = [
            planner.plan(arms[name], loaded[benchmark], condition, n)
            for name, benchmark, condition, n in experiment.targets()
        ]
    return Plan(run.path, [benchmark.plan for benchmark in loaded.values()], plans, gpu_count)


def _load(run: RunDirectory, config: BenchmarkConfig, scratch: Path) -> _Loaded:
    """A benchmark from the run directory if it is there, else into a folder that is thrown away."""
    known = run.read_manifest().benchmarks.get(config.name)
    changes = changed_since(run, config, known)
    if known and not changes:
        problems = run.read_problems(config.name)
        filters = known.filters
        folder, to_store = run.images, 0
    else:
        folder = scratch
        with progress_bar(f"loading {config.name}", unit="problem") as bar:
            found = load_problems(config, folder, progress=lambda _: bar.update())
        other = known and known.content != dataset_hash(found.problems)
        if other and has_samples(run, config.name):
            refuse_other_problems(run, config.name, found.problems, changes)
        problems, filters = list(found.problems), list(found.filter_log)
        to_store = sum(path.stat().st_size for path in folder.iterdir())
    unusable = sum(problem.error is not None for problem in problems)
    plan = BenchmarkPlan(config.name, filters, len(problems), unusable, to_store)
    return _Loaded(config, problems, folder, plan)


def _look_up(experiment: ExperimentConfig, name: str, *, sized: bool) -> _Arm:
    engine, arm = experiment.arm_engine(name), experiment.arms[name]
    if not isinstance(engine, VllmConfig):
        reason = f"engine kind {engine.kind} is not reckoned with, only vllm"
        return _Arm(name, engine.kind, {}, None, reason)
    checkpoint = resolve_checkpoint(
        arm.model,
        arm.revision,
        base=arm.base,
        chat_template=arm.chat_template,
        weights=False,
        trust_remote_code=arm.trust_remote_code,
    )
    size: ModelSize | str = "no GPU was named"
    if sized:
        try:
            size = read_model_size(checkpoint.folder, engine.args)
        except NoBound as reason:
            size = str(reason)
    return _Arm(name, engine.kind, engine.args, checkpoint, size)


@dataclass
class _Planner:
    """What holds for all that is planned; prompts are measured once where they are the same."""

    run: RunDirectory
    experiment: ExperimentConfig
    gpus: Sequence[Gpu]
    gpu_count: int
    response_tokens: float | None
    limit: int | None
    _measured: dict[tuple[str, ...], PromptLengths | str] = field(default_factory=dict)

    def plan(self, arm: _Arm, benchmark: _Loaded, condition: Condition, n: int) -> ArmPlan:
        problems = Scope(self.limit).of(benchmark.problems, self._shown(benchmark, condition))
        prompts = self._prompts(arm, benchmark, condition, problems)
        present = sample_indices(
            self.run.samples, Partition(arm.name, benchmark.config.name, condition)
        )
        spans = missing_spans(problems, n, present)
        length = self.response_tokens or _stored_length(
            self.run, list(self.experiment.benchmarks), arm.name, condition
        )
        sampling = self.experiment.arm_sampling(arm.name)
        missing = sum(len(span.indices) for span in spans)
        room = arm.args.get("max_model_len")
        lengths = prompts.tokens.values() if room and isinstance(prompts, PromptLengths) else ()
        kept = sum(
            max(0, min(s.indices.stop, sampling.token_logprobs) - s.indices.start) for s in spans
        )
        mean = length if length is not None else sampling.max_tokens
        return ArmPlan(
            arm=arm.name,
            benchmark=benchmark.config.name,
            condition=condition,
            n=n,
            problems=len(problems),
            stored=len(problems) * n - missing,
            missing=missing,
            prompts=prompts,
            too_long=sum(tokens + sampling.max_tokens > int(room or 0) for tokens in lengths),
            response_tokens=length,
            bytes=missing * (mean * _TOKEN_BYTES + _ROW_BYTES) + kept * mean * 4,
            bounds={gpu.name: self._bound(arm, spans, prompts, length, gpu) for gpu in self.gpus},
        )

    def _shown(self, benchmark: _Loaded, condition: Condition) -> list[Problem]:
        """The problems as a condition shows them, for all that is known before it is sampled.

        Under wrong_prefix those without a beginning count as well: which they will be, `full` says.
        """
        strength = self.experiment.strength(condition)
        rules = rules_of(self.run, benchmark.config, condition, strength)
        if condition == "wrong_prefix":
            none = dict.fromkeys((one.problem_id for one in benchmark.problems), "")
            rules = replace(rules, prefixes=none | dict(rules.prefixes))
        return shown_under(benchmark.problems, condition, self.experiment.seed, rules)

    def _prompts(
        self, arm: _Arm, benchmark: _Loaded, condition: Condition, problems: Sequence[Problem]
    ) -> PromptLengths | str:
        if arm.checkpoint is None:
            return f"not measured for engine kind {arm.kind}"
        config = benchmark.config
        prompt = config.worded(self.experiment.prompt(arm.name, condition))
        options = arm.args.get("mm_processor_kwargs") or {}
        told = self.experiment.arm_chat_template_args(arm.name)
        key = (
            config.name,
            condition,
            processor_hash(arm.checkpoint),
            prompt_hash(prompt, config.images, condition),
            json.dumps([options, told], sort_keys=True, default=str),
        )
        if key not in self._measured:
            found = measure_prompts(
                arm.checkpoint,
                config,
                prompt,
                condition,
                problems,
                self._opener(benchmark, condition),
                options,
                told,
            )
            self._measured[key] = found or "none can be made"
        return self._measured[key]

    def _opener(self, benchmark: _Loaded, condition: Condition) -> Callable[[str], Image]:
        """Opens the pictures that a condition shows, made anew where they are altered."""
        strength = self.experiment.strength(condition)
        alteration = alteration_of(condition, self.experiment.seed, strength)
        if alteration is None:
            return lambda name: open_rgb(benchmark.images / name)
        pictures = {name for problem in benchmark.problems for name in problem.pictures}
        sources = {alteration.name(name): name for name in pictures}

        def altered(name: str) -> Image:
            source = sources[name]
            return alteration.of(source, open_rgb(benchmark.images / source))

        return altered

    def _bound(
        self,
        arm: _Arm,
        spans: list[Span],
        prompts: PromptLengths | str,
        response_tokens: float | None,
        gpu: Gpu,
    ) -> Bound | str:
        if isinstance(arm.size, str):
            return arm.size
        if response_tokens is None:
            return "the mean length of a response is not known: give --response-tokens"
        if isinstance(prompts, str):
            return "no prompt could be measured"
        work = _workload(spans, prompts, response_tokens)
        try:
            return lower_bound(work, arm.size, gpu, arm.args, gpus=self.gpu_count)
        except NoBound as reason:
            return str(reason)


def _workload(spans: list[Span], prompts: PromptLengths, response_tokens: float) -> TokenSums:
    counts: dict[str, int] = {}
    for span in spans:
        problem_id = span.problem.problem_id
        counts[problem_id] = counts.get(problem_id, 0) + len(span.indices)
    work = TokenSums()
    for problem_id, count in counts.items():
        tokens, picture_tokens = prompts.of(problem_id)
        work += TokenSums.of_prompt(tokens, picture_tokens)
        work += TokenSums.of_responses(tokens, response_tokens, count)
    return work


def _stored_length(
    run: RunDirectory, benchmarks: Sequence[str], arm: str, condition: Condition
) -> float | None:
    """Mean tokens of the arm's stored responses; None where none has a known length."""
    partitions = (Partition(arm, benchmark, condition) for benchmark in benchmarks)
    tokens = [run.samples.read(p, ["tokens"], coded=["problem_id"])["tokens"] for p in partitions]
    mean: float | None = pc.mean(
        pa.chunked_array([part for one in tokens for part in one.chunks], pa.int32())
    ).as_py()
    return mean
