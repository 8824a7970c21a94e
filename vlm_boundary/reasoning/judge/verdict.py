"""A judge's words read as a verdict, or as none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vlm_boundary.records.sample import Vote
from vlm_boundary.verifier.thoughts import after_thoughts

_LINE = re.compile(
    r"^[\s*_#>`\-\\[$({]*(?:final\s+)?verdict[\s*_`]*:[\s*_`$\\]*"
    r"(?:boxed\s*\{)?[\s*_`\\]*(?:text\s*\{)?[\s*_`]*(?P<word>valid|invalid)[\s*_`.$)}\]\\]*$",
    re.IGNORECASE,
)
_LONGEST_LINE = 80


def read_verdict(
    text: str, finish_reason: str, *, thinking_open: bool | None = None
) -> bool | None:
    """Whether a judge found a chain valid; None where it abstained.

    The last line decides. An answer that was cut off, that still thinks, that ends in anything else
    or that gave both verdicts is an abstention: it is never counted as a no.

    Args:
        thinking_open: the judge's prompt ended inside a thought.
    """
    if finish_reason != "stop":
        return None
    said = after_thoughts(text, thinking_open=thinking_open)
    if said is None:
        return None
    lines = [line for line in text[said.start : said.end].splitlines() if line.strip()]
    verdicts = [_verdict(line) for line in lines]
    if not lines or verdicts[-1] is None:
        return None
    return verdicts[-1] if len({v for v in verdicts if v is not None}) == 1 else None


def _verdict(line: str) -> bool | None:
    match = _LINE.match(line) if len(line) <= _LONGEST_LINE else None
    return None if match is None else match["word"].lower() == "valid"


@dataclass(frozen=True)
class Bands:
    """What votes say under readings of growing strictness; None where all abstained."""

    any: bool | None
    majority: bool | None
    all: bool | None


def bands(votes: Sequence[bool | None]) -> Bands:
    """Valid by any vote, by more votes for than against, and by every one (none abstaining)."""
    yes, no = votes.count(True), votes.count(False)
    if yes + no == 0:
        return Bands(None, None, None)
    return Bands(yes > 0, yes > no, yes == len(votes))


def vote(text: str, finish_reason: str, *, thinking_open: bool | None = None) -> Vote:
    """A judge's answer with what it says; see `read_verdict`."""
    return Vote(read_verdict(text, finish_reason, thinking_open=thinking_open), finish_reason, text)
