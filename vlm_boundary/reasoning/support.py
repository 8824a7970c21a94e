"""Whether the final answer is something that the chain came to."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from vlm_boundary.mathtext.dialects import CHAIN
from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.evaluate import Value, literals, numeric
from vlm_boundary.mathtext.lexer import raw_tokens
from vlm_boundary.mathtext.parser import Parser
from vlm_boundary.mathtext.tree import Numeral
from vlm_boundary.mathtext.words import ENGLISH
from vlm_boundary.reasoning.concluded import (
    OPTION,
    bent,
    concluded,
    concluded_name,
    names_quantity,
)
from vlm_boundary.reasoning.equations import Equation, equations
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.passages import AnswerPlace, asked_of, hypothetical
from vlm_boundary.reasoning.results import values_of_names
from vlm_boundary.reasoning.said import (
    behind_sign,
    in_short,
    number_of,
    says_as_written,
    spelled,
    states,
    written_behind_sign,
)
from vlm_boundary.reasoning.steps import (
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
    r"(?:\A|[.\n])\s*(?:(?:so|thus|therefore|hence),? )?(?:(?:the|its|our) )?[a-z]+(?: [a-z]+){0,4}"
    r"(?: is| are| equals|:| =)\s*\Z",
    re.IGNORECASE,
)
_IS = re.compile(r"(?<!answer )\b(?:is|gives|equals)[\s$&*]{0,6}(?:\\[(\[]\s?)?$")
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
_REPEATED = re.compile(
    r"(?:(?<![\d.,])\d[\d.,]{0,24}|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven"
    r"|twelve))(?: [a-z²³/]+){0,2} (?:more|less|fewer|left|each|in total"
    r"|altogether|per [a-z]+|remain\w*|difference)\b"
)
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
_ASKS_NEAR = re.compile(
    r"\b(?:about|approx\w*|estimat\w*|closest|nearest|roughly|round\w*)\b", re.IGNORECASE
)
_NEAREST = re.compile(
    r"\b(?:closest|nearest|none of the|not (?:[a-z]+ )?(?:among|one of)|no option|matching"
    r" (?:option|choice|answer)"
    r"|(?:isn't|is not|not)(?: [a-z]+)? (?:offered|listed|available|given|there|an option)|among"
    r" the (?:choices|options|answers)"
    r"|(?:corresponds|comes close|matches|fits|near) (?:best )?(?:to |with )?(?:the )?(?:option"
    r"|choice|answer)"
    r"|best fit\w*|fits best|best match\w*)\b",
    re.IGNORECASE,
)
_COUNTS = re.compile(r"\bhow many (?!more|fewer|less)|\bnumber of\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_WHOLES = (90, 180, 360)  # what angles are checked against
_PARTS = re.compile(r"\d+")
_LINKED = re.compile(
    r"\b(?:is|are|was|be|has|have|gives?|gets?|makes?|making|holds?|costs?|takes?|measures?|equals?"
    r"|therefore|thus|of|to|about|leaves|contains?|needs?|comes|weighs?|total)\s[$€£*\\(]{0,4}\Z",
    re.IGNORECASE,
)
_CHOICES = frozenset("ABCDEFGH")
_SIGN = re.compile(r"[=+×÷·√<>≈]|\\[dt]?frac|\\sqrt")


def unsupported(chain: Chain, start: int, end: int, answer: AnswerPlace) -> list[Evidence]:
    """An answer that is a number or an option, and not what the chain comes to."""
    if found := _never_reached(chain, start, end, answer):
        return found
    sign = _EQUALS.search(chain.text, max(start, answer.start - 24), answer.start)
    if not answer.stated or (sign and not _names(chain.text, start, sign.start())):
        return []
    value, others = _answer(chain), list[Value]()
    if value is None:
        options = _options(chain.question)
        value = options.pop((chain.answer or "").upper(), None)
        others = list(options.values())
    if value is None:
        return concluded_name(chain, start, answer)
    return concluded(chain, start, answer, value, others) or bent(chain, start, answer, value)


def _never_reached(chain: Chain, start: int, end: int, answer: AnswerPlace) -> list[Evidence]:
    """An answer that is a number, where the chain computes and never comes to that number.

    A hint only where the chain's words name a step that may have been taken silently. A number that
    the chain only starts from is not one that it comes to.
    """
    text = chain.text
    if another := _another_option(chain, start, answer):
        return another
    value = _answer(chain)
    if value is None or not (answer.stated or _says_only(chain, answer)):
        return []
    sign = _EQUALS.search(text, max(start, answer.start - 24), answer.start)
    if sign and not _names(text, start, sign.start()):
        return []  # the answer is itself the result of an equation
    said = _IS.search(text, max(start, answer.start - 24), answer.start)
    opened = _opened(text, start, said.start()) if said else start
    if said and one_step(numbers_of(text, opened, said.start()), value, "+-*/", usual=False):
        return []  # or of a step in words
    worked = [
        equation
        for equation in equations(text, start, end)
        if equation.right.end <= answer.start or equation.left.start >= answer.end
    ]
    if left_behind := _left_behind(chain, start, answer, worked, value):
        return left_behind
    if not worked:
        return (
            []
            if states(text, answer.end, end, value)
            else _said_otherwise(chain, start, answer, value)
        )
    if states(text, answer.end, end, value) or (
        not answer.stated
        and one_step(numbers_of(text, start, answer.start)[-6:], value, "+-*/", usual=False)
    ):
        return []
    if _fits(chain, start, worked[-1], value):
        return []
    results = [result for equation in worked for result in _sides(equation)]
    if not results or any(same(result, value) for result in results):
        return []
    if (
        behind_sign(text, start, answer.start, value)
        or written_behind_sign(chain, start, answer)
        or says_as_written(chain, start, answer)
    ):
        return []  # the result of an equation that could not be read
    known = [
        *_asked(chain.question)[-4:],
        *numbers_of(text, start, answer.start)[-8:],
        *results[-8:],
    ]
    last = max((e.right.end for e in worked if e.right.end <= answer.start), default=answer.start)
    if _follows(chain, start, answer, value, known, results, worked[-1], last):
        return []
    if isinstance(value, Fraction) and {*_PARTS.findall(chain.answer or "")} <= {*map(str, known)}:
        return []  # a fraction of two numbers of the chain
    if sign and ("=" in text[last : sign.start()] or solves(results[-1], known, value)):
        return []
    about = f"{chain.question} {text[start:end]}"
    if any(converted(result, value, about) for result in results):
        return []
    closing = behind_result(text[max(start, answer.start - 160) : answer.start].rpartition("=")[2])
    closing = _NAMED.sub(" ", _REPEATED.sub(" ", closing))
    if len(worked) > 1 and _in_a_row(worked):  # what follows goes on from the last result
        closing = _LABEL.sub(" ", closing)
        silent = any(silent_step(closing, [results[-1], number], value) for number in known)
    else:
        silent = silent_step(closing, known, value)
    until = sign.start() if sign else answer.start
    silent = silent or _UNREAD.search(text, last, until) is not None
    silent = silent or _by_name(chain.question, closing, results[-1], value)
    note = f"the chain comes to {in_short(results)}, never to the answer"
    return [Evidence("answer_unsupported", answer.start, answer.end, note, veto=not silent)]


def _opened(text: str, start: int, place: int) -> int:
    """Where the sentence or line that has a place begins."""
    return max(text.rfind(". ", start, place) + 1, text.rfind("\n", start, place) + 1, start)


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
    if value in _asked(chain.question):
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
    in_a_row = len(worked) > 1 and _in_a_row(worked)
    return (
        value in _operands(equation)
        or _written_as(results, numbers_of(text, start, answer.start), value)
        or step_from([*results[-1:], *told], others, value)
        or (not in_a_row and step_from(results[-4:], others, value))
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


def _says_only(chain: Chain, answer: AnswerPlace) -> bool:
    """Whether the sentence that the answer is part of has no other value and no sign in it."""
    if chain.span is None or "=" in (chain.answer or ""):
        return False
    first, last = chain.span
    if _LINKED.search(chain.text, max(answer.start, first - 24), first) is None:
        return False
    around = f"{chain.text[answer.start : first]} {chain.text[last : answer.end]}"
    return _DIGIT.search(around) is None and _SIGN.search(around) is None and not spelled(around)


def _another_option(chain: Chain, start: int, answer: AnswerPlace) -> list[Evidence]:
    """A letter chosen, where the last equation comes to another one's value, or to none near it."""
    said, text = chain.answer or "", chain.text
    if not chain.question or ("=" not in text and "≈" not in text):
        return []
    options = _options(chain.question)
    value = None if len(said) == 1 and said.isalpha() else _answer(chain)
    chosen = (
        options.get(said.upper())
        if value is None
        else next((option for option in options.values() if option == value), None)
    )
    value = _answer(chain) if chosen is None and not options else None
    if value is not None and value in _asked(chain.question):
        chosen = Fraction(value)
    if chosen is None:
        return []
    worked = [e for e in equations(text, *chain.turn) if e.sure and e.right.end <= answer.start]
    if not worked:
        return []
    last = _sides(worked[-1])[-1:]
    others = [name for name, value in options.items() if last and value == last[0]]
    if not last or chosen in last or _ASKS_NEAR.search(chain.question):
        return []
    behind = text[worked[-1].right.end : answer.end]
    bent = _NEAREST.search(behind) is not None and _is_far(last[0], chosen, options)
    if not bent and (not others or states(text, start, answer.start, chosen)):
        return []
    if not others and converted(last[0], chosen, f"{chain.question} {text[start : answer.end]}"):
        return []
    which = f"which is option {others[0]}" if others else "which is no option"
    note = f"the chain comes to {in_short(last)}, {which}"
    return [Evidence("answer_unsupported", answer.start, answer.end, note)]


