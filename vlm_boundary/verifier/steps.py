"""The last step of a derivation in prose: what it comes to, and what was only on the way.

A person takes for the answer what a text works out last, not what a step on the way gave, and not
a number that stands behind the answer for another reason: a check, what was given, a remark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache

from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.words import spelled_out
from vlm_boundary.verifier.equations import is_name
from vlm_boundary.verifier.phrases import CONCLUSION, last_match
from vlm_boundary.verifier.questions import QuestionWords, content
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.runs import Stretch, runs
from vlm_boundary.verifier.sentences import Sentence, core
from vlm_boundary.verifier.values import Number, Relation, Value, unnamed

_DIGITS = re.compile(
    r"(?<![\w.,])\d{1,15}\s?/\s?\d{1,15}(?!\d)|(?<![\w.,])\d{1,15}(?:,\d{3})*(?:\.\d{1,12})?|(?<=[a-zA-Z^(])\d{1,15}"
)
_RESULT = re.compile(  # "which makes 5", "leaves $5", "adds up to 5", "we get x = 5"
    r"(?<!\w)(?:(?:giv|mak|leav|yield|produc)(?:es|e|s|ing)|(?:com|work)(?:es|e|s)\s+(?:out\s+)?(?:to|at)"
    r"|(?:amounts?|leads?)\s+to|(?:adds?\s+up|sums?\s+up|reduces|simplifies|rounds(?:\s+(?:up|down|off))?|corresponds|grows|shrinks|drops|rises)\s+to"
    r"|totals?|results?\s+(?:in|is|are)|turns\s+out(?:\s+to\s+be|\s+as)?"
    r"|(?:we|i|one|you)\s+(?:then\s+|now\s+)?(?:get|find|obtain|have|need|arrive\s+at|end\s+up\s+with|are\s+left\s+with)"
    r"|(?:that|this)(?:'s|\s+is|\s+are|\s+takes?))"
    r"\s+(?:(?:us|him|her|them|you|exactly|about|only|just|still|a\s+total\s+of|altogether|for\s+the\s+\w{1,12})\s+){0,2}"
    r"(?:[a-zA-Z]\w{0,3}\s*=\s*)?[$€£*\\(]{0,4}$",
    re.IGNORECASE,
)
_BEING = re.compile(
    r"(?<!\w)(?:is|are|was|were|be|equals?|measures?|costs?)\s+(?:(?:now|then|exactly|about)\s+)?[$€£*\\(]{0,4}$"
    r"|[a-z]\w*[*_]{0,2}:[*_]{0,2}\s+[$€£*\\(]{0,4}$",
    re.IGNORECASE,
)
_EQUALS = re.compile(r"[\w)}%°]\s*=\s*[$€£*\\(]{0,4}$")  # n = 6, 5 apples * 6 = 30 apples
_COMES_OUT = re.compile(  # "= $5", unless it goes on
    r"=\s{0,4}[*_\\(]{0,4}([$€£]?\s?-?(?:\d[\d,]{0,20})?\.?\d{1,20}%?)"
    r"(?![\w.]{0,24}\d|\s?[-+*/×÷·^(=]\s?[\d$(\\a-z]|[a-zA-Z\\]\b)"
)
_UNKNOWN = re.compile(  # 3x, x + 60, 60 - n
    r"\d[a-zA-Z](?![a-zA-Z\d])|(?<!\d )(?<!\w)[a-zA-Z]\s?[-+*/^]|[-+*^]\s?[a-zA-Z](?![a-zA-Z])"
)
_MOST_BEHIND = 200
_MOST_LEFT = 120  # characters of an equation's left side
_TAKEN_TOGETHER = re.compile(
    r"(?<!\w)(?:total|together|altogether|in\s+all|sum|both|(?:adds?|adding|summing)(?:\s+up)?|combined"
    r"|all\s+(?:the\s+)?(?:two|three|four|five|six|seven|eight|nine|ten|\d{1,2}))(?!\w)",
    re.IGNORECASE,
)
_REFERS = re.compile(  # to what the step before came to
    r"^\W*[a-z]{2,14}ing\b[^.!?]{1,60},|(?<!\w)(?:this|that|these|those|it|its|them|which|the\s+two"
    r"|the\s+(?:result|rest|other)|(?<=\w )the\s+(?:sum|total|product|difference|quotient))"
    r"(?:'s)?(?!\w)|^\W*(?:then|now)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(  # a check, a reminder, what is not asked
    r"^\W*(?:(?:to|we\s+can|i\s+can|you\s+can|let(?:'s|\s+me|\s+us)|a\s+quick|as\s+a|quick)\s+)?(?:check|test|verif|proof|confirm|sanity"
    r"|indeed|note|notice|remember|recall|reminder|for\s+(?:comparison|the\s+record|reference|those)|by\s+the\s+way"
    r"|incidentally|source|next|do\s+not|don't|never|as\s+for|in\s+comparison|similarly|likewise|as\s+a\s+side\s+note"
    r"|(?:this|that|it)\s+(?:is\s+(?:right|correct|true)|works|holds|fits|agrees|matches|covers|happens))"
    r"|^\W*(?:we|i|you)\s+(?:can\s+)?(?:check|test|verify)(?!\w)|(?<!\w)by\s+the\s+way(?!\w)",
    re.IGNORECASE,
)
_TO_DO = re.compile(  # "then divide by 2", "this still has to be halved", "and half of it is"
    r"(?<!\w)(?:still\s+(?:has|have|needs?)\s+to|(?:is|comes)\s+(?:what\s+comes\s+)?next"
    r"|(?:half|a\s+third|a\s+quarter|twice|double|the\s+(?:square(?:\s+root)?|rest))\s+of\s+(?:it|that|this))(?!\w)"
    r"|(?:^|[.!?;,]\s+|(?<!\w)(?:then|now|finally|must|have\s+to|need\s+to)\s+)"
    r"(?:divide|multiply|subtract|add|double|halve)(?!\w)",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"(?<!\w)(?:the|these|those|all)\s+(?:other\s+)?$", re.IGNORECASE)  # two
_MAY_BE = re.compile(r"(?<!\w)(?:would|could|might)(?!\w)|\w'd\s", re.IGNORECASE)
_WRAPPED = re.compile(r"\s*\(.*\)[\s.]*", re.DOTALL)
_OPERATION = re.compile(r"\d[^=\n]{0,80}(?:[-+*/×÷·^√]|\sx\s)|(?:[-+*/×÷·^√]|\sx\s)[^=\n]{0,80}\d")
_DIGIT = re.compile(r"\d")
_NOT_SAID = ("negated", "changed", "operand", "parenthesis")
_LISTED = 3  # values from which a sentence is a list of what was read off
_ANSWERS = 0.3  # share of the question's words from which a sentence answers in its words
_MOST_NUMBERS = 60
_MOST_LOOKED_AT = 2_000  # characters of a sentence


@dataclass(frozen=True)
class ProseStep:
    """A sentence that has numbers, the value that it says, and those that it may as well say.

    Attributes:
        says: whether it states something, rather than supposing, asking or denying it.
    """

    sentence: Sentence
    question: QuestionWords
    says: bool
    run: Stretch | None = None
    rivals: tuple[Stretch, ...] = ()

    @property
    def decided(self) -> bool:
        """Whether it says one value."""
        return self.run is not None and not self.rivals

    @property
    def numbers(self) -> frozenset[Fraction]:
        """All numbers in it, without their signs."""
        return _numbers(self.sentence.text)

    @cached_property
    def overlap(self) -> float:
        """The share of the words of the sentence that asks that stand in it."""
        asking = self.question.asking
        return len(asking & content(self.sentence.text)) / len(asking) if asking else 0.0

    @cached_property
    def concludes(self) -> bool:
        """Whether it begins with therefore, so, in total."""
        return CONCLUSION.search(self.sentence.text) is not None

    @cached_property
    def is_aside(self) -> bool:
        """Whether it checks, reminds or remarks."""
        text = self.sentence.text
        return _ASIDE.search(text) is not None or _WRAPPED.fullmatch(text) is not None


def last_step(steps: Sequence[ProseStep]) -> tuple[ProseStep, list[Value]] | None:
    """The step that says what all before comes to, and the results that may as well be the answer.

    None where the text ends in something else.
    """
    given = _given(steps[0].question.numbers)
    steps = [_settled(step, steps[:place], given) for place, step in enumerate(steps)]
    place = _place(steps, given)
    if place is None:
        return None
    closing = steps[place]
    for step in steps[place + 1 :]:
        other = step.run is not None and not step.is_aside and not _same(step, closing)
        if other and step.overlap > closing.overlap:
            return None
    return closing, [s.run.value for s in _open_results(steps[: place + 1], given) if s.run]


def works_out_later(steps: Sequence[ProseStep], end: int) -> bool:
    """Whether an equation stands behind a place, in no check and no remark."""
    for step in steps:
        if step.sentence.end > end and not step.is_aside:
            equation = _equation(step.sentence.text)
            if equation and step.sentence.start + equation.start() >= end:
                return True
    return False


def leaves_a_step(text: str, end: int) -> bool:
    """Whether what stands behind a value says what is still to be done with it."""
    behind = text[end : end + _MOST_BEHIND]
    return (
        "=" not in behind and not _ASIDE.search(behind.lstrip(" .")) and bool(_TO_DO.search(behind))
    )


def _place(steps: Sequence[ProseStep], given: frozenset[Fraction]) -> int | None:
    """Where the last step stands that works something out; None if something else follows it."""
    for place in range(len(steps) - 1, -1, -1):
        step, before = steps[place], steps[:place]
        if step.is_aside and before:
            continue
        if not step.says:
            if step.concludes or _equation(step.sentence.text):
                return None
        elif _works_out(step) or _is_new(step, before, given):
            return place if _is_last_step(step, before) else None
        elif _restates(step, before) and (step.concludes or step.overlap >= _ANSWERS):
            return place
        elif step.concludes or _comes_to(step):
            return None
    return None


def _is_last_step(step: ProseStep, before: Sequence[ProseStep]) -> bool:
    """Whether what a step says, which is new, is the answer to all appearances."""
    if not step.decided:
        return False
    goes_on = _works_out(step) and any(_number(s) in step.numbers for s in before if _is_result(s))
    if not goes_on and _MAY_BE.search(step.sentence.text):
        return False
    undoes = _works_out(step) and any(step.numbers <= s.numbers for s in before)
    if undoes and not _restates(step, before):  # 13 - 8 = 5 after 5 + 8 = 13
        return False
    return _is_result(step) or step.overlap >= _ANSWERS or _is_said_to_be(step)


def _restates(step: ProseStep, before: Sequence[ProseStep]) -> bool:
    """Whether a step says again what one before works out."""
    if not step.decided:
        return False
    return any(_same(s, step) and _is_result(s) for s in before)


def _same(one: ProseStep, other: ProseStep) -> bool:
    """Whether two steps say the same value."""
    return (
        one.run is not None
        and other.run is not None
        and core(one.run.value) == core(other.run.value)
    )


def _equation(text: str) -> re.Match[str] | None:
    """What the last equation in a text comes to, whatever units stand among its operands."""
    found = last_match(_COMES_OUT, text)
    return found if found and _computes(_left(text, found.start())) else None


def _computes(left: str) -> bool:
    """Whether the left side of an equation has numbers to work with, and no unknown."""
    return _OPERATION.search(left) is not None and not _UNKNOWN.search(left)


def _left(text: str, end: int) -> str:
    """The left side of an equation whose sign stands at a place."""
    return text[max(0, end - _MOST_LEFT, text.rfind("=", 0, end) + 1) : end]


def _ending(step: ProseStep) -> Stretch | None:
    """What the last equation in a step comes to."""
    if not step.says or "=" not in step.sentence.text:
        return None
    values = runs(step.sentence.text, step.question.numbers)
    last = replace(step, run=values[-1], rivals=()) if values else step
    if last.run and last.run.aside not in _NOT_SAID and _works_out(last):
        return last.run
    equation = _equation(step.sentence.text)
    if equation is None:
        return None
    if step.run is not None and step.run.start >= equation.end() and _comes_to(step):
        return None  # "= 15.36, which rounds down to 15"
    try:
        number = read(equation[1])
    except Unsupported:  # digits of another kind
        return None
    return Stretch(*equation.span(1), number) if isinstance(number, Number) else None


def _settled(step: ProseStep, before: Sequence[ProseStep], given: frozenset[Fraction]) -> ProseStep:
    """The step with the one value that it works out, where it names others too."""
    ending = _ending(step)
    if ending is not None:
        return replace(step, run=ending, rivals=())
    if step.run is not None or len(step.rivals) < 2:
        return step
    text = step.sentence.text
    each = [replace(step, run=run, rivals=()) for run in sorted(step.rivals, key=_start)]
    each = [s for s in each if s.run and not _REFERENCE.search(text, 0, s.run.start)] or each
    known = given.union(*(s.numbers for s in before))
    new = [s for s in each if _number(s) not in known]
    new = [s for s in new if s is new[-1] or _number(s) not in _numbers(text[_end(s) :])]
    found = new[-1] if new else each[-1]
    if len(each) > 1 and not _comes_to(found):
        return step
    others = [s for s in new if s is not found]
    return step if any(_comes_to(s) or _is_said_to_be(s) for s in others) else found


def _comes_to(step: ProseStep) -> bool:
    """Whether the words before a step's value, or its equation, work it out."""
    run, text = step.run, step.sentence.text
    if run is None:
        return False
    if isinstance(run.value, Relation) and run.value.operator == "=":
        return is_name(run.value) or _works_out(step)
    return (
        _EQUALS.search(text, max(0, run.start - 12), run.start) is not None
        or _RESULT.search(text, max(0, run.start - 60), run.start) is not None
    )


