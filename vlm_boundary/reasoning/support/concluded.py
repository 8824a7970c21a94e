"""The value that a chain's last sentence comes to, beside an answer that the chain never says."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import islice

from vlm_boundary.mathtext.evaluate import Value
from vlm_boundary.mathtext.words import ENGLISH, english_number
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.support.said import SPACED, in_short, states
from vlm_boundary.reasoning.text.passages import AnswerPlace, asked_of, hypothetical, takes_back
from vlm_boundary.reasoning.text.steps import (
    converted,
    last_number,
    numbers_of,
    same,
    step_from,
)
from vlm_boundary.reasoning.text.typeset import plain

OPTION = re.compile(
    r"([A-H])(?:(?<=\(.)|(?<!\w.))[).:]\s{0,2}\$?(-?\d{1,9}(?:\.\d{1,6})?)(?=°|\$|\s|,|;|$)"
)
_TAIL = 240
_MOST = 100  # values of one text that an answer is compared with
_NEAR = 24
_LEADS_ON = re.compile(r"(?:\b(?:is|are|equals?|be)|[=≈:])[\s$(*\\]*\Z")  # to the answer itself
_BOLD = re.compile(r"\\mathbf\{([\d ]+)\}")  # \mathbf{7 0}
_SENTENCES = re.compile(r"(?<=[.!?])\s|\n")
_VALUE = re.compile(
    r"(?<![\w.,/^√π*×·+:-])(?<![-+*/×·÷^] )(?<!\d (?=[√π]))"
    r"(?:(?P<top>\d{1,6})\s?/\s?(?P<bottom>\d{1,6})"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,9}(?:\.\d{1,6})?)?\s?"
    r"(?P<sign>π|√(?P<root>\d{1,4}))"
    r"|(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,9}(?:\.\d{1,6})?)"
    rf"|(?P<word>\b(?:(?:a|one) hundred(?: and)? )?{ENGLISH}))"
    r"(?![\w^√π²³/:]|[.,]\d|\s?[-+*/×÷·=^(]\s?[\d(√π]|-[a-z]| and an? )",
    re.IGNORECASE,
)
# What is behind a result in its clause: its unit, and little more.
_BEHIND = re.compile(r"\A\s?(?:[%°]|[a-zA-Z²³/]+\b|,)?(?: (?!of\b)[a-zA-Z²³/]+){0,4}[\s.!*)]*\Z")
_OF_ALL = re.compile(r"\A\s?%? of (?:all|the|them|these)\b(?! other)")
# An equation of what is not known: its other side is no result.
_UNKNOWN = re.compile(
    r"(?:[-+*/·×]\s?\d*[a-zA-Z∠]|\d[a-zA-Z∠(]|[a-zA-Z]\s?[-+*/·×])[^=\n]{0,30}=\s?\Z"
)
_SURE = re.compile(
    r"(?:=|≈|\b(?:is|are|gives?|giving|makes?|making|leaves|leaving|gets?|obtain|yields?|totals?"
    r"|come(?:s"
    r"|ing)? (?:out )?(?:to|at|as)|add(?:s|ing)? up to|amounts? to|results? in|turns? out to"
    r" be|works? out (?:to|at|as)))(?: (?:about|exactly|only|just|a|an|the|us|total"
    r"|of))*\s?[$€£]?\Z",
    re.IGNORECASE,
)
_CLOSES = re.compile(
    r"\b(?:so|therefore|thus|hence|altogether|in all|in total|together|consequently|conclude|count"
    r"|final(?:ly)?|comes? out|overall)\b",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:half|each|per|every|other|another|one of|only if|not|n't|before|without|would|remaining"
    r"|rest|but|step|choose|option|nearest|closest|larger than|smaller than|greater than|less than"
    r"|more than|between|apart|differ|multiple|times|squared?|extra|first|second|third|last)\b|n't",
    re.IGNORECASE,
)
_QUANTITIES = (
    ("area",), ("perimeter",), ("circumference",), ("volume",), ("average", "mean"), ("median",),
    ("mode",), ("range",), ("sum", "total", "altogether", "together", "in all", "summing"), (
     "difference",), ("probability", "chance"),
    ("slope",), ("length", "distance"), ("minimum",), ("maximum",), ("percentage",), ("ratio",),
    ("change",), ("cost", "price"), ("height",), ("width",), ("age",), ("temperature",), ("speed",),
)  # fmt: skip
_QUANTITY = re.compile(
    rf"\b(?:{'|'.join(name for names in _QUANTITIES for name in names)})\b", re.IGNORECASE
)
_DIFFERS = re.compile(r"\bhow (?:many|much) (?:more|fewer|less|[a-z]+er)\b", re.IGNORECASE)
_SO_IT_IS = re.compile(
    r"(?:\A|, )(?:so|hence|therefore|thus),?(?: (?:it|that|this|the (?:result|answer|value))(?: is"
    r"| are)| we get| there are)?\s?\Z",
    re.IGNORECASE,
)
_ALONE = frozenset(("altogether", "together", "in all", "summing"))
_PERCENTAGE = re.compile(r"\b(?:what|which) (?:percent|percentage)\b", re.IGNORECASE)
_LEAST = re.compile(
    r"\b(?:how many|number|least|smallest|largest|greatest|minimum|maximum|about|nearest"
    r"|round\w*)\b",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(r"\bhow many (?P<more>more |fewer )?(?P<things>[a-z]{3,20})", re.IGNORECASE)
_WORDS = re.compile(r"[a-z]{3,}", re.IGNORECASE)
_FIRST_WORD = re.compile(r"\s?([a-zA-Z]+)\b")
_CLAUSES = re.compile(r", so |; |: |\bso ")
_OPENED = re.compile(
    r"\b(?:the|their|so) (?:(?:total|whole|overall|final|combined) )?\Z|\A\s*\Z", re.IGNORECASE
)
_DIGIT = re.compile(r"\d")
_OPERAND = re.compile(r"[-+*/×÷·^−–√][\s$({\\]{0,4}\d[\d.,]{0,24}\D{0,240}\Z")
_LINKS = frozenset(
    "the that this its their therefore then thus hence just simply exactly about their are was"
    " equals"
    " must comes come out get gets gives which has have makes two both value measure equal twice"
    " double clearly"
    " also now whole altogether".split()
)


def concluded(
    chain: Chain, start: int, answer: AnswerPlace, value: Value, others: list[Value]
) -> list[Evidence]:
    """A last sentence that comes to another value, where the chain says the answer nowhere.

    `others` are the values of other options. Where the sentence names the quantity that the
    question asks for, its value is the chain's answer; else only a value that no step leads on
    from.
    """
    text = chain.text
    if _ends_with(text[max(start, answer.start - _TAIL) : answer.start], value):
        return []  # as most chains do
    tail_start, tail = _last_sentence(text, start, answer.start)
    match = None
    for match in _VALUE.finditer(tail):  # noqa: B007
        pass
    if match is None or not _BEHIND.match(_OF_ALL.sub("", tail[match.end() :])):
        return []
    result = None if _UNKNOWN.search(tail[: match.start()]) else _value_of(match)
    if result is None or _alike(result, value):
        return []
    asked = asked_of(chain.question)
    if others:
        asked = OPTION.sub(" ", asked)
    before = tail[: match.start()]
    bound = _names_asked(asked, tail, before, tail[match.end() :])
    earlier = not bound and _SO_IT_IS.search(before) and not _OTHER.search(tail)
    if earlier:  # "So 24 kg", behind which nothing else is said
        bound = states(text, start, answer.start, value)
    if not bound and not (_SURE.search(before) or _CLOSES.search(tail)):
        return []
    body = plain(text[start : answer.start])
    known = _all_values(body)
    given = _all_values(plain(asked if others else chain.question))
    told = _all_values(tail) if bound else known
    if any(_alike(number, value) for number in told):
        return []
    if not (bound or earlier) and states(text, start, answer.start, value):
        return []
    if any(same(number, result) for number in given) and not bound:
        return []
    if hypothetical(text, tail_start + 1, start) or takes_back(text, tail_start, answer.start):
        return []
    near = float(value).is_integer() and 0 < abs(float(result) - float(value)) < 1
    if near and _LEAST.search(asked):
        return []
    about = f"{chain.question} {body}"
    if any(converted(number, value, about) for number in told):
        return []
    if not bound and not others and _leads_on(result, [*known, *given], body, value):
        return []
    if others and not any(same(result, other) for other in others):
        return []
    note = f"the chain comes to {in_short([result])}, and not to the answer"
    return [Evidence("answer_unsupported", answer.start, answer.end, note)]


def _ends_with(text: str, value: Value) -> bool:
    """Whether the last number in digits is this value, and no operand of what is not worked out."""
    if last_number(text) != value:
        return False
    return _OPERAND.search(text) is None


def _last_sentence(text: str, start: int, end: int) -> tuple[int, str]:
    """The last sentence with a value before a place, in plain characters."""
    first = max(start, end - _TAIL)
    if _LEADS_ON.search(text, max(first, end - _NEAR), end):
        return end, ""
    place = end
    for sentence in reversed(_SENTENCES.split(text[first:end])[-3:]):
        place -= len(sentence) + 1
        said = plain(_BOLD.sub(lambda bold: bold[1].replace(" ", ""), sentence)).strip()
        said = SPACED.sub("", said)
        if _VALUE.search(said):
            return place, said
    return end, ""


def _value_of(match: re.Match[str]) -> Value | None:
    if match["top"]:
        return Fraction(int(match["top"]), int(match["bottom"])) if int(match["bottom"]) else None
    if match["sign"]:
        size = float((match["number"] or "1").replace(",", ""))
        return size * (math.sqrt(int(match["root"])) if match["root"] else math.pi)
    if match["digits"]:
        written = match["digits"].replace(",", "")
        return int(written) if written.isdecimal() else Fraction(written)
    word = match["word"].lower()
    rest = re.sub(r"\A(?:a|one) hundred (?:and )?", "", word)
    number = english_number(rest)
    if number is None or word == "one":
        return None
    return number + 100 if rest != word and number < 100 else number


def _all_values(text: str) -> list[Value]:
    found = [_value_of(match) for match in islice(_VALUE.finditer(text), _MOST)]
    return [*numbers_of(text, 0, len(text)), *(value for value in found if value is not None)]


def _alike(one: Value, other: Value) -> bool:
    """One value, rounded or as a percentage; fractions are never rounded into one another."""
    if isinstance(one, Fraction) and isinstance(other, Fraction) and one != other:
        return abs(one - other) < Fraction(1, 1000) or same(one, other)
    return same(one, other)


def _names_asked(asked: str, tail: str, before: str, behind: str) -> bool:
    """Whether the sentence gives the value to what the question asks for."""
    clause = _CLAUSES.split(before)[-1] + behind
    if _OTHER.search(clause):
        return False
    if counted := _HOW_MANY.search(asked):
        more = counted["more"]
        word = _FIRST_WORD.match(behind)
        if word and word[1].lower() == (more or counted["things"]).strip().lower():
            return more is not None or _CLOSES.search(tail) is not None
    if behind.startswith("%") and _PERCENTAGE.search(asked):
        return True
    return names_quantity(asked, before)


def names_quantity(asked: str, before: str) -> bool:
    """Whether words before a value name the quantity that is asked for, and nothing else."""
    named = {match[0].lower() for match in _QUANTITY.finditer(asked)}
    said = [
        match for match in _QUANTITY.finditer(before) if before[: match.start()][-6:] != "their "
    ]
    if not said:
        return False
    named |= {"difference"} if _DIFFERS.search(asked) else set()
    wanted = {name for names in _QUANTITIES if named & set(names) for name in names}
    last = said[-1]
    opened = _OPENED.search(before[: last.start()])
    if last[0].lower() not in wanted or not (opened or last[0].lower() in _ALONE):
        return False
    between = before[last.end() :]
    words = {word.lower() for word in _WORDS.findall(between)} - _LINKS
    known = {word.lower() for word in _WORDS.findall(asked)} | {"sum", "product"}
    return len(between) <= 60 and not _DIGIT.search(between) and words <= known


def _leads_on(result: Value, known: list[Value], body: str, value: Value) -> bool:
    """Whether a step that nobody wrote may lead from a result to the answer."""
    size, wanted = float(result), float(value)
    powers = (size**2, size**3, math.pi * size, math.pi * size**2, 2 * math.pi * size, size / 4)
    if any(same(power, wanted) for power in powers):
        return True
    return step_from([result], known, value)


_WHO = re.compile(r"\b(?:who|which|what)\b", re.IGNORECASE)
_SO = re.compile(
    r"(?:\A|[.\n] ?)\s*(?:So|Therefore|Thus|Hence|The [a-z]+ (?:is|was) (?:therefore|thus|then"
    r"|hence))\b,?"
    r"(?P<said>[^.!?\n]{2,80})[.!]?\s*\Z"
)
_NAME = re.compile(r"\b[A-Z][a-z]{1,14}\b")


def concluded_name(chain: Chain, start: int, answer: AnswerPlace) -> list[Evidence]:
    """A last sentence that concludes on another name of the question than the answer."""
    said = (chain.answer or "").strip(" .*")
    if not _NAME.fullmatch(said) or not _WHO.search(asked_of(chain.question)):
        return []
    names = {*_NAME.findall(chain.question.partition("]")[0])}
    last = _SO.search(chain.text, max(start, answer.start - 140), answer.start)
    if said not in names or last is None or _OTHER.search(last["said"]):
        return []
    told = {*_NAME.findall(last["said"])} & names
    if len(told) != 1 or said in told:
        return []
    note = f"the chain concludes on {told.pop()}, not on the answer"
    return [Evidence("answer_unsupported", answer.start, answer.end, note)]
