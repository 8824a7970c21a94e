"""Formulas stated and then filled in, quantities made of two others, and plain facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from fractions import Fraction
from math import isqrt

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.rules.theorems import FACTOR, FACTORS
from vlm_boundary.reasoning.text.passages import unless_excused, words_in

# What a quantity is made of: the first and the second by the sign between.
_MADE_OF = (
    ("speed", "distance", "/", "time"), ("distance", "speed", "*", "time"),
    ("time", "distance", "/", "speed"), ("density", "mass", "/", "volume"),
    ("mass", "density", "*", "volume"), ("volume", "mass", "/", "density"),
    ("force", "mass", "*", "acceleration"), ("acceleration", "force", "/", "mass"),
    ("voltage", "current", "*", "resistance"), ("current", "voltage", "/", "resistance"),
    ("resistance", "voltage", "/", "current"), ("pressure", "force", "/", "area"),
    ("work", "force", "*", "distance"), ("momentum", "mass", "*", "velocity"),
    ("profit", "revenue", "-", "cost"), ("power", "voltage", "*", "current"),
)  # fmt: skip
_SIGNS = {
    "times": "*", "multiplied by": "*", "divided by": "/", "over": "/", "per": "/", "plus": "+",
    "minus": "-", "·": "*", "×": "*", "*": "*", "/": "/", "÷": "/", "+": "+", "-": "-",
}  # fmt: skip
_OPERATING = frozenset(("divided", "times", "multiplied", "over", "per"))
_QUANTITIES = frozenset(name for of in _MADE_OF for name in (of[0], of[1], of[3]))
_NAMES = "|".join(sorted(_QUANTITIES))
_QUANTITY = re.compile(
    rf"\b(?P<what>{_NAMES}) (?:(?:is|equals|=|as|means|the)(?: (?:equal to|given by|defined as"
    rf"|calculated as|found as))? )+"
    rf"(?:the )?(?P<one>{_NAMES}) ?(?P<sign>{'|'.join(map(re.escape, _SIGNS))}) ?(?:the |its"
    rf" )?(?P<two>{_NAMES})\b",
    re.IGNORECASE,
)
# A formula in letters, and soon behind it the same with numbers.
_IN_LETTERS = re.compile(
    r"(?<![\w\\])(?P<name>[A-Za-z]) ?= ?(?P<formula>[^=≈\n,;:]{3,40}?)(?=,|;|\.\s|\.?\n|\s?="
    r"|\swith|\sand|\sso|\Z)"
)
_LETTERED = re.compile(  # what a letter is, in letters
    r"=(?:(?<=[A-Za-z]=)(?<![\w\\]..)|(?<=[A-Za-z] =)(?<![\w\\]...))"
    r" ?\(?(?:\d{1,3}(?:/\d)?)? ?[·×*(]? ?[a-zA-Z](?![a-zA-Z])\s?[-+*/·×)(²]"
)
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[a-zA-Z]|[-+*/·×÷()²³^−]|\\(?:cdot|times|div)")
_KINDS = {
    "·": "*",
    "×": "*",
    "÷": "*",
    "/": "*",
    "*": "*",
    "\\cdot": "*",
    "\\times": "*",
    "\\div": "*",
    "-": "+",
    "−": "+",
    "+": "+",
}
_ROUND = frozenset(("circle", "pie", "turn", "disc", "disk"))
_SHARES = frozenset(name.split()[-1] for name in FACTORS)
_SHARE = re.compile(
    rf"\b(?:is|makes up|covers|takes(?: up)?|occupies|fills|represents) (?:just |exactly"
    rf" )?(?P<share>{FACTOR}) of (?:the|a)"
    r" (?:full |whole |entire )?(?:circle|pie|turn|disc|disk|pie chart)\b(?! would)",
    re.IGNORECASE,
)
_DEGREES = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d)?)\s?(?:°|\^\{?\\circ|degrees)")
_N = r"(?P<{}>\d{{1,6}}(?:\.\d{{1,4}})?)"
_SAID_OF = re.compile(  # the number that is said to be something
    rf"(?:\A|[,.;:(]\s|\n|\b(?:[Ss]ince|[Bb]ecause|[Aa]s|[Aa]nd|but|[Ss]o|that|(?P<number>[Nn]umber))"
    rf" )(?P<money>[$€£])?{_N.format('one')}(?P<unit>°|%| (?:cm|m|km|kg|g|dollars))?\Z"
)
_IS_A = re.compile(
    r" is (?:an? )?(?:(?P<what>prime|even|odd)(?: number)?\b"
    rf"|(?:divisible by|multiple of) {_N.format('by')}(?![\d.]\d))"
)
_COMPARED = re.compile(
    r" is (?P<way>greater|larger|bigger|higher|more|less|smaller|lower|longer|shorter) than"
    rf" [$€£]?{_N.format('two')}(?![\d/^]|[.,]\d|\s?[-+*/×·÷^(])(?P<same>°|%| (?:cm|m|km|kg|g"
    r"|dollars)\b)?(?=[,.;:)]|\s(?:and|so|but)\b|\Z)"
)
_KINDS_OF_NUMBERS = frozenset(("prime", "even", "odd", "divisible", "multiple"))
_WAYS = frozenset("greater larger bigger higher more less smaller lower longer shorter".split())
_SAID = _KINDS_OF_NUMBERS | _WAYS
FORMULA_WORDS = _SAID | _OPERATING | _ROUND
"""A text without any of these words or a sign of equality says no formula or plain fact."""
_MORE = frozenset(("greater", "larger", "bigger", "higher", "more", "longer"))


_Found = tuple[int, int, str]


def wrong_formulas(
    text: str, told: Set[str], start: int, end: int, question: str
) -> Iterator[Evidence]:
    """A formula filled in as another one, a quantity made of others falsely, a false plain fact.

    `told` are the text's words that are of use.
    """
    found: list[_Found] = []
    if not _OPERATING.isdisjoint(told) and len(words_in(text) & _QUANTITIES) > 2:
        found += _quantities(text, start, end)
    for lettered in _LETTERED.finditer(text, start, end) if "=" in text else ():
        name = text[max(start, lettered.start() - 2) : lettered.start()].strip()[-1:]
        if max(text.find(f"{name}{blank}=", lettered.end(), end) for blank in ("", " ")) > 0:
            found += _filled_in(text, max(start, lettered.start() - 2), end)
            break
    if not (_ROUND.isdisjoint(told) or _SHARES.isdisjoint(told)):
        found += _parts_of_circles(text, start, end, question)
    if not _SAID.isdisjoint(told):
        found += _facts(text, told, start, end)
    for first, last, note in found:
        yield from unless_excused(text, first, last, start, end, note)


def _quantities(text: str, start: int, end: int) -> Iterator[_Found]:
    for match in _QUANTITY.finditer(text, start, end):
        what, one, two = (match[name].lower() for name in ("what", "one", "two"))
        sign = _SIGNS[match["sign"].lower()]
        for made, first, right, second in _MADE_OF:
            if made != what or {one, two} != {first, second}:
                continue
            if sign != right or (sign in "/-" and one != first):
                in_words = {"/": "divided by", "*": "times", "-": "minus"}[right]
                yield *match.span(), f"{made} is {first} {in_words} {second}"


def _filled_in(text: str, start: int, end: int) -> Iterator[_Found]:
    """A = (a · b) / 2 · h, and then A = (6 + 10) / 2 · 4."""
    known: tuple[str, list[str]] | None = None
    for match in _IN_LETTERS.finditer(text, start, end):
        tokens = _TOKEN.findall(match["formula"])
        letters = [token for token in tokens if token.isalpha()]
        if letters and not re.search(
            r"[a-zA-Z]{2}|[√π\\|]", re.sub(r"\\(?:cdot|times|div)", "", match["formula"])
        ):
            known = (match["name"], _shape(tokens)) if len(letters) > 1 else None
        elif not letters and known is not None and known[0] == match["name"]:
            shape = _shape(tokens)
            if (
                len(shape) == len(known[1])
                and shape != known[1]
                and "".join(shape).translate(_BLANK) == "".join(known[1]).translate(_BLANK)
            ):
                yield (
                    match.start(),
                    match.end(),
                    "the numbers are put into another formula than the one stated",
                )
            known = None


_BLANK = str.maketrans("+*", "..")


def _shape(tokens: list[str]) -> list[str]:
    """The kinds of the signs of a formula, letters and numbers alike, with products written out."""
    shape: list[str] = []
    for token in tokens:
        kind = _KINDS.get(token) or ("n" if token[0].isalnum() else token)
        if shape and shape[-1] in "n)" and kind in "n(":
            shape.append("*")
        shape.append(kind)
    return shape


def _parts_of_circles(text: str, start: int, end: int, question: str) -> Iterator[_Found]:
    for match in _SHARE.finditer(text, start, end):
        said = {
            float(value) for value in _DEGREES.findall(f"{question} {text[start : match.start()]}")
        } - {360.0}
        if len(said) != 1:
            continue
        (angle,) = said
        share = FACTORS[match["share"].lower().replace("-", " ")]
        if abs(angle / 360 - float(share)) > 0.01 and share < 1:
            yield (
                *match.span(),
                f"{match['share']} of a circle is {float(360 * share):g}°, not {angle:g}°",
            )


def _facts(text: str, told: Set[str], start: int, end: int) -> Iterator[_Found]:
    if not _KINDS_OF_NUMBERS.isdisjoint(told):
        for match in _IS_A.finditer(text, start, end):
            said = _said_of(text, start, match)
            if said is None or said["money"] or said["unit"]:
                continue
            number = Fraction(said["one"])
            if match["by"]:
                by = Fraction(match["by"])
                true = by == 0 or number % by == 0
            elif number.denominator != 1:
                continue
            else:
                whole = int(number)
                factors = (of for of in range(2, isqrt(whole) + 1) if whole % of == 0)
                true = {
                    "prime": whole > 1 and next(factors, None) is None,
                    "even": whole % 2 == 0, "odd": whole % 2 == 1,
                }[match["what"]]  # fmt: skip
            if not true:
                first, last = said.start("one"), match.end()
                yield first, last, f"this is false: {text[first:last]}"
    if "than" in told and not _WAYS.isdisjoint(told):
        for match in _COMPARED.finditer(text, start, end):
            said = _said_of(text, start, match)
            if said is None or said["number"]:
                continue
            one, two = Fraction(said["one"]), Fraction(match["two"])
            if (said["unit"] or "").strip() != (match["same"] or "").strip() or one == two:
                continue
            if (one > two) != (match["way"] in _MORE):
                note = f"{said['one']} is not {match['way']} than {match['two']}"
                yield said.start("one"), match.end(), note


def _said_of(text: str, start: int, match: re.Match[str]) -> re.Match[str] | None:
    """The number at the beginning of a clause of which something is said."""
    return _SAID_OF.search(text, max(start, match.start() - 32), match.start())
