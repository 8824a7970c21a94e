"""Rules that a chain names, and the numbers that it then uses for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from math import isqrt

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.rules.conversions import UNIT_WORDS, wrong_units
from vlm_boundary.reasoning.rules.formulas import FORMULA_WORDS, wrong_formulas
from vlm_boundary.reasoning.rules.percents import PERCENT_WORDS, wrong_percents
from vlm_boundary.reasoning.rules.related import RELATION_WORDS, wrong_relations
from vlm_boundary.reasoning.rules.theorems import THEOREM_WORDS, wrong_theorems
from vlm_boundary.reasoning.rules.worded import WORDED, wrong_words
from vlm_boundary.reasoning.text.passages import SENTENCE, retracted, unless_excused, words_in
from vlm_boundary.reasoning.text.steps import rounds_to

_SIDES = {
    "triangle": 3, "quadrilateral": 4, "rectangle": 4, "square": 4, "parallelogram": 4,
    "trapezoid": 4, "trapezium": 4, "rhombus": 4, "kite": 4, "pentagon": 5, "hexagon": 6,
    "heptagon": 7, "octagon": 8, "nonagon": 9, "decagon": 10,
}  # fmt: skip
_COUNTS = dict(zip("three four five six seven eight nine ten".split(), range(3, 11), strict=True))
_NAMES = "|".join(_SIDES)
_FIGURES = frozenset(form for name in _SIDES for form in (name, f"{name}s"))
_NAMED = re.compile(rf"\b(?:{_NAMES})s?\b", re.IGNORECASE)
_ANGLES = re.compile(
    rf"\b(?:(?:the|all|their|its|(?:{_NAMES})(?:'s)?|(?P<count>{'|'.join(_COUNTS)})"
    rf"|(?P<inside>interior"
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
    r"\b(?:hypotenuse(?: [A-Z]{2})?|diagonal|distance|length|[A-Z]{2}|[a-h])(?: is|\s?=| equals"
    r"|:)\s\$?"
    r"(?P<one>\d{1,6}(?:\.\d{1,4})?)(?: ?[a-z]{1,2})? \+ (?P<two>\d{1,6}(?:\.\d{1,4})?)"
    r"(?![\d²^*/×·]|\.\d|\s?[\^²*×·/])"
)
_LEGS_WORDED = re.compile(
    r"\bhypotenuse(?: [A-Z]{2})?,? (?:is|equals|=)(?: (?:simply|just|equal to|always|the same as))*"
    r" (?:the )?sum of (?:the |its |both )?(?:lengths of )?(?:the |its )?(?:two )?(?:other"
    r" )?(?:two )?"
    r"(?:legs|catheti|sides|shorter sides)\b"
    r"|\bhypotenuse(?: [A-Z]{2})? (?:is|can be) (?:found|obtained|calculated|computed|given) by"
    r" (?:adding|summing)(?: up)?"
    r" (?:the |both |its )?(?:lengths of )?(?:the )?(?:two )?(?:other )?(?:legs|catheti|sides"
    r"|shorter sides)\b"
    r"|\bsquare (?:of|on) the (?:hypotenuse|diagonal|longest side)(?: is| equals| =)(?: equal to)?"
    r" the sum of (?:the |its )?(?:lengths of the )?(?:two )?(?:other )?(?:two )?(?:legs|catheti"
    r"|sides)\b"
)
_UNSQUARED = re.compile(
    r"(?:²|\^2|\^\{2\}) ?= ?(?:[A-Z]{2}|[a-h]) ?\+ ?(?:[A-Z]{2}|[a-h])(?![\w²^])"
)
_SQUARED = re.compile(r"\b(?:[A-Z]{2}|[a-h])\Z")
_LEGS_NAMED = frozenset(("legs", "catheti", "sides"))
_SQUARED_SUM = re.compile(
    r"\b(?:[A-Z]{2}|[a-h])(?:²|\^2|\^\{2\}) ?= ?(?P<one>\d{1,6}(?:\.\d{1,4})?) \+"
    r" (?P<two>\d{1,6}(?:\.\d{1,4})?)"
    r"(?![\d²^*/×·]|\.\d|\s?[\^²*×·/])"
)
_SQUARES = re.compile(r"²|\^\{?2|√|sqrt|squar|\broot\b|not needed|isn't|\bnot\b", re.IGNORECASE)
# How a sentence begins, which says nothing of the angles.
_OPENED = re.compile(
    r"\A[\s*#>-]*(?:\*\*)?(?:step|part)?\s?\d{0,2}\s?[.:)]+(?:\*\*)?\s"
    r"|\b(?:we|you|i) (?:also |all )?know that\b|\b(?:it is|as is|well) known\b",
    re.IGNORECASE,
)
_REGULAR = re.compile(rf"\b(?:(?P<three>equilateral)|regular (?P<name>{_NAMES}))\b", re.IGNORECASE)
_EACH = re.compile(
    r"\b(?:each|every|all)(?: of)?(?: (?:its|the|of|three|four|five|six|eight|interior|internal"
    r"|inner|angles?))* "
    r"(?:is|are|measures?|has|have|equals?|must be)(?: (?:equal to|exactly|a measure of))?"
    r" (?P<said>\d{2,3}(?:\.\d+)?)\s?(?:°|deg)",
    re.IGNORECASE,
)
_ALWAYS = re.compile(  # of every figure of its kind: what else is said of one does not matter
    r"\b(?:the|all|interior|internal|inner|their) angles (?:of|in|inside)"
    rf" (?:an?|any|every|each) (?P<name>{_NAMES}) (?:always |must |together )*(?:add(?: up)? to"
    rf"|sum (?:up )?to|total|make)"
    r" (?P<said>\d{2,4})(?![\d.]\d|\d)",
    re.IGNORECASE,
)
_SOME_OTHER = re.compile(r"gradi|\bgon\b|spher|n't|\bnot\b|never", re.IGNORECASE)
_EACH_OF = frozenset(("each", "every", "all"))
_TOTALLED = frozenset("add adds adding sum sums summing total totals make come altogether".split())


_WORDS = WORDED | PERCENT_WORDS | FORMULA_WORDS | RELATION_WORDS | UNIT_WORDS | THEOREM_WORDS
_WORDS |= _FIGURES | {"equilateral", "hypotenuse", "pythagoras", "pythagorean"}


def broken_rules(text: str, start: int, end: int, question: str) -> list[Evidence]:
    """What words say falsely: arithmetic, percentages, units, rules that are named and not kept."""
    found: list[Evidence] = []
    words = words_in(text)
    told = words & _WORDS
    equal, percent = "=" in text, "%" in text
    if not (told or equal or percent):
        return found
    if percent or not WORDED.isdisjoint(told):
        found += wrong_words(text, told, start, end)
    figures = not _FIGURES.isdisjoint(told)
    summed = "angles" in words or ("angle" in words and "sum" in words)
    if figures and summed and not _TOTALLED.isdisjoint(words):
        found += _angle_sums(text, start, end)
    regular = "equilateral" in told or (figures and "regular" in words)
    if regular and not _EACH_OF.isdisjoint(words):
        found += _regular(text, start, end)
    if "hypotenuse" in told or "ythag" in text:
        found += _legs_added(text, start, end, question, worded=not _LEGS_NAMED.isdisjoint(words))
    if percent or not PERCENT_WORDS.isdisjoint(told):
        found += wrong_percents(text, words, start, end, question)
    if equal or not FORMULA_WORDS.isdisjoint(told):
        found += wrong_formulas(text, told, start, end, question)
    if not RELATION_WORDS.isdisjoint(told):
        found += wrong_relations(text, told, start, end, question)
    if len(told & UNIT_WORDS) > 1:
        found += wrong_units(text, told, start, end, question)
    if not THEOREM_WORDS.isdisjoint(told):
        found += wrong_theorems(text, words, start, end, question)
    return found


def _angle_sums(text: str, start: int, end: int) -> Iterator[Evidence]:
    """Sentences with one figure, all its angles, and one number for their sum."""
    for match in _ALWAYS.finditer(text, start, end):
        name = match["name"].lower()
        right = 180 * (_SIDES[name] - 2)
        around = text[max(start, match.start() - 60) : match.end() + 30]
        if int(match["said"]) != right and not _SOME_OTHER.search(around):
            note = f"the angles of a {name} add up to {right}°, not to {match['said']}°"
            yield from unless_excused(text, *match.span(), start, end, note)
    for sentence in SENTENCE.finditer(text, start, end):
        if "ngle" not in sentence[0] or not _TOTAL.search(sentence[0]):
            continue
        said_there = _OPENED.sub(" ", sentence[0])
        numbers = _DIGITS.findall(said_there)
        if len(numbers) != 1:
            continue
        angles = _ANGLES.search(said_there)
        names = {name.lower().rstrip("s") for name in _NAMED.findall(said_there)}
        if angles is None or len(names) != 1:
            continue
        (name,) = names
        sides, right = _SIDES[name], 180 * (_SIDES[name] - 2)
        said = _SUM.search(said_there)
        if said is None or _SOME.search(said_there):
            continue
        if angles["count"] and _COUNTS[angles["count"].lower()] != sides:
            continue
        if float(said[0]) != right:
            note = f"the angles of a {name} add up to {right}°, not to {said[0]}°"
            yield from unless_excused(text, *sentence.span(), start, end, note)


def _regular(text: str, start: int, end: int) -> Iterator[Evidence]:
    """Sentences that give each angle of one regular figure."""
    for sentence in SENTENCE.finditer(text, start, end):
        figures = {
            (match["name"] or "triangle").lower() for match in _REGULAR.finditer(sentence[0])
        }
        each = _EACH.search(sentence[0]) if len(figures) == 1 and "ngle" in sentence[0] else None
        if each is None or re.search(r"xterior|entral|cent(?:re|er)|half|rhomb", sentence[0]):
            continue
        (name,) = figures
        right = Fraction(180 * (_SIDES[name] - 2), _SIDES[name])
        if not rounds_to(right, Fraction(each["said"])):
            note = f"each angle of a regular {name} is {float(right):.4g}°, not {each['said']}°"
            first = sentence.start()
            yield from unless_excused(
                text, first + each.start(), first + each.end(), start, end, note
            )


def _legs_added(
    text: str, start: int, end: int, question: str, *, worded: bool
) -> Iterator[Evidence]:
    note = "by Pythagoras the squares of the legs are added, not the legs"
    found = [match.span() for match in _LEGS_WORDED.finditer(text, start, end)] if worded else []
    for match in _UNSQUARED.finditer(text, start, end) if "=" in text else ():
        if of := _SQUARED.search(text, max(start, match.start() - 2), match.start()):
            found.append((of.start(), match.end()))
    for first, last in found:
        if not text.startswith((" squared", "'s square"), last):
            yield from unless_excused(text, first, last, start, end, note)
    place = text.find("ythag", start, end)
    while place >= 0:
        limit = min(end, place + 160)
        added = _LEGS.search(text, place, limit)
        if added and not _SQUARES.search(text, max(start, place - 40), added.end()):
            legs = [Fraction(added["one"]), Fraction(added["two"])]
            if not all(map(_is_square, legs)) and not retracted(text, added.end(), end):
                yield Evidence("arithmetic_error", *added.span(), note)
        squared = _SQUARED_SUM.search(text, place, limit)
        if squared and _are_lengths(squared, question) and not retracted(text, squared.end(), end):
            yield Evidence("arithmetic_error", *squared.span(), note)
        place = text.find("ythag", place + 200, end)


def _is_square(number: Fraction) -> bool:
    return number.denominator == 1 and isqrt(int(number)) ** 2 == number


def _are_lengths(match: re.Match[str], question: str) -> bool:
    """Whether the question has both numbers that are added, and they are not squares both."""
    sides = match["one"], match["two"]
    plain = re.sub(r"√\s?\(?\d+|sqrt\W{0,2}\d+|\d+(?:²|\^)", " ", question)
    return all(
        re.search(rf"(?<![\d.]){re.escape(side)}(?![\d.]\d|\d)", plain) for side in sides
    ) and not all(_is_square(Fraction(side)) for side in sides)
