"""The part of an output in which an answer may stand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vlm_boundary.verifier.latex import plain_characters
from vlm_boundary.verifier.thoughts import after_thoughts, first_closing

# A model that runs on past its turn writes these; nothing after them is its answer.
_HARD_TURN = re.compile(
    r"<\|(?:im_start|im_end|endoftext|eot_id|eom_id|user|return|end_of_solution|end[▁_]of[▁_]sentence"
    r"|END_RESPONSE|END_OF_TURN_TOKEN|end(?!\|>\s{0,9}<\|start\|>\s?assistant))\|>"
    r"|</s>|\[INST\]|<(?:end|start)_of_turn>|<turn\|>|<\|turn>|</response>"
)
_SOFT_TURN = re.compile(  # from the last of several newlines, so that blank lines cost nothing
    r"\n[^\S\n]*(?:#{1,4}[^\S\n]*)?"
    r"(?:Question|Q|User|Human|USER|HUMAN|Instruction|Problem|Input|问题|题目|用户)"
    r"(?:[^\S\n]*\d{1,3})?[^\S\n]*[:：]"
    r"(?!(?<=\nQ[1-4]:)[^\S\n]*[$€£*]{0,3}-?\d)"  # no quarter's value
    r"|\n[^\S\n]*(?:Hint|Choices)[^\S\n]*:\s*Please"
    r"|\n[^\S\n]*(?:user|human|User|Human)[^\S\n]*\n"
)
_LEADING_TURN = re.compile(r"\s*(?:<\|im_start\|>\s*)?(?:assistant|Assistant|ASSISTANT)\s*[:\n]\s*")
_LEAKED = re.compile(r"addCriterion\s*")
# Where a line may be broken within a sentence: before a word in small letters, before a value.
_BROKEN = re.compile(r"\n[^\S\n]{0,3}(?=[a-z]{2})|\n{1,2}[^\S\n]{0,3}(?=[-+$\\(*]{0,4}\d|\\boxed)")
_UNFINISHED = re.compile(
    r"(?<![a-z])(?:is|are|was|were|be|not|than|except|hardly|barely|that|equals)\s{0,3}$",
    re.IGNORECASE,
)
MAX_TAIL = 20_000  # reasoning of any length ends in its answer


@dataclass(frozen=True)
class AnswerScope:
    """Text to look for an answer in, and what was seen on the way to it.

    `reason` says why there is none: "open_think", "empty", "echo". `start` is where the text
    begins in the plain text; `places` maps that to the output as written, None if nothing moved.
    """

    text: str
    start: int = 0
    places: list[int] | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where in the output as written the characters start to end of the text stand."""
        if self.places is None:
            return self.start + start, self.start + end
        last = max(self.start + end - 1, self.start + start)
        return self.places[self.start + start], self.places[last] + 1


def answer_scope(
    output: str, question: str = "", *, thinking_open: bool | None = None
) -> AnswerScope:
    """The text after the reasoning and before any further turn.

    Args:
        thinking_open: the prompt ended inside a thought, so that the output begins in one.
    """
    plain, places = plain_characters(output)
    begin, end = 0, len(plain)
    flags: list[str] = []
    header = _LEADING_TURN.match(plain)
    if header:
        begin = header.end()
    turn = _HARD_TURN.search(plain, begin)
    if turn:
        end = turn.start()
        if plain[turn.start() :].strip() != turn[0]:
            flags.append("runaway")
    end = _soft_end(plain, first_closing(plain, begin, end) or begin, end, flags)
    rest = after_thoughts(plain, begin, end, thinking_open=thinking_open)
    if rest is None:
        return AnswerScope("", reason="open_think", flags=tuple(flags))
    begin, end = rest.start, rest.end
    begin = _without_echo(plain, begin, end, question, flags)
    leaked = _LEAKED.match(plain, begin, end)
    if leaked:
        begin = leaked.end()
    if end - begin > MAX_TAIL:
        begin = end - MAX_TAIL
        flags.append("long")
    text = _BROKEN.sub(_mended, plain[begin:end])
    reason = None
    if not text.strip(" \n\t.*#-"):
        reason = "echo" if "echo" in flags else "empty"
    return AnswerScope(text, begin, places, reason, tuple(flags))


def _mended(match: re.Match[str]) -> str:
    """A line break as a space, if what stands before it does not end there."""
    before = match.string[max(0, match.start() - 14) : match.start()]
    following = match.string[match.end() : match.end() + 1]
    goes_on = following.isalpha() and re.search(r"[a-z,'’][^\S\n]{0,3}$", before, re.IGNORECASE)
    return match[0].replace("\n", " ") if goes_on or _UNFINISHED.search(before) else match[0]


def turn_span(output: str, question: str = "") -> tuple[int, int]:
    """Where an output's own turn stands in it as written, its reasoning included.

    A header, an echo of the question and any further turn are left out.
    """
    begin, end = 0, len(output)
    if "ssistant" in output or "ASSISTANT" in output:
        header = _LEADING_TURN.match(output)
        begin = header.end() if header else 0
    if "<" in output or "[INST" in output:
        turn = _HARD_TURN.search(output, begin)
        end = turn.start() if turn else end
    end = _soft_end(output, begin, end, [])
    return _without_echo(output, begin, end, question, []), end


def _soft_end(plain: str, begin: int, end: int, flags: list[str]) -> int:
    """Where a further turn begins, after some text."""
    if "\n" not in plain:
        return end
    place = begin
    while turn := _SOFT_TURN.search(plain, place, end):
        if plain[begin : turn.start()].strip():
            flags.append("runaway")
            return turn.start()
        place = turn.end()  # the output begins with an echo of its prompt
    return end


def _without_echo(plain: str, begin: int, end: int, question: str, flags: list[str]) -> int:
    """Where the output's own words begin, when it first repeats the question."""
    if len(question) < 20 or end - begin < len(question):
        asked = question.strip()
        if len(asked) >= 20 and end - begin >= 20 and plain[begin:end].strip() in asked:
            flags.append("echo")
            return end
        return begin
    asked = question.strip()
    head = plain[begin : begin + len(question) + 24]
    place = head.find(asked)
    if 0 <= place <= 12:
        flags.append("echo")
        return begin + place + len(asked)
    return begin
