r"""Formulas that exact arithmetic does not cover, worked out roughly: enough to tell most apart.

Nested and cube roots, logarithms, trigonometric functions. Two formulas whose values are far from
each other at one point are not equal; those that are near at every point may be, which is left to
a symbolic comparison. Everything is bounded by the length of the text.
"""

from __future__ import annotations

import re
from functools import lru_cache

from vlm_boundary.mathtext.dialects import FORMULA
from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.evaluate import numeric
from vlm_boundary.mathtext.lexer import raw_tokens
from vlm_boundary.mathtext.parser import Parser
from vlm_boundary.mathtext.tree import PI, Name, Node, parts

_FAR = 0.02  # more than any rounding that a rule allows
_MAX_LENGTH = 200
_DROPPED = re.compile(r"\\boxed(?=\s*\{)|(?<=\d)\.(?!\d)")  # 2. is 2
_UNCLEAR = ("\\\\", "&", "^{\\circ", "^\\circ")
_CONSTANTS = frozenset("ei∞")  # or variables: who knows
# Values of the first and the second variable at each point, positive and with nothing in common.
_POINTS = ((0.6137, 1.8291), (1.6421, 0.4273))


def far_apart(one: str, two: str) -> bool:
    """Whether two formulas cannot be equal: somewhere their values are 2 % apart, or more."""
    try:
        trees = _tree(one), _tree(two)
        names = sorted(_names(trees[0]) | _names(trees[1]))
        if len(names) > len(_POINTS[0]):
            return False
        for point in _POINTS if names else ((),):
            known = dict(zip(names, point, strict=False))
            a, b = (float(numeric(tree, names=known)) for tree in trees)
            if abs(a - b) > _FAR * max(abs(a), abs(b)):
                return True
    except (Unsupported, ArithmeticError):
        return False
    return False


def worked_out(text: str) -> float | None:
    """The value of a formula without variables; None of one that this does not cover."""
    try:
        return float(numeric(_tree(text)))
    except (Unsupported, ArithmeticError):
        return None


def _names(tree: Node) -> set[str]:
    return {part.text for part in parts(tree) if isinstance(part, Name) and part != PI}


@lru_cache(maxsize=4096)
def _tree(text: str) -> Node:
    if len(text) > _MAX_LENGTH or any(sign in text for sign in _UNCLEAR):
        raise Unsupported("no single formula")
    text = _DROPPED.sub(" ", text).replace("**", "^")
    parser = Parser(raw_tokens(text, 0, len(text)), FORMULA)
    tree = parser.node()
    if parser.rest or _names(tree) & _CONSTANTS:
        raise Unsupported("more than a formula")
    return tree
