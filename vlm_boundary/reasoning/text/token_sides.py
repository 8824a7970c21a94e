"""Sides of an equation read token by token: where their arithmetic begins and surely ends."""

from __future__ import annotations

import re
from itertools import pairwise

from vlm_boundary.mathtext.dialects import CHAIN
from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.lexer import NAMES, Token, label_name, raw_tokens
from vlm_boundary.mathtext.parser import Expression, Parser
from vlm_boundary.mathtext.units import CHANGING, UNITS
from vlm_boundary.reasoning.text.plain_sides import (
    NAMED,
    RISKY,
    WINDOW,
)

_BREAKS = ("\n", ", ", ". ", "; ", ": ", "? ", "，", "。")
_OF_UNITS = re.compile(r"[/^²³*÷∕\\]")  # a unit of several tokens has a division or a power
_DETERMINERS = frozenset("the his her its their these those other all my our your".split())
_CLAUSES = frozenset("because since as so if when while where but thus therefore hence and".split())
_UNIT_LETTERS = frozenset("mgslh")  # behind a number and a space; others are names in most chains
_UNIT_CAPITALS = frozenset("NJW")  # behind a number, a space and nothing else
_CURRENCIES = frozenset(("USD", "EUR", "GBP"))
_END_LABELS = frozenset(("word", "label"))


def leading(text: str, start: int, end: int, whole: int) -> tuple[Expression, bool] | None:
    """The arithmetic that a text begins with, and whether it surely ends there."""
    newline = text.find("\n", start, end)
    if newline >= 0 and text[start:newline].strip():
        end = newline
    tokens = _with_units(text, raw_tokens(text, start, end, leading=True))
    if not tokens:
        return None
    if newline != end and end - start >= WINDOW and end < whole and tokens[-1].end == end:
        tokens.pop()  # perhaps cut in two
    parser = Parser(tokens, CHAIN)
    try:
        found = parser.expression()
    except Unsupported:
        return None
    if text[found.end - 1] == "!" and not text.startswith("=", end):
        return None  # "= 7!" at the end of a sentence
    return _ended(text, found, parser.rest)


def _with_units(text: str, tokens: list[Token]) -> list[Token]:
    """The tokens, with each unit of a quotient or a power behind a number as one label: m/s²."""
    pairs = {*pairwise([token[0] for token in tokens])}
    if ("number", "letter") not in pairs and ("number", "word") not in pairs:
        return tokens
    if not _OF_UNITS.search(text, tokens[0].start, tokens[-1].end):
        return tokens
    found: list[Token] = []
    place = 0
    while place < len(tokens):
        behind = bool(found) and found[-1].kind == "number"
        after = _unit_end(tokens, place) if behind and tokens[place].kind in NAMES else place
        if after > place + 1:
            written = "".join(token.text for token in tokens[place:after])
            first = tokens[place]
            found.append(
                Token(
                    "label",
                    rf"\text{{{written}}}",
                    first.start,
                    tokens[after - 1].end,
                    first.spaced,
                )
            )
            place = after
            continue
        found.append(tokens[place])
        place += 1
    return found


def _unit_end(tokens: list[Token], place: int) -> int:
    """Behind a unit that begins here, such as km/h, cm^2 or m²/s; `place` where there is none."""
    after = _powered(tokens, place)
    divided = tokens[after : after + 1]
    if after > place and divided and divided[0].text == "/" and not divided[0].spaced:
        below = _powered(tokens, after + 1)
        return below if below > after + 1 else place
    following = tokens[after].kind if after < len(tokens) else "stop"
    return after if following in ("stop", "close") else place


def _powered(tokens: list[Token], place: int) -> int:
    if place >= len(tokens) or tokens[place].kind not in NAMES:
        return place
    name = tokens[place].text
    cubed = name.rstrip("²³")
    if cubed not in UNITS or (cubed.isupper() and cubed not in _UNIT_CAPITALS):
        return place
    kinds = [token.kind for token in tokens[place + 1 : place + 3]]
    if kinds[:1] == ["sup"]:
        return place + 2
    if kinds == ["power", "number"] and tokens[place + 2].text in ("2", "3"):
        return place + 3
    return place + 1


