"""Prompts: pictures first, the protocol's words, nothing a template could do beyond that."""

from __future__ import annotations

import pytest
from jinja2.exceptions import SecurityError, UndefinedError

from vlm_boundary.benchmarks import Problem, PromptConfig, messages, resolve_prompt
from vlm_boundary.errors import UserError

PROBLEM = Problem("b", "1", "What is x?\n<image1>", "3", pictures=("a.png",), unit="cm")


def test_the_papers_prompt_is_word_for_word() -> None:
    """Figure 26 of arXiv 2504.13837."""
    system, user = messages(PROBLEM, resolve_prompt("easyr1-paper"), r"<image\d+>")
    assert system == {
        "role": "system",
        "content": "You are Qwen, created by Alibaba Cloud. You are a helpful assistant. You FIRST "
        "think about the reasoning process as an internal monologue and then provide the final "
        "answer. The reasoning process MUST BE enclosed within <think> </think> tags. The final "
        "answer MUST BE put in \\boxed{}.",
    }
    assert user["content"] == [{"type": "image"}, {"type": "text", "text": "What is x?"}]


def test_a_placeholder_stays_unless_it_is_declared() -> None:
    (user,) = messages(PROBLEM, PromptConfig())
    assert user["content"][-1]["text"] == "What is x?\n<image1>"


def test_templates_see_the_problems_fields() -> None:
    (user,) = messages(PROBLEM, PromptConfig(user="{{ question }} ({{ unit }})"), r"\s*<image1>")
    assert user["content"][-1]["text"] == "What is x? (cm)"


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        messages(PROBLEM, PromptConfig(user="{{ answer }}"))


def test_a_template_cannot_reach_into_python() -> None:
    with pytest.raises(SecurityError):
        messages(PROBLEM, PromptConfig(user="{{ question.__class__.__mro__ }}"))


def test_an_unknown_protocol_lists_the_known() -> None:
    with pytest.raises(UserError, match="boxed"):
        resolve_prompt("cot")
