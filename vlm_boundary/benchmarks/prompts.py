"""How a question is put into words: named prompt protocols over Jinja templates."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import field_validator

from vlm_boundary.config import Settings
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from jinja2 import Template

    from vlm_boundary.benchmarks.problem import Problem

Message = dict[str, Any]
"""One chat turn: role, and content parts of type image or text."""


@lru_cache(maxsize=64)
def _template(source: str) -> Template:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    # Sandboxed: a benchmark YAML may come from a stranger.
    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(source)


class PromptConfig(Settings):
    """Templates over the problem's fields (question, choices, unit, precision, answer_type)."""

    system: str | None = None
    """System turn; without one, the checkpoint's chat template decides."""
    user: str = "{{ question }}"
    """User turn, after the pictures."""

    @field_validator("system", "user")
    @classmethod
    def _compiles(cls, template: str | None) -> str | None:
        if template is not None:
            from jinja2 import TemplateSyntaxError

            try:
                _template(template)
            except TemplateSyntaxError as error:
                raise ValueError(f"not a Jinja template: {error.message}") from None
        return template


_THINK_AND_BOX = (
    "You FIRST think about the reasoning process as an internal monologue and then provide the "
    "final answer. The reasoning process MUST BE enclosed within <think> </think> tags. The final "
    "answer MUST BE put in \\boxed{}."
)

PROTOCOLS: dict[str, PromptConfig] = {
    # Yue et al. 2025 (arXiv 2504.13837), Figure 26: for base and RL, in training and evaluation.
    "easyr1-paper": PromptConfig(
        system="You are Qwen, created by Alibaba Cloud. You are a helpful assistant. "
        + _THINK_AND_BOX
    ),
    "boxed": PromptConfig(
        user="{{ question }}\nPlease reason step by step, and put your final answer within "
        "\\boxed{}."
    ),
}


def resolve_prompt(prompt: str | PromptConfig) -> PromptConfig:
    """The templates of a protocol given by name or in full.

    Raises:
        UserError: no protocol has that name.
    """
    if isinstance(prompt, PromptConfig):
        return prompt
    if prompt not in PROTOCOLS:
        raise UserError(f"no prompt protocol {prompt!r}; there are {', '.join(PROTOCOLS)}")
    return PROTOCOLS[prompt]


def prompt_hash(prompt: PromptConfig, image_placeholder: str | None) -> str:
    """SHA-256 of what the wording depends on."""
    content = json.dumps([prompt.system, prompt.user, image_placeholder])
    return hashlib.sha256(content.encode()).hexdigest()


def messages(
    problem: Problem, prompt: PromptConfig, image_placeholder: str | None = None
) -> list[Message]:
    """The chat turns that put a problem to a model: pictures first, then the text."""
    question = problem.question
    if image_placeholder:
        question = re.sub(image_placeholder, "", question).strip()
    variables = {
        "question": question,
        "choices": list(problem.choices),
        "unit": problem.unit,
        "precision": problem.precision,
        "answer_type": problem.answer_type,
    }
    turns: list[Message] = []
    if prompt.system is not None:
        turns.append({"role": "system", "content": _template(prompt.system).render(variables)})
    content: list[dict[str, str]] = [{"type": "image"} for _ in problem.pictures]
    content.append({"type": "text", "text": _template(prompt.user).render(variables)})
    turns.append({"role": "user", "content": content})
    return turns
