"""From tokens to the tree of the longest expression that they begin with.

Nothing is ever executed. Numbers, nesting and length are bounded, and what is no mathematics
through and through is not read at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vlm_boundary.mathtext.dialects import Dialect
from vlm_boundary.mathtext.errors import BeyondLimits, Unsupported
from vlm_boundary.mathtext.lexer import GREEK, MAX_DIGITS, NAMES, VULGAR, Token, digits, label_name
from vlm_boundary.mathtext.tree import PI, Applied, Logarithm, Name, Node, Numeral, Operation, Root
from vlm_boundary.mathtext.units import CHANGING, NOUNS, PER_CENT, SCALES, UNITS

MAX_DEPTH = 30
MAX_TOKENS = 300
"""An expression of more is read up to here, and what is left of it is `rest`."""
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_OPERANDS = frozenset(("number", "vulgar", "open", "root", "frac", "pi"))
_FACTORS = frozenset(("root", "frac", "pi"))
_LABELS = frozenset(("word", "label", "letter"))
_OVER = frozenset(("", "stop", "close"))  # behind which no expression goes on
_POSTFIXES = frozenset(("factorial", "sup", "pct", "deg"))
_GREEK = re.compile(r"[α-ορ-ω]")
_OF_UNITS = frozenset("*/^(){}")
_FUNCTIONS = frozenset("sin cos tan cot sec csc log ln exp arcsin arccos arctan max min".split())
_LOGARITHMS = frozenset(("\\ln", "\\log", "ln", "log"))
_NOTHING = Token("", "", 0, 0, False)


@dataclass(slots=True)
class Expression:
    """A parsed stretch of text, and what makes its reading less than certain."""

    node: Node
    start: int
    end: int
    operations: int
    labels: frozenset[str]
    unsure: bool = False


class Parser:
    """Recursive descent over tokens; `place` is where it stands, and ends."""

    def __init__(self, tokens: list[Token], dialect: Dialect, place: int = 0) -> None:
        self.dialect, self.place = dialect, place
        most = place + MAX_TOKENS
        self._tokens, self._beyond = [*tokens[:most], _NOTHING], tokens[most:]
        self.operations = 0
        self.labels: set[str] = set()
        self.unsure = False
        self._divided = False
        self._depth = 0

    def expression(self) -> Expression:
        """The longest expression from here.

        Raises:
            Unsupported: no expression stands here that this grammar covers.
        """
        start = self._tokens[self.place].start
        node = self.node()
        end = self._tokens[self.place - 1].end
        return Expression(node, start, end, self.operations, frozenset(self.labels), self.unsure)

    def node(self) -> Node:
        """The tree of the longest expression from here."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BeyondLimits("nested too deeply")
        node = self._product()
        while self._tokens[self.place][0] not in _OVER and (sign := self._operator("+-")):
            node = Operation(sign, node, self._product())
        self._depth -= 1
        return node

    @property
    def rest(self) -> list[Token]:
        """The tokens that it has not come to."""
        return self._tokens[self.place : -1] + self._beyond

    def _peek(self, ahead: int) -> Token:
        place = self.place + ahead
        return self._tokens[place] if place < len(self._tokens) else _NOTHING

    def _product(self) -> Node:
        node = self._signed()
        while True:
            token = self._tokens[self.place]
            if token[0] in _OVER or (token[0] == "op" and token[1] in "+-"):
                return node
            if sign := self._operator("*/"):
                self._divided |= sign == "/"
                node = Operation(sign, node, self._signed())
            elif self._factor_follows():
                self.operations += 1
                node = Operation("*", node, self._power())
            else:
                return node

    def _operator(self, signs: str) -> str:
        """The operator here, or behind labels, if the expression goes on with it."""
        token = self._tokens[self.place]
        if self.dialect.labels:
            kind = token.kind
            return self._labelled_operator(signs) if kind == "op" or kind in _LABELS else ""
        if token.kind != "op" or token.text not in signs:
            return ""
        following = self._peek(1)
        if following.kind in NAMES and len(following.text) > 1:
            if token.text == "-" and self.dialect.prose:
                return ""  # 5-year
            if token.text == "/" and following.text in UNITS:
                return ""
        self.place += 1
        self.operations += 1
        return token.text

    def _labelled_operator(self, signs: str) -> str:
        place = self.place
        while self._tokens[place].kind in _LABELS:
            place += 1
            if place - self.place > 3:
                return ""
        token = self._tokens[place]
        if token.kind != "op" or token.text not in signs:
            return ""
        if not _begins_operand(self._tokens[place + 1]):
            return ""
        for label in self._tokens[self.place : place]:
            self._label(label)
        self.place = place + 1
        self.operations += 1
        return token.text

    def _label(self, token: Token) -> None:
        if token.text.lower() in CHANGING:
            raise Unsupported("a word that changes the number")
        if token.kind == "letter":
            if token.text.lower() in "xyzn" or self._tokens[self.place - 1].end == token.start:
                raise Unsupported("a variable")
            self.unsure = True
        self.labels.add(label_name(token))

    def _factor_follows(self) -> bool:
        """Whether a factor follows without a sign between."""
        token = self._tokens[self.place]
        kind, before = token.kind, self._tokens[self.place - 1]
        if kind == "frac" and before.kind == "number" and not self.dialect.mixed:
            raise Unsupported("a sum or a product")  # 2\frac{1}{2}
        if not self.dialect.variables:
            if kind in _FACTORS and token.start - before.end <= 1:
                return True
            glued = token.text == "(" and token.start == before.end  # not 7 (correct)
            return glued and _begins_operand(self._peek(1))
        if kind in _FACTORS or (token.text in _LOGARITHMS and kind == "command"):
            return True
        if kind == "open":
            return not (self.dialect.prose and token.text == "(" and token.spaced)
        if kind == "number":  # 2^{12} 13^2, where no digit stands before
            return not self.dialect.prose and before.text in ")}"
        return kind in NAMES and self._is_variable(token)

    def _is_variable(self, token: Token) -> bool:
        """Whether a name behind a factor is a variable, not a unit or the thing counted."""
        text = token.text
        if text in ("sqrt", "pi"):
            return True
        if text in PER_CENT:
            return False  # 12.5pct
        if self._depth > 1 or self.dialect.formula:
            return len(text) == 1 or text in _FUNCTIONS
        if text == "μ" and text + self._peek(1).text in UNITS and not self._peek(2).text:
            return False  # 5 μ m
        if _GREEK.fullmatch(text) or "_" in text:
            return not self.dialect.prose
        if text in UNITS or text.lower() in SCALES or not text.isascii():
            # A unit only ends a value; in the middle of one the letter is a variable.
            following = self._peek(1)
            goes_on = following.kind in ("op", "power") or following.text == "("
            return len(text) == 1 and goes_on and not self._unit_tail()
        if len(text) == 1:
            return not (self.dialect.prose and token.spaced)
        return len(text) <= 3 and not token.spaced and text.islower() and not self.dialect.prose

    def _unit_tail(self) -> bool:
        """Whether what is left reads as a compound unit, such as m/s or m^2."""
        previous = "*"
        for token in self.rest:
            text = token.text
            if token.kind == "number":
                unit = previous in ("^", "{", "-")
            elif text == "-":
                unit = previous in ("^", "{")
            else:
                unit = text in UNITS or text in _OF_UNITS
            if not unit:
                return False
            previous = text
        return True

    def _signed(self) -> Node:
        """A power, perhaps with a sign; a second sign stands only before a number or a bracket."""
        token = self._tokens[self.place]
        if token.kind != "op" or token.text not in "+-":
            return self._power()
        if self._peek(-1).kind == "op" and self.place and self._peek(1).kind not in _OPERANDS:
            raise Unsupported("two signs")
        self.place += 1
        if self._tokens[self.place].kind == "op":
            raise Unsupported("two signs")
        node = self._power()
        return Applied("-", node) if token.text == "-" else node

    def _power(self) -> Node:
        node = self._atom()
        if self._tokens[self.place][0] in _POSTFIXES:
            node = self._postfixed(node)
        if self._tokens[self.place][0] != "power":
            return node
        self.place += 1
        self.operations += 1
        bare = self._tokens[self.place].kind == "number"
        node = Operation("^", node, self._signed())
        tens = isinstance(node.left, Numeral) and node.left.value == 10
        # 8^1/3 and 8 × 10^3 / 2 × 10^2
        self.unsure |= (bare and self._tokens[self.place].text == "/") or (tens and self._divided)
        return self._postfixed(node)

    def _postfixed(self, node: Node) -> Node:
        """With what stands behind it: a factorial, ², and in a chain % and °."""
        while (token := self._tokens[self.place]).kind in _POSTFIXES:
            if token.kind == "factorial":
                node = Applied("!", node)
            elif token.kind == "sup":
                node = Operation("^", node, Numeral(2 if token.text == "²" else 3))
            elif not self.dialect.labels:
                break
            elif token.kind == "pct":
                node = Applied("%", node)
            self.operations += token.kind in ("factorial", "sup")
            self.place += 1
        return node

    def _atom(self) -> Node:
        token = self._tokens[self.place]
        kind, text = token.kind, token.text
        if kind == "number":
            return self._mixed(token, self._numeral(token))
        self.place += 1
        if kind == "open":
            return self._enclosed(_CLOSING[text])
        if kind == "frac":
            self.operations += 1
            return Operation("/", self._argument(), self._argument())
        if kind == "root" or text == "sqrt":
            self.operations += 1
            return self._root(text)
        if kind == "pi" or text == "pi":
            return PI
        if kind == "vulgar":
            top, bottom = map(int, VULGAR[text].split("/"))
            return Operation("/", Numeral(top), Numeral(bottom))
        if text == "|":
            return Applied("|", self._enclosed("|"))
        if self.dialect.variables:
            if text in _LOGARITHMS:
                return self._logarithm(natural=text.endswith("n"))
            if text == "[":
                return self._enclosed("]")
            if kind in NAMES and text not in _FUNCTIONS:
                return _named(text)
            if text == "∞" or text in GREEK:
                return Name(text)
            if text[1:] in _FUNCTIONS:
                return self._function(text[1:])
        raise Unsupported(f"{text!r} is not covered")

    def _numeral(self, token: Token) -> Numeral:
        self.place += 1
        if self.dialect.labels:
            following = self._tokens[self.place]
            if following.start == token.end and following.kind in ("word", "letter", "number"):
                if following.kind != "word" or label_name(following) not in NOUNS:
                    raise Unsupported("a number with something beside it")
                self.labels.add(label_name(following))
                self.place += 1
        value, decimals, significant = digits(token.text)
        if significant > self.dialect.digits:
            raise BeyondLimits("number too long")
        return Numeral(value, decimals, significant, token.start, token.end)

    def _root(self, text: str) -> Node:
        order = text.partition("[")[2].strip("] ")
        following = self._tokens[self.place]
        if following.text == "[" or order in ("0", "1"):
            raise Unsupported("a root of no whole order")
        negative = text == "√" and following.text == "-" and not following.spaced  # √-4
        self.place += negative
        of = self._argument(whole_number=True)
        return Root(Applied("-", of) if negative else of, int(order or 2))

    def _logarithm(self, *, natural: bool) -> Node:
        base = None
        if self._tokens[self.place].text == "_":
            self.place += 1
            base = self._argument()
        elif not natural:
            raise Unsupported("a logarithm without a base")
        return Logarithm(self._called_with(), base)

    def _function(self, name: str) -> Node:
        power: Node | None = None
        if self._tokens[self.place].kind == "power":
            self.place += 1
            power = self._argument(whole_number=True)
            of = power.of if isinstance(power, Applied) else None
            if isinstance(of, Numeral) and of.value == 1:  # sin^{-1}
                name, power = f"arc{name}", None
        node = Applied(name, self._called_with())
        return node if power is None else Operation("^", node, power)

    def _called_with(self) -> Node:
        """What a function is of: a group, or one thing with nothing beside it."""
        if self._tokens[self.place].kind == "power":
            raise Unsupported("a power of a function")
        grouped = self._tokens[self.place].kind == "open"
        node = self._argument(whole_number=True)
        if self._tokens[self.place].kind == "power" or (not grouped and self._factor_follows()):
            raise Unsupported("perhaps within the function")
        return node

    def _mixed(self, token: Token, whole: Node) -> Node:
        r"""A number, or a mixed number: 2½, 1 3/4, 1\frac{3}{4}."""
        following = self._tokens[self.place]
        if following.kind == "vulgar" and following.start == token.end:
            return Operation("+", whole, self._atom())
        if not self.dialect.mixed or not token.text.isdigit():
            return whole
        if following.kind == "frac" and self._plain_fraction():
            self.place += 1
            fraction = Operation("/", self._argument(), self._argument())
            return Operation("+", whole, fraction)
        if following.kind == "number" and following.spaced and self._peek(1).text == "/":
            bottom = self._peek(2)
            if _proper(following.text, bottom.text):
                top = self._numeral(following)
                self.place += 1
                return Operation("+", whole, Operation("/", top, self._numeral(bottom)))
        return whole

    def _plain_fraction(self) -> bool:
        r"""Whether a proper fraction of whole numbers follows: \frac{1}{2} or \frac12."""
        texts = [self._peek(i).text for i in range(1, 7)]
        if texts[0] == "{" and texts[2:4] == ["}", "{"] and texts[5] == "}":
            return _proper(texts[1], texts[4])
        return len(texts[0]) == 2 and _proper(*texts[0])

    def _argument(self, *, whole_number: bool = False) -> Node:
        r"""What a command is of: a group, or one digit of a number unless it takes it whole."""
        token = self._tokens[self.place]
        if token.kind == "open":
            self.place += 1
            return self._enclosed(_CLOSING[token.text])
        if token.kind != "number":
            return self._atom()
        if whole_number or len(token.text) == 1:
            return self._numeral(token)
        start = token.start + 1
        rest = Token("number", token.text[1:], start, token.end, False)
        self._tokens = [*self._tokens[: self.place], rest, *self._tokens[self.place + 1 :]]
        return Numeral(*digits(token.text[0]), token.start, start)

    def _enclosed(self, closing: str) -> Node:
        node = self.node()
        if self.dialect.labels:
            while self._tokens[self.place].kind in ("word", "label"):  # (5 apples)
                self._label(self._tokens[self.place])
                self.place += 1
        if self._tokens[self.place].text != closing:
            raise Unsupported("a bracket that does not close")
        self.place += 1
        return node


def _begins_operand(token: Token) -> bool:
    return token.kind in _OPERANDS or token[:2] == ("op", "-")


def _proper(top: str, bottom: str) -> bool:
    """Whether two texts are whole numbers and make a fraction below one."""
    decimal = top.isdecimal() and bottom.isdecimal() and len(bottom) <= MAX_DIGITS
    return decimal and len(top) <= len(bottom) and int(top) < int(bottom)


def _named(text: str) -> Node:
    """A variable, or the product of up to three."""
    if len(text) == 1 or len(text) > 3 or "_" in text:
        return Name(text)
    node: Node = Name(text[0])
    for letter in text[1:]:
        node = Operation("*", node, Name(letter))
    return node
