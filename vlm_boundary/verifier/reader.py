"""From a span of text to the value that it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate, dropwhile

from vlm_boundary.mathtext.dialects import ANSWER, SENTENCE
from vlm_boundary.mathtext.errors import BeyondLimits, TooLarge, Unsupported
from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.mathtext.lexer import FORMULAS, MAX_DIGITS, NAMES, Token, tokenize
from vlm_boundary.mathtext.units import UNITS, Measure
from vlm_boundary.mathtext.words import spelled_out
from vlm_boundary.verifier.equations import solved
from vlm_boundary.verifier.latex import plain_math
from vlm_boundary.verifier.numerals import leading_number, literal
from vlm_boundary.verifier.trailing import combined, with_trailing
from vlm_boundary.verifier.values import (
    Approximated,
    Kind,
    Number,
    NumberInterval,
    Relation,
    Several,
    Value,
    Words,
    is_value,
)

MAX_LENGTH = 300
_MAX_DEPTH = 30
_PLAIN = re.compile(r"[-+]?\d{1,20}(?:\.\d{1,20})?\.?")
_HUGE = re.compile(r"[-+]?[\d,.]*\d(?:[eE][+-]?\d+)?")
_OPEN, _CLOSE = "([{⦃", ")]}⦄"
_OR = frozenset(("or", "或", "或者"))
_AND = frozenset(("and", "和", "&"))
_RELATIONS = frozenset("=≈<>≤≥≠∈")
_COMMAS, _RATIO = frozenset(",;，；、"), frozenset((":", "to", "比"))
_UNION, _EITHER_SIGN, _SUCH_THAT = frozenset("∪"), frozenset("±"), frozenset("|:")
_RISING, _FALLING = "<≤", ">≥"
_KINDS: dict[str, Kind] = {"(": "tuple", "[": "list", "⦃": "set", "{": "set"}
_MATHEMATICS = FORMULAS | {"number"}
_ENDING = ".,;:!?。，；！？、"
_FACTORIAL = re.compile(r"[\w)]!$")
_LEADING = frozenset(
    "a an the about approximately approx around roughly nearly almost exactly only just simply "
    "equal equals to of total is are be precisely some probably likely maybe perhaps possibly "
    "currently actually 约 大约 约为 为 是 共 共有 有 等于 就是".split()
)
_SIGNS = frozenset(("minus", "negative", "负"))
_MORE = re.compile(
    r"(?:more|greater|less|fewer|larger|smaller|higher|lower) than|at least|at most|no more than"
    r"|no less than|over|under|above|below|up to",
    re.IGNORECASE,
)

_LEAD = re.compile(r"(?:=>|[⇒∴])\s*")
_FORMULAS = re.compile(
    r"(?=.*[\\a-zA-Z^√π])(?:\s*(?:,|;|and|or)?\s*(?:\$+[^$]+\$+|\\\([^$]*?\\\)))+[\s.]*", re.DOTALL
)
_MATRIX = re.compile(
    r"[$\s]*(?:[A-Za-z]\s*=\s*)?(?:\\left\s*)?[\[(]?\s*\\begin\{([pbvBV]?matrix|array)\}"
    r"(?:\{[clr| ]*\})?(.*)\\end\{\1\}\s*(?:\\right\s*)?[\])]?[$.\s]*",
    re.DOTALL,
)
_DAY = r"(?!00?(?!\d))\d{1,2}"  # or a month
_DATE = re.compile(rf"\d{{4}}([-/.]){_DAY}\1{_DAY}|{_DAY}([-/.]){_DAY}\2\d{{4}}")


def read(text: str, *, listed: bool = False, prose: bool = False) -> Value | None:
    """The value of a span; Words where it has none, None where it says more than a value.

    Args:
        listed: commas separate values and do not group digits.
        prose: the span is part of a sentence, where "40-60" is a range.

    Raises:
        Unsupported: it is mathematical and this reader does not cover it.
    """
    text = text.strip(" \n\t\r").rstrip("\\")  # \boxed{185\} ends in one
    if _PLAIN.fullmatch(text):
        return literal(text.rstrip(".").lstrip("+"))
    return _read(text, listed, prose)


@lru_cache(maxsize=16384)
def _read(text: str, listed: bool, prose: bool) -> Value | None:
    if len(text) > MAX_LENGTH:
        if _HUGE.fullmatch(text):
            if len(text.partition(".")[0]) > MAX_DIGITS + 1:
                raise TooLarge("number too large")
            raise BeyondLimits("number too long")
        if not prose and re.search(r"\\|\^|\*", text):
            raise BeyondLimits("expression too long")
        return None
    if "\\begin" in text and (matrix := _MATRIX.fullmatch(text)):
        return _matrix(matrix[1], matrix[2])
    if prose and _FORMULAS.fullmatch(text):
        prose = False
    plain = _unquoted(plain_math(text))
    if plain.endswith("?") and not prose and re.search(r"\d", plain):
        raise Unsupported("a question")
    while plain and plain[-1] in _ENDING and (prose or not _FACTORIAL.search(plain)):
        plain = _unquoted(plain[:-1])
    if lead := _LEAD.match(plain):
        plain = plain[lead.end() :]
    if not plain:
        return None
    if _DATE.fullmatch(plain):
        return Words(plain)
    spelled = spelled_out(plain)
    if more := _MORE.match(spelled):
        rest = _read(spelled[more.end() :], listed, prose)
        return Relation(">", None, rest, "") if rest is not None else None
    tokens = tokenize(spelled, listed=listed)
    if not any(t.kind in _MATHEMATICS or t.text in "∞=" for t in tokens):
        name = tokens[0].text if len(tokens) == 1 and tokens[0].kind in NAMES else ""
        if len(tokens) > 1 and not any(len(t.text) > 1 for t in tokens if t.kind in NAMES):
            return _Reader(tokens, spelled, listed, prose).value()
        return Words(plain) if not (len(name) == 1 and name.islower()) else _letter(name, plain)
    return _Reader(tokens, spelled, listed, prose).value()


def _unquoted(text: str) -> str:
    """The text without quotation marks around it; a mark behind a number alone may be a unit."""
    text = text.strip("` ")
    while text and text[0] in "\"'":
        text = text[1:].removesuffix(text[0]).strip("` ")
    return text[:-1] if text[-1:] in "\"'" and not re.search(r"\d\s*['\"]+$", text) else text


def _matrix(kind: str, body: str) -> Value:
    if kind.startswith(("v", "V")):
        raise Unsupported("a determinant")
    rows: list[Value] = []
    for row in re.split(r"\\\\", body):
        if not row.strip():
            continue
        cells = [_read(cell.strip(), False, False) for cell in row.split("&")]
        if None in cells:
            raise Unsupported("a matrix of something other than numbers")
        rows.append(Several("list", tuple(cell for cell in cells if cell is not None)))
    return Several("matrix", tuple(rows), "[]")


def _letter(name: str, plain: str) -> Value:
    return Number(Exact.variable(name)) if name.isascii() else Words(plain)


class _Reader:
    """Recursive splitting of tokens at what binds least: or, commas, relations, ratios."""

    def __init__(self, tokens: list[Token], text: str, listed: bool, prose: bool) -> None:
        self.tokens, self.text, self.listed, self.prose = tokens, text, listed, prose

    def value(self) -> Value | None:
        if max(_depths(self.tokens), default=0) > _MAX_DEPTH:
            raise BeyondLimits("nested too deeply")
        return self._alternatives(self.tokens)

    def _alternatives(self, tokens: list[Token]) -> Value | None:
        if tokens and tokens[0].text.lower() == "either":
            tokens = tokens[1:]
        parts = _split(tokens, _OR)
        if len(parts) > 1:
            return self._several("either", [list(dropwhile(_is_hedge, part)) for part in parts])
        return self._listed(tokens)

    def _listed(self, tokens: list[Token]) -> Value | None:
        parts = [part for part in _split(tokens, _COMMAS | _AND) if part]
        if len(parts) < 2:
            return self._relation(parts[0]) if parts else None
        if len(parts) == 2 and not self.listed and (comma := self._decimal_comma(tokens)):
            return comma
        if self.prose and not all(_starts_value(part) for part in parts):
            return None
        several = self._several("list", parts)
        if len(parts) == 2 and isinstance(several, Several) and "and" in _texts(tokens):
            return combined(list(several.items)) or several  # 1 hour and 30 minutes
        return several

    def _decimal_comma(self, tokens: list[Token]) -> Value | None:
        """3,14 is a decimal comma: digits right behind it, and no three of them."""
        sign = tokens[0].text if tokens[0].text in ("-", "+") else ""
        texts = _texts(tokens[len(sign) :])
        if len(texts) != 3 or not (texts[0].isdigit() and texts[2].isdigit()):
            return None
        if len(texts[2]) == 3 or tokens[-1].spaced:
            return None
        return literal(f"{sign.strip('+')}{texts[0]}.{texts[2]}")

    def _several(self, kind: Kind, parts: list[list[Token]]) -> Value | None:
        items: list[Value] = []
        for part in parts:
            item = self._relation(part) if part else None
            if item is None:
                return None
            items.append(item)
        return Several(kind, tuple(items))

    def _relation(self, tokens: list[Token]) -> Value | None:
        parts = _split(tokens, _RELATIONS)
        if len(parts) == 1:
            return self._ratio(tokens)
        depths = zip(tokens, _depths(tokens), strict=True)
        operators = [token.text for token, deep in depths if not deep and token.text in _RELATIONS]
        operator = operators[-1]
        if len(parts) == 2 and not parts[0] and operator in "≈=":
            return self._ratio(parts[1])
        interval = self._interval(parts, operators)
        if interval is not None:
            return interval
        right = self._ratio(parts[-1])
        if not is_value(right):
            return right
        left = self._side(parts[-2])
        if any(o in "<>≤≥≠" for o in operators):
            name = "".join(_texts(tokens[: -len(parts[-1]) - 1]))
            sign = next(o for o in operators if o in "<>≤≥≠")
            return Relation(sign, left if len(parts) == 2 else None, right, name)
        if operator == "≈":
            if left is None:
                return right
            return Approximated(left, right)
        return Relation("=", left, right, "".join(_texts(parts[0])))

    def _interval(self, parts: list[list[Token]], operators: list[str]) -> NumberInterval | None:
        """What an inequality says of one variable: 2 < x < 5, x ≥ 3."""
        if not all(parts) or len(parts) > 3:
            return None
        if all(o in _FALLING for o in operators):
            parts, operators = parts[::-1], ["≤" if o == "≥" else "<" for o in operators[::-1]]
        elif not all(o in _RISING for o in operators):
            return None
        sides = [_variable(part) or self._side(part) for part in parts]
        numbers = [s for s in sides if isinstance(s, Number)]
        names = [i for i, n in enumerate(numbers) if n.value.is_name]
        names = names or [i for i, n in enumerate(numbers) if n.value.variables]
        if len(names) != 1 or len(numbers) < len(parts) or (len(parts) == 3 and names != [1]):
            return None
        place = names[0]
        low = numbers[place - 1] if place else None
        high = numbers[place + 1] if place + 1 < len(parts) else None
        left = "[" if low is not None and operators[place - 1] == "≤" else "("
        right = "]" if high is not None and operators[place] == "≤" else ")"
        found = NumberInterval(low, high, left + right, "".join(_texts(parts[place])))
        return found if numbers[place].value.is_name else solved(found, numbers[place].value)

    def _side(self, tokens: list[Token]) -> Value | None:
        """A left side; None where it is a label such as ∠ABC."""
        try:
            value = self._ratio(tokens)
        except Unsupported:
            return None
        if isinstance(value, Words) and len(value.text) == 2 and value.text.islower():
            one, two = map(Exact.variable, value.text)  # xy = 6 is an equation
            return Number(one * two)
        return None if isinstance(value, Words) else value

    def _ratio(self, tokens: list[Token]) -> Value | None:
        parts = _split(tokens, _UNION)
        if len(parts) > 1:
            items = [self._bracketed(part) for part in parts]
            return None if None in items else Several("union", tuple(filter(None, items)))
        parts = _split(tokens, _RATIO)
        if len(parts) > 1 and all(parts):
            items = [self._bracketed(part) for part in parts]
            numbers = tuple(item for item in items if isinstance(item, Number))
            return Several("ratio", numbers) if len(numbers) == len(parts) else None
        if len(parts) == 2 and parts[0] and not parts[0][0].text.isdigit() and not parts[1]:
            return None
        parts = _split(tokens, _EITHER_SIGN)
        if len(parts) == 2 and all(part for part in parts[1:]):
            return self._plus_minus(*parts)
        return self._bracketed(tokens)

    def _plus_minus(self, left: list[Token], right: list[Token]) -> Value | None:
        one, two = self._bracketed(left) if left else None, self._bracketed(right)
        if not isinstance(two, Number) or (left and not isinstance(one, Number)):
            return None
        base = one.value if isinstance(one, Number) else Exact.rational(0)
        both = (Number(base + two.value), Number(base - two.value))
        return Several("either", both)

    def _bracketed(self, tokens: list[Token]) -> Value | None:
        if not tokens:
            return None
        first, last, inner = tokens[0].text, tokens[-1].text, tokens[1:-1]
        closes = next((place for place, open_ in enumerate(_depths(tokens)) if not open_), None)
        if first not in _OPEN or last not in _CLOSE or closes != len(tokens) - 1:
            return self._number(tokens)
        if not self.listed and any(t.kind == "number" and "," in t.text for t in inner):
            inner = tokenize(self.text[inner[0].start : inner[-1].end], listed=True)
        return self._enclosed(first, last, inner)

    def _enclosed(self, first: str, last: str, inner: list[Token]) -> Value | None:
        if first == "⦃" and len(inner) > 2 and inner[1].text in ("|", ":", "∈"):
            interval = self._relation(_split(inner, _SUCH_THAT)[-1])
            if not isinstance(interval, NumberInterval):
                raise Unsupported("a set by its rule")
            return interval
        reader = _Reader(inner, self.text, True, self.prose) if inner else self
        parts = _split(inner, _COMMAS)
        if len(parts) > 1:
            found = reader._several("list", [part for part in parts if part])
            if not isinstance(found, Several):
                return None
            return Several(_KINDS[first], found.items, first + last)
        if first == "⦃" or (first == "[" and inner):
            item = reader._alternatives(inner)
            return None if item is None else Several(_KINDS[first], (item,), first + last)
        if first == "(" and inner and self.prose:
            return self._number(inner)
        return self._alternatives(inner)

    def _number(self, tokens: list[Token]) -> Value | None:
        tokens, sign, money = _without_lead(tokens)
        if not tokens:
            return None
        if not any(t.kind in _MATHEMATICS or t.text in "∞([{" for t in tokens):
            if len(tokens) == 1 and len(tokens[0].text) == 1 and not self.prose:
                return _letter(tokens[0].text, tokens[0].text)
            if all(t.kind in NAMES for t in tokens):
                return Words(" ".join(t.text for t in tokens))
        texts = _texts(tokens)
        dashed = self.prose and len(texts) > 2 and texts[1] == "-" and texts.count("-") == 1
        if dashed and tokens[0].kind == tokens[2].kind == "number" and not _goes_on(tokens[3:]):
            return Several("range", (literal(texts[0]), literal(texts[2])))
        number, rest = leading_number(tokens, SENTENCE if self.prose else ANSWER)
        if sign < 0:
            number = replace(number, value=-number.value)
        return with_trailing(number, rest, money)


def _without_lead(tokens: list[Token]) -> tuple[list[Token], int, Measure | None]:
    """Tokens behind words such as "about" and "minus" and a currency sign; sign; currency."""
    sign, money, place = 1, None, 0
    while place < len(tokens):
        text = tokens[place].text
        lower = text.lower()
        if lower in _SIGNS:
            sign = -sign
        elif text in "€£¥₹¢$~" and len(text) == 1:
            money = UNITS.get(text)
        elif lower not in _LEADING or (len(tokens) == 1):
            break
        elif len(text) == 1 and place + 1 < len(tokens) and not tokens[place + 1].spaced:
            break  # the variable a, as in a+1
        place += 1
    return tokens[place:], sign, money


def _goes_on(rest: list[Token]) -> bool:
    """Whether a number goes on as a product: 8-2π and 6-5i are differences, 40-60 is a range."""
    if not rest:
        return False
    first = rest[0]
    letter = first.kind in NAMES and len(first.text) == 1 and not first.spaced
    return (
        (first.kind in _MATHEMATICS and first.kind != "number")
        or first.text in "*/^({|"
        or (letter and first.text not in UNITS)
    )


def _variable(tokens: list[Token]) -> Number | None:
    """A letter alone, which beside a sign of inequality is a variable in a sentence, too."""
    name = tokens[0].text if len(tokens) == 1 and tokens[0].kind in NAMES else ""
    return Number(Exact.variable(name)) if len(name) == 1 and name.isascii() else None


def _texts(tokens: list[Token]) -> list[str]:
    return [token.text for token in tokens]


def _is_hedge(token: Token) -> bool:
    return token.text.lower() in ("maybe", "perhaps", "possibly")


def _starts_value(tokens: list[Token]) -> bool:
    tokens, _, _ = _without_lead(tokens)
    return bool(tokens) and (tokens[0].kind in _MATHEMATICS or tokens[0].text in "-([")


def _depths(tokens: list[Token]) -> Iterator[int]:
    """How many brackets are open behind each token."""
    return accumulate((token.text in _OPEN) - (token.text in _CLOSE) for token in tokens)


def _split(tokens: list[Token], at: frozenset[str]) -> list[list[Token]]:
    """What stands between these words or signs, where no bracket is open."""
    parts: list[list[Token]] = [[]]
    for token, depth in zip(tokens, _depths(tokens), strict=True):
        if depth == 0 and token.text.lower() in at:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