@lru_cache(maxsize=256)  # many samples answer one question
def _options(question: str) -> dict[str, Fraction]:
    """The values of the options of a question, by their letters."""
    return {name: Fraction(value) for name, value in OPTION.findall(question)}


@lru_cache(maxsize=256)
def _asked(question: str) -> list[Value]:
    """The last numbers of a question."""
    return numbers_of(question, 0, len(question))


def _is_far(result: Value, chosen: Value, options: dict[str, Fraction]) -> bool:
    """Whether a result is not near the option chosen, or nearer to another one."""
    distance = abs(float(result) - float(chosen))
    nearer = any(abs(float(result) - float(value)) < distance for value in options.values())
    return nearer or distance > 0.05 * abs(float(chosen))


def _sides(equation: Equation) -> list[Value]:
    return [value for value in equation.values if value is not None]


def _fits(chain: Chain, start: int, equation: Equation, value: Value) -> bool:
    """Whether an equation tries the answer, as it comes to what was known: 13² = 169 fits."""
    if value not in _operands(equation):
        return False
    asked = chain.question + chain.text[start : equation.left.start]
    known = [*numbers_of(asked, 0, len(asked)), *_WHOLES]
    return any(same(result, number) for result in _sides(equation)[-1:] for number in known)


def _written_as(results: list[Value], known: list[Value], value: Value) -> bool:
    """Whether a value is the last result rounded or cut off, or a code of what is known: 11026."""
    code = str(value) if isinstance(value, int) and value > 999 else "-"
    last, said = Fraction(results[-1]), Fraction(value)
    return (
        rounds_to(last, said)
        or rounds_to(100 * last, said)
        or {*code} <= {*map(str, [*known, *results])}
    )


