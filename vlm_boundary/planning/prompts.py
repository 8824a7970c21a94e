"""How long prompts are, pictures included, by a checkpoint's own processor and chat template."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from PIL.Image import Image

from vlm_boundary.benchmarks import BenchmarkConfig, PromptConfig, messages, pictures_shown
from vlm_boundary.benchmarks.images import PictureError
from vlm_boundary.config import Condition
from vlm_boundary.engines.base import PromptUnusable
from vlm_boundary.engines.chat import ChatRenderer
from vlm_boundary.records.manifest import Checkpoint, PictureSizes
from vlm_boundary.records.problem import Problem

# Every prompt is measured up to so many problems, beyond that as many, evenly spaced.
MEASURED = 512

# The files of a checkpoint, beside its chat template, on which its prompts' lengths depend.
_PROCESSOR_FILES = ("*token*.json", "*process*.json", "vocab.json", "merges.txt")


@dataclass(frozen=True)
class PromptLengths:
    """Tokens of the measured prompts and, of those, tokens that stand for pictures, by problem.

    `sizes` is what the model is shown of pictures.
    """

    tokens: dict[str, int]
    picture_tokens: dict[str, int]
    sizes: PictureSizes

    @property
    def mean(self) -> float:
        """Mean length."""
        return fmean(self.tokens.values())

    @property
    def mean_pictures(self) -> float:
        """Mean number of tokens that stand for pictures."""
        return fmean(self.picture_tokens.values())

    @property
    def longest(self) -> int:
        """The longest prompt's length."""
        return max(self.tokens.values())

    def of(self, problem_id: str) -> tuple[float, float]:
        """A prompt's tokens and picture tokens; the means where it was not measured."""
        if problem_id in self.tokens:
            return self.tokens[problem_id], self.picture_tokens[problem_id]
        return self.mean, self.mean_pictures


def measure_prompts(
    checkpoint: Checkpoint,
    benchmark: BenchmarkConfig,
    prompt: PromptConfig,
    condition: Condition,
    problems: Sequence[Problem],
    open_picture: Callable[[str], Image],
    processor_options: dict[str, Any],
    template_args: dict[str, Any],
    *,
    progress: Callable[[], object] = lambda: None,
) -> PromptLengths | None:
    """Measure the prompts of problems as a condition shows them; None where none can be.

    Args:
        checkpoint: its weights are not needed.
        open_picture: gives a problem's picture by its name, as it is shown.
        processor_options: keywords that the engine gives the processor for every prompt.
        template_args: what the chat template is told beside the turns.
    """
    chat = ChatRenderer.of(checkpoint)
    rule = chat.pictures(benchmark.images.budget)
    options = processor_options | rule.options
    tokens, picture_tokens, most = {}, {}, 0
    for problem in evenly_spaced(problems, MEASURED):
        turns = messages(problem, prompt, benchmark.images, condition)
        try:
            pictures = [rule.fit(open_picture(name)) for name in pictures_shown(turns)]
            found = chat.prompt_tokens(turns, pictures, template_args, problem.prefix, **options)
        except (PictureError, PromptUnusable):
            continue  # sampling records it as a failure
        tokens[problem.problem_id], picture_tokens[problem.problem_id] = found
        most = max(most, len(pictures))
        progress()
    sizes = rule.sizes_in_vllm(most)
    return PromptLengths(tokens, picture_tokens, sizes) if tokens else None


def evenly_spaced(problems: Sequence[Problem], count: int) -> list[Problem]:
    """At most `count` of the problems, the first among them."""
    if len(problems) <= count:
        return list(problems)
    return [problems[place * len(problems) // count] for place in range(count)]


def processor_hash(checkpoint: Checkpoint) -> str:
    """SHA-256 of what decides about prompts: equal hashes, equal prompts."""
    digest = hashlib.sha256(checkpoint.chat_template.encode())
    folder = checkpoint.folder
    for path in sorted({path for pattern in _PROCESSOR_FILES for path in folder.glob(pattern)}):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
