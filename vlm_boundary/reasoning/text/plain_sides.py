"""The sides of an equation that are most common, read without tokens: 12, 9 triangles, 3 + 4.

Each function reads what it can read just as the parser does, and returns None otherwise.
"""

from __future__ import annotations

import re
from functools import lru_cache

from vlm_boundary.mathtext.lexer import digits
from vlm_boundary.mathtext.parser import Expression
from vlm_boundary.mathtext.tree import Applied, Node, Numeral, Operation
from vlm_boundary.mathtext.units import CHANGING

WINDOW = 200
"""Characters looked at on either side of a sign."""
_SHORT = 60
_DEGREE = r"(?:°|\^\\circ|\^\{\\circ\})?"
_NUMBER_ALONE = re.compile(
    rf" ?(?:\\boxed(\{{))?(-?)([0-9]{{1,12}}(?:\.[0-9]{{1,9}})?)(?:{_DEGREE}|(\\?%))(?(1)\}})"
    r"(?=[,.;]?(?:\s|$)(?! ?[\w$\\(\[{+*/×÷·^%°−–-])|[,.;](?![0-9.])|\.?\\[)\]]"
    r"|\${1,2}(?:[,.;](?![0-9.])| ?\n))"
)
_SOME_WORDS = re.compile(  # a number of something, and what follows up to the fifth word
    r" ?\$?([0-9]{1,12}(?:\.[0-9]{1,9})?)\${0,2} ([A-Za-z][a-z]+)"
    r"((?: [A-Za-z][a-z]+){4}|(?: [A-Za-z][a-z]+){0,3}(?=[.,;]\s|\n|\Z))"
)
_NUMBER = rf"[0-9]{{1,9}}(?:\.[0-9]{{1,6}})?{_DEGREE}"
_OPERATOR = re.compile(r" ?([-+*/×÷·x]|\\(?:times|cdot|div)) ?")
_ENDS_IN_SUM = re.compile(  # begins with a set of characters, so that all others are passed fast
    rf"[-+*/×÷·xstv](?:(?<=[^stv])|(?<=\\times)|(?<=\\cdot)|(?<=\\div)) ?{_NUMBER}[ &]*\Z"
)
_SUM = rf"(?P<sum>{_NUMBER}(?:{_OPERATOR.pattern.replace('(', '(?:', 1)}{_NUMBER}){{1,12}})[ &]*\Z"
_SUM_ALONE = re.compile(
    rf"(?:^|[.,;:]\s|\n|(?<![\w\\'’-])([a-zA-Z]{{2,}}) )(?:\${{1,2}}|\\\( ?|\\\[ ?)?{_SUM}"
)
_SUM_ONLY = re.compile(rf"[\s$&]*{_SUM}")
RISKY = frozenset(  # words that arithmetic behind them may belong to
    "of plus minus times divided by over half twice double triple sum product difference root "
    "squared cubed per to from than between sqrt log ln sin cos tan mod multiplied subtract "
    "subtracting add adding multiply multiplying divide dividing subtracted added quarter third "
    "average mean ratio times with or equation formula base power pi".split()
)
NAMED = frozenset(  # words that a number behind them only names
    "step angle figure fig row column no number case option part question room day week group "
    "line side triangle problem example method level grade page player clock bar point".split()
)
_TELLING = RISKY | NAMED | {"and", "percent", "cent"}  # what arithmetic behind them may be of
_TELLING |= {f"{name}s" for name in NAMED}
_SAID_IN_WORDS = CHANGING | frozenset(
    "plus minus times percent per cent sqrt divided multiplied by pi".split()
)
_NO_THINGS = frozenset(("and", "or"))
_SIGN_OF = {"×": "*", "·": "*", "x": "*", "÷": "/", "\\times": "*", "\\cdot": "*", "\\div": "/"}
_DEGREES = "°^\\{circ}"
_NONE: frozenset[str] = frozenset()


def plain_number(text: str, start: int, end: int, whole: int) -> tuple[Expression, bool] | None:
    """The number that a text begins with, where a comma or the end follows; sure of it."""
    match = _NUMBER_ALONE.match(text, start, end)
    if match is None or (match.end() == end and end < whole and end - start >= WINDOW):
        return None
    node: Node = Numeral(*digits(match[3]), *match.span(3))
    if match[4]:
        node = Applied("%", node)
    if match[2]:
        node = Applied("-", node)
    first = match.start(1) if match[1] else match.start(2)
    return Expression(node, first, match.end(), 0, _NONE), True


def plain_count(text: str, start: int, end: int, whole: int) -> tuple[Expression, bool] | None:
    """The number and what it counts, where words or the end follow: 9 triangles; sure of it."""
    match = _SOME_WORDS.match(text, start, end)
    if match is None or (match.end() == end and end < whole and end - start >= WINDOW):
        return None
    name, *others = f"{match[2]}{match[3]}".lower().split()
    if name in _NO_THINGS or not _SAID_IN_WORDS.isdisjoint((name, *others)):
        return None
    node = Numeral(*digits(match[1]), *match.span(1))
    labels = frozenset((name.rstrip("s") or "s",))
    return Expression(node, *match.span(1), 0, labels), True


def plain_sum(text: str, start: int, end: int, bound: int) -> tuple[Expression, bool] | None:
    """The numbers with operators between that a text ends in; sure of where they begin."""
    if _ENDS_IN_SUM.search(text, max(start, end - 30), end) is None:
        return None
    first = max(start, end - _SHORT)
    match = _SUM_ALONE.search(text, first, end)
    if match is None or match.start() == first > bound or (match[1] or "").lower() in _TELLING:
        match = _SUM_ONLY.match(text, start, end) if start == bound else None
        if match is None:
            return None
    node, operations = read_sum(match["sum"])
    return Expression(node, *match.span("sum"), operations, _NONE), True


@lru_cache(maxsize=4096)  # samples of one problem often have the same sums
def read_sum(written: str) -> tuple[Node, int]:
    """The tree of numbers with operators between, products first, and how many operators."""
    pieces = _OPERATOR.split(written)
    numbers, signs = pieces[::2], [_SIGN_OF.get(sign, sign) for sign in pieces[1::2]]
    total: Node | None = None
    term: Node = Numeral(*digits(numbers[0].rstrip(_DEGREES)))
    pending = "+"
    for sign, number in zip(signs, numbers[1:], strict=True):
        one = Numeral(*digits(number.rstrip(_DEGREES)))
        if sign in "*/":
            term = Operation(sign, term, one)
        else:
            total = term if total is None else Operation(pending, total, term)
            pending, term = sign, one
    return term if total is None else Operation(pending, total, term), len(signs)
