"""Whether other values of a text lead to an answer, or its words name what gives it."""

from __future__ import annotations

import re
from itertools import pairwise

from vlm_boundary.reasoning.support.answer_value import (
    HERE,
    SaidAnswer,
    in_digits,
    numbers,
)
from vlm_boundary.reasoning.support.reachable import (
    Steps,
    named_factors,
    pairs,
    unit_sizes,
)
from vlm_boundary.reasoning.support.results import (
    from_new,
    in_two_digits,
    is_share,
    of_mixed_units,
    values_of_names,
    without_names,
    without_used,
)
from vlm_boundary.reasoning.text.passages import SENTENCE

FORMULA = re.compile(
    r"\b[a-z](?:\([a-z]\))? ?=[^,;\]]*?(?=,|;|\.(?!\d)|\]| and | crossing)|\d+-\d+(?= ?:)"
)
# "one sees", "the other one": no value.
NO_ONE = re.compile(
    r"\b(?:(?:which|this|that|the|each|every|other|\w+est|\w+er) one"
    r"|one (?:can|has|sees?|gets?|finds?|may|must|might|could|would|another|needs?|obtains?"
    r"|imagines?|line|bar|side))\b",
    re.IGNORECASE,
)
# What a figure of its kind always has is not read.
FIGURES = re.compile(
    r"\b(?:two|three|four|five|six|eight)(?: (?:equal|parallel|opposite|different|other|acute"
    r"|slanted|right))*(?: and)? (?:sides|angles|corners|hands|legs|lines|bars|points|vertices"
    r"|triangles|axes|faces|edges)\b",
    re.IGNORECASE,
)
# Bounds, from which no value follows: "between 20 and 40", "longer than 5".
_BOUNDS = re.compile(
    r"(?P<kept>\d (?:[a-z]{1,12} )?(?:more|less|fewer|[a-z]{2,9}er) than\b)"
    r"|\b(?:between|(?:more|less|fewer|[a-z]{2,9}er) than|at (?:least|most)|above|below|beyond|over"
    r"|under)\b[^.;@\d]{0,30}\d[\d.]*(?:[^.;@\d]{0,30}\band\b[^.;@\d]{0,30}\d[\d.]*)?",
    re.IGNORECASE,
)
_MIDDLE = re.compile(r"\b(?:middle|half\w*|midway)\b", re.IGNORECASE)
BY_EYE = re.compile(
    r"\bby eye\b|\bvisual\w*\b|\b(?:looks?(?! for| up)|appears?|seems?|feels?)\b"
    r"|\b(?:estimate|guess|eyeball|reckon)\w*\b|\bglanc\w+|\bjudging\b|\b(?:gut|hunch|intuition|impression)\b|\binspection\b"
    r"|\b(?:I|we)(?:['’]d| would) (?:say|put)\b|\bimagin\w+"
    r"|\bin my (?:head|mind)\b|\bpicturing\b",
    re.IGNORECASE,
)
_PROPERTY = re.compile(
    r"\b(?:horizontal|vertical|parallel|equal\w*|same|symmetr\w*|opposite|neither|no|none|never"
    r"|certain|impossible|every|always|constant|only)\b",
    re.IGNORECASE,
)
_ALIKE = re.compile(
    r"\b(?:equally|as many|same (?:number|chance|size)|fair|symmetr\w*)\b", re.IGNORECASE
)
_OF_AN_ANGLE = re.compile(
    r"(?<!than a )\b(?:right|straight|full|equilateral|perpendicular|semicircle|diameter|tangent"
    r"|square|rectangle|regular|bisect\w*|cube|crosses|sine|cosine|Thales['’]?s?)\b",
    re.IGNORECASE,
)
_ANGLES = frozenset(map(float, (30, 45, 60, 90, 120, 180, 360)))
_GENERAL = frozenset(map(float, (0, 1)))
_FIGURE = re.compile(
    r"\b(?:angles?|circles?|\w+gons?|triang\w+|square|quadrilateral|trapez\w+|rhomb\w+|degrees?)\b|°",
    re.IGNORECASE,
)
ASKS_ANGLE = re.compile(r"\b(?:angles?|degrees?)\b|°", re.IGNORECASE)
_WITH_ANOTHER = re.compile(r"@[^.@\d]{0,9}(?:,|;| and | or )[^.@\d]{0,9}\d|\d (?:and|or) @|\d, ?@")
_PATTERN = re.compile(r"\b(?:pattern|sequence|next (?:number|term))\b", re.IGNORECASE)
_SLOPE = re.compile(r"\b(?:slope|gradient|steep)\b", re.IGNORECASE)
_MEAN = re.compile(r"\b(?:mean|averag\w*|halfway|midway|middle)\b", re.IGNORECASE)
THEOREM = re.compile(
    r"Pythag\w*|Thales|\b(?:\w+ theorem|triples?|midsegment|complement\w*|supplement\w*"
    r"|co-interior|straight angle|on a (?:straight )?line|add up to|sum to|angle sum)\b",
    re.IGNORECASE,
)
STEP = re.compile(
    r"\b(?:times|multipl\w*|product|half|add\w*|sum|plus|minus|subtract\w*|divid\w*|averag\w*|mean"
    r"|difference|twice|less|left(?! to| of| side)|leaves|leaving|remain\w*|each(?! time)|per"
    r"|thirds?|quarters?|tak\w+ (?:away|from|off)|removed?|removing|as \w+ as"
    r"|later|earlier|apart)\b",
    re.IGNORECASE,
)
RULE = re.compile(
    r"\b(?:sums?|product|times|half|twice|plus|minus|multiplied|divided|add(?:ed|ing)|subtract(?:ed|ing)|difference|squared"
    r"|quotient)\b",
    re.IGNORECASE,
)
SQUARED = re.compile(
    r"\b(?:squar(?:e|es|ed|ing)(?! (?:root|units?|c?m|centi|met))|cubes?|itself|times"
    r"|each(?! time))\b",
    re.IGNORECASE,
)
_HALVED = re.compile(
    r"\b(?:means?|averag\w*|areas?|triang\w*|isosceles|base angles?|both|two|trapez\w*"
    r"|rhomb\w*|diagonals?|radius|diameter|perimeter)\b",
    re.IGNORECASE,
)
ROOTED = re.compile(r"[√π]|\b(?:roots?|pi)\b", re.IGNORECASE)
_SCALED = re.compile(r"\b(?:hundred|thousand|million)s?\b", re.IGNORECASE)
_ASKS_COUNT = re.compile(r"\bhow many\b|\bnumber of\b", re.IGNORECASE)
_ITEM = re.compile(r",| and |\n\s*[-*•\d]|;|\(", re.IGNORECASE)
_SEQUENCE = re.compile(
    r"\b(?:even|odd|prime|square|triangular|cube|fibonacci) numbers?\b|\b(?:multiples|powers) of\b"
    r"|\btimes table\b",
    re.IGNORECASE,
)
_HAS = re.compile(r"\bha(?:s|ve) (@|[a-z]+|\d+) (?:corners|edges|faces|vertices|sides)\b")
_BOTH = re.compile(r"\bboth\b", re.IGNORECASE)
_ARTICLE = re.compile(r"\ban?\b", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][A-Za-z]{0,12}\b")
_TO_180 = re.compile(rf"\b(?:180|90)\b|{THEOREM.pattern}", re.IGNORECASE)
_THAT_IS = re.compile(r"\s*(?:That|This|It|Which|Result|So it)\b")
FEW = 10


