r"""Formulas that exact arithmetic does not cover, worked out roughly: enough to tell most apart.

Nested and cube roots, logarithms, trigonometric functions. Two formulas whose values are far from
each other at one point are not equal; those that are near at every point may be, which is left to
a symbolic comparison. Everything is bounded by the length of the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache

_FAR = 0.02  # more than any rounding that a rule allows
_MAX_LENGTH = 200
_MAX_DEPTH = 30
_DROPPED = re.compile(r"\\(?:left|right|displaystyle|,|!|;|:| )|\$|\\boxed(?=\s*\{)")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<command>\\[a-zA-Z]+)|(?P<letter>[a-zA-Zπ∞√°])"
    r"|(?P<mark>\*\*|[-+*/^(){}\[\]_|!,=<>]|\S))"
)
_FRACTIONS = frozenset((r"\frac", r"\dfrac", r"\tfrac"))
_TIMES = frozenset(("*", r"\cdot", r"\times"))
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    r"\sin": math.sin,
    r"\cos": math.cos,
    r"\tan": math.tan,
    r"\arcsin": math.asin,
    r"\arccos": math.acos,
    r"\arctan": math.atan,
    r"\sec": lambda value: 1 / math.cos(value),
    r"\csc": lambda value: 1 / math.sin(value),
    r"\cot": lambda value: 1 / math.tan(value),
    r"\ln": math.log,
    r"\exp": math.exp,
}
_INVERSE = {r"\sin": math.asin, r"\cos": math.acos, r"\tan": math.atan}
_GREEK = frozenset(r"\alpha \beta \gamma \theta \lambda \mu \phi \omega".split())
# Values of the first and the second variable at each point, positive and with nothing in common.
_POINTS = ((0.6137, 1.8291), (1.6421, 0.4273))


class _NotCovered(ValueError):
    """Something that this does not work out."""


def far_apart(one: str, two: str) -> bool:
    """Whether two formulas cannot be equal: somewhere their values are 2 % apart, or more."""
    try:
        first, second = _tokens(one), _tokens(two)
        names = sorted({t for t in (*first, *second) if _is_variable(t)})
        if len(names) > len(_POINTS[0]):
            return False
        points = _POINTS if names else ((),)
        values = [
            [_Formula(tokens, dict(zip(names, point, strict=False))).value() for point in points]
            for tokens in (first, second)
        ]
    except (_NotCovered, ArithmeticError, ValueError):  # outside a function's domain
        return False
    return any(abs(a - b) > _FAR * max(abs(a), abs(b)) for a, b in zip(*values, strict=True))


def worked_out(text: str) -> float | None:
    """The value of a formula without variables; None of one that this does not cover."""
    try:
        return _Formula(_tokens(text), {}).value()
    except (_NotCovered, ArithmeticError, ValueError):
        return None


def _is_variable(token: str) -> bool:
    return token in _GREEK or (len(token) == 1 and token.isascii() and token.isalpha())


@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[str, ...]:
    if len(text) > _MAX_LENGTH:
        raise _NotCovered
    tokens = tuple(match[0].strip() for match in _TOKEN.finditer(_DROPPED.sub(" ", text).strip()))
    if not tokens or "e" in tokens or "i" in tokens:  # constants or variables: who knows
        raise _NotCovered
    return tokens


class _Formula:
    """Recursive descent over the tokens of a formula."""

    def __init__(self, tokens: tuple[str, ...], variables: dict[str, float]) -> None:
        self._tokens, self._variables = tokens, variables
        self._place = self._depth = 0

    def value(self) -> float:
        value = self._sum()
        if self._place < len(self._tokens) or not math.isfinite(value):
            raise _NotCovered
        return value

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        token = self._peek()
        if not token or (wanted and token not in wanted):
            raise _NotCovered
        self._place += 1
        return token

    def _sum(self) -> float:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _NotCovered
        sign = -1.0 if self._peek() in ("-", "+") and self._take() == "-" else 1.0
        total = sign * self._product()
        while self._peek() in ("+", "-"):
            total += self._product() if self._take() == "+" else -self._product()
        self._depth -= 1
        return total

    def _product(self) -> float:
        value = self._power()
        while True:
            token = self._peek()
            if token in _TIMES:
                self._take()
                value *= self._power()
            elif token in ("/", r"\div"):
                self._take()
                value /= self._power()
            elif token in _FRACTIONS and self._tokens[self._place - 1][-1].isdigit():
                raise _NotCovered  # a mixed number, or a product
            elif token in ("(", "{", "√") or self._starts_factor(token):
                value *= self._power()
            else:
                return value

    def _starts_factor(self, token: str) -> bool:
        return (
            token in _FRACTIONS
            or token in (r"\sqrt", r"\pi", "π", r"\log")
            or token in _FUNCTIONS
            or _is_variable(token)
        )

    def _power(self) -> float:
        value = self._atom()
        if self._peek() in ("^", "**"):
            self._take()
            return float(_real(value ** self._exponent()))
        return value

    def _exponent(self) -> float:
        if self._peek() == "{":
            return self._group("{", "}")
        sign = -1.0 if self._peek() == "-" and self._take() else 1.0
        return sign * self._atom()

    def _group(self, opening: str, closing: str) -> float:
        self._take(opening)
        value = self._sum()
        self._take(closing)
        return value

    def _argument(self) -> float:
        """What a fraction or a root is of: a group, or one token and one digit of a number."""
        if self._peek() == "{":
            return self._group("{", "}")
        if len(self._peek()) > 1 and self._peek()[0].isdigit():
            raise _NotCovered  # \frac12 may have been cut otherwise
        return self._atom()

    def _atom(self) -> float:
        token = self._peek()
        if token == "(":
            return self._group("(", ")")
        if token == "{":
            return self._group("{", "}")
        self._take()
        if token[:1].isdigit() or token[:1] == ".":
            return float(token)
        if token in (r"\pi", "π"):
            return math.pi
        if token in _FRACTIONS:
            return self._argument() / self._argument()
        if token in (r"\sqrt", "√"):
            return self._root()
        if token == r"\log":
            self._take("_")
            base = self._argument()
            return self._called(lambda value: math.log(value, base))
        if token in _FUNCTIONS:
            return self._called(_FUNCTIONS[token], _INVERSE.get(token))
        if token in self._variables:
            return self._variables[token]
        raise _NotCovered

    def _root(self) -> float:
        degree = self._group("[", "]") if self._peek() == "[" else 2.0
        value = self._argument()
        if value < 0 and degree % 2 == 1:
            return -float((-value) ** (1 / degree))
        return float(_real(value ** (1 / degree)))

    def _called(
        self, function: Callable[[float], float], inverse: Callable[[float], float] | None = None
    ) -> float:
        power = 1.0
        if self._peek() == "^":
            self._take()
            power = self._exponent()
            if power == -1:
                function, power = inverse or function, 1.0
                if inverse is None:
                    raise _NotCovered
        bracketed = self._peek() in ("(", "{")
        value = self._power() if bracketed else self._atom()
        if not bracketed and (self._peek() in ("^", "(", "√") or self._starts_factor(self._peek())):
            raise _NotCovered  # whether it is within the function is anybody's guess
        return float(_real(function(value) ** power))


def _real(value: float | complex) -> float:
    if isinstance(value, complex):
        raise _NotCovered
    return value