def _start(run: Stretch) -> int:
    return run.start


def _end(step: ProseStep) -> int:
    return step.run.end if step.run else 0


def _is_new(step: ProseStep, before: Sequence[ProseStep], given: frozenset[Fraction]) -> bool:
    """Whether nothing before says its value, except among many that were read off."""
    if step.run is None or step.rivals:
        return not step.numbers <= given.union(*(s.numbers for s in before))
    number = _number(step)
    if number is None:
        return True
    return number not in given and not any(
        number in s.numbers for s in before if s.run is not None or len(s.rivals) < _LISTED
    )


def _is_result(step: ProseStep) -> bool:
    """Whether a step's words or its equation say that it works its value out."""
    if step.run is None or isinstance(step.run.value, Relation):
        return _comes_to(step)
    together = _TAKEN_TOGETHER.search(step.sentence.text) is not None
    return step.concludes or together or _comes_to(step)


def _works_out(step: ProseStep) -> bool:
    """Whether a step's value is what an equation in it comes to, one with operands to its left."""
    run = step.run
    if run is None:
        return False
    if isinstance(run.value, Relation):
        left = run.value.left
        if run.value.operator != "=" or (isinstance(left, Number) and left.value.variables):
            return False
        return _DIGIT.search(run.value.name) is not None
    text = step.sentence.text
    sign = _EQUALS.search(text, max(0, run.start - 12), run.start)
    return sign is not None and _computes(_left(text, text.rindex("=", 0, run.start)))