def _ended(text: str, found: Expression, rest: list[Token]) -> tuple[Expression, bool] | None:
    """Whether an expression ends where the parser stopped, or goes on in what it cannot read."""
    sure = not found.unsure
    if text.startswith(("..", "…"), found.end):
        return None
    if not rest:
        return found, sure
    token, following = rest[0], rest[1].kind if len(rest) > 1 else ""
    spaced = token.start > found.end
    unit = token.kind == "letter" and spaced and token.text in _UNIT_LETTERS
    unit |= spaced and token.text in _UNIT_CAPITALS and following in ("", "stop")
    if token.kind in _END_LABELS or (unit and following not in ("open", "close", "letter")):
        word = token.text.lower()
        if word == "or" or (word != "and" and not unit and not _is_label(token, found.end)):
            return None
        found.labels |= {label_name(token)}
        if word == "and":
            sure = sure and not _fraction_follows(rest[1:])
        elif following in ("power", "sup") or _goes_on(rest):
            return None  # a label, and then the expression goes on
        return found, sure
    if token.kind == "stop":
        inside = token.text in ":：" and not text[token.end : token.end + 1].isspace()
        shouted = token.text in "!！" and not (spaced and following in ("", "word", "stop"))
        return None if inside or shouted or token.text in "?？[" else (found, sure)
    aside = spaced and token.text == "(" and following in ("word", "label")
    dash = spaced and token.text == "-" and following == "word"
    return (found, sure) if token.kind == "close" or aside or dash else None


def _goes_on(rest: list[Token]) -> bool:
    """Whether an operator follows at most four words: 8 bags of leaves / Y."""
    for place, token in enumerate(rest[:5]):
        if token.kind == "op":
            return place == 1 or token.text != "-"
        if token.kind not in _END_LABELS:
            return False
    return False


def _fraction_follows(rest: list[Token]) -> bool:
    """Whether "and 1/2" or "and a half" follows a whole number."""
    if [token.kind for token in rest[:3]] == ["number", "op", "number"]:
        return rest[1].text == "/"
    return bool(rest) and rest[0].kind == "letter"


def trailing(text: str, start: int, end: int, bound: int) -> tuple[Expression, bool] | None:
    """The arithmetic that a text ends in, and whether it surely begins there."""
    last = start + len(text[start:end].rstrip(" \t\n&\\"))
    # Arithmetic never reaches over these; the sign itself tells how it begins.
    near, cut = start, start > bound  # the window begins in the midst of a line
    for sign in _BREAKS:
        place = text.rfind(sign, near, last)
        if place >= 0:
            near, cut = place, False
    if (bold := text.rfind(":** ", near, last)) >= 0:
        near, cut = bold + 3, False
    tokens = _with_units(text, raw_tokens(text, near, end))
    first, boundary = _stretch(tokens)
    if first >= len(tokens) or (cut and first <= 1):
        return None
    sure = boundary is None or _begins(text, boundary, tokens, first)
    if sure is None:
        return None
    if tokens[first].kind == "op":
        glued = first + 1 < len(tokens) and tokens[first].end == tokens[first + 1].start
        if tokens[first].text in "+/" or first + 1 >= len(tokens):
            return None
        if not (tokens[first].text == "-" and glued):  # the mark of a list
            first += 1
            sure = False
        elif boundary is not None and boundary.kind != "stop":
            sure = False
    parser = Parser(tokens, CHAIN, first)
    try:
        found = parser.expression()
    except Unsupported:
        return None
    rest = parser.rest
    if len(rest) > 3 or not all(_is_label(token, found.end) for token in rest):
        return None
    found.labels |= {label_name(token) for token in rest}
    bare = found.operations == 0
    if bare and boundary is not None and not (boundary.kind == "stop" and boundary.text != ":"):
        return None  # "angle 1 = 180 - 30": a name
    return found, sure and not found.unsure


