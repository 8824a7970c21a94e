"""Each value that a text says, and the words around it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice

from vlm_boundary.mathtext.words import english_number
from vlm_boundary.reasoning.lists.number_lists import value_of

_NUMBER = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"[$€£](?<!\w.)-?(?:(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,6})?)(?![\w^]|[.,:/]\d)"
    r"|(?:[-−](?<![\w.^/:)-].)\d|\d(?<![\w.^/:$€£-]\d)(?<!\d,\d))"
    r"(?:\d{0,2}(?:,\d{3})+|\d{0,8})(?:\.\d{1,6})?(?![\d^²³/:]|[.,]\d| and a half"
    r"|(?![cmk]?m\b|k?g\b|[hs]\b)[A-Za-z]|[a-z]{1,4}\^)"
)
_WORDED = re.compile(  # begins with a set of characters as well
    r"[TFSENtfsen](?<!\w.)(?:(?<=[Tt])(?:wo|hree|en|welve)|(?<=[Ff])(?:our|ive)|(?<=[Ss])(?:ix"
    r"|even)"
    r"|(?<=[Ee])(?:ight|leven)|(?<=[Nn])ine)(?![\w-]| and an? )"
)
UNIT = re.compile(
    r"[^\S\n]?(?:(?P<unit>°C?|\\?%|€|\$(?=[\s.,;)\]]|\Z)|[cmkd]?m[²³]?|k?g|ml|l|h|s|min|km/h|m/s"
    r"|degrees?|percent|dollars?|euros?|cents?|cent(?:imet\w+)|met(?:er|re)s?|kilomet\w+"
    r"|inch(?:es)?"
    r"|feet|units?|minutes?|hours?|seconds?)(?![\w/]))?"
)
SIGNS_OF_UNITS = {
    "degrees": "°", "degree": "°", "°C": "", "percent": "%", "\\%": "%", "unit": "", "units": "",
    "dollar": "$", "dollars": "$", "euro": "€", "euros": "€", "£": "£",
}  # fmt: skip
# Where a statement of one value begins or ends.
CUT = re.compile(  # begins with a set of characters as well
    r"[;!?\n()\[\]|<>.:,\sasbwthgA](?:(?<=[;!?\n()\[\]|<>])|(?<=[.:])(?=\s|$)"
    r"|(?<=,)(?!\d|\s(?:at|which (?:is|has|was)|costing|with)\s)|(?<=\s)[–—]\s|(?<!\w.)"
    r"(?:(?<=a)nd|(?<=s)(?:o|ince)|(?<=b)ecause|(?<=b)(?<!thing b)ut"
    r"|(?<=w)(?:hile|here|hereas|hen|e)"
    r"|(?<=t)(?:hen|hat|hus|herefore)|(?<=h)(?:ence|ere)|(?<=g)iven"
    r"|(?<=[Aa])s(?= (?:the|angle|∠)))\b)",
)
_TOKEN = re.compile(r"\d+(?:\.\d+)?(?:[-–]\d+(?:\.\d+)?)?|[A-Za-z]+\d{0,2}²?|∠|=")
_OPERATORS = re.compile(r"[+*/×÷·^≈<>≤≥√]|\s[-−–]\s|\\(?:times|cdot|frac|sqrt|div)")
_SIGNS_BEFORE = frozenset("+*/×÷·^≈≤≥√")
_OPERATIONS_BEFORE = ("\\frac{", "\\sqrt{", "\\cdot ", "\\times ")
_SIGNS_BEHIND = _SIGNS_BEFORE | frozenset("<>-−=(")
_PLURAL = frozenset(
    "sides diagonals angles legs values points vertices numbers lengths scores lines heights"
    " sizes cards segments temperatures weights".split()
)
_CALENDAR = {
    name[:3]: name
    for name in "january february march april june july august september october november december"
    " monday tuesday wednesday thursday friday saturday sunday".split()
}
_CALENDAR |= {"sept": "september", "tues": "tuesday", "thur": "thursday", "thurs": "thursday"}
_TYPESET = re.compile(r"\\angle(?![a-zA-Z])|\^\{?\\circ\}?")
_BLANK = ("\\(", "\\)", "\\[", "\\]", "\\,", "**")
_DOLLAR = re.compile(r"\$(?!\d)")
_PLAIN = {"\\angle": "∠     ", "^\\circ": "°     ", "^{\\circ}": "°       "}
_SEVERAL = re.compile(r", \d")  # a, b, h = 6, 10, 4
_WHOLE = re.compile(
    r"\d|=|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|is|are|was|has|have|be"
    r"|equal)\b|\A\s*\Z"
)
_FRONTED = re.compile(
    r"\b(?:In|On|For|At) (?:the )?(?P<name>[A-Za-z0-9-]{2,12}(?: [A-Z0-9][\w-]{0,9})?), ?\Z"
)
_ANGLE_AT_LETTER = re.compile(r"[Aa]ngle (?:at|of) (?:the )?(?:vertex |point )?(?=[A-Z]\b)")
_ANGLE_AT = re.compile(r"[Aa]ngle (?:at|of) (?:the )?(?P<name>apex|centre|center|top)\b")
_TIMES = re.compile(r"\s*(?:[-−=(]|x\s?[$\d]|:\s?\d)")
_COUNTS = re.compile(r"\d [a-z]")
_OF_ADJECTIVE = {
    "wide": "width", "long": "length", "tall": "height", "high": "height", "deep": "depth",
    "thick": "thickness",
}  # fmt: skip
_REACH = 90
_MOST = 200  # of one text


@dataclass(frozen=True, slots=True)
class Said:
    """One value, and the words before and behind it as far as its statement goes."""

    before: tuple[str, ...]
    value: Fraction
    unit: str
    behind: tuple[str, ...]
    plural: bool
    """Whether it is one of several: sides 6 and 10."""
    last: str
    """The last word before the value, as it stands."""
    first: int
    start: int
    end: int


@lru_cache(maxsize=4)  # several checks read one text
def untypeset(text: str) -> str:
    """A text without the signs of typesetting, each place where it was."""
    if "\\" in text:
        text = _TYPESET.sub(lambda match: _PLAIN.get(match[0], " " * len(match[0])), text)
    if "\\" in text or "**" in text:
        for sign in _BLANK:
            text = text.replace(sign, "  ")
    return _DOLLAR.sub(" ", text) if "$" in text else text


def words_of(written: str) -> tuple[str, ...]:
    """The words that tell one name from another: no plural, months and days in full."""
    if "ngle " in written:
        written = _ANGLE_AT.sub(r"\g<name> angle", _ANGLE_AT_LETTER.sub("angle ", written))
    if "s" in written:
        written = written.replace("'s", "").replace("’s", "")
    return tuple(map(_kept, _TOKEN.findall(written)))


@lru_cache(maxsize=4096)
def _kept(word: str) -> str:
    """A word without its plural, and a month or a day in full."""
    if word == "∠":
        return "angle"
    if word.isupper() and len(word) <= 4:
        return word
    low = _CALENDAR.get(word.lower(), word.lower())
    plural = len(low) > 3 and low[-1] == "s" and low[-2] not in "su"
    return low[:-1] if plural else low


@lru_cache(maxsize=4)  # several checks read one text
def sayings(text: str, start: int, end: int) -> tuple[Said, ...]:
    """The first numbers that no sign of an operation stands by, with the words around them."""
    return tuple(islice(_sayings(text, start, end), _MOST))


def _sayings(text: str, start: int, end: int) -> Iterator[Said]:
    found = [one for one in _NUMBER.finditer(text, start, end) if _alone(text, one, start, end)]
    found += _WORDED.finditer(text, start, end)
    if not found:
        return
    cuts = list(_cuts(text, start, end))
    ends, starts = [cut[1] for cut in cuts], [cut[0] for cut in cuts]
    for match in sorted(found, key=lambda match: match.start()):
        place = bisect_right(ends, match.start()) - 1
        if place >= 0 and cuts[place][2] and match.start() - ends[place] < 3:
            place -= 1  # "Jan: 20" is one statement
        first = max(start, match.start() - _REACH, ends[place] if place >= 0 else start)
        before = text[first : match.start()]
        if first > start and text[first - 1] in ")]}" and before[:1].strip():
            continue  # the end of an expression
        before = before.removeprefix(" ").removeprefix("and ")
        if _OPERATORS.search(before) or ("=" in before and _SEVERAL.match(text, match.end())):
            continue
        unit = UNIT.match(text, match.end(), end)
        last = unit.end() if unit else match.end()
        rest = text[last : min(end, last + _REACH)]
        if _OPERATORS.match(rest.lstrip()[:7]) or _TIMES.match(rest):
            continue
        stop = bisect_left(starts, last)
        behind = rest[: max(0, starts[stop] - last)] if stop < len(starts) else rest
        name = (unit["unit"] if unit else "") or ""
        name = SIGNS_OF_UNITS.get(name, name) or ("$" if match[0][0] in "$€£" else "")
        value = value_said(match[0])
        words, rest_words = words_of(_front(text, first, start) + before), words_of(behind)
        if name == "°" and words[-1:] == ("=",) and len(words) > 1 and words[-3:-2] != ("angle",):
            words = (*words[:-2], "angle", *words[-2:])
        if rest_words and rest_words[0] in _OF_ADJECTIVE:  # 4 m wide
            words, rest_words = (*words, _OF_ADJECTIVE[rest_words[0]]), rest_words[1:]
        last_word = (before.split() or [""])[-1].strip("=: ").lower()
        plural = last_word in _PLURAL
        where = first, match.start(), match.end()
        yield Said(words, value, name, rest_words, plural, last_word, *where)


def _alone(text: str, number: re.Match[str], start: int, end: int) -> bool:
    """Whether no sign of an operation stands right before a number or right behind it."""
    first, last = number.span()
    if text[max(start, first - 2) : first].rstrip(" ")[-1:] in _SIGNS_BEFORE or text.endswith(
        _OPERATIONS_BEFORE, start, first
    ):
        return False
    return text[last : min(end, last + 2)].lstrip(" ")[:1] not in _SIGNS_BEHIND


def _cuts(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Where statements begin or end, and whether a value may still be joined behind it."""
    first = start
    searched = start  # that far is nothing that makes a statement whole
    for cut in CUT.finditer(text, start, end):
        if cut[0] == "and" and not _WHOLE.search(text, max(first, searched), cut.start()):
            searched = cut.start()
            continue  # two names joined
        joins = cut[0] in ":|" and not _COUNTS.search(text, first, cut.start())
        first = cut.end()
        yield cut.start(), first, joins


def _front(text: str, first: int, start: int) -> str:
    """The name in front of a comma: In March, 25 units were sold."""
    if "," not in text[max(start, first - 2) : first]:
        return ""
    match = _FRONTED.search(text, max(start, first - 40), first)
    return f"{match['name']} " if match else ""


def value_said(written: str) -> Fraction:
    """The value of a number as it is written, in digits or in a word."""
    if written.isalpha():
        return Fraction(english_number(written) or 0)
    return value_of(written.lstrip("$€£").replace("−", "-"))
