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
_FIGURE = rf"(?P<figure>{'|'.join(_SIDES)})"
_KIND = (
    r"(?:regular |right |isosceles |equilateral |scalene |convex |any |every |given |this |same )*"
)
_ALL = r"(?:interior |inner |internal |three |four |five |six )*"
_SUM_IS = (
    r"(?: always| must| will| should)? (?:add(?:s)? up to|sum(?:s)?(?: up)? to|total(?:s)?"
    r"|add(?:s)? to"
    r"|is|equals|make(?:s)?(?: up)?|=)(?: always)?(?: equal to)? \$?(?P<sum>\d{2,4})"
    r"(?=\s?°|\s?degrees|\^|[.,;)]|\s|$)(?!\.\d)"
)
_ANGLES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<!two )(?<!other )\b(?:the |all )?{_ALL}angles (?:of|in) (?:an? |the |any |every )?"
        rf"{_KIND}{_FIGURE}(?: [A-Z]{{3,6}})?{_SUM_IS.replace('|is|', '|')}",
        rf"\b(?:sum|total) of (?:the |all )?{_ALL}angles (?:of|in) (?:an? |the |any |every )?"
        rf"{_KIND}{_FIGURE}(?: [A-Z]{{3,6}})?{_SUM_IS}",
        rf"\b(?:an? |the ){_KIND}{_FIGURE}['’]s {_ALL}angles{_SUM_IS.replace('|is|', '|')}",
        rf"\b(?:an? |the ){_KIND}{_FIGURE}['’]s (?:interior )?angle sum{_SUM_IS}",
        rf"\bangle sum of (?:an? |the ){_KIND}{_FIGURE}{_SUM_IS}",
    )
)
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
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")


def broken_rules(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    """A rule named and not kept: angle sums, Pythagoras, a percentage and its factor."""
    if "ngle" in text:
        yield from _angle_sums(text, start, end)
    if "ythag" in text:
        yield from _legs_added(text, start, end)
    if ("0." in text or "1." in text) and occurs(_SHARES, text):
        yield from _factors(text, start, end, question)


def _angle_sums(text: str, start: int, end: int) -> Iterator[Evidence]:
    if not (occurs(("angles", "angle sum"), text) and occurs(_TOTALLED, text)):
        return
    for pattern in _ANGLES:
        for match in pattern.finditer(text, start, end):
            right = 180 * (_SIDES[match["figure"].lower()] - 2)
            before = text[max(start, match.start() - 30) : match.start("sum")]
            if int(match["sum"]) == right or _NOT_ALL.search(before):
                continue
            if not retracted(text, match.end(), end) and not hypothetical(
                text, match.start(), start
            ):
                name = match["figure"].lower()
                note = f"the angles of a {name} add up to {right}°, not to {match['sum']}°"
                yield Evidence("arithmetic_error", *match.span(), note)


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
