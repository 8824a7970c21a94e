"""Whether an arm's prompt ends inside a thought, so that its outputs begin in one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from vlm_boundary.benchmarks import BenchmarkConfig, messages
from vlm_boundary.config import EngineConfig, ExperimentConfig, ReplayConfig
from vlm_boundary.engines.base import PromptUnusable
from vlm_boundary.records.manifest import Checkpoint
from vlm_boundary.store import RunDirectory
from vlm_boundary.verifier.thoughts import ends_in_thought

if TYPE_CHECKING:
    from vlm_boundary.engines.chat import ChatRenderer


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
    if checkpoint is None:
        return None
    chat: ChatRenderer | None = None
    for turns in _prompts(run, experiment, arm, benchmarks):
        if chat is None:
            from vlm_boundary.engines.chat import ChatRenderer

            chat = ChatRenderer.of(checkpoint)
        try:
            return ends_in_thought(chat.prompt_text(turns))
        except PromptUnusable:
            continue  # sampling records it as a failure
    return None


def _prompts(
    run: RunDirectory,
    experiment: ExperimentConfig,
    arm: str,
    benchmarks: dict[str, BenchmarkConfig],
) -> Iterator[list[dict[str, Any]]]:
    """The chat turns of the problems that the arm is asked."""
    for asked, name, condition, _ in experiment.targets():
        if asked != arm:
            continue
        benchmark = benchmarks[name]
        prompt = benchmark.worded(experiment.prompt(arm, condition))
        for problem in run.read_problems(name):
            if problem.error is None:
                yield messages(problem, prompt, benchmark.images, condition)
