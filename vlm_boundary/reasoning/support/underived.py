"""Answers that have to be derived from the data that the question gives, and are not."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise, permutations

from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.support.answer_value import (
    HERE,
    SaidAnswer,
    contains,
    in_digits,
    mark,
    numbers,
    packed,
    said_value,
    unlabelled,
    without_options,
)
from vlm_boundary.reasoning.support.reachable import (
    Steps,
    any_near,
    named_factors,
    pairs,
    proportions,
    unit_sizes,
)
from vlm_boundary.reasoning.support.results import (
    CODE,
    OPERATION,
    behind_sums,
    follows_from,
    from_new,
    in_two_digits,
    is_share,
    of_mixed_units,
    results_of,
    values_of_names,
    without_names,
    without_used,
)
from vlm_boundary.reasoning.text.alternatives import rows
from vlm_boundary.reasoning.text.passages import SENTENCE, AnswerPlace

# A description in brackets, with words in it: no interval, no formula.
_SHOWN = re.compile(r"(?<!\\)\[(?=[^\[\]]{0,60}[A-Za-z]{4})[^\[\]]{6,900}(?<!\\)\]")
_FORMULA = re.compile(
    r"\b[a-z](?:\([a-z]\))? ?=[^,;\]]*?(?=,|;|\.(?!\d)|\]| and | crossing)|\d+-\d+(?= ?:)"
)
_SOLVED = re.compile(r"\b\d{0,4}[a-z](?: squared)? (?:equals|has to be|must be) \d")
_LETTER_IS = re.compile(r"[A-Za-zα-ω]{0,12}[=≈]\Z")
# "one sees", "the other one": no value.
_NO_ONE = re.compile(
    r"\b(?:(?:which|this|that|the|each|every|other|\w+est|\w+er) one"
    r"|one (?:can|has|sees?|gets?|finds?|may|must|might|could|would|another|needs?|obtains?"
    r"|imagines?|line|bar|side))\b",
    re.IGNORECASE,
)
# What a figure of its kind always has is not read.
_FIGURES = re.compile(
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
_BY_EYE = re.compile(
    r"\bby eye\b|\bvisual\w*\b|\b(?:looks?(?! for| up)|appears?|seems?|feels?)\b"
    r"|\b(?:estimate|guess|eyeball|reckon)\w*\b|\bglanc\w+|\bjudging\b|\b(?:gut|hunch|intuition|impression)\b|\binspection\b"
    r"|\b(?:I|we)(?:['’]d| would) (?:say|put)\b|\bimagin\w+"
    r"|\bin my (?:head|mind)\b|\bpicturing\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"\b(?:roughly|about|around|approximately|near|close to|something like)[\s$€£]{1,3}@",
    re.IGNORECASE,
)
_ASKS_ABOUT = re.compile(r"\b(?:about|approximate\w*|estimat\w*|roughly)\b", re.IGNORECASE)
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
_ASKS_ANGLE = re.compile(r"\b(?:angles?|degrees?)\b|°", re.IGNORECASE)
_WITH_ANOTHER = re.compile(r"@[^.@\d]{0,9}(?:,|;| and | or )[^.@\d]{0,9}\d|\d (?:and|or) @|\d, ?@")
_PATTERN = re.compile(r"\b(?:pattern|sequence|next (?:number|term))\b", re.IGNORECASE)
_SLOPE = re.compile(r"\b(?:slope|gradient|steep)\b", re.IGNORECASE)
_MEAN = re.compile(r"\b(?:mean|averag\w*|halfway|midway|middle)\b", re.IGNORECASE)
_THEOREM = re.compile(
    r"Pythag\w*|Thales|\b(?:\w+ theorem|triples?|midsegment|complement\w*|supplement\w*"
    r"|co-interior|straight angle|on a (?:straight )?line|add up to|sum to|angle sum)\b",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"\b(?:times|multipl\w*|product|half|add\w*|sum|plus|minus|subtract\w*|divid\w*|averag\w*|mean"
    r"|difference|twice|less|left(?! to| of| side)|leaves|leaving|remain\w*|each(?! time)|per"
    r"|thirds?|quarters?|tak\w+ (?:away|from|off)|removed?|removing|as \w+ as"
    r"|later|earlier|apart)\b",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"\b(?:sums?|product|times|half|twice|plus|minus|multiplied|divided|add(?:ed|ing)|subtract(?:ed|ing)|difference|squared"
    r"|quotient)\b",
    re.IGNORECASE,
)
_SQUARED = re.compile(
    r"\b(?:squar(?:e|es|ed|ing)(?! (?:root|units?|c?m|centi|met))|cubes?|itself|times"
    r"|each(?! time))\b",
    re.IGNORECASE,
)
_HALVED = re.compile(
    r"\b(?:means?|averag\w*|areas?|triang\w*|isosceles|base angles?|both|two|trapez\w*"
    r"|rhomb\w*|diagonals?|radius|diameter|perimeter)\b",
    re.IGNORECASE,
)
_ROOTED = re.compile(r"[√π]|\b(?:roots?|pi)\b", re.IGNORECASE)
_CIRCLE = re.compile(
    r"\b(?:because|since|given that|knowing that)\b([^.,;:@]{1,60})@", re.IGNORECASE
)
_SCALED = re.compile(r"\b(?:hundred|thousand|million)s?\b", re.IGNORECASE)
_ASKS_READING = re.compile(
    r"\bwhat time\b|\b(?:value|height|temperature|reading|read|shows?|shown|reach\w*)\b", re.I
)
_READS = re.compile(
    r"\b(?:bars?|axis|axes|hands?|scale|line|curve|points?|mark\w*|label\w*|reads?|reading|shows?"
    r"|gauge|needle|ruler|tick|row|column|cell|reach\w*|meets?|passe?s?)\b",
    re.IGNORECASE,
)
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
_OF_FORMULA = re.compile(
    r"\b(?:coefficient|constant|intercept|form|factor|exponent|term|bracket|vanish\w*|shift\w*)\b",
    re.IGNORECASE,
)
# The answer beside an operator, a letter that is solved for, and what is worked out without digits.
_BESIDE = re.compile(
    r"[+*/×·÷√<>-]@|(?<![A-Za-z])[=≈]@|@(?:[=≈+×·÷<>²³√]|[-*/:]\d)|(?<![A-Za-z])[a-z](?:[=²³(+-]|\d)"
    r"|[√π²³]|@%of|\d:\d\d"
)
_TO_180 = re.compile(rf"\b(?:180|90)\b|{_THEOREM.pattern}", re.IGNORECASE)
_FRACTION = re.compile(r"\b(\d{1,6}) ?/ ?(\d{1,6})\b")
_LONGEST = 1200
_THAT_IS = re.compile(r"\s*(?:That|This|It|Which|Result|So it)\b")
_FEW = 10
_COUNTED = 12  # no more things are counted by their names


def underived(chain: Chain, start: int, end: int, answer: AnswerPlace) -> list[Evidence] | None:
    """An answer that is not in the question's description of its picture, nor follows from it.

    The description gives data, so that a value which does not stand there has to be derived: by an
    operation, from another value that is read or recalled, or by a property. General remarks, a
    look, a circle and data repeated from the question derive nothing. None where the question
    describes nothing, or the answer is no number or stands there.
    """
    shown = _SHOWN.search(chain.question) if "[" in chain.question else None
    if shown is None or chain.answer is None or end - start > _LONGEST:
        return None
    asked = chain.question.replace(shown[0], " ")
    source = unlabelled(shown[0])
    if CODE.search(chain.text, start, end) or _computed(chain.text, start, chain.answer):
        return []
    said = said_value(chain.answer, asked)
    if said is None or not numbers(source) or HERE in mark(_FORMULA.sub(" ", source), said):
        return None
    body = mark(unlabelled(chain.text[start:end]), said)
    for row in reversed([*rows(body)]):  # what is only thought possible leads nowhere
        if HERE in row.values:
            body = f"{body[: row.start]}{HERE}{body[row.end :]}"
    several = numbers(chain.answer) if "," in chain.answer else []
    if len(several) > 1 and {*map(abs, several)} <= {*numbers(body)}:
        return None
    note = _fault(body, source, unlabelled(without_options(asked)), said)
    return [Evidence("no_reasoning", answer.start, answer.end, note)] if note else []


def _computed(text: str, start: int, answer: str) -> bool:
    """Whether the answer stands behind a sign of equality that a number stands before."""
    at = text.find(f"= {answer}", start)
    return at > 0 and text[max(start, at - 4) : at].rstrip(" $%°")[-1:].isdigit()


def _fault(body: str, source: str, asked: str, said: SaidAnswer) -> str:
    """What is wrong with how the answer comes about; nothing where it may follow."""
    question = f"{source} {asked}"
    if _OF_FORMULA.search(body) and contains(source, said):
        return ""  # a part of the formula that is given
    known = numbers(question)
    sentences = [one for one in SENTENCE.findall(body) if HERE in one]
    by_eye = any(_BY_EYE.search(one) for one in sentences[:1])
    if (
        _ASKS_READING.search(asked)
        and not _FORMULA.search(source)
        and any(_READS.search(one) and not _BY_EYE.search(one) for one in sentences)
    ):
        return ""
    if _works(body, question):
        astray = _astray(body, known, said, by_eye=by_eye, question=question)
        return "what is worked out does not lead to the answer" if astray else ""
    if by_eye or (_ABOUT.search(body) and not _ASKS_ABOUT.search(asked)):
        return "a guess by eye of what has to be worked out from the data of the question"
    circle = _CIRCLE.search(body)
    if circle and not numbers(circle[1]) and HERE not in body[: circle.start()]:
        return "the claim is its own reason"
    if _leads(body, known, said, question) or _is_named(body, question, said):
        return ""
    return "the question gives the data, and nothing leads from it to the answer"


def _works(body: str, question: str) -> bool:
    """Whether there is an operation or an equation that is not just copied from the question."""
    if _SOLVED.search(body):
        return True
    source = packed(question)
    parts = packed(body).split(HERE)
    for place, part in enumerate(parts):
        if place < len(parts) - 1:
            part = _LETTER_IS.sub("", part)
        for match in OPERATION.finditer(part):
            last = match.end() + (match[0] not in "²³")
            if part[max(0, match.start() - 1) : last] not in source:
                return True
    return False


def _leads(body: str, known: list[float], said: SaidAnswer, question: str) -> bool:
    """Whether other values stand there from which the answer may come."""
    body = without_used(without_names(body, question))
    seen = [one for one in SENTENCE.findall(body) if _BY_EYE.search(one) and not in_digits(one)]
    for one in seen:
        body = body.replace(one, " ", 1)
    words = body if _MIDDLE.search(body) else _BOUNDS.sub(lambda m: m["kept"] or " ", body)
    angles = _ASKS_ANGLE.search(question) is not None
    general = _GENERAL | _ANGLES if _FIGURE.search(question) else _GENERAL
    told = [
        number
        for number in numbers(_NO_ONE.sub(" ", words))
        if (number != said.number or said.rooted)
        and (angles or number not in _ANGLES or number in known)
    ][:_FEW]
    new = in_digits(words) - {*known, said.number} - general
    to_180 = angles and _THEOREM.search(body) is not None
    by_value = not (said.rooted or ":" in said.written or _WITH_ANOTHER.search(body))
    by_value = by_value and _FORMULA.search(question) is None
    others = [*told, *known]
    if new and (not by_value or from_new([*new], others, said.number, angles=to_180)):
        return True
    if ":" in said.written:
        fresh = {*told} - {*known}  # a time of hours and minutes, a ratio
        return bool(fresh) or len({*told}) > 1 or "ratio" in question
    rooted = _ROOTED.search(body) is not None
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
    stepping = any(match[0].lower() not in question for match in _STEP.finditer(body))
    steps = Steps(
        angles=angles and (stepping or _TO_180.search(body) is not None or not {*told} - {*known}),
        means=_MEAN.search(about) is not None,
        squares=_SQUARED.search(about) is not None,
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
    in_words = {*numbers(_FIGURES.sub(" ", body)), *factors} - in_digits(body)
    new = in_words - {*known, 0.0, 1.0, said.number}
    if (new or factors or (told and stepping)) and steps.lead_twice(values, said.number):
        return True
    told_before = pairwise(["", *SENTENCE.findall(body)])
    here = " ".join(
        (before if _THAT_IS.match(one) else "") + one for before, one in told_before if HERE in one
    )
    ruled = {match[0].lower() for match in _RULE.finditer(here) if match[0].lower() not in question}
    if ruled and steps.lead(known[:_FEW], said.number):
        return True  # the rule is said, and its values stand in the question
    if len(ruled) > 1 and steps.lead_twice(known[:_FEW], said.number):
        return True
    if said.number in pairs(known, factors) or (stepping and said.number in pairs(known, told)):
        return True
    if _SCALED.search(body) and any(said.number / size in known for size in (100, 1000, 10**6)):
        return True
    recalled = [*known[:_FEW], 2.0]
    return _THEOREM.search(body) is not None and steps.lead(recalled, said.number)


def _astray(
    body: str, known: list[float], said: SaidAnswer, *, by_eye: bool, question: str
) -> bool:
    """Whether no operation that stands there, and no step from what it comes to, gives the answer.

    Only where all is plain arithmetic: no letter is solved for, no root taken.
    """
    if said.number <= _COUNTED and _is_named(body, question, said):
        return False
    told = numbers(_NO_ONE.sub(" ", _FIGURES.sub(" ", body)))[-_FEW:]
    rounded = 1 if said.number.is_integer() else abs(said.number) / 50
    if any(abs(one * scale - said.number) < rounded for one in told for scale in (1, 100)):
        return False  # rounded, or as a percentage
    sentences = [one for one in SENTENCE.findall(body) if HERE in one and not by_eye]
    if any(numbers(one) or _RULE.search(one) for one in sentences):
        return False  # a step may stand in the answer's sentence
    if "/" in said.written and _of_fractions(body, Fraction(said.written)):
        return False
    results = [] if by_eye or said.number < 0 or said.rooted else results_of(body)
    if results and not _names_a_step(behind_sums(body), question):
        angles = _ASKS_ANGLE.search(question) is not None
        others = [*told, *known, *named_factors(body), *unit_sizes(f"{question} {body}")]
        return not follows_from(results, others, said.number, angles=angles)
    if _BESIDE.search(packed(body)) or _is_named(body, question, said):
        return False
    told += named_factors(body)
    told += [100.0] if "%" in body or "percent" in question else []
    steps = Steps(angles=_ASKS_ANGLE.search(question) is not None, runs=False)
    if by_eye:
        return not steps.lead(told, said.number)
    units = unit_sizes(f"{question} {body}")
    sizes = [1.0, *units, *(2 * size for size in units)]
    goals = [said.number * size for size in sizes] + [said.number / size for size in sizes]
    return not any(
        any_near((*steps.one(values), *proportions(values)), goals)
        for values in ([*told, *known][:_FEW], [*known, *told][-_FEW:])
    )


def _of_fractions(body: str, goal: Fraction) -> bool:
    """Whether two fractions of a text make a goal."""
    said = [Fraction(int(top), int(low)) for top, low in _FRACTION.findall(body) if int(low)]
    pairs_said = permutations(said, 2)
    return any(goal in (one * two, one + two, one - two, 1 - one) for one, two in pairs_said)


def _names_a_step(text: str, question: str) -> bool:
    """Whether words that the question does not have name a step."""
    return any(
        match[0].lower() not in question
        for words in (_STEP, _RULE, _THEOREM, _SQUARED, _ROOTED)
        for match in words.finditer(text)
    )


def _of_names(body: str, question: str) -> list[float]:
    """The values that the question gives to names in the answer's sentence: "Jan 20", "AC = 5"."""
    return values_of_names(question, " ".join(one for one in SENTENCE.findall(body) if HERE in one))


def _is_named(body: str, question: str, said: SaidAnswer) -> bool:
    """Whether a property gives the answer, or the things are named that it counts."""
    if said.number in (0, 1) and any(
        match[0].lower() not in question for match in _PROPERTY.finditer(body)
    ):
        return True
    if said.number == 0.5 and _ALIKE.search(body):
        return True
    if said.number in _ANGLES and _ASKS_ANGLE.search(question) and _OF_AN_ANGLE.search(body):
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
