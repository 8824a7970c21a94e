"""What every settings record shares."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

# Arm and benchmark names become folder names and Hive partition values.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Control = Literal[
    "no_image",
    "shuffled_image",
    "direct_answer",
    "described",
    "described_with_image",
    "misleading_caption",
    "wrong_prefix",
    "blurred",
    "cropped",
    "noised",
    "rotated",
    "half_question",
]
Condition = Literal["full", Control]
FULL: Condition = "full"
STRENGTHS: dict[Control, tuple[float, float, float]] = {
    "blurred": (0.02, 0.0, 1.0),
    "cropped": (0.5, 0.0, 1.0),
    "noised": (0.5, 0.0, 1.0),
    "rotated": (90.0, 0.0, 360.0),
}
"""The controls that have a strength: its default, and what it is between."""
Role = Literal["base", "rl", "instruct", "distilled", "step", "repeat"]
# "repeat" is a base sampled again under other seeds: the A/A self-test.

MAX_SAMPLES = 1 << 20  # the span of seeds reserved for one problem, see sampling/work.py


def _plain(value: Any) -> Any:
    """A value as JSON gives it back, so that a manifest that was read again compares equal."""
    try:
        return json.loads(json.dumps(value))
    except TypeError as error:
        raise ValueError(
            f"use numbers, text, booleans, null, lists and mappings: {error}"
        ) from None


def _regular_expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_regular_expression)]
PlainMapping = Annotated[dict[str, Any], BeforeValidator(_plain)]

# What a chat template is given anyway, or what would make something else of its text.
_GIVEN_TO_TEMPLATES = (
    *("messages", "conversation", "tools", "documents", "chat_template", "add_generation_prompt"),
    *("continue_final_message", "tokenize", "return_dict", "return_tensors", "processor_kwargs"),
    *("return_assistant_tokens_mask", "load_audio_from_video"),
)


def _switches(args: dict[str, Any]) -> dict[str, Any]:
    for name in args:
        if name in _GIVEN_TO_TEMPLATES:
            raise ValueError(f"{name} is not to be set: it follows from the prompt")
    return args


TemplateArgs = Annotated[PlainMapping, AfterValidator(_switches)]


class Settings(BaseModel):
    """Base of every settings record: unknown keys are errors, values do not change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), use_attribute_docstrings=True
    )
