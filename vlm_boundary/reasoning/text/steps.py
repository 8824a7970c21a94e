"""Steps that a chain may have taken silently: what its words name and its numbers allow."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache

from vlm_boundary.mathtext.evaluate import Value

NUMBER = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"[0-9.](?<![0-9.].)(?:(?<=[0-9])(?:[0-9]{0,2}(?:,[0-9]{3})+(?![0-9])|[0-9]*)(?:\.[0-9]+)?"
    r"(?![0-9])|(?<=\.)[0-9]+)"
)
_OF_NUMBERS = "0123456789.,"
_NO_DIGITS = "".join(chr(code) for code in range(128) if chr(code) not in "0123456789")
_HALF = re.compile(r"\b(?:half|halv\w+|bisect\w*)\b", re.IGNORECASE)
_TWICE = re.compile(r"\b(?:twice|doubl\w*)\b", re.IGNORECASE)
_SILENT = re.compile(
    r"\b(?:thirds?|quarters?|remain\w*|rest|left|complement\w*|supplement\w*|differen\w+|sum\w*"
    r"|total\w*|product|average|mean|add\w*|subtract\w*|divid\w*|multipl\w*|round\w*|percent\w*"
    r"|convert\w*|squar\w*(?! (?:c?m|centi|met|inch|units|feet|kilo))|roots?|count\w*|altogether"
    r"|each|per|more|less|fewer|factor\w*|opposite"
    r"|same|equal\w*|times|simplif\w*|next|previous|pattern|solv\w*|plus|minus)\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\b(?:how many|whole|full|complete|nearest|round\w*|integer|needed)\b", re.I)
_PERCENT = re.compile(r"%|percent")
_SIZES: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (size, re.compile(rf"(?:\b|(?<=\d))(?:{units})\b", re.IGNORECASE))
    for size, units in (
        (60, "minutes?|hours?|min|seconds?"), (3600, "hours?|seconds?"), (24, "days?|hours?"),
        (7, "weeks?|days?"), (12, "dozens?|inch(?:es)?|feet|foot|months?|years?"),
        (1000, "(?<=\\d)k|k?g|k?m|mm|ml|l|"
         "(?:kilo|milli)?(?:gram|met(?:er|re)|lit(?:er|re))s?|thousands?"),
        (10, "cm|mm|(?:centi|milli|deci)met(?:er|re)s?"), (3, "yards?|feet"),
        (100_000, "cm|km|(?:centi|kilo)met(?:er|re)s?"),
        (10_000, "c?m²|square (?:centi)?met(?:er|re)s?"), (10**6, "millions?"),
    )
)  # fmt: skip
_ALONE = frozenset(("dozen", "thousand", "million", "k"))  # what needs no other unit to be one
# What a word of a step does with numbers; the other words may lead anywhere (count, pattern).
_STEPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(words, re.IGNORECASE), signs)
    for words, signs in (
        ("remain|rest|left|complement|supplement|differen|subtract|less|fewer|minus", "-"),
        ("sum|total|add|altogether|more|plus", "+"),
        ("product|multipl|times|squar", "*"),
        ("third|quarter|average|mean|divid", "/"),
        ("each|per|convert", "*/"),
    )
)
_USUAL = (2, 3, 4, 10, 60, 90, 100, 180, 360, 1000)
_CLAUSE_END = re.compile(r"[,.;](?=\s|$)|\n|\b(?:and|so|which|then|or)\b")
_FEW = 16  # numbers of a chain that a silent step may have used


def converted(result: Value, value: Value, about: str) -> bool:
    """Whether a value is a result in another unit, as a change in percent, or in whole things."""
    if not result or not value:
        return False
    whole = float(value).is_integer() and not float(result).is_integer()
    if whole and abs(float(result) - float(value)) < 1 and _WHOLE.search(about):
        return True
    if _PERCENT.search(about):  # 1.75 times as much is 75% more
        scales = (float(result), float(result) / 100)
        if any(
            abs(100 * abs(abs(scale) - 1) - abs(float(value))) < 0.006 * abs(float(value))
            for scale in scales
        ):
            return True
    ratio = abs(float(value) / float(result))
    for size, units in _SIZES:
        if any(abs(scale - size) <= 0.002 * size for scale in (ratio, 1 / ratio)):
            named = {match[0].lower().rstrip("s") for match in units.finditer(about)}
            return len(named) > 1 or bool(named & _ALONE)
    return False


def behind_result(words: str) -> str:
    """What follows the clause that a result stands in: "12 euros per kg" names no step."""
    parts = _CLAUSE_END.split(words, maxsplit=1)
    return parts[1] if len(parts) > 1 else ""


def silent_step(words: str, numbers: list[Value], value: Value) -> bool:
    """Whether words behind the last equation name a step from these numbers to the value."""
    if _HALF.search(words):
        return any(same(Fraction(number) / 2, value) for number in numbers)
    if _TWICE.search(words):
        return any(same(number * 2, value) for number in numbers)
    signs = ""
    for named in _SILENT.finditer(words):
        of_word = [signs for pattern, signs in _STEPS if pattern.match(named[0])]
        if not of_word:
            return True
        signs += of_word[0]
    return bool(signs) and one_step(numbers, value, signs)


def step_from(results: list[Value], numbers: list[Value], value: Value) -> bool:
    """Whether one step leads from a result, alone or with one of the numbers, to the value."""
    known = [float(number) for number in numbers[-_FEW:]]
    for result in map(float, results):
        reached = [abs(result) ** 0.5, result / 2, result * 2, 100 - result, 90 - result]
        reached += [180 - result, 360 - result]
        reached += [result + number for number in known] + [
            abs(result - number) for number in known
        ]
        reached += [result * number for number in known]
        reached += [result / number for number in known if number]
        reached += [number / result for number in known if result]
        if any(same(round(number, 9), value) for number in reached):
            return True
    return False


def solves(result: Value, numbers: list[Value], value: Value) -> bool:
    """Whether a value may stand behind "x =" after this result: its root, its half, a quotient."""
    known = [abs(float(number)) for number in numbers[-_FEW:] if number]
    size = abs(float(result))
    reached = [size**0.5, size ** (1 / 3), size * 2, *(size / number for number in (2, *known))]
    return any(same(round(number, 9), value) for number in reached)


def one_step(numbers: list[Value], value: Value, signs: str, *, usual: bool = True) -> bool:
    """Whether one step of these kinds leads from some of the numbers to the value."""
    known = [float(number) for number in numbers[-_FEW:]]
    others = [*known, *(_USUAL if usual else ())]
    total = math.fsum(map(float, numbers))
    reached: list[float] = [total] if "+" in signs else []
    reached += [total / len(numbers)] if "/" in signs and numbers else []
    for one in known:
        for sign in signs:
            if sign == "+":
                reached += [one + other for other in known]
            elif sign == "-":
                reached += [one - other for other in others]
            elif sign == "*":
                reached += [one * other for other in others]
            else:
                reached += [one / other for other in others if other]
    wanted = float(value)
    alike = (wanted, -wanted) if wanted == value else ()
    return any(
        one in alike or _near(one, wanted) for one in (round(number, 9) for number in reached)
    )


def numbers_of(text: str, start: int, end: int) -> list[Value]:
    """The last numbers in digits between two places."""
    written = [number.replace(",", "") for number in NUMBER.findall(text, start, end)[-_FEW:]]
    return [_as_value(number) for number in written if len(number) <= 24]


def last_number(text: str) -> Value | None:
    """The last number in digits; looked for from the end, as most texts end near one."""
    head = text.rstrip(_NO_DIGITS)
    written = head[len(head.rstrip(_OF_NUMBERS)) :]
    found = numbers_of(written, 0, len(written)) or numbers_of(text, 0, len(text))
    return found[-1] if found else None


@lru_cache(maxsize=16384)
def _as_value(written: str) -> int | Fraction:
    """A number in digits."""
    return int(written) if written.isdecimal() else Fraction(written)


def same(one: Value, other: Value) -> bool:
    """Whether two numbers are one value: rounded, as a percentage, or with the other sign."""
    if isinstance(one, int) and isinstance(other, int):
        return one in (other, -other, 100 * other) or other == 100 * one
    a, b = float(one), float(other)
    return (abs(a) == abs(b) and (one == other or one == -other)) or _near(a, b)


def _near(a: float, b: float) -> bool:
    """Whether they are one value up to rounding, or as a percentage."""
    allowed = 0.006 * max(abs(b), 1e-9)
    # Whole numbers are never rounded into one another.
    if abs(a - b) <= allowed and not (a.is_integer() and b.is_integer()):
        return True
    return abs(a * 100.0 - b) <= allowed or abs(a * 0.01 - b) <= allowed


def rounds_to(right: Fraction, said: Fraction) -> bool:
    """Whether a value may be written so: equal, or rounded or cut off to the digits shown."""
    unit = Fraction(1)
    while said % unit and unit > Fraction(1, 10**9):
        unit /= 10
    return right == said or (right.denominator != 1 and abs(right - said) < unit)


def shown(value: Fraction) -> str:
    """A value in digits, for a note."""
    return str(value) if value.denominator == 1 else f"{float(value):.6g}"
