"""Whether the final answer is something that the chain came to."""

from __future__ import annotations

import re
from fractions import Fraction

from vlm_boundary.mathtext.evaluate import Value
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.support.answered import (
    answer_number,
    asked_numbers,
    in_a_row,
    operands,
    sentence_start,
    sides,
)
from vlm_boundary.reasoning.support.chosen import another_option, option_values
from vlm_boundary.reasoning.support.concluded import concluded, concluded_name
from vlm_boundary.reasoning.support.left_behind import REPEATED, left_behind, said_otherwise
from vlm_boundary.reasoning.support.results import values_of_names
from vlm_boundary.reasoning.support.said import (
    behind_sign,
    in_short,
    says_as_written,
    spelled,
    states,
    written_behind_sign,
)
from vlm_boundary.reasoning.text.equations import Equation, equations
from vlm_boundary.reasoning.text.passages import AnswerPlace
from vlm_boundary.reasoning.text.steps import (
    behind_result,
    converted,
    numbers_of,
    one_step,
    rounds_to,
    same,
    silent_step,
    solves,
    step_from,
)
from vlm_boundary.verifier.phrases import last_match

_EQUALS = re.compile(r"(?:[=≈]|\\approx)[\s$&*]{0,6}(?:\\[(\[]\s?)?$")
_NAME_ALONE = re.compile(  # what begins a line or a clause and is a name
    r"(?:\A|\n|[.,;:] |\b(?:so|thus|hence|therefore|then|and|means|gives),? )[\s$*(\\]{0,4}"
    r"(?:the )?(?:m?∠|angle ?|side )?[a-zA-Z]{1,12}\Z",
    re.IGNORECASE,
)
_LABEL = re.compile(  # "So the average is", which names the answer that follows
    r"(?:\A|[.\n])\s{0,8}(?:(?:so|thus|therefore|hence),? )?(?:(?:the|its|our) )?"
    r"[a-z]+(?: [a-z]+){0,4}(?: is| are| equals|:| =)\s{0,8}\Z",
    re.IGNORECASE,
)
_IS = re.compile(r"(?<!answer )\b(?:is|gives|equals)[\s$&*]{0,6}(?:\\[(\[]\s?)?$")
# That the result is what was asked for, which is no further step.
_NAMED = re.compile(
    r"\b(?:that|this|which|it|[Tt]his|[Tt]hat) (?:is|gives) (?:therefore |thus |then )?(?:the|our"
    r"|its) [a-z]+(?: [a-z]+){0,2}"
    r"(?=[.,;\n]|\Z)"
)
_CONCLUSION = re.compile(
    r"(?:\A|[.\n] ?)\s*(?:Therefore|Thus|Hence|So|Consequently|Accordingly|As a result)\b"
)
# A sign with something else than one number behind it.
_UNREAD = re.compile(
    r"(?:[=≈]|\\approx|\\frac)(?!\s{0,2}[-−–]?\s?[$€£]?\d[\d.,]*(?![\d^]|\s?[-+*/×÷·(\\]))"
)
_COUNTS = re.compile(r"\bhow many (?!more|fewer|less)|\bnumber of\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_WHOLES = (90, 180, 360)  # what angles are checked against
_PARTS = re.compile(r"\d+")
_FRACTION = re.compile(r"\d+\s?/\s?\d+")
_LINKED = re.compile(
    r"\b(?:is|are|was|be|has|have|gives?|gets?|makes?|making|holds?|costs?|takes?|measures?|equals?"
    r"|therefore|thus|of|to|about|leaves|contains?|needs?|comes|weighs?|total)\s[$€£*\\(]{0,4}\Z",
    re.IGNORECASE,
)
_SIGN = re.compile(r"[=+×÷·√<>≈]|\\[dt]?frac|\\sqrt")


def unsupported(chain: Chain, start: int, end: int, answer: AnswerPlace) -> list[Evidence]:
    """An answer that is a number or an option, and not what the chain comes to."""
    found = _never_reached(chain, start, end, answer)
    if any(one.veto for one in found):
        return found
    sign = _EQUALS.search(chain.text, max(start, answer.start - 24), answer.start)
    if not answer.stated or (sign and not _names(chain.text, start, sign.start())):
        return found
    value, others = answer_number(chain), list[Value]()
    if value is None:
        options = {**option_values(chain.question)}
        value = options.pop((chain.answer or "").upper(), None)
        others = list(options.values())
    if value is None:
        return concluded_name(chain, start, answer) or found
    return concluded(chain, start, answer, value, others) or found


def _never_reached(chain: Chain, start: int, end: int, answer: AnswerPlace) -> list[Evidence]:
    """An answer that is a number, where the chain computes and never comes to that number.

    A hint only where the chain's words name a step that may have been taken silently. A number that
    the chain only starts from is not one that it comes to.
    """
    text = chain.text
    if another := another_option(chain, start, answer):
        return another
    value = answer_number(chain)
    if value is None or not (answer.stated or _says_only(chain, answer)):
        return []
    said_so = chain.answer or ""
    terms = numbers_of(said_so, 0, len(said_so)) if "+" in said_so else []
    if terms and {*terms} <= {*numbers_of(text, start, answer.start)}:
        return []  # 12 + 2π, of what was 12 and 2π
    sign = _EQUALS.search(text, max(start, answer.start - 24), answer.start)
    if sign and not _names(text, start, sign.start()):
        return []  # the answer is itself the result of an equation
    said = _IS.search(text, max(start, answer.start - 24), answer.start)
    opened = sentence_start(text, start, said.start()) if said else start
    if said and one_step(numbers_of(text, opened, said.start()), value, "+-*/", usual=False):
        return []  # or of a step in words
    worked = [
        equation
        for equation in equations(text, start, end)
        if equation.right.end <= answer.start or equation.left.start >= answer.end
    ]
    if stood := left_behind(chain, start, answer, worked, value):
        return stood
    if not worked:
        return (
            []
            if states(text, answer.end, end, value)
            else said_otherwise(chain, start, answer, value)
        )
    results = [result for equation in worked for result in sides(equation)]
    if not results or any(same(result, value) for result in results):
        return []
    if _may_be_said(chain, start, end, answer, value, worked[-1]):
        return []
    return _beyond(chain, start, end, answer, value, worked, sign)


def _may_be_said(
    chain: Chain, start: int, end: int, answer: AnswerPlace, value: Value, last: Equation
) -> bool:
    """Whether the text has the value where no equation was read: behind it, in words, in signs."""
    text = chain.text
    if states(text, answer.end, end, value) or (
        not answer.stated
        and one_step(numbers_of(text, start, answer.start)[-6:], value, "+-*/", usual=False)
    ):
        return True
    return (
        _fits(chain, start, last, value)
        or behind_sign(text, start, answer.start, value)
        or written_behind_sign(chain, start, answer)
        or says_as_written(chain, start, answer)
    )


def _beyond(
    chain: Chain, start: int, end: int, answer: AnswerPlace, value: Value,
    worked: list[Equation], sign: re.Match[str] | None,
) -> list[Evidence]:  # fmt: skip
    """An answer that no step, unit or sentence behind the equations leads to."""
    text = chain.text
    results = [result for equation in worked for result in sides(equation)]
    known = [
        *asked_numbers(chain.question)[-4:],
        *numbers_of(text, start, answer.start)[-8:],
        *results[-8:],
    ]
    last = max((e.right.end for e in worked if e.right.end <= answer.start), default=answer.start)
    if _follows(chain, start, answer, value, known, results, worked[-1], last):
        return []
    if isinstance(value, Fraction) and _of_two(chain, text[start : answer.start]):
        return []
    if sign and ("=" in text[last : sign.start()] or solves(results[-1], known, value)):
        return []
    about = f"{chain.question} {text[start:end]}"
    if any(converted(result, value, about) for result in results):
        return []
    closing = behind_result(text[max(start, answer.start - 160) : answer.start].rpartition("=")[2])
    closing = _NAMED.sub(" ", REPEATED.sub(" ", closing))
    if len(worked) > 1 and in_a_row(worked):  # what follows goes on from the last result
        closing = _LABEL.sub(" ", closing)
        silent = any(silent_step(closing, [results[-1], number], value) for number in known)
    else:
        silent = silent_step(closing, known, value)
    until = sign.start() if sign else answer.start
    silent = silent or _UNREAD.search(text, last, until) is not None
    silent = silent or _by_name(chain.question, closing, results[-1], value)
    note = f"the chain comes to {in_short(results)}, never to the answer"
    return [Evidence("answer_unsupported", answer.start, answer.end, note, veto=not silent)]


def _names(text: str, start: int, place: int) -> bool:
    """Whether only a name stands before a sign of equality here."""
    return _NAME_ALONE.search(text[max(start, place - 60) : place].rstrip()) is not None


def _follows(
    chain: Chain, start: int, answer: AnswerPlace, value: Value, known: list[Value],
    results: list[Value], equation: Equation, last: int,
) -> bool:  # fmt: skip
    """Whether the answer stands before the last step's end, or follows in words behind it.

    A count may be said anywhere but in the last conclusion, what the question gives anywhere.
    """
    text, until = chain.text, last
    if value in asked_numbers(chain.question):
        until = answer.start
    elif _COUNTS.search(chain.question):
        concluded = last_match(_CONCLUSION, text, last, answer.start)
        until = concluded.start() if concluded else answer.start
    if states(text, start, until, value):
        return True
    if not states(text, last, answer.start, value):
        return False
    told = [number for number in numbers_of(text, last, answer.start) if not same(number, value)]
    others = [number for number in known if not same(number, value)]
    worked = [e for e in equations(text, start, chain.turn[1]) if e.right.end <= last]
    row = len(worked) > 1 and in_a_row(worked)
    return (
        value in operands(equation)
        or _written_as(results, numbers_of(text, start, answer.start), value)
        or step_from([*results[-1:], *told], others, value)
        or (not row and step_from(results[-4:], others, value))
        or _on_line(results[-4:], told, others, value)
        or (len(told) == value and _COUNTS.search(chain.question) is not None)
    )


def _on_line(slopes: list[Value], places: list[Value], others: list[Value], value: Value) -> bool:
    """Whether a value lies on a line: "the slope is 2, so at x = 7 it has reached 16"."""
    return any(
        same(slope * place + other, value)
        for slope in slopes
        for place in places[-4:]
        for other in others[-8:]
    )


def _by_name(question: str, closing: str, result: Value, value: Value) -> bool:
    """Whether a result times or by a number in words, or and what is named, makes the answer."""
    words = [number for number in spelled(closing) if number]
    named: list[Value] = [*map(Fraction, values_of_names(question, closing))]
    if "%" in question or "percent" in question:
        named += [value - result] * any(same(100 * one, value * result) for one in named)
    if any(value in (result * one, result / one) for one in words):
        return True
    return any(value in (result + one, result - one, one - result) for one in named)


def _of_two(chain: Chain, body: str) -> bool:
    """Whether the answer is a fraction of two numbers of the chain, or of its question."""
    parts = {*_PARTS.findall(chain.answer or "")}
    told = {*_PARTS.findall(_FRACTION.sub(" ", body)), *_PARTS.findall(chain.question)}
    return parts <= told


def _says_only(chain: Chain, answer: AnswerPlace) -> bool:
    """Whether the sentence that the answer is part of has no other value and no sign in it."""
    if chain.span is None or "=" in (chain.answer or ""):
        return False
    first, last = chain.span
    if _LINKED.search(chain.text, max(answer.start, first - 24), first) is None:
        return False
    around = f"{chain.text[answer.start : first]} {chain.text[last : answer.end]}"
    return _DIGIT.search(around) is None and _SIGN.search(around) is None and not spelled(around)


def _fits(chain: Chain, start: int, equation: Equation, value: Value) -> bool:
    """Whether an equation tries the answer, as it comes to what was known: 13² = 169 fits."""
    if value not in operands(equation):
        return False
    asked = chain.question + chain.text[start : equation.left.start]
    known = [*numbers_of(asked, 0, len(asked)), *_WHOLES]
    return any(same(result, number) for result in sides(equation)[-1:] for number in known)


def _written_as(results: list[Value], known: list[Value], value: Value) -> bool:
    """Whether a value is the last result rounded or cut off, or a code of what is known: 11026."""
    code = str(value) if isinstance(value, int) and value > 999 else "-"
    last, said = Fraction(results[-1]), Fraction(value)
    return (
        rounds_to(last, said)
        or rounds_to(100 * last, said)
        or {*code} <= {*map(str, [*known, *results])}
    )


def states_answer(chain: Chain, start: int, answer: AnswerPlace) -> bool:
    """Whether the text before the answer statement already says the answer."""
    value = answer_number(chain)
    if value is not None:
        return states(chain.text, start, answer.start, value)
    said = (chain.answer or "").strip().lower()
    return bool(said) and said in chain.text[start : answer.start].lower()
