"""What an arm's checkpoint makes of prompts and pictures: facts that its samples are read by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vlm_boundary.benchmarks import BenchmarkConfig, messages
from vlm_boundary.config import ExperimentConfig, OpenAIConfig, ReplayConfig, VllmConfig
from vlm_boundary.engines.base import PromptUnusable
from vlm_boundary.records.manifest import Checkpoint, PictureSizes
from vlm_boundary.store import RunDirectory
from vlm_boundary.verifier.thoughts import ends_in_thought

if TYPE_CHECKING:
    from vlm_boundary.engines.chat import ChatRenderer
    from vlm_boundary.engines.pictures import PictureRule


@dataclass(frozen=True)
class Rendered:
    """Whether prompts end inside a thought, and what is shown of each benchmark's pictures.

    What is not known is None or left out: a server renders its own prompts and sizes its own
    pictures, and of replayed samples only their owner can say.
    """

    thinking_open: bool | None = None
    pictures: dict[str, PictureSizes] = field(default_factory=dict)


def rendered(
    run: RunDirectory,
    experiment: ExperimentConfig,
    arm: str,
    checkpoint: Checkpoint | None,
    benchmarks: dict[str, BenchmarkConfig],
) -> Rendered:
    """Render one of an arm's prompts as it is sampled, and ask how its pictures are sized.

    Raises:
        UserError: the chat template or the pictures' sizes cannot be had as the settings ask.
    """
    engine = experiment.arm_engine(arm)
    if isinstance(engine, ReplayConfig | OpenAIConfig):
        return Rendered(engine.thinking_open)
    if checkpoint is None:
        return Rendered()
    from vlm_boundary.engines.chat import ChatRenderer

    chat = ChatRenderer.of(checkpoint)
    rules = {name: chat.pictures(one.images.budget) for name, one in benchmarks.items()}
    if isinstance(engine, VllmConfig):
        args = engine.args.get("mm_processor_kwargs") or {}
        sizes = {
            name: _sizes_in_vllm(run, name, rule).model_copy(update={"engine": args})
            for name, rule in rules.items()
        }
    else:
        sizes = {name: rule.sizes for name, rule in rules.items()}
    told = experiment.arm_chat_template_args(arm)
    return Rendered(opens_thought(chat, told, _prompts(run, experiment, arm, benchmarks)), sizes)


def _sizes_in_vllm(run: RunDirectory, benchmark: str, rule: PictureRule) -> PictureSizes:
    if not rule.by_number:
        return rule.sizes
    return rule.sizes_in_vllm(max(len(one.pictures) for one in run.read_problems(benchmark)))


def opens_thought(
    chat: ChatRenderer, told: dict[str, Any], prompts: Iterator[list[dict[str, Any]]]
) -> bool | None:
    """Whether prompts end inside a thought, by the first that can be rendered."""
    for turns in prompts:
        try:
            return ends_in_thought(chat.prompt_text(turns, told))
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
