"""Answers that have to be derived from the data that the question gives, and are not."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations

from vlm_boundary.mathtext.words import ENGLISH, english_number
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.passages import SENTENCE, AnswerPlace
from vlm_boundary.reasoning.steps import converted, same
from vlm_boundary.reasoning.typeset import plain

_SHOWN = re.compile(r"\[[^\[\]]{6,900}\]")
_FORMULA = re.compile(
    r"\b[a-z](?:\([a-z]\))? ?=[^,;\]]*?(?=,|;|\.(?!\d)|\]| and | crossing)|\d+-\d+(?= ?:)"
)
_NUMBER = re.compile(rf"(?P<digits>\d+(?:\.\d+)?)|\b(?P<word>{ENGLISH})s?(?!\w)", re.IGNORECASE)
_WORDS_OF = re.compile(rf"\b{ENGLISH}(?!\w)", re.IGNORECASE)
_SPACES = str.maketrans(dict.fromkeys(" \t\n\r()[]_", ""))
_LABEL = re.compile(
    r"(?mi)^[^\S\n]*(?:[-•>]\s)?(?:\d{1,2}[.:)](?=\s|$)|(?:step|part|method)\s?\d{1,2}\b)|</?think>"
)
_UNIT = re.compile(r"(?<=[ckmd]m)[²³]|(?<=\bm)[²³]|(?<=[a-z])/[a-z]+²?")
_OPERATION = re.compile(r"[=+×÷·√<>≤≥≈²³^→⋅∙]|(?<=\d)(?:[-*/]|:(?!\d\d(?!\d)))(?=\d)|(?<=\d)%of")
_LETTER_IS = re.compile(r"[A-Za-zα-ω]{0,12}[=≈]\Z")
_ANSWER = re.compile(r"([-+]?(?:\d[\d.,/:]*(?:π|√\d+)?|[π√]\d*))(?:/\d+)?(?:%|[a-zA-Z].*)?")
_OPTION = re.compile(
    r"\(?(?<!\w)([A-H])[).:]\s?([^()\n]{1,30}?)(?=\s*(?:\(?\b[A-H][).:]|[,;\n]|$))"
)
_PARTS = tuple(
    (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), Fraction(factor))
    for words, factor in (
        ("half(?! past)|halv\\w+|bisect\\w*|midpoint|midsegment|twice|doubl\\w+", 2),
        ("thirds?|triple[ds]?|thrice", 3), ("quarters?|fourths?", 4), ("fifths?", 5),
    )
)  # fmt: skip
# "one sees", "the other one", and what a figure of its kind always has: no value that is read.
_NO_VALUE = re.compile(
    r"\b(?:(?:which|this|that|the|each|every|other|\w+est|\w+er) one"
    r"|one (?:of|can|has|sees?|gets?|finds?|may|must|might|could|would|another|needs?|obtains?"
    r"|imagines?|line|bar|side)"
    r"|(?:two|three|four|five|six|eight)(?: (?:equal|parallel|opposite|different|other|acute"
    r"|slanted))* (?:sides|angles|corners|hands|legs|lines|bars|points|vertices|triangles))\b",
    re.IGNORECASE,
)
# Bounds, from which no value follows: "between 20 and 40", "longer than 5".
_BOUNDS = re.compile(
    r"\b(?:between|(?<!\d )(?:more|less|fewer|\w{2,}er) than|at (?:least|most)|above|below|beyond"
    r"|over|under)\b"
    r"[^.;@\d]{0,30}\d[\d.]*(?:[^.;@\d]{0,30}\band\b[^.;@\d]{0,30}\d[\d.]*)?",
    re.IGNORECASE,
)
_MIDDLE = re.compile(r"\b(?:middle|half\w*|midway)\b", re.IGNORECASE)
_BY_EYE = re.compile(
    r"\bby eye\b|\bvisual\w*\b|\b(?:looks?|appears?|seems?|feels?)\b|\b(?:estimate|guess|eyeball"
    r"|reckon)\w*\b|\bglanc\w+|\bjudging\b|\b(?:gut|hunch|intuition|impression)\b|\binspection\b"
    r"|\b(?:I|we)(?:['’]d| would) (?:say|put)\b|\bimagin\w+"
    r"|\bin my (?:head|mind)\b|\bpicturing\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"\b(?:roughly|about|around|approximately)\b", re.IGNORECASE)
_PROPERTY = re.compile(
    r"\b(?:horizontal|vertical|parallel|equal\w*|same|symmetr\w*|opposite|neither|no|none|never|certain"
    r"|impossible|every|always|constant|only|never)\b",
    re.IGNORECASE,
)
_OF_AN_ANGLE = re.compile(
    r"(?<!than a )\b(?:right|straight|full|equilateral|perpendicular|semicircle|diameter|tangent"
    r"|square|rectangle|regular|bisect\w*|cube|crosses|Thales['’]?s?)\b",
    re.IGNORECASE,
)
_ANGLES = frozenset(map(Fraction, (30, 45, 60, 90, 120, 180, 360)))
_GENERAL = frozenset(map(Fraction, (0, 1)))
_FIGURE = re.compile(
    r"\b(?:angles?|circles?|\w+gons?|triang\w+|square|quadrilateral|trapez\w+|rhomb\w+|degrees?)\b|°",
    re.IGNORECASE,
)
_ASKS_ANGLE = re.compile(r"\b(?:angles?|degrees?)\b|°", re.IGNORECASE)
_SLOPE = re.compile(r"\b(?:slope|gradient|steep)\b", re.IGNORECASE)
_MEAN = re.compile(r"\b(?:mean|averag\w*)\b", re.IGNORECASE)
_THEOREM = re.compile(
    r"Pythag\w*|Thales|\b(?:\w+ theorem|triples?|midsegment|complement\w*|supplement\w*"
    r"|co-interior|straight angle|on a (?:straight )?line|add up to|sum to|angle sum)\b",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"\b(?:times|multipl\w*|product|half|add\w*|sum|plus|minus|subtract\w*|divid\w*|averag\w*|mean"
    r"|difference|twice|less|left(?! to| of| side)|leaves|leaving|remain\w*|each|per|thirds?"
    r"|quarters?|tak\w+ (?:away|from|off)|removed?|removing)\b",
    re.IGNORECASE,
)
_SQUARED = re.compile(r"\b(?:squar\w+(?! root)|itself|times|each)\b", re.IGNORECASE)
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
_NAMED_VALUE = re.compile(r"\b([A-Z][A-Za-z]{0,12}) ?[=:]? ?[$€£]?(\d+(?:\.\d+)?)")
_NAME = re.compile(r"\b[A-Z][A-Za-z]{0,12}\b")
# The answer beside an operator, a letter that is solved for, and what is worked out without digits.
_BESIDE = re.compile(
    r"[+*/×·÷√<>-]@|(?<![A-Za-z])[=≈]@|@(?:[=≈+×·÷<>²³√]|[-*/:]\d)|(?<![A-Za-z])[a-z](?:[=²³(+-]|\d)"
    r"|[√π²³]|@%of|\d:\d\d"
)
_HERE = "@"  # stands for the answer, where it is said
_LONGEST = 1200
_FEW = 10


@dataclass(frozen=True, slots=True)
class _Said:
    """The answer as it is written, and its number, that before π or a root where it has one.

    `letter`: of the option that was answered, where its value is meant.
    """

    written: str
    number: Fraction
    rooted: bool = False
    letter: str = ""


def underived(chain: Chain, start: int, end: int, answer: AnswerPlace) -> list[Evidence] | None:
    """An answer that is not in the question's description of its picture, nor follows from it.

    The description gives data, so that a value which does not stand there has to be derived: by an
    operation, from another value that is read or recalled, or by a property. General remarks, a
    look, a circle and data repeated from the question derive nothing. None where the question
    describes nothing, or the answer is no number or stands there.
    """
    shown = _SHOWN.search(chain.question)
    if shown is None or chain.answer is None or end - start > _LONGEST:
        return None
    asked = chain.question.replace(shown[0], " ")
    stem = _OPTION.sub(" ", asked)
    source = _plain(shown[0])
    said = _said(chain.answer, asked)
    if said is None or not numbers(source):
        return None
    shows = _said_as(said)
    if shows.search(_FORMULA.sub(" ", source)):
        return None
    body = shows.sub(_HERE, _plain(chain.text[start:end]))
    note = _fault(body, source, _plain(stem), said)
    return [Evidence("no_reasoning", answer.start, answer.end, note)] if note else []


def _fault(body: str, source: str, asked: str, said: _Said) -> str:
    """What is wrong with how the answer comes about; nothing where it may follow."""
    question = f"{source} {asked}"
    known = numbers(question)
    sentences = [one for one in SENTENCE.findall(body) if _HERE in one]
    by_eye = any(_BY_EYE.search(one) for one in sentences)
    if (
        _ASKS_READING.search(asked)
        and not _FORMULA.search(source)
        and any(_READS.search(one) and not _BY_EYE.search(one) for one in sentences)
    ):
        return ""
    if _works(body, question):
        astray = _astray(body, known, said, by_eye=by_eye, question=question)
        return "what is worked out does not lead to the answer" if astray else ""
    if by_eye or any(_ABOUT.search(one) for one in sentences):
        return "a guess by eye of what has to be worked out from the data of the question"
    circle = _CIRCLE.search(body)
    if circle and not numbers(circle[1]) and _HERE not in body[: circle.start()]:
        return "the claim is its own reason"
    if _leads(body, known, said, question) or _is_named(body, question, said):
        return ""
    return "the question gives the data, and nothing leads from it to the answer"


def _plain(text: str) -> str:
    """A text with its formulas in one way of writing, without labels and units of areas."""
    return _LABEL.sub("\n", _UNIT.sub(" ", plain(text)))


def _said(answer: str, asked: str) -> _Said | None:
    """The answer as a value; the value of the option where it is a letter."""
    letter = answer.strip(" ().$").upper()
    if is_option := len(letter) == 1 and letter.isalpha():
        answer = dict(_OPTION.findall(asked)).get(letter, "")
    letter = letter if is_option else ""
    packed = _plain(answer).translate(_SPACES).rstrip(".").strip("€£")
    match = _ANSWER.fullmatch(packed)
    if match is None:
        worded = english_number(answer) if _WORDS_OF.fullmatch(answer) else None
        return None if worded is None else _Said(str(worded), Fraction(worded), letter=letter)
    written = match[1].rstrip(".,:/")
    digits = re.sub(r"π|√\d*", "", written)
    try:
        number = Fraction(digits if digits.strip("-+") else 1)
    except (ValueError, ZeroDivisionError):
        number = Fraction(-1, 997)  # a time, a list
    return _Said(written, number, rooted=digits != written, letter=letter)


def _said_as(said: _Said) -> re.Pattern[str]:
    """The places where the answer is said: its value, or the letter of its option."""
    spaced = r"\s?".join(map(re.escape, said.written))
    written = rf"(?<![\w.]){spaced}(?![\w²³√]|\.\d|/\d)"
    option = rf"|\b(?:option|choice) {said.letter}\b" if said.letter else ""
    return re.compile(written + option)


def numbers(text: str) -> list[Fraction]:
    """The values of a text's numbers, in digits and in words."""
    found = []
    for match in _NUMBER.finditer(text):
        value = Fraction(match["digits"]) if match["digits"] else english_number(match["word"])
        found += [] if value is None else [Fraction(value)]
    return found


