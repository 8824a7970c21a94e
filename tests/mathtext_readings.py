"""The two dialects of the reader of mathematics, each as its room uses it."""

from __future__ import annotations

from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.evaluate import Value, numeric
from vlm_boundary.mathtext.lexer import raw_tokens
from vlm_boundary.mathtext.parser import CHAIN, Expression, Parser
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.values import Number


def answer(text: str) -> Number:
    """What the verifier reads."""
    value = read(text)
    if not isinstance(value, Number):
        raise Unsupported("no number")
    return value


def parsed(text: str) -> Expression:
    """What the checker reads, the whole of it."""
    parser = Parser(raw_tokens(text, 0, len(text)), CHAIN)
    expression = parser.expression()
    if parser.rest:
        raise Unsupported("goes on")
    return expression


def chain(text: str, *, percent: bool = False) -> Value:
    """The value of what the checker reads."""
    return numeric(parsed(text).node, percent=percent)
