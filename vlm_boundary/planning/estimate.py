"""What an experiment would draw, and what that would take; nothing is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.compute as pc

from vlm_boundary.benchmarks import (
    BenchmarkConfig,
    FilterStep,
    Problem,
    load_benchmark,
    load_problems,
    resolve_prompt,
)
from vlm_boundary.benchmarks.prompts import prompt_hash
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.planning.bound import MEMORY_SHARE, Bound, Workload, lower_bound
from vlm_boundary.planning.checkpoint import configuration_folder
from vlm_boundary.planning.gpus import Gpu
from vlm_boundary.planning.model_size import ModelSize, NoBound, read_model_size
from vlm_boundary.planning.prompts import PromptLengths, measure_prompts, processor_hash
from vlm_boundary.progress import progress_bar
from vlm_boundary.sampling.plan import Span, missing_spans, wanted_problems
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
    """What one arm is still to draw on one benchmark.

    `prompts` is None where no prompt could be measured; `too_long` counts the measured ones that
    leave no room for max_tokens. `response_tokens` is the mean length of a response, as given or as
    measured on the samples that exist, None where neither is known. `bytes` is the size of the
    missing samples before compression; `bounds` has a value, or the reason for none, for each GPU.
    """

    arm: str
    benchmark: str
    n: int
    problems: int
    stored: int
    missing: int
    prompts: PromptLengths | None
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
        response_tokens: the mean length of a response; by default that of the arm's stored samples.
        limit: plan only each benchmark's first problems.

    Raises:
        UserError: a benchmark or a checkpoint is not what it should be.
    """
    configs = {
        name: load_benchmark(name, changes) for name, changes in experiment.benchmarks.items()
    }
    folders = {
        name: configuration_folder(arm.model, arm.revision) for name, arm in experiment.arms.items()
    }
    with TemporaryDirectory() as scratch:
        loaded = [_load(run, config, Path(scratch) / name) for name, config in configs.items()]
        measure = _Prompts(experiment, folders)
        arms = []
        for arm in experiment.arms:
            length = response_tokens or _stored_length(run, experiment, arm)
            size = _size(folders[arm], experiment, arm) if gpus else "no GPU was named"
            for benchmark in loaded:
                problems = wanted_problems(benchmark.problems, limit)
                prompts = measure(arm, benchmark, problems)
                arms.append(
                    _arm(
                        run, experiment, arm, benchmark, problems, prompts, length, size, gpus,
                        gpu_count,
                    )
                )  # fmt: skip
    return Plan(run.path, [benchmark.plan for benchmark in loaded], arms, gpu_count)


def _load(run: RunDirectory, config: BenchmarkConfig, scratch: Path) -> _Loaded:
    """A benchmark from the run directory if it is there, else into a folder that is thrown away."""
    known = run.read_manifest().get("benchmarks", {}).get(config.name)
    if known and known["config"] == json.loads(config.model_dump_json()):
        problems = run.read_problems(config.name)
        filters = [FilterStep(**step) for step in known["filters"]]
        folder, to_store = run.images, 0
    else:
        folder = scratch
        with progress_bar(f"loading {config.name}", unit="problem") as bar:
            found = load_problems(config, folder, progress=lambda _: bar.update())
        problems, filters = list(found.problems), list(found.filter_log)
        to_store = sum(path.stat().st_size for path in folder.iterdir())
    unusable = sum(problem.error is not None for problem in problems)
    plan = BenchmarkPlan(config.name, filters, len(problems), unusable, to_store)
    return _Loaded(config, problems, folder, plan)


class _Prompts:
    """Measured prompts, once for all arms that share a processor, a template and a wording."""

    def __init__(self, experiment: ExperimentConfig, folders: dict[str, Path]) -> None:
        self._experiment = experiment
        self._folders = folders
        self._known: dict[tuple[str, ...], PromptLengths | None] = {}

    def __call__(
        self, arm: str, benchmark: _Loaded, problems: Sequence[Problem]
    ) -> PromptLengths | None:
        folder = self._folders[arm]
        prompt = resolve_prompt(self._experiment.arms[arm].prompt or benchmark.config.prompt)
        options = self._experiment.arm_engine(arm).args.get("mm_processor_kwargs") or {}
        key = (
            benchmark.config.name,
            processor_hash(folder),
            prompt_hash(prompt, benchmark.config.image_placeholder),
            json.dumps(options, sort_keys=True, default=str),
        )
        if key not in self._known:
            with progress_bar(f"measuring {benchmark.config.name}", unit="prompt") as bar:
                self._known[key] = measure_prompts(
                    folder,
                    benchmark.config,
                    prompt,
                    problems,
                    benchmark.images,
                    options,
                    progress=bar.update,
                )
        return self._known[key]


