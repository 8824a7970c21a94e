"""Arithmetic as written in prose and LaTeX: tokens, a bounded parser, an exact evaluator.

Nothing is ever executed. Numbers, powers, nesting and length are bounded; what exceeds a bound
or is not arithmetic through and through is not read at all.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

MAX_DIGITS = 24
MAX_DEPTH = 24
MAX_TOKENS = 120
_MAX_BITS = 640
_MAX_EXPONENT = 64

Number = int | Fraction | float
Node = tuple[Any, ...]  # ("num", value, decimals) or (operator, node, …)

UNITS = frozenset(
    "m cm mm km dm g kg mg l ml cl h hr hour min minute s sec second day week month year ft feet "
    "foot inch inche yd yard mile lb pound oz ounce mph kmh cent dollar euro deg degree rad mol kw "
    "wh n j v w gram metre meter litre liter".split()
)
"""Names of units, without a plural s."""
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<num>(?:\d{1,3}(?:(?:,|\{,\})\d{3})+(?![\d])|\d+)(?:\.\d+)?|\.\d+)"
    r"|(?P<sup>[²³])"
    r"|(?P<word>(?:divided|multiplied|per)\s{1,2}(?:by|cent)\b|[^\W\d_]{2,}(?:['’][a-z]+)?"
    r"|[^\W\d_a-zA-Zπ])"
    r"|(?P<letter>[a-zA-Z])"
    r"|(?P<power>\*\*(?=[-\d({])|(?<=[\d)]\s)\*\*(?=\s[-\d({])|\^(?!\s{0,2}\{?\s{0,2}\\circ))"
    r"|(?P<mark>\*\*|\\(?:left|right|displaystyle|mathbf|quad|qquad|[bB]igg?[lr]?)(?![a-zA-Z])"
    r"|\\[,;!: ]|\\?[$€£]|~|&|\\\\)"
    r"|(?P<op>[-+*/−–×·⋅÷∕∗]|\\(?:times|cdot|div|ast)(?![a-zA-Z]))"
    r"|(?P<open>\\?\{|\()"
    r"|(?P<close>\\?\}|\))"
    r"|(?P<deg>°|º|\^\s{0,2}(?:\{\s{0,2}\\circ\s{0,2}\}|\\circ)|\\degree)"
    r"|(?P<pct>\\?%)"
    r"|(?P<frac>\\[dt]?frac(?![a-zA-Z]))"
    r"|(?P<root>\\sqrt(?![a-zA-Z])|√)"
    r"|(?P<pi>\\pi(?![a-zA-Z])|π)"
    r"|(?P<label>\\(?:text|mathrm|textbf|textit|operatorname)\s{0,2}\{[^{}\n]{0,60}\})"
    r"|(?P<stop>[,;:.?!，。；：？！、|\[\]]|\\[()\[\]]|\\boxed(?![a-zA-Z])|=>|[-=]+>|→|⇒"
    r"|\\[Rr]ightarrow)"
    r"|(?P<other>.)"
)
_SIGNS = {
    "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/",
    "\\times": "*", "\\cdot": "*", "\\ast": "*", "\\div": "/",
}  # fmt: skip
_SAID = {
    "plus": ("op", "+"), "minus": ("op", "-"), "times": ("op", "*"), "divided by": ("op", "/"),
    "multiplied by": ("op", "*"), "percent": ("pct", "%"), "per cent": ("pct", "%"),
    "sqrt": ("root", "√"),
}  # fmt: skip
SCALES = frozenset(
    "hundred thousand million billion trillion dozen dozens hundreds thousands millions billions "
    "squared cubed mod modulo remainder half halves quarter quarters third thirds factorial r "
    "pairs pair".split()
)
"""Words that change the number before them."""


class Unread(Exception):  # not an error: the text is no arithmetic
    """These tokens are no arithmetic, or beyond the bounds."""


class Token(NamedTuple):
    """One token; `kind` is a group of the token expression, `text` is normalised."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(text: str, start: int, end: int, *, leading: bool = False) -> list[Token]:
    """The tokens of text[start:end], without spaces and marks; positions are those of text.

    With `leading` only as many as an expression at the beginning can be made of, and what ends it.
    """
    found: list[Token] = []
    words = 0
    for match in _TOKEN.finditer(text, start, end):
        kind = match.lastgroup or "other"
        if kind == "space" or kind == "mark":
            continue
        if leading and not found and kind == "stop" and match[0] == "\\boxed":
            continue  # 2 + 4 = \boxed{6}
        written = match[0]
        if kind == "op":
            written = _SIGNS.get(written, written)
        elif kind == "word":
            if said := _SAID.get(written.lower()):
                kind, written = said
            elif written == "of" and found and found[-1].kind == "pct":
                kind, written = "op", "*"
        found.append(Token(kind, written, match.start(), match.end()))
        if leading:
            words = words + 1 if kind == "word" else 0
            if words > 4 or kind == "stop" or kind == "other":
                break
    return found


