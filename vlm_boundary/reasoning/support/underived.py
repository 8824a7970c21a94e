"""Answers that have to be derived from the data that the question gives, and are not."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import permutations

from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.support.answer_value import (
    HERE,
    SaidAnswer,
    contains,
    mark,
    numbers,
    packed,
    said_value,
    unlabelled,
    without_options,
)
from vlm_boundary.reasoning.support.leads import (
    ASKS_ANGLE,
    BY_EYE,
    FEW,
    FIGURES,
    FORMULA,
    NO_ONE,
    ROOTED,
    RULE,
    SQUARED,
    STEP,
    THEOREM,
    is_named,
    leads,
)
from vlm_boundary.reasoning.support.reachable import (
    Steps,
    any_near,
    named_factors,
    proportions,
    unit_sizes,
)
from vlm_boundary.reasoning.support.results import (
    CODE,
    OPERATION,
    behind_sums,
    follows_from,
    results_of,
)
from vlm_boundary.reasoning.text.agreement import disagreement
from vlm_boundary.reasoning.text.alternatives import rows
from vlm_boundary.reasoning.text.equations import Equation, equations
from vlm_boundary.reasoning.text.passages import SENTENCE, AnswerPlace

# A description in brackets, with words in it: no interval, no formula.
_SHOWN = re.compile(r"(?<!\\)\[(?=[^\[\]]{0,60}[A-Za-z]{4})[^\[\]]{6,900}(?<!\\)\]")
_SOLVED = re.compile(r"\b\d{0,4}[a-z](?: squared)? (?:equals|has to be|must be) \d")
_LETTER_IS = re.compile(r"[A-Za-zα-ω]{0,12}[=≈]\Z")
_ABOUT = re.compile(
    r"\b(?:roughly|about|around|approximately|near|close to|something like)[\s$€£]{1,3}@",
    re.IGNORECASE,
)
_ASKS_ABOUT = re.compile(r"\b(?:about|approximate\w*|estimat\w*|roughly)\b", re.IGNORECASE)
_CIRCLE = re.compile(
    r"\b(?:because|since|given that|knowing that)\b([^.,;:@]{1,60})@", re.IGNORECASE
)
_ASKS_READING = re.compile(
    r"\bwhat time\b|\b(?:value|height|temperature|reading|read|shows?|shown|reach\w*)\b", re.I
)
_READS = re.compile(
    r"\b(?:bars?|axis|axes|hands?|scale|line|curve|points?|mark\w*|label\w*|reads?|reading|shows?"
    r"|gauge|needle|ruler|tick|row|column|cell|reach\w*|meets?|passe?s?)\b",
    re.IGNORECASE,
)
_OF_FORMULA = re.compile(
    r"\b(?:coefficient|constant|intercept|form|factor|exponent|term|bracket|vanish\w*|shift\w*)\b",
    re.IGNORECASE,
)
# The answer beside an operator, a letter that is solved for, and what is worked out without digits.
_BESIDE = re.compile(
    r"[+*/×·÷√<>-]@|(?<![A-Za-z])[=≈]@|@(?:[=≈+×·÷<>²³√]|[-*/:]\d)|(?<![A-Za-z])[a-z](?:[=²³(+-]|\d)"
    r"|[√π²³]|@%of|\d:\d\d"
)
_FRACTION = re.compile(r"\b(\d{1,6}) ?/ ?(\d{1,6})\b")
_ASTRAY = "what is worked out does not lead to the answer"
_LONGEST = 1200
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
    if said is None or not numbers(source) or HERE in mark(FORMULA.sub(" ", source), said):
        return None
    body = mark(unlabelled(chain.text[start:end]), said)
    for row in reversed([*rows(body)]):  # what is only thought possible leads nowhere
        if HERE in row.values:
            body = f"{body[: row.start]}{HERE}{body[row.end :]}"
    several = numbers(chain.answer) if "," in chain.answer else []
    if len(several) > 1 and {*map(abs, several)} <= {*numbers(body)}:
        return None
    note = _fault(body, source, unlabelled(without_options(asked)), said)
    if note == _ASTRAY and any(map(_is_slip, equations(chain.text, start, end))):
        return []  # the fault is that of the equation
    return [Evidence("no_reasoning", answer.start, answer.end, note)] if note else []


def _is_slip(equation: Equation) -> bool:
    return equation.sure and disagreement(equation) is not None


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
    by_eye = any(BY_EYE.search(one) for one in sentences[:1])
    if (
        _ASKS_READING.search(asked)
        and not FORMULA.search(source)
        and any(_READS.search(one) and not BY_EYE.search(one) for one in sentences)
    ):
        return ""
    if _works(body, question):
        astray = _astray(body, known, said, by_eye=by_eye, question=question)
        return _ASTRAY if astray else ""
    if by_eye or (_ABOUT.search(body) and not _ASKS_ABOUT.search(asked)):
        return "a guess by eye of what has to be worked out from the data of the question"
    circle = _CIRCLE.search(body)
    if circle and not numbers(circle[1]) and HERE not in body[: circle.start()]:
        return "the claim is its own reason"
    if leads(body, known, said, question) or is_named(body, question, said):
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


def _astray(
    body: str, known: list[float], said: SaidAnswer, *, by_eye: bool, question: str
) -> bool:
    """Whether no operation that stands there, and no step from what it comes to, gives the answer.

    Only where all is plain arithmetic: no letter is solved for, no root taken.
    """
    if said.number <= _COUNTED and is_named(body, question, said):
        return False
    told = numbers(NO_ONE.sub(" ", FIGURES.sub(" ", body)))[-FEW:]
    rounded = 1 if said.number.is_integer() else abs(said.number) / 50
    if any(abs(one * scale - said.number) < rounded for one in told for scale in (1, 100)):
        return False  # rounded, or as a percentage
    sentences = [one for one in SENTENCE.findall(body) if HERE in one and not by_eye]
    if any(numbers(one) or RULE.search(one) for one in sentences):
        return False  # a step may stand in the answer's sentence
    if _of_fractions(body, said.written):
        return False
    results = [] if by_eye or said.number < 0 or said.rooted else results_of(body)
    if results and not _names_a_step(behind_sums(body), question):
        angles = ASKS_ANGLE.search(question) is not None
        others = [*told, *known, *named_factors(body), *unit_sizes(f"{question} {body}")]
        return not follows_from(results, others, said.number, angles=angles)
    if _BESIDE.search(packed(body)) or is_named(body, question, said):
        return False
    told += named_factors(body)
    told += [100.0] if "%" in body or "percent" in question else []
    steps = Steps(angles=ASKS_ANGLE.search(question) is not None, runs=False)
    if by_eye:
        return not steps.lead(told, said.number)
    units = unit_sizes(f"{question} {body}")
    sizes = [1.0, *units, *(2 * size for size in units)]
    goals = [said.number * size for size in sizes] + [said.number / size for size in sizes]
    return not any(
        any_near((*steps.one(values), *proportions(values)), goals)
        for values in ([*told, *known][:FEW], [*known, *told][-FEW:])
    )


def _of_fractions(body: str, answer: str) -> bool:
    """Whether two fractions of a text make an answer that is one."""
    match = _FRACTION.fullmatch(answer)
    if match is None or not int(match[2]):
        return False
    goal = Fraction(int(match[1]), int(match[2]))
    said = [Fraction(int(top), int(low)) for top, low in _FRACTION.findall(body)[:FEW] if int(low)]
    return any(
        goal in (one * two, one + two, one - two, 1 - one) for one, two in permutations(said, 2)
    )


def _names_a_step(text: str, question: str) -> bool:
    """Whether words that the question does not have name a step."""
    return any(
        match[0].lower() not in question
        for words in (STEP, RULE, THEOREM, SQUARED, ROOTED)
        for match in words.finditer(text)
    )
