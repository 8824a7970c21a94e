"""Formulas stated and then filled in, quantities made of two others, and plain facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from fractions import Fraction
from math import isqrt

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.rules.theorems import FACTOR, FACTORS
from vlm_boundary.reasoning.text.passages import unless_excused, words_in
from vlm_boundary.verifier.phrases import occurs

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
_LETTERED = re.compile(r"= ?\(?(?:\d{1,3}(?:/\d)?)? ?[·×*(]? ?[a-zA-Z](?![a-zA-Z])\s?[-+*/·×)(²]")
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
_HANDS = re.compile(
    r"\b(?P<hand>hour|minute) hand (?:moves|turns|covers|advances|travels|rotates)(?: by| through"
    r"| at)?"
    r" (?P<said>\d{1,3}(?:\.\d{1,2})?)\s?(?:°|degrees) (?:per|every|each|in one|in an?|an|a)"
    r" (?P<unit>hour|minute)\b"
)
_TURNS = {
    ("hour", "hour"): 30.0,
    ("hour", "minute"): 0.5,
    ("minute", "minute"): 6.0,
    ("minute", "hour"): 360.0,
}
_COUNTS = dict(
    zip(
        "three four five six seven eight nine ten twelve".split(),
        (3, 4, 5, 6, 7, 8, 9, 10, 12),
        strict=True,
    )
)
_SIDES = {
    "triangle": 3, "quadrilateral": 4, "rectangle": 4, "square": 4, "pentagon": 5, "hexagon": 6,
    "heptagon": 7, "octagon": 8, "nonagon": 9, "decagon": 10,
}  # fmt: skip
_SOLIDS = {
    "cube": (6, 12, 8), "cuboid": (6, 12, 8), "tetrahedron": (4, 6, 4), "octahedron": (8, 12, 6),
}  # fmt: skip
_PARTS = frozenset(("sides", "angles", "faces", "edges", "vertices", "corners"))
_HAS = re.compile(
    rf"\b(?:an?|every|each|any) (?:regular )?(?P<figure>{'|'.join([*_SIDES, *_SOLIDS])}) has"
    rf" (?:exactly |always )?"
    rf"(?P<count>{'|'.join(_COUNTS)}|\d{{1,2}}) (?:equal |congruent )?(?P<what>sides|angles|faces"
    rf"|edges|vertices|corners)\b",
    re.IGNORECASE,
)
_N = r"(?P<{}>\d{{1,6}}(?:\.\d{{1,4}})?)"
_IS_A = re.compile(
    rf"(?:\A|[,.;:(]\s|\n|\b(?:[Ss]ince|[Bb]ecause|[Aa]s|[Aa]nd|but|[Ss]o|that|[Nn]umber)"
    rf" ){_N.format('number')} is (?:an? )?(?:(?P<what>prime|even|odd)(?: number)?\b"
    rf"|(?:divisible by|multiple of) {_N.format('by')}(?![\d.]\d))",
)
_COMPARED = re.compile(
    rf"(?:\A|[,.;:(]\s|\n|\b(?:[Ss]ince|[Bb]ecause|[Aa]s|[Aa]nd|but|[Ss]o|that)"
    rf" )[$€£]?{_N.format('one')}(?P<unit>°|%| (?:cm|m|km|kg|g|dollars))?"
    r" is (?P<way>greater|larger|bigger|higher|more|less|smaller|lower|longer|shorter) than"
    rf" [$€£]?{_N.format('two')}(?![\d/^]|[.,]\d|\s?[-+*/×·÷^(])(?P<same>°|%| (?:cm|m|km|kg|g"
    rf"|dollars)\b)?(?=[,.;:)]|\s(?:and|so|but)\b|\Z)",
)
_KINDS_OF_NUMBERS = frozenset(("prime", "even", "odd", "divisible", "multiple"))
_WAYS = "greater larger bigger higher more less smaller lower longer shorter".split()
_THAN = tuple(f" is {way} than " for way in _WAYS)
_TELLING = _KINDS_OF_NUMBERS | _PARTS | _OPERATING | _ROUND | {"than", "hand"}
_MORE = frozenset(("greater", "larger", "bigger", "higher", "more", "longer"))


def wrong_formulas(text: str, start: int, end: int, question: str) -> Iterable[Evidence]:
    """A formula filled in as another one, a quantity made of others falsely, a false plain fact."""
    if _TELLING.isdisjoint(words_in(text)) and "=" not in text:
        return ()
    return (
        evidence
        for first, last, note in _found(text, start, end, question)
        for evidence in unless_excused(text, first, last, start, end, note)
    )


_Found = tuple[int, int, str]


def _found(text: str, start: int, end: int, question: str) -> Iterator[_Found]:
    words = words_in(text)
    if len(words & _QUANTITIES) > 2 and not _OPERATING.isdisjoint(words):
        yield from _quantities(text, start, end)
    if "=" in text and _LETTERED.search(text, start, end):
        yield from _filled_in(text, start, end)
    if not (_ROUND.isdisjoint(words) or _SHARES.isdisjoint(words)):
        yield from _parts_of_circles(text, start, end, question)
    if "hand" in words and " hand " in text:
        for match in _HANDS.finditer(text, start, end):
            right = _TURNS[match["hand"], match["unit"]]
            if float(match["said"]) != right:
                turns = f"the {match['hand']} hand turns {right:g}° in one {match['unit']}"
                yield *match.span(), f"{turns}, not {match['said']}°"
    if "has" in words and not _PARTS.isdisjoint(words):
        yield from _counted(text, start, end)
    if "is" in words:
        yield from _facts(text, words, start, end)


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


def _counted(text: str, start: int, end: int) -> Iterator[_Found]:
    for match in _HAS.finditer(text, start, end):
        figure, what = match["figure"].lower(), match["what"].lower()
        count = _COUNTS.get(match["count"].lower()) or int(match["count"])
        if figure in _SOLIDS:
            place = {"faces": 0, "sides": 0, "edges": 1, "vertices": 2, "corners": 2}.get(what)
            right = _SOLIDS[figure][place] if place is not None else count
        else:
            right = _SIDES[figure] if what in ("sides", "angles", "vertices", "corners") else count
        if count != right:
            yield *match.span(), f"a {figure} has {right} {what}, not {match['count']}"


def _facts(text: str, words: Set[str], start: int, end: int) -> Iterator[_Found]:
    if not words.isdisjoint(_KINDS_OF_NUMBERS):
        for match in _IS_A.finditer(text, start, end):
            number = Fraction(match["number"])
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
                yield (
                    match.start("number"),
                    match.end(),
                    f"this is false: {text[match.start('number') : match.end()]}",
                )
    if "than" in words and occurs(_THAN, text):
        for match in _COMPARED.finditer(text, start, end):
            one, two = Fraction(match["one"]), Fraction(match["two"])
            if (match["unit"] or "").strip() != (match["same"] or "").strip() or one == two:
                continue
            if (one > two) != (match["way"] in _MORE):
                yield (
                    match.start("one"),
                    match.end(),
                    f"{match['one']} is not {match['way']} than {match['two']}",
                )