@dataclass(slots=True)
class Expression:
    """A parsed stretch of arithmetic, and what makes it less than certain."""

    node: Node
    start: int
    end: int
    operations: int
    labels: frozenset[str]
    unsure: bool = False


class Parser:
    """Recursive descent over tokens; stops where the arithmetic ends."""

    def __init__(self, tokens: list[Token], place: int = 0) -> None:
        self.tokens, self.place = tokens, place
        self.operations = 0
        self.labels: set[str] = set()
        self.unsure = False
        self.divided = False
        self._depth = 0

    def expression(self) -> Expression:
        """The longest expression from here."""
        if self.place >= len(self.tokens):
            raise Unread
        start = self.tokens[self.place].start
        node = self._sum()
        end = self.tokens[self.place - 1].end
        return Expression(node, start, end, self.operations, frozenset(self.labels), self.unsure)

    def _peek(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _sum(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unread
        node = self._product()
        while (token := self._operator("+-")) is not None:
            self.operations += 1
            node = (token, node, self._product())
        self._depth -= 1
        return node

    def _product(self) -> Node:
        node = self._signed()
        while True:
            if (token := self._operator("*/")) is not None:
                self.operations += 1
                self.divided |= token == "/"
                node = (token, node, self._signed())
                continue
            following = self._peek()
            if (
                following is not None
                and (
                    following.kind in ("root", "pi", "frac")
                    or (following.kind == "open" and following.text == "(")
                )
                and following.start - self.tokens[self.place - 1].end <= 1
                and self._opens_number()
            ):
                if following.kind == "frac" and self.tokens[self.place - 1].kind == "num":
                    raise Unread  # 2\\frac{1}{2}: a sum or a product
                self.operations += 1
                node = ("*", node, self._power())
                continue
            return node

    def _opens_number(self) -> bool:
        """Whether what follows is a factor: 2(3 + 4), but not 7 (correct)."""
        token = self.tokens[self.place]
        if token.kind != "open":
            return True
        if token.start != self.tokens[self.place - 1].end:
            return False
        after = self.tokens[self.place + 1] if self.place + 1 < len(self.tokens) else None
        return after is not None and after.kind in ("num", "open", "root", "pi", "frac")

    def _operator(self, signs: str) -> str | None:
        """The operator here or behind labels, if an operand follows it."""
        place = self.place
        labels = []
        while place < len(self.tokens) and self.tokens[place].kind in ("word", "label", "letter"):
            labels.append(self.tokens[place])
            place += 1
            if len(labels) > 3:
                return None
        if place + 1 >= len(self.tokens):
            return None
        token, after = self.tokens[place], self.tokens[place + 1]
        if token.kind == "letter":
            return None
        if token.kind != "op" or token.text not in signs or not _operand(after):
            return None
        for label in labels:
            self._label(label)
        self.place = place + 1
        return token.text

    def _label(self, token: Token) -> None:
        if token.text.lower() in SCALES:
            raise Unread
        if token.kind == "letter":
            if token.text.lower() in "xyzn" or self.tokens[self.place - 1].end == token.start:
                raise Unread
            self.unsure = True
        self.labels.add(label_name(token))

    def _signed(self) -> Node:
        token = self._peek()
        if token is not None and token.kind == "op" and token.text in "+-":
            self.place += 1
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise Unread
            inner = self._signed()
            self._depth -= 1
            return ("neg", inner) if token.text == "-" else inner
        return self._power()

    def _power(self) -> Node:
        node = self._atom()
        while (token := self._peek()) is not None:
            if token.kind == "sup":
                self.place += 1
                self.operations += 1
                node = ("^", node, ("num", 2 if token.text == "²" else 3, 0))
            elif token.kind == "power":
                self.place += 1
                self.operations += 1
                bare = self.tokens[self.place].kind == "num" if self._peek() else False
                node = ("^", node, self._exponent())
                following = self._peek()
                if bare and following is not None and following.text == "/":
                    self.unsure = True  # 8^1/3
                elif node[1][:2] == ("num", 10) and self.divided:
                    self.unsure = True  # 8 × 10^3 / 2 × 10^2
                return node
            elif token.kind == "pct":
                self.place += 1
                node = ("%", node)
            elif token.kind == "deg":
                self.place += 1
            else:
                break
        return node

    def _exponent(self) -> Node:
        token = self._peek()
        if token is not None and token.kind == "op" and token.text == "-":
            self.place += 1
            return ("neg", self._atom())
        return self._atom()

    def _atom(self) -> Node:
        token = self._peek()
        if token is None:
            raise Unread
        self.place += 1
        if token.kind == "num":
            following = self._peek()
            if following is not None and following.start == token.end:
                if following.kind == "word" and label_name(following) in UNITS:
                    self.labels.add(label_name(following))
                    self.place += 1
                elif following.kind in ("word", "letter", "num"):
                    raise Unread
            return literal(token.text)
        if token.kind == "pi":
            return ("pi",)
        if token.kind == "open":
            node = self._sum()
            self._close(token)
            return node
        if token.kind == "root":
            self.operations += 1
            following = self._peek()
            if following is not None and following.kind == "stop":
                raise Unread  # \sqrt[3]{8}
            return ("sqrt", self._atom())
        if token.kind == "frac":
            self.operations += 1
            return ("/", self._group(), self._group())
        raise Unread

    def _group(self) -> Node:
        token = self._peek()
        if token is None or token.kind != "open":
            raise Unread
        self.place += 1
        node = self._sum()
        self._close(token)
        return node

    def _close(self, opened: Token) -> None:
        token = self._peek()
        while token is not None and token.kind in ("word", "label"):  # (5 apples)
            self._label(token)
            self.place += 1
            token = self._peek()
        if token is None or token.kind != "close" or (token.text == ")") != (opened.text == "("):
            raise Unread
        self.place += 1


def label_name(token: Token) -> str:
    """What a label says: the unit or noun, without LaTeX and plural."""
    text = token.text.lower()
    if token.kind == "label":
        text = text[text.index("{") + 1 : -1].strip("~ .^23²³/")
    return text.rstrip("s") or "s"


def _operand(token: Token) -> bool:
    return token.kind in ("num", "open", "root", "frac", "pi") or (
        token.kind == "op" and token.text == "-"
    )


def literal(text: str) -> Node:
    """A number as written, with its decimals."""
    plain = text.replace("{", "").replace("}", "").replace(",", "")
    if len(plain) > MAX_DIGITS:
        raise Unread
    whole, point, decimals = plain.partition(".")
    if not point:
        return ("num", int(whole), 0)
    return ("num", Fraction(int((whole or "0") + decimals), 10 ** len(decimals)), len(decimals))


def evaluate(
    node: Node, *, percent: bool = False, shift: tuple[Node, Number] | None = None
) -> Number:
    """The value of an expression; `percent` divides by 100 at %, `shift` moves one literal.

    Raises:
        Unread: a division by zero, or a number beyond the bounds.
    """
    kind = node[0]
    if kind == "num":
        value: Number = node[1]
        return value + shift[1] if shift is not None and shift[0] is node else value
    if kind == "pi":
        return math.pi + (float(shift[1]) if shift is not None and shift[0] is node else 0.0)
    first = evaluate(node[1], percent=percent, shift=shift)
    if kind == "neg":
        return -first
    if kind == "%":
        return _divided(first, 100) if percent else first
    if kind == "sqrt":
        return _root(first)
    second = evaluate(node[2], percent=percent, shift=shift)
    if kind == "+":
        result: Number = first + second
    elif kind == "-":
        result = first - second
    elif kind == "*":
        result = first * second
    elif kind == "/":
        result = _divided(first, second)
    else:
        result = _powered(first, second)
    return _bounded(result)


def _bounded(value: Number) -> Number:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unread
    elif isinstance(value, int):
        if value.bit_length() > _MAX_BITS:
            raise Unread
    elif max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise Unread
    return value


def _divided(first: Number, second: Number) -> Number:
    if second == 0:
        raise Unread
    if isinstance(first, float) or isinstance(second, float):
        return float(first) / float(second)
    if isinstance(first, int) and isinstance(second, int) and first % second == 0:
        return first // second
    return Fraction(first) / Fraction(second)


def _root(value: Number) -> Number:
    if value < 0:
        raise Unread
    if isinstance(value, int):
        whole = math.isqrt(value)
        if whole * whole == value:
            return whole
    return math.sqrt(value)


def _powered(base: Number, exponent: Number) -> Number:
    if isinstance(exponent, Fraction) and exponent.denominator == 1:
        exponent = int(exponent)
    if not isinstance(exponent, int):
        if base < 0 or abs(float(exponent)) > _MAX_EXPONENT or float(base) > 1e30:
            raise Unread
        return float(base) ** float(exponent) if base else 0.0
    if abs(exponent) > _MAX_EXPONENT or (base == 0 and exponent < 0):
        raise Unread
    if isinstance(base, float):
        if abs(base) > 1e30:
            raise Unread
        return base**exponent
    _bounded(Fraction(base) if isinstance(base, Fraction) else base)
    size = base.bit_length() if isinstance(base, int) else base.numerator.bit_length()
    if size * abs(exponent) > 4 * _MAX_BITS:
        raise Unread
    return base**exponent if exponent >= 0 else Fraction(1) / Fraction(base) ** -exponent


def literals(node: Node) -> list[Node]:
    """The numbers of an expression, from left to right."""
    if node[0] in ("num", "pi"):
        return [node]
    return [inner for part in node[1:] for inner in literals(part)]


def operators(node: Node) -> set[str]:
    """What an expression does with its numbers."""
    if node[0] in ("num", "pi"):
        return set()
    return {node[0]}.union(*(operators(part) for part in node[1:]))
