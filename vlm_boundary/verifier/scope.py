"""The part of an output in which an answer may stand."""

from __future__ import annotations

import re

# A model that runs on past its turn writes these; nothing after them is its answer.
_NEXT_TURN = re.compile(r"<\|(?:im_start|im_end|endoftext)\|>")
_COMMITTED = re.compile(r"\\boxed\s*\{|</answer>")
# Reasoning of any length ends in its answer; the limit keeps symbolic parsing linear.
MAX_TAIL = 20_000


def answer_scope(text: str) -> str | None:
    """The text after the reasoning and before any further turn; None if reasoning never ended."""
    turn = _NEXT_TURN.split(text, maxsplit=1)[0].replace("\0", "")
    _, closing, after = turn.rpartition("</think>")
    if closing:
        return after[-MAX_TAIL:]
    if "<think>" in turn:
        return None
    return turn[-MAX_TAIL:]


def commits_to_answer(scope: str) -> bool:
    """Whether a cut-off output had already marked its answer."""
    return _COMMITTED.search(scope) is not None