def _is_said_to_be(step: ProseStep) -> bool:
    """Whether a step's value stands behind "is" or a colon."""
    if step.run is None:
        return False
    start = step.run.start
    return _BEING.search(step.sentence.text, max(0, start - 30), start) is not None


def _open_results(steps: Sequence[ProseStep], given: frozenset[Fraction]) -> list[ProseStep]:
    """The last step's rivals: other results that no later step goes on with."""
    closing = steps[-1]
    if closing.concludes:
        return []
    together = _TAKEN_TOGETHER.search(closing.sentence.text) is not None
    found = []
    for place, step in enumerate(steps[:-1]):
        if not step.says or step.run is None or step.is_aside:
            continue
        if together and not (step.concludes or _TAKEN_TOGETHER.search(step.sentence.text)):
            continue
        number = _number(step)
        if _same(step, closing) or number in given:
            continue
        answers = step.overlap >= max(closing.overlap, _ANSWERS)
        if not answers and not (_is_result(step) and step.overlap >= closing.overlap):
            continue
        forms = {number, number / 100} if number is not None and _is_percent(step) else {number}
        used = any(forms & later.numbers for later in steps[place + 1 :])
        next_refers = _REFERS.search(steps[place + 1].sentence.text) is not None
        if not used and not next_refers and not _rounds(number, _number(closing)):
            found.append(step)
    return found


