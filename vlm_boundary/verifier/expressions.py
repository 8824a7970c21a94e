"""A grammar of arithmetic expressions, worked out exactly as they are read."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from vlm_boundary.verifier.exact import PI, BeyondLimits, Exact, TooLarge, Unsupported
from vlm_boundary.verifier.tokens import Token
from vlm_boundary.verifier.units import SCALES, UNITS
from vlm_boundary.verifier.values import Number

MAX_DEPTH = 30
MAX_DIGITS = 60
MAX_POWER_OF_TEN = 60
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_GREEK = re.compile(r"[α-ορ-ω]")
_OF_UNITS = frozenset("*/^(){}")
_FUNCTIONS = frozenset("sin cos tan cot sec csc log ln exp arcsin arccos arctan max min".split())


@lru_cache(maxsize=16384)
def literal(text: str) -> Number:
    """A number written in digits, with thousands separators, a point and an exponent or not.

    Raises:
        BeyondLimits: more digits or a larger exponent than any answer has.
    """
    digits = text.replace(",", "").replace(" ", "").replace("'", "")
    if not digits.isascii():
        raise Unsupported("digits of another kind")  # ② is one to isdigit(), not to int()
    mantissa, _, exponent = digits.lower().partition("e")
    whole, _, decimals = mantissa.partition(".")
    if len(exponent) > 4 or abs(int(exponent or 0)) > MAX_POWER_OF_TEN:
        raise BeyondLimits("too small") if "-" in exponent else TooLarge("number too large")
    if len(mantissa) > MAX_DIGITS:
        raise TooLarge("number too large") if len(whole) > MAX_DIGITS else BeyondLimits("too long")
    power = int(exponent or 0) - len(decimals)
    step = Fraction(10) ** power
    negative = whole.startswith("-")
    count = int((whole.lstrip("-") + decimals) or 0)
    value = Fraction(-count if negative else count) * step
    significant = len((whole.lstrip("-") + decimals).lstrip("0"))
    return Number(Exact.rational(value), step=step, significant=significant)


class Expression:
    """Reads the longest expression at the start of the tokens; `place` is where it ends."""

    def __init__(self, tokens: list[Token], *, prose: bool = False) -> None:
        self.tokens = list(tokens)
        self.place = 0
        self.prose = prose
        self._depth = 0

    def number(self) -> Number:
        """The expression's value; as a literal where it is one.

        Raises:
            Unsupported: no expression stands here that this grammar covers.
        """
        start = self.place
        negative = self._peek() == "-"
        first = start + 1 if negative else start
        value = self._sum()
        if self.place == first + 1 and self.tokens[first].kind == "number":
            return literal(("-" if negative else "") + self.tokens[first].text)
        power = self._scientific(first)
        if power is not None:
            mantissa = literal(("-" if negative else "") + self.tokens[first].text)
            assert mantissa.step is not None
            step = mantissa.step * Fraction(10) ** power
            return Number(value, step=step, significant=mantissa.significant)
        return Number(value)

    def _scientific(self, first: int) -> int | None:
        """The exponent, where the whole expression is a literal × 10^exponent."""
        texts = [t.text for t in self.tokens[first : self.place]]
        if len(texts) < 5 or texts[1] not in "*x" or texts[2:4] != ["10", "^"]:
            return None
        if self.tokens[first].kind != "number" or ("." not in texts[0] and len(texts[0]) > 1):
            return None
        exponent = "".join(texts[4:]).strip("{}()").replace("+", "")
        return int(exponent) if exponent.lstrip("-").isdigit() else None

    def _peek(self, ahead: int = 0) -> str:
        place = self.place + ahead
        return self.tokens[place].text if place < len(self.tokens) else ""

    def _token(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _sum(self) -> Exact:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BeyondLimits("nested too deeply")
        negative = self._peek() == "-"
        if self._peek() in ("-", "+"):
            self.place += 1
            if self._peek() in ("-", "+"):
                raise Unsupported("two signs")
        total = self._product()
        if negative:
            total = -total
        while self._peek() in ("+", "-"):
            if self._is_unit_dash():
                break
            minus = self._peek() == "-"
            self.place += 1
            term = self._product()
            total = total - term if minus else total + term
        self._depth -= 1
        return total

    def _is_unit_dash(self) -> bool:
        """Whether a hyphen joins a word to the number, as in 5-year."""
        following = self.tokens[self.place + 1] if self.place + 1 < len(self.tokens) else None
        return (
            self.prose
            and self._peek() == "-"
            and following is not None
            and following.kind == "name"
            and len(following.text) > 1
        )

    def _product(self) -> Exact:
        total = self._power()
        while True:
            text = self._peek()
            if text == "*" or (text == "x" and self._between_numbers()):
                self.place += 1
                total = total * self._signed_power()
            elif text == "/":
                if self._unit_follows():
                    return total
                self.place += 1
                total = total / self._signed_power()
            elif self._implicit():
                total = total * self._power()
            else:
                return total

    def _between_numbers(self) -> bool:
        """Whether a letter x stands for times, as in 3 x 4."""
        before, after = self.tokens[self.place - 1], self.place + 1
        return (
            before.kind == "number"
            and after < len(self.tokens)
            and self.tokens[after].kind == "number"
        )

    def _unit_follows(self) -> bool:
        following = self.tokens[self.place + 1] if self.place + 1 < len(self.tokens) else None
        return (
            following is not None
            and following.kind == "name"
            and following.text in UNITS
            and len(following.text) > 1
        )

    def _signed_power(self) -> Exact:
        if self._peek() in ("-", "+"):
            negative = self._peek() == "-"
            self.place += 1
            value = self._power()
            return -value if negative else value
        return self._power()

    def _implicit(self) -> bool:
        """Whether a factor follows without a sign between."""
        token = self._token()
        if token is None:
            return False
        if token.text in ("(", "{", "\\frac", "\\sqrt", "√", "π", "[", "\\ln", "\\log"):
            return token.text != "[" and not (self.prose and token.text == "(" and token.spaced)
        if token.kind == "number":  # 2^{12} 13^2, where no digit stands before
            return not self.prose and self.tokens[self.place - 1].text in ")}"
        return token.kind == "name" and self._is_variable(token)

    def _is_variable(self, token: Token) -> bool:
        """Whether a name behind a factor is a variable, not a unit or the thing counted."""
        text = token.text
        if text in ("sqrt", "pi"):
            return True
        if self._depth > 1:
            return len(text) == 1 or text in _FUNCTIONS
        if text == "μ" and text + self._peek(1) in UNITS and not self._peek(2):
            return False  # 5 μ m
        if _GREEK.fullmatch(text) or "_" in text:
            return not self.prose
        if text in UNITS or text.lower() in SCALES or not text.isascii():
            # A unit only ends a value; in the middle of one the letter is a variable.
            following = self._peek(1)
            return (
                len(text) == 1
                and following != ""
                and following in "+-*/^("
                and (not self._unit_tail())
            )
        if len(text) == 1:
            return not (self.prose and token.spaced)
        return len(text) <= 3 and not token.spaced and text.islower() and not self.prose

    def _unit_tail(self) -> bool:
        """Whether what is left reads as a compound unit, such as m/s or m^2."""
        previous = "*"
        for token in self.tokens[self.place :]:
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

    def _power(self) -> Exact:
        base = self._atom()
        while self._peek() == "!":
            self.place += 1
            base = base.factorial()
        if self._peek() != "^":
            return base
        self.place += 1
        exponent = self._exponent()
        value = base**exponent
        while self._peek() == "!":
            self.place += 1
            value = value.factorial()
        return value

    def _exponent(self) -> Exact:
        if self._peek() in ("-", "+"):
            negative = self._peek() == "-"
            self.place += 1
            value = self._power()
            return -value if negative else value
        return self._power()

    def _atom(self) -> Exact:
        token = self._token()
        if token is None:
            raise Unsupported("an expression that ends too early")
        if token.kind == "number":
            return self._mixed(token)
        self.place += 1
        if token.text in _CLOSING:
            return self._enclosed(_CLOSING[token.text])
        if token.text == "\\frac":
            top = self._argument()
            return top / self._argument()
        if token.text == "∞":
            return Exact.variable("∞")
        if token.text == "|":
            value = self._enclosed("|")
            size = value.approximate
            if size is None:
                raise Unsupported("the absolute value of a variable")
            return value if size >= 0 else -value
        if token.text in ("\\sqrt", "√", "sqrt"):
            return self._root()
        if token.text in ("π", "pi"):
            return Exact.variable(PI)
        if token.text in ("\\ln", "\\log", "ln", "log"):
            return self._logarithm(natural=token.text.endswith("n"))
        if token.kind == "name" and token.text not in _FUNCTIONS:
            return self._named(token)
        raise Unsupported(f"{token.text!r} is not covered")

    def _root(self) -> Exact:
        if self._peek() != "[":
            return self._argument(whole_number=True).root()
        self.place += 1
        order = self._enclosed("]").fraction
        if order is None or order.denominator != 1:
            raise Unsupported("a root of no whole order")
        radicand = self._argument(whole_number=True)
        return radicand.root() if order == 2 else radicand.nth_root(int(order))

    def _logarithm(self, *, natural: bool) -> Exact:
        base = None
        if self._peek() == "_":
            self.place += 1
            base = self._argument(whole_number=False)
        elif not natural:
            raise Unsupported("a logarithm without a base")
        if self._peek() == "^":
            raise Unsupported("a power of a function")
        return self._argument(whole_number=True).logarithm(base)

    def _named(self, token: Token) -> Exact:
        text = token.text
        if len(text) == 1 or len(text) > 3 or "_" in text:
            return Exact.variable(text)
        value = Exact.rational(1)
        for letter in text:
            value = value * Exact.variable(letter)
        return value

    def _mixed(self, token: Token) -> Exact:
        r"""A literal, or a mixed number: 1 3/4, 1\frac{3}{4}."""
        value = literal(token.text).value
        self.place += 1
        if not token.text.isdigit():
            return value
        following = self._token()
        if following is None:
            return value
        if following.text == "\\frac" and self._plain_fraction():
            self.place += 1
            top = self._argument()
            return value + top / self._argument()
        if (
            following.kind == "number"
            and following.spaced
            and following.text.isdigit()
            and self._peek(1) == "/"
            and self._peek(2).isdigit()
            and int(following.text) < int(self._peek(2))
        ):
            bottom = self._peek(2)
            self.place += 3
            return value + Exact.rational(Fraction(int(following.text), int(bottom)))
        return value

    def _plain_fraction(self) -> bool:
        r"""Whether a proper fraction of whole numbers follows: \frac{1}{2} or \frac12."""
        texts = [self._peek(i) for i in range(1, 7)]
        if texts[0] == "{" and texts[2:4] == ["}", "{"] and texts[5] == "}":
            return texts[1].isdigit() and texts[4].isdigit() and int(texts[1]) < int(texts[4])
        return len(texts[0]) == 2 and texts[0].isdigit() and texts[0][0] < texts[0][1]

    def _argument(self, *, whole_number: bool = False) -> Exact:
        token = self._token()
        if token is None:
            raise Unsupported("an argument is missing")
        if token.text in ("{", "("):
            self.place += 1
            return self._enclosed(_CLOSING[token.text])
        if token.kind == "number" and not whole_number and len(token.text) > 1:
            first, rest = token.text[0], token.text[1:]
            start = token.start + 1
            self.tokens[self.place] = Token("number", rest, start, token.end, False)
            return literal(first).value
        if token.kind == "number":
            self.place += 1
            return literal(token.text).value
        return self._atom()

    def _enclosed(self, closing: str) -> Exact:
        value = self._sum()
        if self._peek() != closing:
            raise Unsupported("a bracket that does not close")
        self.place += 1
        return value
