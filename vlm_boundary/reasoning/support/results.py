"""What the sums of a text come to, and what follows from them and from numbers that are read."""

from __future__ import annotations

import re
from itertools import permutations, product

from vlm_boundary.reasoning.support.answer_value import numbers, packed
from vlm_boundary.reasoning.support.reachable import Steps, any_near, pairs

OPERATION = re.compile(r"[=+×÷·√<>≤≥≈²³^→⋅∙]|(?<=\d)(?:[-*/]|:(?!\d\d(?!\d)))(?=\d)|(?<=\d)%of")
"""A sign of an operation or of a comparison, in a packed text."""
CODE = re.compile(r"\b(?:print|sum|len|max|min|sorted|range)\(")
"""A call in a program, which works something out."""
_TERM = r"√?\d{1,12}(?:\.\d{1,6})?[²³%]?"
_SIGN = r"[-+*/×÷·⋅∙:]"
_SUM = re.compile(
    rf"(?<!\d)(?<!\d\.){_TERM}(?:{_SIGN}{_TERM}){{1,20}}(?:[=≈]{_TERM}(?:{_SIGN}{_TERM}){{0,20}}){{0,5}}"
)
_RESULT = re.compile(r"[=≈](\d+(?:\.\d+)?)\Z")
_SUM_END = re.compile(r"[=≈]\s?\d+(?:\.\d+)?")
_OPEN = re.compile(rf"(?:[-/*]|\d:)@|@[-/*:]|{OPERATION.pattern}")
_LETTER_EQUALS = re.compile(r"(?<![\d@])=@?")
# Numbers by which things are only called.
_CALLED = re.compile(
    r"\b(?:(?:figure|pattern|step|stage|term|row|picture|number|shape) \d+|\d+(?:st|nd|rd|th))\b",
    re.IGNORECASE,
)
_HALF = re.compile(
    r"(?<!\d)(?P<one>\d{1,9})[^.\d]{0,30}\bhal(?:f|ves)\b[^.\d]{0,30}(?P<other>\d{1,9})(?!\d)",
    re.IGNORECASE,
)
_IN_DIGITS = re.compile(r"\b(?:stems?|leaf|leaves|digits?|tens)\b", re.IGNORECASE)
_VALUE_OF = re.compile(
    r"\b((?-i:[A-Z])[a-z]{0,12}|(?!with|from|than|about|have|make|angle|sides?\b|radi|edge)[a-z]{4,16})"
    r" ?[=:]? ?[$€£]?(\d+(?:\.\d+)?)(?![\d:])",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z]+")
_MOST = 3


def results_of(body: str) -> list[float]:
    """What the sums of a text come to that no later one starts from; nothing where one is open."""
    text = packed(body.replace("\n", ";"))
    results: list[float] = []
    for match in _SUM.finditer(text):
        result = _RESULT.search(match[0])
        if result is None:
            return []
        used = numbers(match[0][: result.start()])
        results = [one for one in results if one not in used] + [float(result[1])]
    return [] if _OPEN.search(_LETTER_EQUALS.sub(" ", _SUM.sub(" ", text))) else results


def behind_sums(body: str) -> str:
    """What stands behind the last result of a text."""
    ends = [match.end() for match in _SUM_END.finditer(body)]
    return body[ends[-1] :] if ends else body


def follows_from(results: list[float], others: list[float], goal: float, *, angles: bool) -> bool:
    """Whether one usual step leads to a goal from what the sums of a chain come to."""
    made = [
        *results,
        *Steps().one(results),
        *(one for number in results for one in Steps(angles=angles).one([number])),
        *pairs(results, [*others, 2.0]),
        *pairs([*others, 2.0], results),
    ]
    return any_near(made, [goal])


def from_new(new: list[float], others: list[float], goal: float, *, angles: bool) -> bool:
    """Whether one usual step leads to a goal from a number that the question does not have.

    Always, where there are many of them.
    """
    if len(new) > _MOST:
        return True
    goals = [goal, goal / 100, goal * 100, *((180 - goal, 90 - goal) if angles else ())]
    reach = {round(abs(one), 6) for one in Steps().one(new)}
    reach |= {
        round(abs(one), 6)
        for number in new
        for other in others
        if other != number
        for one in (*pairs([number], [other]), *pairs([other], [number]))
    }
    return any(round(one, 6) in reach for one in goals)


def values_of_names(question: str, text: str) -> list[float]:
    """The values that a question gives to names that a text has: "Jan 20", "AC = 5", "child $7"."""
    words = {word.removesuffix("s") for word in _WORD.findall(text)}
    given = [(name.removesuffix("s"), value) for name, value in _VALUE_OF.findall(question)]
    names = [name for name, _ in given]
    return [float(value) for name, value in given if name in words and names.count(name) == 1]


def of_mixed_units(told: list[float], parts: list[float], size: float, goal: float) -> bool:
    """Whether a goal is some of a larger unit and a part of one: an hour and three quarters."""
    return any(
        size * (one + other / part) == goal for one in told for other in told for part in parts
    )


def is_share(told: list[float], known: list[float], goal: float) -> bool:
    """Whether a goal is what one value of the question is of itself and another one together."""
    several = {*known} - {0.0, 1.0}
    return 0 < goal < 1 and any(
        (one + other) * goal == one in several for one, other in permutations(told, 2)
    )


def in_two_digits(body: str, told: list[float], goal: float) -> bool:
    """Whether a goal is written from two digits, as a stem and a leaf are."""
    return _IN_DIGITS.search(body) is not None and any(
        10 * one + other == goal for one, other in product(told, told)
    )


def without_names(text: str, question: str) -> str:
    """A text without the numbers by which the question only calls things: "figure 10"."""
    called = {match[0].lower() for match in _CALLED.finditer(question)}
    if not called:
        return text
    return _CALLED.sub(lambda m: " " if m[0].lower() in called else m[0], text)


def without_used(text: str) -> str:
    """A text without each "half" that stands between a number and its half."""
    return _HALF.sub(
        lambda m: f"{m['one']}, {m['other']}" if int(m["one"]) == 2 * int(m["other"]) else m[0],
        text,
    )