def _is_percent(step: ProseStep) -> bool:
    value = unnamed(step.run.value) if step.run else None
    return isinstance(value, Number) and value.percent


def _rounds(number: Fraction | None, closing: Fraction | None) -> bool:
    """Whether the last step rounds a number, up or down."""
    if number is None or closing is None:
        return False
    whole = closing.denominator == 1 and number.denominator != 1
    return abs(number - closing) < (1 if whole else abs(closing) / 200)


@lru_cache(maxsize=4096)
def _given(numbers: frozenset[str]) -> frozenset[Fraction]:
    """The numbers of a question."""
    return frozenset(Fraction(number) for number in numbers if len(number) < 30)


@lru_cache(maxsize=1024)  # a step's numbers are looked at again by those behind it
def _numbers(text: str) -> frozenset[Fraction]:
    found = _DIGITS.findall(spelled_out(text[:_MOST_LOOKED_AT]))[:_MOST_NUMBERS]
    return frozenset(number for one in found for number in _fractions(one))


def _fractions(text: str) -> list[Fraction]:
    """A number, or the two of a quotient and the quotient."""
    parts = [Fraction(part) for part in text.replace(",", "").replace(" ", "").split("/")]
    return [*parts, parts[0] / parts[1]] if len(parts) == 2 and parts[1] else parts


def _number(step: ProseStep) -> Fraction | None:
    """The size of a step's value, where it is a rational number."""
    value = unnamed(step.run.value) if step.run else None
    if not isinstance(value, Number) or value.value.variables:
        return None
    fraction = value.value.fraction
    return None if fraction is None else abs(fraction)
