"""An answer that stood there before the last step, or whose chain says another result."""

from __future__ import annotations

import re

from vlm_boundary.mathtext.evaluate import Value
from vlm_boundary.mathtext.words import ENGLISH
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.support.answered import in_a_row, operands, sentence_start, sides
from vlm_boundary.reasoning.support.concluded import names_quantity
from vlm_boundary.reasoning.support.said import in_short, number_of, spelled, states
from vlm_boundary.reasoning.text.equations import Equation
from vlm_boundary.reasoning.text.passages import AnswerPlace, asked_of, hypothetical
from vlm_boundary.reasoning.text.steps import (
    behind_result,
    converted,
    last_number,
    numbers_of,
    one_step,
    same,
    silent_step,
)

# What is never only read off or picked.
_ASKS_COMPUTED = re.compile(
    r"\bhow (?:many|much)(?: \w+){0,3} (?:more|fewer|less|older|younger|taller|shorter|longer"
    r"|heavier|farther|further|higher|warmer|cheaper|faster|left|remain\w*)\b|\bdifference\b"
    r"|\b(?:total|sum|altogether|in all|average|mean|perimeter|area|volume|product|combined"
    r"|together|change|hypotenuse|percent\w*|ratio|probability)\b",
    re.IGNORECASE,
)
# Words of a choice, a check or another matter.
_TURNS = re.compile(
    r"\b(?:but|however|not|check\w*|verif\w*|since|because|as|note|whereas|while|than|larger"
    r"|smaller"
    r"|largest|smallest|longest|shortest|highest|lowest|bigger|biggest|greater|greatest|wins?|won"
    r"|winner|choose|pick|compar\w+|therefore [A-Z]|match\w*|consistent|correct|works?|fits?"
    r"|confirm\w*)\b",
    re.IGNORECASE,
)
_CHECKED = re.compile(r"\b(?:check\w*|verif\w*|indeed|since|because|as|note|whereas|while)\b", re.I)
_CHOOSES = re.compile(
    r"\b(?:which|largest|smallest|highest|lowest|most|least|maximum|minimum|greatest|max|min"
    r"|longest"
    r"|shortest|larger|smaller|bigger|value (?:of|in|for)|read|shown?|was sold)\b",
    re.IGNORECASE,
)
# A value that is said to be what the chain comes to: surely so, or by words of its sentence.
_RESULT = re.compile(
    r"(?:(?P<sure>=|≈|\\approx|\b(?:gives?|giving|makes?|making|leaves|leaving|gets?|obtain|yields?"
    r"|totals?|totalling|come(?:s|ing)? (?:out )?(?:to|at)|add(?:s|ing)? up to|amount(?:s|ing)? to"
    r"|results? in|turns? out to be|works? out (?:to|at|as))\b)|\b(?:is|are|was|were|equals?"
    r"|measures"
    r"|has|have|be|costs?|covers)\b)(?: (?:about|exactly|approximately|only|just|us|a total of"
    r"|equal to"
    r"|therefore|thus|then|a|an|the))*[\s$\\(]{0,4}[$€£]?"
    rf"(?P<value>-?\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|-?\d{{1,9}}(?:\.\d{{1,6}})?(?![\d/^:,]*\d)"
    rf"|{ENGLISH})"
    r"(?![\w^√π\\]|\s?(?:[-+*/×÷·=^(]|\\(?:times|cdot|pi|sqrt|frac)))",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|which|that|total|altogether|in all|then|consequently|must"
    r"|results?|difference|sum|average|mean|perimeter|area|volume|remain\w*|left|conclud\w+|overall"
    r"|means|follows|finally|final)\b",
    re.IGNORECASE,
)
REPEATED = re.compile(
    r"(?:(?<![\d.,])\d[\d.,]{0,24}|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven"
    r"|twelve))(?: [a-z²³/]+){0,2} (?:more|less|fewer|left|each|in total"
    r"|altogether|per [a-z]+|remain\w*|difference)\b"
)


