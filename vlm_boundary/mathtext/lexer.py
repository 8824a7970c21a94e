r"""Tokens of mathematical text, with their places.

`tokenize` reads a span in plain spelling; `raw_tokens` reads a text as it was written, with LaTeX
and Unicode in it, so that places are those of the text. Both say the same of the same token.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from vlm_boundary.mathtext.errors import BeyondLimits, TooLarge, Unsupported

MAX_DIGITS = 60
MAX_POWER_OF_TEN = 60
NAMES = frozenset(("word", "letter"))
_OPERAND_ENDS = frozenset(("vulgar", "close", "sup", "pi", "pct", "deg", "factorial"))
_ENDS = frozenset(("stop", "symbol", "command"))
_UNKNOWNS = frozenset("yzn")
FORMULAS = frozenset(("command", "frac", "root", "pi"))
"""Kinds that only mathematics has, numbers besides."""
GREEK = frozenset(r"\alpha \beta \gamma \theta \lambda \mu \phi \omega".split())
VULGAR = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅕": "1/5", "⅛": "1/8"}


class Token(NamedTuple):
    r"""One token, where it stands, and whether a space stands before it.

    `kind` is number, vulgar (½), word, letter, label (\text{…}), command, op (+ - * /), power,
    sup (²), open and close, root, frac, pi, pct, deg, factorial, stop (what ends a formula), or
    symbol.
    """

    kind: str
    text: str
    start: int
    end: int
    spaced: bool


_new = tuple.__new__  # a token at half the cost, for what is read token by token
_EXPONENT = r"(?:[eE][+-]?\d+(?![a-zA-Z\d]))?"
_GROUPED = r"\d{1,3}(?:(?:,|\{,\})\d{3})+(?!\d)|"
_SPACED = r"\d{1,3}(?:[ ']\d{3})+(?![\d.,/])|"
_LETTER = "[A-Za-zÀ-ÖØ-öø-ɏΑ-ορ-ωЀ-ӿ぀-ヿ가-힣]"
# In these patterns an empty group behind what is of a kind names it, so that most branches begin
# with a set of characters and are passed fast.
_NAME = (
    rf"(?:{_LETTER}{{2,}}(?:['’][a-z]+|(?<=[a-z]{{2}})[²³])?"
    rf"|[A-Za-z](?:_(?:[a-zA-Z0-9]|\{{[^{{}}]{{1,12}}\}}))+|{_LETTER}(?:['’][a-z]+)?"
    r"|[一-鿿]+|[^\W\d_πº²³¼-¾⅐-⅞]+)(?P<word>)"
)
_ROOT = r"(?:\\sqrt(?![a-zA-Z])(?:\s{0,2}\[\s{0,2}\d{1,3}\s{0,2}\])?|√)(?P<root>)"


def _number(groups: str) -> str:
    return rf"(?:(?:{groups}\d+)(?:\.\d+)?|\.\d+){_EXPONENT}(?P<number>)"


_PLAIN, _LISTED = (
    re.compile(rf"{_number(groups)}|{_NAME}|{_ROOT}|\\[a-zA-Z]+(?P<command>)|\S(?P<symbol>)")
    for groups in (_GROUPED + _SPACED, "")
)
_RAW = re.compile(
    rf"(?:{_number(_GROUPED)}"
    r"|(?:(?:divided|multiplied)\s{1,2}by|per\s{1,2}cent)\b(?P<said>)"
    rf"|{_NAME}"
    r"|(?:[-+/−–×·⋅÷∕∗]|\*(?!\*)|\\(?:times|cdot|div|ast)(?![a-zA-Z])|\{\\(?:times|cdot|div)\})(?P<op>)"
    r"|(?:\\?\{|\()(?P<open>)|(?:\\?\}|\))(?P<close>)"
    r"|(?:°|º|\^\s{0,2}(?:\{\s{0,2}\\circ\s{0,2}\}|\\circ)|\\degree)(?P<deg>)|[²³](?P<sup>)"
    rf"|[{''.join(VULGAR)}](?P<vulgar>)"
    r"|(?:\*\*(?=[-\d({])|(?<=[\d)]\s)\*\*(?=\s[-\d({])|\^(?!\s{0,2}\{?\s{0,2}\\circ))(?P<power>)"
    r"|(?:\*\*|\\(?:left|right|displaystyle|mathbf|quad|qquad|[bB]igg?[lr]?)(?![a-zA-Z])"
    r"|\\[,;!: ]|\\?[$€£]|~|&|\\\\)(?P<mark>)"
    r"|(?<=[\d)}])!(?!=)"
    r"(?=[\d(|]|\s{0,3}(?:[-+*/^=)}$×·÷−≈]|\{?\\(?:times|cdot|div|right|[,;:])|$))(?P<factorial>)"
    rf"|\\?%(?P<pct>)|\\[dt]?frac(?![a-zA-Z])(?P<frac>)|{_ROOT}"
    r"|(?:\\pi(?![a-zA-Z])|π)(?P<pi>)"
    r"|\\(?:(?:arc)?(?:sin|cos|tan)|cot|sec|csc|log|ln|exp|alpha|beta|gamma|theta"
    r"|lambda|mu|phi|omega)(?![a-zA-Z])(?P<command>)"
    r"|\\(?:text|mathrm|textbf|textit|operatorname)\s{0,2}\{[^{}\n]{0,60}\}(?P<label>)"
    r"|(?:[,;:.?!，。；：？！、|\[\]]|\\[()\[\]]|\\boxed(?![a-zA-Z])|=>|[-=]+>|→|⇒"
    r"|\\[Rr]ightarrow)(?P<stop>)"
    r"|\S(?P<symbol>))\s*"
)
_KINDS = {
    **dict.fromkeys("+-*/", "op"), **dict.fromkeys("({", "open"), **dict.fromkeys(")}", "close"),
    "^": "power", "π": "pi", "%": "pct", "°": "deg", "!": "factorial", "\\frac": "frac",
}  # fmt: skip
_SPELLED = {
    "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/",
    "\\times": "*", "\\cdot": "*", "\\ast": "*", "\\div": "/", "**": "^", "\\{": "{", "\\}": "}",
    "{\\times}": "*", "{\\cdot}": "*", "{\\div}": "/",
}  # fmt: skip
_SAID = {
    "plus": ("op", "+"), "minus": ("op", "-"), "times": ("op", "*"), "divided by": ("op", "/"),
    "multiplied by": ("op", "*"), "percent": ("pct", "%"), "per cent": ("pct", "%"),
    "sqrt": ("root", "√"),
}  # fmt: skip


def tokenize(text: str, *, listed: bool = False) -> list[Token]:
    """Tokens in order; in a list a comma between digits separates, elsewhere it may group them."""
    found: list[Token] = []
    end = 0
    for match in (_LISTED if listed else _PLAIN).finditer(text):
        kind: str = match.lastgroup  # type: ignore[assignment]
        written = match[0]
        if kind == "word":
            kind = "letter" if len(written) == 1 or "_" in written else kind
        elif kind == "number":
            _times(found, spaced=match.start() > end)
        else:
            kind = _KINDS.get(written, kind)
        start, after = match.span()
        found.append(Token(kind, written, start, after, start > end))
        end = after
    return found


def raw_tokens(text: str, start: int, end: int, *, leading: bool = False) -> list[Token]:
    """The tokens of text[start:end], without marks that mean nothing; places are those of text.

    With `leading` only as many as an expression at the beginning can be made of, and what ends it.
    """
    found: list[Token] = []
    words, last = 0, start
    for match in _RAW.finditer(text, start, end):
        kind: str = match.lastgroup  # type: ignore[assignment]
        if kind == "mark":
            continue
        written, begin = match[0].rstrip(), match.start()
        after = begin + len(written)
        if leading and not found and written == "\\boxed":
            continue  # 2 + 4 = \boxed{6}
        if kind == "number":
            if len(found) > 1 and found[-1][1] == "x":
                _times(found, spaced=begin > last)
        elif kind == "word" or kind == "said":
            kind, written = _named(written)
            if written == "of" and found and found[-1][0] == "pct":
                kind, written = "op", "*"
        else:
            written = _SPELLED.get(written, written)
        found.append(_new(Token, (kind, written, begin, after, begin > last)))
        last = after
        if leading:
            words = words + 1 if kind == "word" else 0
            if words > 4 or kind in _ENDS or (len(found) == 1 and kind in NAMES):
                break
            if kind == "letter" and written in _UNKNOWNS:
                break  # a variable, in which no arithmetic goes on
    return found


@lru_cache(maxsize=16384)
def _named(written: str) -> tuple[str, str]:
    """The kind and the text of a name: an operator where it says one, a letter or a word."""
    if said := _SAID.get(" ".join(written.lower().split())):
        return said
    letter = (len(written) == 1 and written.isascii()) or "_" in written
    return ("letter" if letter else "word"), written


def _times(found: list[Token], *, spaced: bool) -> None:
    """An x between two numbers is a sign, as in 3 x 4; the second one follows now.

    Behind another operand, as in 2² x 3, it is one with blanks around it.
    """
    if len(found) < 2 or found[-1].text != "x":
        return
    if found[-2].kind == "number" or (
        spaced and found[-1].spaced and found[-2].kind in _OPERAND_ENDS
    ):
        found[-1] = found[-1]._replace(kind="op", text="*")


def label_name(token: Token) -> str:
    """What a label says: the unit or noun, without LaTeX and plural."""
    text = token.text.lower()
    if token.kind == "label":
        text = text[text.index("{") + 1 : -1].strip("~ .^23²³/")
    return text.rstrip("s") or "s"


@lru_cache(maxsize=16384)
def digits(text: str) -> tuple[int | Fraction, int, int]:
    """A number written in digits: its value, its decimals, and its significant digits.

    Thousands separators, a point and an exponent may be in it; an exponent takes from the decimals.

    Raises:
        BeyondLimits: more digits or a larger exponent than any answer has.
    """
    plain = text.replace(",", "").replace(" ", "").replace("'", "")
    if "{" in plain:
        plain = plain.replace("{}", "")
    if not plain.isascii():
        raise Unsupported("digits of another kind")  # ② is one to isdigit(), not to int()
    mantissa, _, exponent = plain.lower().partition("e")
    whole, _, after = mantissa.partition(".")
    if len(exponent) > 4 or abs(int(exponent or 0)) > MAX_POWER_OF_TEN:
        raise BeyondLimits("too small") if "-" in exponent else TooLarge("number too large")
    if len(mantissa) > MAX_DIGITS:
        raise TooLarge("number too large") if len(whole) > MAX_DIGITS else BeyondLimits("too long")
    shown = whole.lstrip("-") + after
    count = int(shown or 0)
    decimals = len(after) - int(exponent or 0)
    value = Fraction(count, 10**decimals) if decimals > 0 else count * 10**-decimals
    return -value if whole.startswith("-") else value, decimals, len(shown.lstrip("0"))
