"""How long prompts are, pictures included, by a checkpoint's own processor and chat template."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from PIL.Image import Image
from pydantic import TypeAdapter, ValidationError

import vlm_boundary
from vlm_boundary.benchmarks import BenchmarkConfig, PromptConfig, messages, pictures_shown
from vlm_boundary.benchmarks.images import PictureError
from vlm_boundary.benchmarks.prompts import Message
from vlm_boundary.config import Condition
from vlm_boundary.engines.base import PromptUnusable
from vlm_boundary.engines.chat import ChatRenderer
from vlm_boundary.engines.processors import read_json
from vlm_boundary.environment import version_of
from vlm_boundary.errors import PlaceError
from vlm_boundary.progress import progress_bar
from vlm_boundary.records.manifest import Checkpoint, PictureSizes
from vlm_boundary.records.problem import Problem
from vlm_boundary.writing import cache_folder, replacing

# Every prompt is measured up to so many problems, beyond that as many, evenly spaced.
MEASURED = 512

# The files of a checkpoint, beside its chat template, on which its prompts' lengths depend.
_PROCESSOR_FILES = ("*token*.json", "*process*.json", "vocab.json", "merges.txt", "*.model")

# Of this package, the rooms that render prompts and size pictures, all of them; and this file.
_MEASURING = ("benchmarks/**/*.py", "engines/**/*.py", "planning/prompts.py")


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


_LENGTHS = TypeAdapter(PromptLengths)


@dataclass(frozen=True)
class _Asked:
    """A problem's prompt before it is rendered."""

    problem_id: str
    turns: list[Message]
    prefix: str


def measure_prompts(
    checkpoint: Checkpoint,
    benchmark: BenchmarkConfig,
    prompt: PromptConfig,
    condition: Condition,
    problems: Sequence[Problem],
    open_picture: Callable[[str], Image],
    processor_options: dict[str, Any],
    template_args: dict[str, Any],
) -> PromptLengths | None:
    """Measure the prompts of problems as a condition shows them; None where none can be.

    What was measured is kept in this user's cache: to load a processor takes longer than all else.

    Args:
        checkpoint: its weights are not needed.
        open_picture: gives a problem's picture by its name, as it is shown.
        processor_options: keywords that the engine gives the processor for every prompt.
        template_args: what the chat template is told beside the turns.
    """
    asked = [
        _Asked(one.problem_id, messages(one, prompt, benchmark.images, condition), one.prefix)
        for one in evenly_spaced(problems, MEASURED)
    ]
    said = [benchmark.images.budget, processor_options, template_args, asked]
    kept = cache_folder("prompts") / f"{_measurement_hash(checkpoint, said)}.json"
    # Code of the checkpoint's own may say something else tomorrow.
    if not checkpoint.trust_remote_code:
        with suppress(OSError, ValidationError):
            return _LENGTHS.validate_json(kept.read_bytes())
    with progress_bar(f"measuring {benchmark.name}", unit="prompt") as bar:
        chat = ChatRenderer.of(checkpoint)
        rule = chat.pictures(benchmark.images.budget)
        options = processor_options | rule.options
        tokens, picture_tokens, most, whole = {}, {}, 0, True
        for one in asked:
            try:
                pictures = [rule.fit(open_picture(name)) for name in pictures_shown(one.turns)]
                found = chat.prompt_tokens(
                    one.turns, pictures, template_args, one.prefix, **options
                )
            except (PictureError, PromptUnusable) as error:
                whole &= isinstance(error, PromptUnusable)  # a picture may be there tomorrow
                continue  # sampling records it as a failure
            tokens[one.problem_id], picture_tokens[one.problem_id] = found
            most = max(most, len(pictures))
            bar.update()
    if not tokens:
        return None
    lengths = PromptLengths(tokens, picture_tokens, rule.sizes_in_vllm(most))
    if whole:
        with suppress(PlaceError), replacing(kept) as temporary:  # else it is measured again
            temporary.write_bytes(_LENGTHS.dump_json(lengths))
    return lengths


def _measurement_hash(checkpoint: Checkpoint, said: list[Any]) -> str:
    """SHA-256 of all that a measurement follows from, our own code included.

    Pictures are in it by their names, which follow from their content.
    """
    package = Path(vlm_boundary.__file__).parent
    files = sorted(path for pattern in _MEASURING for path in package.glob(pattern))
    code = [path.read_text(encoding="utf-8") for path in files]
    versions = [version_of(name) for name in ("transformers", "tokenizers", "pillow")]
    config = read_json(checkpoint.folder / "config.json")  # it names the tokenizer's class
    everything = [processor_hash(checkpoint), config, versions, code, said]
    return hashlib.sha256(json.dumps(everything, sort_keys=True, default=vars).encode()).hexdigest()


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