def _left_behind(
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
    came_to = _sides(last)[-1:]
    if not last.sure or not came_to or last.left.operations == 0 or same(came_to[0], value):
        return []
    known = [*_sides(last), *numbers_of(text, start, last.left.start)]
    if not _only_repeats(text[last.right.end : answer.start], came_to[0], known, value):
        return []
    row = before if _in_a_row(before) else before[-1:]
    operands = [number for equation in row for number in _operands(equation)]
    opened = text[max(start, last.left.start - 40) : last.left.start]
    asked = chain.question + text[start : last.left.start]
    computed = _ASKS_COMPUTED.search(chain.question) is not None
    if _CHECKED.search(opened) or (_CHOOSES.search(chain.question) and not computed):
        return []
    if value not in operands and not (computed and states(text, start, last.left.start, value)):
        return []
    if any(same(number, came_to[0]) for number in numbers_of(asked, 0, len(asked))):
        return []  # a check, or what was read already
    steps = [result for equation in before[:-1] for result in _sides(equation)]
    opened = text[_opened(text, start, last.left.start) : last.left.start]
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
    return not silent_step(_REPEATED.sub(" ", behind_result(between)), known, value)


def _said_otherwise(chain: Chain, start: int, answer: AnswerPlace, value: Value) -> list[Evidence]:
    """An answer that stands nowhere in the chain, whose last value is said to be its result."""
    text = chain.text
    body = text[start : answer.start]
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


def _operands(equation: Equation) -> list[Value]:
    return [part.value for part in literals(equation.left.node) if isinstance(part, Numeral)]


def _in_a_row(equations: list[Equation]) -> bool:
    """Whether each equation starts from what the one before it came to, or goes on with it."""
    for one, two in pairwise(equations):
        if one.right.start == two.left.start:
            continue
        operands = _operands(two)
        if not any(result in operands for result in _sides(one)[-1:]):
            return False
    return True


def states_answer(chain: Chain, start: int, answer: AnswerPlace) -> bool:
    """Whether the text before the answer statement already says the answer."""
    value = _answer(chain)
    if value is not None:
        return states(chain.text, start, answer.start, value)
    said = (chain.answer or "").strip().lower()
    return bool(said) and said in chain.text[start : answer.start].lower()


def _answer(chain: Chain) -> Value | None:
    """The final answer as a number, if it is one."""
    return _number(chain.answer or "")


@lru_cache(maxsize=1024)
def _number(answer: str) -> Value | None:
    written = answer.strip("*")
    if not written or len(written) > 60:
        return None
    if written.isdecimal() and written.isascii():
        return int(written)
    if written in _CHOICES or (written.isalpha() and written.isascii() and written != "pi"):
        return None
    tokens = [t for t in raw_tokens(written, 0, len(written)) if t.kind not in ("stop",)]
    if not tokens or any(t.text in ("[", "]") for t in tokens):
        return None
    parser = Parser(tokens, CHAIN)
    try:
        found = parser.expression()
        if any(t.kind not in ("word", "label", "letter", "close") for t in parser.rest):
            return None
        return numeric(found.node)
    except (Unsupported, OverflowError):
        return None
