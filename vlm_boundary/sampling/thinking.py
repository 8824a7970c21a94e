"""Whether an arm's prompt ends inside a thought, so that its outputs begin in one."""

from __future__ import annotations

from typing import Any

from vlm_boundary.benchmarks import BenchmarkConfig, messages, resolve_prompt
from vlm_boundary.config import EngineConfig, ExperimentConfig, ReplayConfig
from vlm_boundary.records.manifest import Checkpoint
from vlm_boundary.store import RunDirectory
from vlm_boundary.verifier.thoughts import ends_in_thought


def thinking_open(
    run: RunDirectory,
    experiment: ExperimentConfig,
    arm: str,
    checkpoint: Checkpoint | None,
    benchmarks: dict[str, BenchmarkConfig],
) -> bool | None:
    """Render an arm's chat template once, as it is sampled, and see how the prompt ends.

    None where that is not known: a server renders its own, and of replayed samples only their
    owner can say.
    """
    engine: EngineConfig = experiment.arm_engine(arm)
    if isinstance(engine, ReplayConfig):
        return engine.thinking_open
    turns = _first_prompt(run, experiment, arm, benchmarks)
    if checkpoint is None or turns is None:
        return None
    from vlm_boundary.engines.chat import ChatRenderer

    chat = ChatRenderer(checkpoint.folder, checkpoint.chat_template)
    return ends_in_thought(chat.prompt_text(turns))


def _first_prompt(
    run: RunDirectory,
    experiment: ExperimentConfig,
    arm: str,
    benchmarks: dict[str, BenchmarkConfig],
) -> list[dict[str, Any]] | None:
    """The chat turns of the first problem that the arm is asked; None if it is asked nothing."""
    for asked, name, condition, _ in experiment.targets():
        if asked != arm:
            continue
        benchmark = benchmarks[name]
        prompt = resolve_prompt(experiment.prompt(arm, condition) or benchmark.prompt)
        for problem in run.read_problems(name):
            if problem.error is None:
                return messages(problem, prompt, benchmark.images, condition)
    return None
