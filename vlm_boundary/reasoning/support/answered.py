"""A final answer as a number, and what the equations before it are made of."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from vlm_boundary.mathtext.dialects import CHAIN
from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.evaluate import Value, literals, numeric
from vlm_boundary.mathtext.lexer import raw_tokens
from vlm_boundary.mathtext.parser import Parser
from vlm_boundary.mathtext.tree import Numeral
from vlm_boundary.reasoning.evidence import Chain
from vlm_boundary.reasoning.text.equations import Equation
from vlm_boundary.reasoning.text.steps import numbers_of

_HAS_NUMBER = re.compile(r"[\d½⅓⅔¼¾⅛π]|pi")
_RANGE = re.compile(r"\d+ ?[-–] ?\d+")  # a class of values, no difference


@lru_cache(maxsize=4096)
def _number(answer: str) -> Value | None:
    written = answer.strip("*")
    if len(written) > 60:
        return None
    if written.isdecimal() and written.isascii():
        return int(written)
    if "[" in written or "]" in written or _HAS_NUMBER.search(written) is None:
        return None
    if _RANGE.fullmatch(written):
        return None
    tokens = [t for t in raw_tokens(written, 0, len(written)) if t.kind != "stop"]
    if not tokens:
        return None
    parser = Parser(tokens, CHAIN)
    try:
        found = parser.expression()
        if any(t.kind not in ("word", "label", "letter", "close") for t in parser.rest):
            return None
        return numeric(found.node)
    except (Unsupported, OverflowError):
        return None


def answer_number(chain: Chain) -> Value | None:
    """The final answer as a number, if it is one."""
    return _number(chain.answer or "")


def sides(equation: Equation) -> list[Value]:
    """What the sides of an equation come to, where that is known."""
    return [value for value in equation.values if value is not None]


def operands(equation: Equation) -> list[Value]:
    """The numbers on the left side of an equation."""
    return [part.value for part in literals(equation.left.node) if isinstance(part, Numeral)]


def in_a_row(equations: list[Equation]) -> bool:
    """Whether each equation starts from what the one before it came to, or goes on with it."""
    for one, two in pairwise(equations):
        if one.right.start == two.left.start:
            continue
        numbers = operands(two)
        if not any(result in numbers for result in sides(one)[-1:]):
            return False
    return True


def sentence_start(text: str, start: int, place: int) -> int:
    """Where the sentence or line that has a place begins."""
    return max(text.rfind(". ", start, place) + 1, text.rfind("\n", start, place) + 1, start)


@lru_cache(maxsize=4096)
def asked_numbers(question: str) -> tuple[Value, ...]:
    """The last numbers of a question."""
    return tuple(numbers_of(question, 0, len(question)))
