"""An option that is chosen where the chain comes to another one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from vlm_boundary.mathtext.evaluate import Value
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.support.answered import answer_number, asked_numbers, sides
from vlm_boundary.reasoning.support.concluded import OPTION
from vlm_boundary.reasoning.support.said import in_short, states
from vlm_boundary.reasoning.text.equations import equations
from vlm_boundary.reasoning.text.passages import AnswerPlace
from vlm_boundary.reasoning.text.steps import converted

_ASKS_NEAR = re.compile(
    r"\b(?:about|approx\w*|estimat\w*|closest|nearest|roughly|round\w*)\b", re.IGNORECASE
)
_NEAREST = re.compile(
    r"\b(?:closest|nearest|none of the|not (?:[a-z]+ )?(?:among|one of)|no option|matching"
    r" (?:option|choice|answer)"
    r"|(?:isn't|is not|not)(?: [a-z]+)? (?:offered|listed|available|given|there|an option)|among"
    r" the (?:choices|options|answers)"
    r"|(?:corresponds|comes close|matches|fits|near) (?:best )?(?:to |with )?(?:the )?(?:option"
    r"|choice|answer)"
    r"|best fit\w*|fits best|best match\w*)\b",
    re.IGNORECASE,
)


def another_option(chain: Chain, start: int, answer: AnswerPlace) -> list[Evidence]:
    """A letter chosen, where the last equation comes to another one's value, or to none near it."""
    said, text = chain.answer or "", chain.text
    if not chain.question or ("=" not in text and "≈" not in text):
        return []
    options = option_values(chain.question)
    value = None if len(said) == 1 and said.isalpha() else answer_number(chain)
    chosen = (
        options.get(said.upper())
        if value is None
        else next((option for option in options.values() if option == value), None)
    )
    value = answer_number(chain) if chosen is None and not options else None
    if value is not None and value in asked_numbers(chain.question):
        chosen = Fraction(value)
    if chosen is None:
        return []
    worked = [e for e in equations(text, *chain.turn) if e.sure and e.right.end <= answer.start]
    if not worked:
        return []
    last = sides(worked[-1])[-1:]
    others = [name for name, value in options.items() if last and value == last[0]]
    if not last or chosen in last or _ASKS_NEAR.search(chain.question):
        return []
    behind = text[worked[-1].right.end : answer.end]
    bent = _NEAREST.search(behind) is not None and _is_far(last[0], chosen, options)
    if not bent and (not others or states(text, start, answer.start, chosen)):
        return []
    if not others and converted(last[0], chosen, f"{chain.question} {text[start : answer.end]}"):
        return []
    which = f"which is option {others[0]}" if others else "which is no option"
    note = f"the chain comes to {in_short(last)}, {which}"
    return [Evidence("answer_unsupported", answer.start, answer.end, note)]


@lru_cache(maxsize=4096)  # many samples answer one question
def option_values(question: str) -> Mapping[str, Fraction]:
    """The values of the options of a question, by their letters."""
    return {name: Fraction(value) for name, value in OPTION.findall(question)}


def _is_far(result: Value, chosen: Value, options: Mapping[str, Fraction]) -> bool:
    """Whether a result is not near the option chosen, or nearer to another one."""
    distance = abs(float(result) - float(chosen))
    nearer = any(abs(float(result) - float(value)) < distance for value in options.values())
    return nearer or distance > 0.05 * abs(float(chosen))