def leads(body: str, known: list[float], said: SaidAnswer, question: str) -> bool:
    """Whether other values stand there from which the answer may come."""
    body = without_used(without_names(body, question))
    seen = [one for one in SENTENCE.findall(body) if BY_EYE.search(one) and not in_digits(one)]
    for one in seen:
        body = body.replace(one, " ", 1)
    words = body if _MIDDLE.search(body) else _BOUNDS.sub(lambda m: m["kept"] or " ", body)
    angles = ASKS_ANGLE.search(question) is not None
    general = _GENERAL | _ANGLES if _FIGURE.search(question) else _GENERAL
    told = [
        number
        for number in numbers(NO_ONE.sub(" ", words))
        if (number != said.number or said.rooted)
        and (angles or number not in _ANGLES or number in known)
    ][:FEW]
    new = in_digits(words) - {*known, said.number} - general
    to_180 = angles and THEOREM.search(body) is not None
    by_value = not (said.rooted or ":" in said.written or _WITH_ANOTHER.search(body))
    by_value = by_value and FORMULA.search(question) is None
    others = [*told, *known]
    if new and (not by_value or from_new([*new], others, said.number, angles=to_180)):
        return True
    if ":" in said.written:
        fresh = {*told} - {*known}  # a time of hours and minutes, a ratio
        return bool(fresh) or len({*told}) > 1 or "ratio" in question
    rooted = ROOTED.search(body) is not None
    if said.rooted and said.number in (*told, *known):
        return rooted or said.number not in known
    if said.rooted and not rooted:
        return False
    named = _of_names(body, question)
    if Steps().lead(named, said.number):
        return True
    told += named
    told += [1.0] if "/" in said.written else []
    return _lead(told, known, said, body=body, question=question, angles=angles)


