"""The marks between which models think: where a thought opens, where it closes, what follows it.

One table for every family, so that what is a thought to the verifier is one to the judge, too.
Whoever opened it, the model or its chat template, what stands in an open thought is no answer.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from vlm_boundary.verifier.phrases import last_match, occurs


@dataclass(frozen=True)
class ThoughtMark:
    """How one family of models opens and closes a thought, as regular expressions."""

    opens: str
    closes: str


# Names of tags <name> … </name>, a token's suffix (Hunyuan's ":opensource") included:
#   think: DeepSeek-R1, Qwen3 to 3.8 and their VL models, GLM-4.xV, MiMo-VL, InternVL3.5, Step3,
#     MiniMax-M2, Kimi-K2, Nemotron, Olmo 3, ERNIE 4.5, Hunyuan: their chat templates, and
#     vllm/reasoning/{deepseek_r1,ernie45,hy_v3,step3,olmo3,…}_reasoning_parser.py (0.28)
#   thinking: Claude-style prompts, Reflection-70B; thought: GLM-4.1V's cold start data
#   seed:think: Seed-OSS, vllm/parser/seed_oss.py; mm:think: MiniMax-M3, its reasoning parser
#   ifm|think, think_fast, think_faster: K2-Horizon, vllm/reasoning/k2_horizon_reasoning_parser.py
#   longcat_think: LongCat-Flash-Thinking, its chat template
#   reasoning, reason, scratchpad: LLaVA-CoT's stages, GRPO recipes (Unsloth, open-r1)
_TAGS = (
    r"(?:(?:seed|mm):)?think(?:ing)?(?::\w{1,20})?|thoughts?|ifm\|think(?:_fast(?:er)?)?"
    r"|longcat_think|reason(?:ing)?|scratchpad"
)
MARKS = (
    ThoughtMark(rf"<\s?(?:{_TAGS})>", rf"<\s?/\s?(?:{_TAGS})>"),
    # Sky-T1, OpenThoughts, Open-Reasoner: the system prompt that they were trained with
    ThoughtMark(r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    # Kimi-VL-Thinking: its chat template
    ThoughtMark(r"◁think▷", r"◁/think▷"),
    # Gemma 4: ai.google.dev/gemma/docs/core/prompt-formatting-gemma4
    ThoughtMark(r"<\|channel>[^\S\n]*thought\b", r"<channel\|>"),
    # Magistral, Mistral Medium 3.5: mistral-common's THINK tokens
    ThoughtMark(r"\[THINK\]", r"\[/THINK\]"),
    # GPT-OSS: github.com/openai/harmony, docs/format.md; its tokens may be left out of the text
    ThoughtMark(
        r"<\|channel\|>\s?(?:analysis|commentary)[^<\n]{0,80}<\|message\|>"
        r"|(?-i:(?<![\s\S])(?:assistant)?analysis(?=[A-Z]))",
        r"<\|channel\|>\s?final[^<\n]{0,80}<\|message\|>|assistantfinal",
    ),
    # Granite 3.2: vllm/reasoning/granite_reasoning_parser.py
    ThoughtMark(
        r"(?<![^\n])Here(?:'s| is) my thought process:", r"(?<![^\n])Here(?:'s| is) my response:"
    ),
    # Cohere Command A Reasoning: vllm/reasoning/cohere_command_reasoning_parser.py
    ThoughtMark(r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    # PLaMo 3: vllm/parser/plamo3.py; Apertus: its chat template
    ThoughtMark(r"<\|plamo:begin_think:plamo\|>", r"<\|plamo:end_think:plamo\|>"),
    ThoughtMark(r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
)
# What opens the answer behind a thought: ERNIE 4.5, Granite 3.3; Cohere; Sky-T1.
_ANSWER_OPENS = r"(?:\s{0,20}<(?:response|\|START_RESPONSE\||\|begin_of_solution\|)>)?"
_START = re.compile("|".join(mark.opens for mark in MARKS), re.IGNORECASE)
_END = re.compile(f"(?:{'|'.join(mark.closes for mark in MARKS)}){_ANSWER_OPENS}", re.IGNORECASE)
_AT_END = re.compile(rf"(?:{'|'.join(mark.opens for mark in MARKS)})\s{{0,20}}\Z", re.IGNORECASE)
_HINTS = (
    *("hink", "HINK", "▷", "hought", "eason", "REASON", "scratchpad"),
    *("channel", "inner_", "my response", "analysis", "assistantfinal"),
)
_CLOSE_HINTS = ("<", "▷", "[/", "esponse:", "sistantfinal")  # one of which each closing mark has
_LONGEST_MARK = 200


@dataclass(frozen=True)
class AfterThought:
    """Where what follows an output's thoughts begins and ends; it may be nothing."""

    start: int
    end: int


def after_thoughts(
    text: str, start: int = 0, end: int = sys.maxsize, *, thinking_open: bool | None = None
) -> AfterThought | None:
    """What stands behind the last thought that closes; None if the text still thinks.

    Args:
        start, end: the part of the text to look at.
        thinking_open: the prompt ended inside a thought, so that the text begins in one; None
            where that is not known, and a text without any mark is then taken for no thought.
    """
    end = min(end, len(text))
    if not occurs(_HINTS, text):
        return None if thinking_open else AfterThought(start, end)
    closing = last_match(_END, text, start, end)
    if closing is None:
        if thinking_open or _START.search(text, start, end):
            return None
        return AfterThought(start, end)
    opening = _START.search(text, closing.end(), end)
    if opening is None:
        return AfterThought(closing.end(), end)
    if not text[closing.end() : opening.start()].strip():
        return None
    return AfterThought(closing.end(), opening.start())  # it thinks again and never ends


def last_thought(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the last thought that closes stands, without its marks; it may begin with the text."""
    if not occurs(_CLOSE_HINTS, text) or not occurs(_HINTS, text):
        return None
    closing = last_match(_END, text, start, end)
    if closing is None:
        return None
    opening = last_match(_START, text, start, closing.start())
    return (start if opening is None else opening.end()), closing.start()


def first_closing(text: str, start: int, end: int) -> int | None:
    """Where the first thought of a text closes."""
    if not occurs(_HINTS, text):
        return None
    closing = _END.search(text, start, end)
    return closing.end() if closing else None


def ends_in_thought(prompt: str) -> bool:
    """Whether a rendered prompt ends with an opened thought, so that the output begins in it."""
    return _AT_END.search(prompt[-_LONGEST_MARK:]) is not None
