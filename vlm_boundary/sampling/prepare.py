"""Before an engine starts: problems loaded, checkpoints found, and nothing mixed up."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from vlm_boundary.benchmarks import (
    BenchmarkConfig,
    PromptConfig,
    dataset_hash,
    load_benchmark,
    load_problems,
    messages,
    resolve_prompt,
)
from vlm_boundary.benchmarks.templates import TemplateProblem
from vlm_boundary.checkpoints import Checkpoint, resolve_checkpoint
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.progress import progress_bar
from vlm_boundary.sampling.identity import arm_identity, benchmark_identity, refuse_difference
from vlm_boundary.store import Partition, RunDirectory


def prepare(run: RunDirectory, experiment: ExperimentConfig) -> dict[str, Any]:
    """Load what the experiment names into the run directory; returns the new manifest.

    Raises:
        UserError: a benchmark or a checkpoint is not what it should be, or the run already holds
            samples of something else under the same names.
    """
    # Both are checked before either is loaded: a typing error in the second must not wait.
    benchmarks = {
        name: load_benchmark(name, changes) for name, changes in experiment.benchmarks.items()
    }
    checkpoints = {
        name: resolve_checkpoint(arm.model, arm.revision) for name, arm in experiment.arms.items()
    }
    manifest = run.read_manifest()
    loaded = manifest.get("benchmarks", {})
    for name, benchmark in benchmarks.items():
        loaded[name] = _load(run, benchmark, loaded.get(name))
    arms = {}
    for benchmark in benchmarks.values():
        for prompt in {arm.prompt for arm in experiment.arms.values()}:  # most arms share one
            _check_prompts(run, benchmark, resolve_prompt(prompt or benchmark.prompt))
    for name, checkpoint in checkpoints.items():
        arms[name] = _arm(run, experiment, name, checkpoint, manifest, benchmarks, loaded)
    manifest |= {
        "experiment": json.loads(experiment.model_dump_json()),
        "benchmarks": loaded,
        "arms": manifest.get("arms", {}) | arms,
    }
    run.write_manifest(manifest)
    return manifest


def _load(
    run: RunDirectory, benchmark: BenchmarkConfig, before: dict[str, Any] | None
) -> dict[str, Any]:
    config = json.loads(benchmark.model_dump_json())
    if before and before["config"] == config and run.has_problems(benchmark.name):
        return before
    with progress_bar(f"loading {benchmark.name}", unit="problem") as bar:
        found = load_problems(benchmark, run.images, progress=lambda _: bar.update())
    content = dataset_hash(found.problems)
    if before and before["content"] != content and _has_samples(run, benchmark.name):
        raise UserError(
            f"{run.path} already holds samples of other problems under the name "
            f"{benchmark.name!r}; take another run_dir (or name) for the changed benchmark"
        )
    run.write_problems(benchmark.name, found.problems)
    return {
        "config": config,
        "content": content,
        "problems": len(found.problems),
        "unusable": sum(problem.error is not None for problem in found.problems),
        "filters": [asdict(step) for step in found.filter_log],
    }


def _check_prompts(run: RunDirectory, benchmark: BenchmarkConfig, prompt: PromptConfig) -> None:
    """Words every problem once, so that no template fails in the middle of a run."""
    for problem in run.read_problems(benchmark.name):
        try:
            messages(problem, prompt, benchmark.images)
        except TemplateProblem as error:
            raise UserError(
                f"benchmark {benchmark.name!r}: prompt, problem {problem.problem_id!r}: {error}"
            ) from None


def _arm(
    run: RunDirectory,
    experiment: ExperimentConfig,
    name: str,
    checkpoint: Checkpoint,
    manifest: dict[str, Any],
    benchmarks: dict[str, BenchmarkConfig],
    loaded: dict[str, Any],
) -> dict[str, Any]:
    before = manifest.get("arms", {}).get(name, {})
    identity = arm_identity(experiment, name, checkpoint)
    prompts = dict(before.get("prompts", {}))
    for benchmark in benchmarks.values():
        now = benchmark_identity(experiment, benchmark, name, loaded[benchmark.name]["content"])
        if run.samples.parts(Partition(name, benchmark.name)):
            where = f"{run.path}: arm {name!r}"
            refuse_difference(before.get("identity"), identity, where=where)
            refuse_difference(prompts.get(benchmark.name), now, where=where, what=benchmark.name)
        prompts[benchmark.name] = now
    return {
        "identity": identity,
        "prompts": prompts,
        "folder": str(checkpoint.folder),
        "note": checkpoint.note,
    }


def _has_samples(run: RunDirectory, benchmark: str) -> bool:
    return any(partition.benchmark == benchmark for partition in run.samples.partitions())
