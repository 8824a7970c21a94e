"""Rules that a chain names, and the numbers that it then uses for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from math import isqrt

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.passages import SENTENCE, hypothetical, retracted
from vlm_boundary.verifier.phrases import occurs

_SIDES = {
    "triangle": 3, "quadrilateral": 4, "rectangle": 4, "square": 4, "parallelogram": 4,
    "trapezoid": 4, "trapezium": 4, "rhombus": 4, "kite": 4, "pentagon": 5, "hexagon": 6,
    "heptagon": 7, "octagon": 8, "nonagon": 9, "decagon": 10,
}  # fmt: skip
_COUNTS = dict(zip("three four five six seven eight nine ten".split(), range(3, 11), strict=True))
_NAMES = "|".join(_SIDES)
_NAMED = re.compile(rf"\b(?:{_NAMES})s?\b", re.IGNORECASE)
_ANGLES = re.compile(
    rf"\b(?:(?:the|all|their|its|(?:{_NAMES})(?:'s)?|(?P<count>{'|'.join(_COUNTS)})|(?P<inside>interior"
    r"|internal|inner)) ){1,3}angles\b|\bangle[- ]sum\b",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"\b(?:adds?|adding|sums?|summing|totals?|make up|come to|altogether)\b", re.I)
# Some of the angles, or what is made of their sum.
_SOME = re.compile(
    r"\b(?:not|never|cannot|can|could|without|except|but|besides|apart from"
    r"|others?|given|known|know|so far|two|both|remaining|rest|each|every"
    r"|base|opposite|adjacent|consecutive|remote|exterior|outer|external|central|acute|obtuse|these"
    r"|those|them|labell?ed|marked|shown|at|if|minus|less|half|part"
    r"|sphere|spherical|grads?|gradians?|gons?)\b|n't|∠|\bangles (?-i:[A-Z])",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_SUM = re.compile(
    r"(?<![\d.,])\d{2,5}(?:\.\d+)?(?!\d|[.,]\d|-gon|\s?[-+*/×·÷=(^]|\s?\\(?:times|cdot))"
)
_LEGS = re.compile(
    r"\b(?:hypotenuse(?: [A-Z]{2})?|diagonal|[A-Z]{2}|c)(?: is|\s?=| equals|:)\s\$?"
    r"(?P<one>\d{1,6}(?:\.\d{1,4})?)(?: ?[a-z]{1,2})? \+ (?P<two>\d{1,6}(?:\.\d{1,4})?)"
    r"(?![\d²^*/×·]|\.\d|\s?[\^²*×·/])"
)
_SQUARES = re.compile(r"²|\^\{?2|√|sqrt|squar|\broot\b|not needed|isn't|\bnot\b", re.IGNORECASE)
_TOTALLED = ("add", "sum", "total", "make up", "come to", "altogether")
_PERCENT = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,2})?)\s?(?:\\?%|percent\b)")
_PARTS = {
    "half": Fraction(1, 2), "quarter": Fraction(1, 4), "fifth": Fraction(1, 5),
    "tenth": Fraction(1, 10),
}  # fmt: skip
_PART = re.compile(rf"\b(?:an? |one )?({'|'.join(_PARTS)}) of\b", re.IGNORECASE)
_SHARES = ("%", "ercent", "uarter of", "alf of", "fifth of", "tenth of")
_FACTOR = re.compile(
    r"(?<![\d.$])(?P<factor>[01]\.\d{1,3})(?![\d%])\s?(?:[*×·]|\\times|\\cdot|of the)\s?\$?"
    r"|(?:[*×·]|\\times|\\cdot|\btimes|\bmultipl(?:y|ied|ying)(?: it| this| that)? by)\s?\$?"
    r"(?P<behind>[01]\.\d{1,3})(?![\d%])"
)
_PER = r"\s?(?:\\?%|percent\b)"
_AS_FACTOR = re.compile(
    rf"(?<![\d.])(?P<percent>\d{{1,3}}(?:\.\d)?){_PER} (?:is|equals|means|corresponds to|as)"
    r" (?:an? |the )?(?:[a-z]+ )?(?:factor|decimal)(?: of| is)? (?P<factor>[0-2]\.\d{1,4})(?![\d%])"
    r"(?!\s?[-+*/×÷=])"
)
# What stands between a percentage and its own factor.
_LEADS_TO = re.compile(
    r"(?:[\s,.;:]+(?:of|the|total|whole|price|amount|discount|increase|decrease|reduction|rise|off"
    r"|so|thus|hence|therefore|we|you|must|multipl(?:y|ied|ying)|it|by|means?|paying|pay))*[\s,.;:]*",
    re.IGNORECASE,
)


def broken_rules(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    """A rule named and not kept: angle sums, Pythagoras, a percentage and its factor."""
    if "ngle" in text and occurs(_TOTALLED, text):
        yield from _angle_sums(text, start, end)
    if "factor" in text or "decimal" in text:
        yield from _percents_as_factors(text, start, end)
    if "ythag" in text:
        yield from _legs_added(text, start, end)
    if ("0." in text or "1." in text) and occurs(_SHARES, text):
        yield from _factors(text, start, end, question)


def _angle_sums(text: str, start: int, end: int) -> Iterator[Evidence]:
    """Sentences with one figure, all its angles, and one number for their sum."""
    for sentence in SENTENCE.finditer(text, start, end):
        numbers = _DIGITS.findall(sentence[0]) if "ngle" in sentence[0] else []
        if len(numbers) != 1 or not _TOTAL.search(sentence[0]):
            continue
        angles = _ANGLES.search(sentence[0])
        names = {name.lower().rstrip("s") for name in _NAMED.findall(sentence[0])}
        if angles is None or len(names) != 1:
            continue
        (name,) = names
        sides, right = _SIDES[name], 180 * (_SIDES[name] - 2)
        said = _SUM.search(sentence[0])
        if said is None or _SOME.search(sentence[0]):
            continue
        if angles["count"] and _COUNTS[angles["count"].lower()] != sides:
            continue
        if float(said[0]) != right:
            note = f"the angles of a {name} add up to {right}°, not to {said[0]}°"
            yield from _unless_excused(text, *sentence.span(), start, end, note)


def _unless_excused(
    text: str, first: int, last: int, start: int, end: int, note: str
) -> Iterator[Evidence]:
    if not retracted(text, last, end) and not hypothetical(text, first, start):
        yield Evidence("arithmetic_error", first, last, note)


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


def _percents_as_factors(text: str, start: int, end: int) -> Iterator[Evidence]:
    for match in _AS_FACTOR.finditer(text, start, end):
        if not _is_factor(Fraction(match["factor"]), Fraction(match["percent"]) / 100):
            share = float(Fraction(match["percent"]) / 100)
            note = f"{match['percent']}% is a factor of {share:g}, not {match['factor']}"
            yield from _unless_excused(text, *match.span(), start, end, note)


def _is_factor(factor: Fraction, share: Fraction) -> bool:
    """Whether a factor gives the share, what is more or less by it, or that several times over."""
    return any(
        abs(base**times - factor) < Fraction(1, 1000) if times > 1 else base == factor
        for base in (share, 1 + share, 1 - share)
        for times in range(1, 13)
    )


def _factors(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    percents = list(_PERCENT.finditer(text, start, end))
    parts = list(_PART.finditer(text, start, end))
    if len({match[1].lower() for match in (*percents, *parts)}) != 1:
        return
    share = Fraction(percents[0][1]) / 100 if percents else _PARTS[parts[0][1].lower()]
    named = (percents or parts)[0]
    match = _FACTOR.search(text, named.end(), min(end, named.end() + 160))
    if match is None or not _LEADS_TO.fullmatch(text, named.end(), match.start()):
        return
    written = match["factor"] or match["behind"]
    factor = Fraction(written)
    if _is_factor(factor, share) or _explained(
        factor, written, f"{question} {text[start : named.start()]}"
    ):
        return
    note = f"{named[0]} is a factor of {float(share):g}, not {written}"
    yield from _unless_excused(text, named.start(), match.end(), start, end, note)


def _explained(factor: Fraction, written: str, before: str) -> bool:
    """Whether the factor, as a number or a percentage, comes from what was said before."""
    percent = f"{float(100 * factor):g}"
    rest = {f"{float(100 * abs(1 - factor)):g}", percent, written}
    return bool(rest & set(re.findall(r"\d+(?:\.\d+)?", before)))