def _lead(
    told: list[float],
    known: list[float],
    said: SaidAnswer,
    *,
    body: str,
    question: str,
    angles: bool,
) -> bool:
    """Whether usual steps that the words allow lead from the values to the answer."""
    about = f"{question} {body}"
    stepping = any(match[0].lower() not in question for match in STEP.finditer(body))
    steps = Steps(
        angles=angles and (stepping or _TO_180.search(body) is not None or not {*told} - {*known}),
        means=_MEAN.search(about) is not None,
        squares=SQUARED.search(about) is not None,
        halves=_HALVED.search(about) is not None,
    )
    factors = named_factors(body)
    values = [*told, *factors, *(size for size in unit_sizes(about) if size not in told)]
    sloping = _SLOPE.search(question) is not None  # a sum or a product is none; nor of a pattern
    may = stepping or not (sloping or _PATTERN.search(question))
    if said.number in factors or (may and steps.lead(values, said.number)):
        return True
    if "%" in about and said.number in [100 / factor for factor in factors]:
        return True
    if is_share(told, known, said.number) or in_two_digits(body, told, said.number):
        return True
    if any(of_mixed_units(told, factors, size, said.number) for size in unit_sizes(about)):
        return True
    in_words = {*numbers(FIGURES.sub(" ", body)), *factors} - in_digits(body)
    new = in_words - {*known, 0.0, 1.0, said.number}
    if (new or factors or (told and stepping)) and steps.lead_twice(values, said.number):
        return True
    told_before = pairwise(["", *SENTENCE.findall(body)])
    here = " ".join(
        (before if _THAT_IS.match(one) else "") + one for before, one in told_before if HERE in one
    )
    ruled = {match[0].lower() for match in RULE.finditer(here) if match[0].lower() not in question}
    if ruled and steps.lead(known[:FEW], said.number):
        return True  # the rule is said, and its values stand in the question
    if len(ruled) > 1 and steps.lead_twice(known[:FEW], said.number):
        return True
    if said.number in pairs(known, factors) or (stepping and said.number in pairs(known, told)):
        return True
    if _SCALED.search(body) and any(said.number / size in known for size in (100, 1000, 10**6)):
        return True
    recalled = [*known[:FEW], 2.0]
    return THEOREM.search(body) is not None and steps.lead(recalled, said.number)


def _of_names(body: str, question: str) -> list[float]:
    """The values that the question gives to names in the answer's sentence: "Jan 20", "AC = 5"."""
    return values_of_names(question, " ".join(one for one in SENTENCE.findall(body) if HERE in one))


def is_named(body: str, question: str, said: SaidAnswer) -> bool:
    """Whether a property gives the answer, or the things are named that it counts."""
    if said.number in (0, 1) and any(
        match[0].lower() not in question for match in _PROPERTY.finditer(body)
    ):
        return True
    if said.number == 0.5 and _ALIKE.search(body):
        return True
    if said.number in _ANGLES and ASKS_ANGLE.search(question) and _OF_AN_ANGLE.search(body):
        return True
    if f"-{HERE}" in body or f"±{HERE}" in body:
        return True  # one of two solutions
    if _SEQUENCE.search(body) and not _SEQUENCE.search(question):
        return True
    if not _ASKS_COUNT.search(question):
        return False
    if any(
        said.number in (*numbers(part), *[said.number] * (part == HERE))
        for part in _HAS.findall(body)
    ):
        return True
    for sentence in body.split(". "):
        counts = [number for number in numbers(sentence) if number != said.number]
        counts += [2.0] * len(_BOTH.findall(sentence))
        if sum(counts) + len(_ARTICLE.findall(sentence)) == said.number:
            return True
    listed = max((len(_ITEM.findall(line)) for line in body.split(". ")), default=0) + 1
    names = {*_NAME.findall(body)} & {*_NAME.findall(question)}
    if said.number == 1 and in_digits(body) - {1.0, *numbers(question)}:
        return bool(names)  # other numbers are told, and nothing is picked out
    return min(listed, 8) >= min(said.number, 8) or len(names) >= max(said.number, 2)