def _works(body: str, question: str) -> bool:
    """Whether there is an operation or an equation that is not just copied from the question."""
    packed, source = body.translate(_SPACES), question.translate(_SPACES)
    parts = packed.split(_HERE)
    for place, part in enumerate(parts):
        if place < len(parts) - 1:
            part = _LETTER_IS.sub("", part)
        for match in _OPERATION.finditer(part):
            last = match.end() + (match[0] not in "²³")
            if part[max(0, match.start() - 1) : last] not in source:
                return True
    return False


def _leads(body: str, known: list[Fraction], said: _Said, question: str) -> bool:
    """Whether other values stand there from which the answer may come."""
    words = _NO_VALUE.sub(" ", body)
    if not _MIDDLE.search(words):
        words = _BOUNDS.sub(" ", words)
    angles = _ASKS_ANGLE.search(question) is not None
    told = [
        number
        for number in numbers(words)
        if number != said.number and (angles or number not in _ANGLES or number in known)
    ][:_FEW]
    general = _GENERAL | _ANGLES if _FIGURE.search(question) else _GENERAL
    digits = {*numbers(_WORDS_OF.sub(" ", words))} - {said.number}
    if digits - {*known} - general:
        return True
    if ":" in said.written:
        return len({*told}) > 1  # a time, of hours and minutes
    told += _of_names(body, question)
    if said.rooted and not _ROOTED.search(body):
        return False
    two = Fraction(2)
    factors = [factor for pattern, factor in _PARTS if pattern.search(body)]
    steps = _Steps(
        angles=angles,
        means=_MEAN.search(question + body) is not None,
        squares=_SQUARED.search(body) is not None,
        halves=_HALVED.search(question + body) is not None,
    )
    stepping = _STEP.search(body) is not None
    sloping = _SLOPE.search(question) is not None  # a sum or a product is none
    if (stepping or not sloping) and steps.lead([*told, *factors], said.number):
        return True
    new = {*told, *factors} - {*known, Fraction(0), Fraction(1)}
    if (new or (told and stepping)) and steps.lead_twice([*told, *factors], said.number):
        return True
    if (stepping or factors) and any(
        said.number in _pair(one, other) for one in known for other in new
    ):
        return True
    if _SCALED.search(body) and any(said.number / size in known for size in (100, 1000, 10**6)):
        return True
    return _THEOREM.search(body) is not None and steps.lead([*known[:_FEW], two], said.number)


