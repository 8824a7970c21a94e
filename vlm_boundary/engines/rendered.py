"""What a checkpoint makes of prompts and pictures: facts that an arm's samples are read by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vlm_boundary.benchmarks.images import PictureBudget
from vlm_boundary.benchmarks.prompts import Message
from vlm_boundary.config import EngineConfig, OpenAIConfig, PrmConfig, ReplayConfig, VllmConfig
from vlm_boundary.engines.base import PromptUnusable
from vlm_boundary.records.manifest import Checkpoint, PictureSizes
from vlm_boundary.verifier.thoughts import ends_in_thought

Prompts = Iterable[list[Message]]
"""Chat turns, prompt by prompt."""


@dataclass(frozen=True)
class Rendered:
    """Whether prompts end inside a thought, and what is shown of each benchmark's pictures.

    What is not known is None or left out: a server renders its own prompts and sizes its own
    pictures, and of replayed samples only their owner can say.
    """

    thinking_open: bool | None = None
    pictures: dict[str, PictureSizes] = field(default_factory=dict)


@dataclass(frozen=True)
class Pictures:
    """A benchmark's pictures: their budget, and the most of them in one problem."""

    budget: PictureBudget
    most: int


def rendered(
    engine: EngineConfig | PrmConfig,
    checkpoint: Checkpoint | None,
    told: Mapping[str, Any],
    benchmarks: Mapping[str, Pictures],
    prompts: Prompts,
) -> Rendered:
    """Render one of the prompts as it is sampled, and ask how pictures are sized.

    Args:
        told: what the chat template is told beside the turns.
        prompts: the first that can be rendered tells how they end; empty where nobody asks.

    Raises:
        UserError: the chat template or the pictures' sizes cannot be had as the settings ask.
    """
    if isinstance(engine, ReplayConfig | OpenAIConfig):
        return Rendered(engine.thinking_open)
    if checkpoint is None or isinstance(engine, PrmConfig):
        return Rendered()
    from vlm_boundary.engines.chat import ChatRenderer

    chat = ChatRenderer.of(checkpoint)
    sizes = {}
    for name, shown in benchmarks.items():
        rule = chat.pictures(shown.budget)
        sizes[name] = rule.sizes
        if isinstance(engine, VllmConfig):
            args = engine.args.get("mm_processor_kwargs") or {}
            sizes[name] = rule.sizes_in_vllm(shown.most).model_copy(update={"engine": args})
    for turns in prompts:
        try:
            return Rendered(ends_in_thought(chat.prompt_text(turns, told)), sizes)
        except PromptUnusable:
            continue  # sampling records it as a failure
    return Rendered(None, sizes)
