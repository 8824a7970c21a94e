"""Numbers and sums written as words, in English and Chinese."""

from __future__ import annotations

import re

_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_MULTIPLES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SPECIAL = {"dozen": 12}
_FIRST = "|".join(sorted({*_SMALL, *_TENS, *_SPECIAL}, key=len, reverse=True))
_WORD = "|".join([*sorted(_MULTIPLES, key=len, reverse=True), _FIRST])
ENGLISH = rf"(?:{_FIRST})(?:(?:\s+and\s+|[\s-])(?:{_WORD})(?![a-zA-Z])){{0,20}}"
"""A regular expression for a number in English words, to be bounded by word edges."""
_LARGE = "|".join(f"(?<={word})" for word in _MULTIPLES)
ONE_NUMBER = rf"(?>(?:{_FIRST})(?:(?:(?:{_LARGE}) and |[ -])(?:{_WORD})(?![a-zA-Z])){{0,8}})"
"""The same for patterns that repeat it: "four and five" are two, and it is read in one way only."""
FIRST_WORDS = frozenset({*_SMALL, *_TENS, *_SPECIAL})
"""Words that a number in English words begins with."""
_PARTS = re.compile(rf"{_WORD}|and")

_HAN = {**{c: i for i, c in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}
HAN = r"[零〇一二两三四五六七八九十百千]+"
"""A regular expression for a number in Chinese characters, below ten thousand."""


def english_number(text: str) -> int | None:
    """The number that English words spell: "one hundred and twenty-five" is 125; else None."""
    total, group, last = 0, 0, 10**12
    for word in _PARTS.findall(text.lower()):
        if word == "and":
            continue
        if word in _SPECIAL:
            group = max(group, 1) * _SPECIAL[word]
        elif word in _MULTIPLES:
            multiple = _MULTIPLES[word]
            if multiple == 100:
                group = max(group, 1) * 100
            else:
                total += max(group, 1) * multiple
                group = 0
            last = multiple
        else:
            value = _SMALL.get(word, _TENS.get(word, 0))
            size = 10 if word in _TENS else 1
            if size >= last and last < 100:  # "two three" are two numbers
                return None
            group += value
            last = size if word in _TENS else 0
    return total + group


def han_number(text: str) -> int | None:
    """The number that Chinese characters spell: 一百二十五 is 125; else None."""
    if not any(c in _HAN_UNITS for c in text):
        return int("".join(str(_HAN[c]) for c in text)) if len(text) <= 12 else None
    total, digit = 0, 0
    for c in text:
        if c in _HAN:
            digit = _HAN[c]
        else:
            total += (digit or 1) * _HAN_UNITS[c]
            digit = 0
    return total + digit


_NUMBER_WORDS = re.compile(
    rf"(?<![\w-])({ENGLISH}|an?\s+(?:hundred|thousand|million|billion))(?!\w)", re.IGNORECASE
)
_AND_A_PART = re.compile(  # two and a half; "2 and 1/2" may be two values
    rf"(?<![\w./-])({ENGLISH}|\d+)\s+and\s+an?\s+(half|third|quarter)(?!\w)", re.IGNORECASE
)
_DENOMINATORS = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4,
    "fourths": 4, "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7,
    "eighth": 8, "eighths": 8, "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10,
    "twelfth": 12, "twelfths": 12, "hundredth": 100, "hundredths": 100, "thousandth": 1000,
    "thousandths": 1000,
}  # fmt: skip
_FRACTION_WORDS = re.compile(
    rf"(?<![\w-])({ENGLISH}|an?)[ -]({'|'.join(_DENOMINATORS)})(?!\w)", re.IGNORECASE
)
_ARITHMETIC = re.compile(r"\b(?:of|twice|double|triple|squared|cubed|times|plus|minus|by|over)\b")
_SPOKEN = [
    (re.compile(pattern, re.IGNORECASE), sign)
    for pattern, sign in (
        (r"(?:the\s+)?square\s+root\s+of\s+(?=\d)", "√"),
        (r"(?:a\s+)?half\s+of\s+(?=\d)", "1/2*"),
        (r"(?<=\d)(?<=/.)\s+of\s+(?=\d)", "*"),
        (r"(?<!\w)(?:twice|double)\s+(?=\d)", "2*"),
        (r"(?<!\w)(?:thrice|triple)\s+(?=\d)", "3*"),
        (r"(?<=\d)\s+squared(?!\s*\w)", "^2"),
        (r"(?<=\d)\s+cubed(?!\s*\w)", "^3"),
        (r"(?<=\d)\s+(?:times|multiplied\s+by)\s+(?=\d)", "*"),
        (r"(?<=\d)\s+plus\s+(?=\d)", "+"),
        (r"(?<=\d)\s+minus\s+(?=\d)", "- "),
        (r"(?<=\d)\s+(?:divided\s+by|over)\s+(?=\d)", "/"),
    )
]
_HAN_NUMBER = re.compile(
    rf"(?<![一-鿿])({HAN})(?=$|[^一-鿿]|个|度|厘|平|立|米|元|岁|年|种|条|块|只|次)"
)
_LETTER = re.compile(r"[a-zA-Z]{3}")


def spelled_out(text: str) -> str:
    """The text with numbers in words written as digits: "twenty-one students" is "21 students"."""
    if _LETTER.search(text):
        if " and a" in text:
            text = _AND_A_PART.sub(_and_a_part, text)
        text = _FRACTION_WORDS.sub(_fraction, text)
        text = _NUMBER_WORDS.sub(_number, text)
        if _ARITHMETIC.search(text):
            for pattern, sign in _SPOKEN:
                text = pattern.sub(sign, text)
        text = text.replace("infinity", "∞")
    if not text.isascii():
        text = _HAN_NUMBER.sub(lambda m: str(han_number(m[1])), text)
    return text


def _number(match: re.Match[str]) -> str:
    value = english_number(match[1])
    return match[1] if value is None else str(value)


def _and_a_part(match: re.Match[str]) -> str:
    return f"{match[1]} 1/{_DENOMINATORS[match[2].lower()]}"


def _fraction(match: re.Match[str]) -> str:
    top = 1 if match[1].lower() in ("a", "an") else english_number(match[1])
    return match[0] if top is None else f"{top}/{_DENOMINATORS[match[2].lower()]}"