def _astray(body: str, known: list[Fraction], said: _Said, *, by_eye: bool, question: str) -> bool:
    """Whether no operation that stands there, and no step from what it comes to, gives the answer.

    Only where all is plain arithmetic: no letter is solved for, no root taken.
    """
    if _BESIDE.search(body.translate(_SPACES)) or _is_named(body, question, said):
        return False
    told = numbers(_NO_VALUE.sub(" ", body))[-_FEW:]
    rounded = 1 if said.number.denominator == 1 else abs(said.number) / 50
    if any(abs(one * scale - said.number) < rounded for one in told for scale in (1, 100)):
        return False  # rounded, or as a percentage
    if any(numbers(one) for one in SENTENCE.findall(body) if _HERE in one and not by_eye):
        return False  # a step may stand in the answer's sentence
    told += [factor for pattern, factor in _PARTS if pattern.search(body)]
    steps = _Steps(angles=_ASKS_ANGLE.search(question) is not None, means=True)
    if by_eye:
        return not steps.lead(told, said.number)
    about = f"{question} {body}"
    near = [*told, *known][:_FEW], [*known, *told][-_FEW:]
    return not any(
        same(one, said.number) or (said.number > 1 and converted(one, said.number, about))
        for values in near
        for one in (*steps.one(values), *_proportions(values))
    )