def _arm(
    run: RunDirectory,
    experiment: ExperimentConfig,
    arm: str,
    benchmark: _Loaded,
    problems: list[Problem],
    prompts: PromptLengths | None,
    response_tokens: float | None,
    size: ModelSize | str,
    gpus: Sequence[Gpu],
    gpu_count: int,
) -> ArmPlan:
    sampling = experiment.arm_sampling(arm)
    args = experiment.arm_engine(arm).args
    present = sample_indices(run.samples, Partition(arm, benchmark.config.name))
    spans = missing_spans(problems, sampling.n, present)
    missing = sum(len(span.indices) for span in spans)
    room = args.get("max_model_len")
    lengths = prompts.tokens.values() if prompts else ()
    kept = sum(
        max(0, min(s.indices.stop, sampling.token_logprobs) - s.indices.start) for s in spans
    )
    mean = response_tokens if response_tokens is not None else sampling.max_tokens
    return ArmPlan(
        arm=arm,
        benchmark=benchmark.config.name,
        n=sampling.n,
        problems=len(problems),
        stored=len(problems) * sampling.n - missing,
        missing=missing,
        prompts=prompts,
        too_long=sum(tokens + sampling.max_tokens > int(room) for tokens in lengths) if room else 0,
        response_tokens=response_tokens,
        bytes=missing * (mean * _TOKEN_BYTES + _ROW_BYTES) + kept * mean * 4,
        bounds={
            gpu.name: _bound(spans, prompts, response_tokens, size, gpu, gpu_count, args)
            for gpu in gpus
        },
    )


def _bound(
    spans: list[Span],
    prompts: PromptLengths | None,
    response_tokens: float | None,
    size: ModelSize | str,
    gpu: Gpu,
    gpu_count: int,
    args: dict[str, Any],
) -> Bound | str:
    if isinstance(size, str):
        return size
    if response_tokens is None:
        return "the mean length of a response is not known: give --response-tokens"
    if prompts is None:
        return "no prompt could be measured"
    try:
        return lower_bound(
            _workload(spans, prompts, response_tokens),
            size,
            gpu,
            max_sequences=int(args.get("max_num_seqs") or gpu.default_sequences),
            gpus=gpu_count,
            tensor_parallel=int(args.get("tensor_parallel_size") or 1),
            memory_share=float(args.get("gpu_memory_utilization") or MEMORY_SHARE),
        )
    except NoBound as reason:
        return str(reason)


def _workload(spans: list[Span], prompts: PromptLengths, response_tokens: float) -> Workload:
    counts: dict[str, int] = {}
    for span in spans:
        problem_id = span.problem.problem_id
        counts[problem_id] = counts.get(problem_id, 0) + len(span.indices)
    work = Workload()
    for problem_id, count in counts.items():
        tokens, picture_tokens = prompts.of(problem_id)
        work += Workload.of_prompt(tokens, picture_tokens)
        work += Workload.of_responses(tokens, response_tokens, count)
    return work


def _size(folder: Path, experiment: ExperimentConfig, arm: str) -> ModelSize | str:
    try:
        return read_model_size(folder, experiment.arm_engine(arm).args)
    except NoBound as reason:
        return str(reason)


def _stored_length(run: RunDirectory, experiment: ExperimentConfig, arm: str) -> float | None:
    """Mean tokens of the arm's stored responses; None where there are none."""
    tokens = samples = 0
    for benchmark in experiment.benchmarks:
        for _, rows in run.samples.batches(Partition(arm, benchmark), ["token_ids"]):
            tokens += pc.sum(pc.list_value_length(rows["token_ids"])).as_py() or 0
            samples += rows.num_rows
    return tokens / samples if samples else None
