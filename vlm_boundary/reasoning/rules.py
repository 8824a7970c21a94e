"""Rules that a chain names, and the numbers that it then uses for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from math import isqrt

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.passages import hypothetical, retracted
from vlm_boundary.verifier.phrases import occurs

_SIDES = {
    "triangle": 3, "quadrilateral": 4, "rectangle": 4, "square": 4, "parallelogram": 4,
    "trapezoid": 4, "trapezium": 4, "rhombus": 4, "kite": 4, "pentagon": 5, "hexagon": 6,
    "heptagon": 7, "octagon": 8, "nonagon": 9, "decagon": 10,
}  # fmt: skip
# In one sentence, in any order: the figure, its angles, that they add up, and to what.
_SUM_IS = re.compile(
    r"(?:add(?:s|ing)? up to|sum(?:s)?(?: up)? to|total(?:s)?|add(?:s)? to|make(?:s)?(?: up)?"
    r"|sum[^.;\d]{0,60}?"
    r"(?:is|equals|=)|together (?:are|is)|come(?:s)? to)(?: always)?(?: equal to)?"
    r" \$?(?P<sum>\d{2,4})"
    r"(?=\s?°|\s?degrees|\^|[.,;)]|\s|$)(?!\.\d)",
    re.IGNORECASE,
)
_FIGURES = re.compile(rf"\b(?P<figure>{'|'.join(_SIDES)})\b", re.IGNORECASE)
_EACH_ANGLE = re.compile(
    r"\b(?:each|every|all)\b[^.;\d]{0,40}\bangles?\b[^.;\d]{0,20}\b(?:measures?|is|are|equals?"
    r"|has|have)"
    r" (?:exactly )?(?P<size>\d{1,3})\s?(?:°|degrees)",
    re.IGNORECASE,
)
_ALL_ALIKE = {"equilateral triangle": 60, "equilateral": 60, "square": 90, "rectangle": 90}
_NOT_ALL = re.compile(
    r"\b(?:exterior|outer|external|two|both|other|remaining|base|acute|opposite|adjacent|not|n't"
    r"|some|half|marked|each)\b",
    re.IGNORECASE,
)
_LEGS = re.compile(
    r"\b(?:hypotenuse(?: [A-Z]{2})?|diagonal|[A-Z]{2}|c)(?: is|\s?=| equals|:)\s\$?"
    r"(?P<one>\d{1,6}(?:\.\d{1,4})?)(?: ?[a-z]{1,2})? \+ (?P<two>\d{1,6}(?:\.\d{1,4})?)"
    r"(?![\d²^*/×·]|\.\d|\s?[\^²*×·/])"
)
_SQUARES = re.compile(r"²|\^\{?2|√|sqrt|squar|\broot\b|not needed|isn't|\bnot\b", re.IGNORECASE)
_PERCENT = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,2})?)\s?(?:\\?%|percent\b)")
_PARTS = {
    "half": Fraction(1, 2), "quarter": Fraction(1, 4), "fifth": Fraction(1, 5),
    "tenth": Fraction(1, 10),
}  # fmt: skip
_PART = re.compile(rf"\b(?:an? |one )?({'|'.join(_PARTS)}) of\b", re.IGNORECASE)
_TOTALLED = ("add", "sum", "total", "make", "equal")
_SHARES = ("%", "ercent", "uarter of", "alf of", "fifth of", "tenth of")
_FACTOR = re.compile(
    r"(?<![\d.$])(?P<factor>[01]\.\d{1,3})(?![\d%])\s?(?:[*×·]|\\times|\\cdot|of the)\s?\$?"
    r"|(?:[*×·]|\\times|\\cdot|\btimes|\bmultipl(?:y|ied|ying)(?: it| this| that)? by)\s?\$?"
    r"(?P<behind>[01]\.\d{1,3})(?![\d%])"
)
_SENTENCE = re.compile(r"[^.!?\n]+(?:\.(?=\d)[^.!?\n]*)*")
_NO_FIGURES = re.compile(r"\b(?:rect|tri|pent)angles?\b", re.IGNORECASE)
_NOT_INSIDE = re.compile(
    r"\b(?:exterior|outer|external|diagonals?|not|half|halves|bisect\w*)\b", re.I
)
_PER = r"\s?(?:\\?%|percent\b)"
_AS_FACTOR = re.compile(
    rf"(?<![\d.])(?P<percent>\d{{1,3}}(?:\.\d)?){_PER} (?:is|equals|means|corresponds to|as a"
    rf" (?:factor|decimal)"
    r"(?: is)?)(?: (?:an? |the )?(?:[a-z]+ )?factor(?: of)?| multiplying by| times)?"
    r" (?P<factor>[0-2]\.\d{1,4})(?![\d%])(?!\s?[-+*/×÷=])"
)
_LEFT_TO_PAY = re.compile(
    rf"\b(?:reduc\w+|discount|off|less|lower\w*|cut|sale"
    rf"|rebate)\b[^.;\d]{{0,25}}?(?P<off>\d{{1,2}}){_PER}[^.;\d]"
    rf"{{0,40}}?(?:mean|leav|so|remain|pay"
    rf"|paid)[^.;\d]{{0,30}}?(?P<rest>\d{{1,2}}){_PER}[^.;]{{0,40}}?"
    r"\b(?:remain\w*|paid|pay|left|price|is charged)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")


def broken_rules(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    """A rule named and not kept: angle sums, Pythagoras, a percentage and its factor."""
    if "ngles" in text and occurs(_TOTALLED, text):
        yield from _angle_sums(text, start, end)
    if "ngle" in text and occurs(("quilateral", "quare", "ectangle"), text):
        yield from _each_angle(text, start, end)
    if occurs(("%", "ercent"), text):
        yield from _percents_as_factors(text, start, end)
    if "ythag" in text:
        yield from _legs_added(text, start, end)
    if ("0." in text or "1." in text) and occurs(_SHARES, text):
        yield from _factors(text, start, end, question)


def _angle_sums(text: str, start: int, end: int) -> Iterator[Evidence]:
    for sentence in _SENTENCE.finditer(text, start, end):
        figures = {match["figure"].lower() for match in _FIGURES.finditer(sentence[0])}
        if "ngle" not in sentence[0] or _NOT_ALL.search(sentence[0]):
            continue
        said = _SUM_IS.search(sentence[0])
        if len(figures) == 1 and said and "angles" in _NO_FIGURES.sub(" ", sentence[0]):
            name = next(iter(figures))
            right = 180 * (_SIDES[name] - 2)
            note = f"the angles of a {name} add up to {right}°, not to {said['sum']}°"
            if int(said["sum"]) != right and int(said["sum"]) >= 90:
                yield from _unless_excused(
                    text,
                    sentence.start() + said.start(),
                    sentence.start() + said.end(),
                    start,
                    end,
                    note,
                )


def _unless_excused(
    text: str, first: int, last: int, start: int, end: int, note: str
) -> Iterator[Evidence]:
    if not retracted(text, last, end) and not hypothetical(text, first, start):
        yield Evidence("arithmetic_error", first, last, note)


def _each_angle(text: str, start: int, end: int) -> Iterator[Evidence]:
    """Each angle of an equilateral triangle, a square or a rectangle, said to be another."""
    for sentence in _SENTENCE.finditer(text, start, end):
        named = [size for name, size in _ALL_ALIKE.items() if name in sentence[0].lower()]
        said = _EACH_ANGLE.search(sentence[0])
        if said is None or len(set(named)) != 1 or _NOT_INSIDE.search(sentence[0]):
            continue
        if int(said["size"]) != named[0]:
            place = sentence.start() + said.start(), sentence.start() + said.end()
            note = f"each of these angles is {named[0]}°"
            yield from _unless_excused(text, *place, start, end, note)


def _percents_as_factors(text: str, start: int, end: int) -> Iterator[Evidence]:
    for match in _AS_FACTOR.finditer(text, start, end):
        share = Fraction(match["percent"]) / 100
        if Fraction(match["factor"]) not in (share, 1 + share, 1 - share):
            note = f"{match['percent']}% is a factor of {float(share):g}, not {match['factor']}"
            yield from _unless_excused(text, *match.span(), start, end, note)
    for match in _LEFT_TO_PAY.finditer(text, start, end):
        off, rest = Fraction(match["off"]), Fraction(match["rest"])
        if off + rest != 100 and off != rest:
            note = f"{match['off']}% less leaves {float(100 - off):g}%, not {match['rest']}%"
            yield from _unless_excused(text, *match.span(), start, end, note)


def _legs_added(text: str, start: int, end: int) -> Iterator[Evidence]:
    place = text.find("ythag", start, end)
    while place >= 0:
        limit = min(end, place + 160)
        match = _LEGS.search(text, place, limit)
        if match and not _SQUARES.search(text, max(start, place - 40), match.end()):
            legs = [Fraction(match["one"]), Fraction(match["two"])]
            squares = all(leg.denominator == 1 and isqrt(int(leg)) ** 2 == leg for leg in legs)
            if not squares and not retracted(text, match.end(), end):
                note = "by Pythagoras the squares of the legs are added, not the legs"
                yield Evidence("arithmetic_error", *match.span(), note)
        place = text.find("ythag", place + 200, end)


def _factors(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    percents = list(_PERCENT.finditer(text, start, end))
    parts = list(_PART.finditer(text, start, end))
    if len({match[1].lower() for match in (*percents, *parts)}) != 1:
        return
    share = Fraction(percents[0][1]) / 100 if percents else _PARTS[parts[0][1].lower()]
    percents = percents or parts
    for match in _FACTOR.finditer(text, percents[0].end(), min(end, percents[0].end() + 160)):
        written = match["factor"] or match["behind"]
        factor = Fraction(written)
        if factor in (share, 1 - share, 1 + share, 0, 1) or _explained(
            factor, written, f"{question} {text[start : percents[0].start()]}"
        ):
            continue
        if len(_SENTENCE_END.findall(text[percents[0].end() : match.start()])) > 1:
            return
        if not retracted(text, match.end(), end) and not hypothetical(text, match.start(), start):
            note = f"{percents[0][0]} is a factor of {float(share):g}, not {written}"
            yield Evidence("arithmetic_error", percents[0].start(), match.end(), note)
        return


def _explained(factor: Fraction, written: str, before: str) -> bool:
    """Whether the factor, as a number or a percentage, comes from what was said before."""
    percent = f"{float(100 * factor):g}"
    rest = {f"{float(100 * abs(1 - factor)):g}", percent, written}
    return bool(rest & set(re.findall(r"\d+(?:\.\d+)?", before)))