def _proportions(values: list[Fraction]) -> Iterator[Fraction]:
    for one, two, three in permutations(values[:6], 3):
        if three:
            yield one * two / three


def _of_names(body: str, question: str) -> list[Fraction]:
    """The values that the question gives to names in the answer's sentence: "Jan 20", "AC = 5"."""
    here = " ".join(one for one in SENTENCE.findall(body) if _HERE in one)
    return [
        Fraction(value) for name, value in _NAMED_VALUE.findall(question)
        if re.search(rf"\b{name}\b", here)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Steps:
    """Usual steps: those of angles and averages only where it is about them."""

    angles: bool
    means: bool
    squares: bool = True
    halves: bool = True

    def lead(self, values: list[Fraction], goal: Fraction) -> bool:
        """Whether one step leads from some of the values to a goal."""
        return goal in {*self.one(values)}

    def lead_twice(self, values: list[Fraction], goal: Fraction) -> bool:
        """Whether one or two steps do."""
        others = {*values, Fraction(2)} if self.halves else {*values}
        first = {*self.one([*values, Fraction(2)] if self.halves else values)}
        return any(goal in _pair(one, other) for one in first for other in others)

    def one(self, values: list[Fraction]) -> Iterator[Fraction]:
        """What one step makes of some of the values."""
        if len(values) > 1:
            yield (total := sum(values, Fraction(0)))
            yield from (total - 2 * one for one in values)
            yield math.prod(values)
            if self.means:
                yield total / len(values)
        for one in values:
            if self.squares:
                yield one * one
            if self.angles:
                yield from (180 - one, 90 - one)
        for one, other in permutations(values, 2):
            yield from _pair(one, other)
            yield one * other / 100
            if self.angles and other:
                yield 360 * one / other
        for one, other in combinations(values, 2):
            for square in (one * one + other * other, abs(one * one - other * other)):
                root = Fraction(round(math.sqrt(square)))
                if root and root * root == square:
                    yield root


def _pair(one: Fraction, other: Fraction) -> tuple[Fraction, ...]:
    quotient = (one / other,) if other else ()
    return (one + other, one - other, one * other, *quotient)


def _is_named(body: str, question: str, said: _Said) -> bool:
    """Whether a property gives the answer, or the things are named that it counts."""
    if said.number in (0, 1) and _PROPERTY.search(body):
        return True
    if said.number in _ANGLES and _ASKS_ANGLE.search(question) and _OF_AN_ANGLE.search(body):
        return True
    if not _ASKS_COUNT.search(question):
        return False
    listed = max((len(_ITEM.findall(line)) for line in body.split(". ")), default=0) + 1
    names = {*_NAME.findall(body)} & {*_NAME.findall(question)}
    return min(listed, 8) >= min(said.number, 8) or len(names) >= max(said.number, 2)