def _stretch(tokens: list[Token]) -> tuple[int, Token | None]:
    """Where the arithmetic that reaches to the last token begins, and the token before it."""
    place = len(tokens)
    depth = 0
    while place > 0:
        token = tokens[place - 1]
        if token.kind == "close":
            depth += 1
        elif token.kind == "open":
            depth -= 1
            if depth < 0:
                return place, token
        elif token.kind in ("word", "label"):
            if token.text.lower() in _CLAUSES:
                return _balanced(tokens, place, token, depth)
            following = tokens[place] if place < len(tokens) else None
            behind = place >= 2 and tokens[place - 2].kind in ("number", "close", "word", "label")
            carries_on = following is None or following.kind in ("op", "close", "word", "label")
            if not (behind and carries_on and _number_before(tokens, place - 1)):
                return _balanced(tokens, place, token, depth)
        elif token.kind in ("stop", "letter", "symbol", "command"):
            if token.kind == "letter" and _unit_letter(tokens, place - 1):
                place -= 1
                continue
            return _balanced(tokens, place, token, depth)
        place -= 1
    return _balanced(tokens, 0, None, depth)


def _is_label(token: Token, end: int) -> bool:
    """Whether a token behind an expression only says of what: 3 apples, but not 3ab or 3 AB."""
    if token.kind == "label":
        return True
    if token.kind == "letter":
        return token.start > end and token.text in _UNIT_LETTERS
    return (
        token.kind == "word"
        and token.start > end
        and (not (token.text.isupper() and token.text.isascii()) or token.text in _CURRENCIES)
        and token.text.lower() not in CHANGING
    )


def _unit_letter(tokens: list[Token], place: int) -> bool:
    """5 m × 4 m: a letter behind a number and a space, before an operator or the end."""
    before = tokens[place - 1] if place else None
    if before is None or before.kind != "number" or before.end == tokens[place].start:
        return False
    return place + 1 == len(tokens) or tokens[place + 1].kind in ("op", "sup", "close")


def _number_before(tokens: list[Token], place: int) -> bool:
    """Whether at most three words stand between this word and a number before it."""
    for back in range(place - 1, max(-1, place - 4), -1):
        if tokens[back].kind in ("number", "close", "deg", "pct", "sup"):
            return True
        if tokens[back].kind not in ("word", "label"):
            return False
    return False


def _balanced(
    tokens: list[Token], place: int, boundary: Token | None, depth: int
) -> tuple[int, Token | None]:
    """Past the last bracket that closes what opened further left, as in "2) 3 + 4"."""
    if depth <= 0:
        return place, boundary
    balance = 0
    first, last = place, boundary
    for index in range(place, len(tokens)):
        kind = tokens[index].kind
        balance += (kind == "open") - (kind == "close")
        if balance < 0:
            first, last, balance = index + 1, tokens[index], 0
    return first, last


def _begins(text: str, boundary: Token, tokens: list[Token], first: int) -> bool | None:
    """Whether arithmetic surely begins behind this token; None where it surely does not."""
    if boundary.kind == "stop":
        if boundary.text in ":：":
            return text[boundary.end : boundary.end + 1].isspace() or None
        if boundary.text == "," and boundary.end == tokens[first].start:
            return None  # "16,0000"
        if boundary.text in "!！" and boundary.end == tokens[first].start:
            return None
        return boundary.text not in ("|", "[", "]", "…")
    if boundary.kind == "word":
        if boundary.end == tokens[first].start and boundary.text.isascii():
            return None
        word = boundary.text.lower()
        if word == "and":
            return _after_result(tokens, first)
        before = tokens[first - 2] if first > 1 else boundary
        if before.kind == "op" or (word in _DETERMINERS and before.text.lower() in RISKY):
            return False  # of a longer sum: 25 pupils + his 1 teacher + 1; to the 29 + 24
        return word not in RISKY and word.removesuffix("s") not in NAMED
    if boundary.kind == "open":
        glued = text[boundary.start - 1 : boundary.start].isalnum()
        factorial = text[max(0, boundary.start - 3) : boundary.start].rstrip().endswith("!")
        return None if glued or factorial else True
    return False if boundary.kind in ("close", "label") else None


def _after_result(tokens: list[Token], first: int) -> bool:
    """Whether "and" follows a comma, or the whole of a former result: "= 55 and 55 + 25 =…"."""
    before = tokens[: first - 1]
    if not before:
        return False
    plain = all(token.kind in ("number", "deg", "pct", "word") for token in before)
    return plain or before[-1].kind == "stop"