def left_behind(
    chain: Chain, start: int, answer: AnswerPlace, worked: list[Equation], value: Value
) -> list[Evidence]:
    """An answer that stood there before the last step, where that step came to something else.

    Nothing where the step is a check, comes to what was known, or where a value or a choice stands
    between.
    """
    text = chain.text
    before = [equation for equation in worked if equation.right.end <= answer.start]
    if not before:
        return []
    last = before[-1]
    came_to = sides(last)[-1:]
    if not last.sure or not came_to or last.left.operations == 0 or same(came_to[0], value):
        return []
    known = [*sides(last), *numbers_of(text, start, last.left.start)]
    if not _only_repeats(text[last.right.end : answer.start], came_to[0], known, value):
        return []
    row = before if in_a_row(before) else before[-1:]
    taken = [number for equation in row for number in operands(equation)]
    opened = text[max(start, last.left.start - 80) : last.left.start]
    asked = chain.question + text[start : last.left.start]
    computed = _ASKS_COMPUTED.search(chain.question) is not None
    if _CHECKED.search(opened) or (_CHOOSES.search(chain.question) and not computed):
        return []
    if value not in taken and not (computed and states(text, start, last.left.start, value)):
        return []
    if any(same(number, came_to[0]) for number in numbers_of(asked, 0, len(asked))):
        return []  # a check, or what was read already
    steps = [result for equation in before[:-1] for result in sides(equation)]
    opened = text[sentence_start(text, start, last.left.start) : last.left.start]
    named = names_quantity(asked_of(chain.question), opened)
    if any(same(result, value) for result in steps) and len(row) == 1 and not named:
        return []
    about = f"{chain.question} {text[start : answer.end]}"
    shares = any(
        same(100 * number, value * came_to[0]) for number in numbers_of(asked, 0, len(asked))
    )
    if converted(came_to[0], value, about) or (shares and ("%" in about or "percent" in about)):
        return []
    note = f"the last step comes to {in_short(came_to)}; the answer is what stood before it"
    return [Evidence("answer_unsupported", answer.start, answer.end, note)]


def _only_repeats(between: str, result: Value, known: list[Value], value: Value) -> bool:
    """Whether what follows a result says no other value, no choice and no further step."""
    if len(between) > 200 or _TURNS.search(between):
        return False
    numbers = numbers_of(between, 0, len(between))
    numbers += [number for number in spelled(between) if number != 1]
    if any(not same(number, result) for number in numbers):
        return False
    return not silent_step(REPEATED.sub(" ", behind_result(between)), known, value)


def said_otherwise(chain: Chain, start: int, answer: AnswerPlace, value: Value) -> list[Evidence]:
    """An answer that stands nowhere in the chain, whose last value is said to be its result."""
    text = chain.text
    body = text[start : answer.start]
    if last_number(body) == value:
        return []
    known = numbers_of(body, 0, len(body))
    written = chain.answer or ""
    if any(same(number, value) for number in known) or ("π" in written and written in body):
        return []
    said = None
    for said in _RESULT.finditer(text, max(start, answer.start - 300), answer.start):  # noqa: B007
        pass
    if said is None:
        return []
    opened = max(
        text.rfind(". ", start, said.start()) + 1, text.rfind("\n", start, said.start()), start
    )
    if said["sure"] is None and not _CONCLUDES.search(text, opened, said.start("value")):
        return []
    result = number_of(said["value"])
    if result is None or same(result, value):
        return []
    in_words = spelled(body)
    known += in_words
    if any(same(number, value) for number in in_words):
        return []
    about = f"{chain.question} {body}"
    if any(converted(number, value, about) for number in known):
        return []
    near = text[opened : answer.start]
    if hypothetical(text, said.start(), start) or one_step(
        [*numbers_of(near, 0, len(near)), *spelled(near)], value, "+-*/", usual=False
    ):
        return []
    if not _only_repeats(text[said.end("value") : answer.start], result, known, value):
        return []
    note = f"the chain comes to {in_short([result])}, and never says the answer"
    return [Evidence("answer_unsupported", answer.start, answer.end, note)]
