"""Lists of numbers in a chain, in a row, as points or in a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from vlm_boundary.mathtext.words import english_number
from vlm_boundary.reasoning.text.steps import shown

VALUE = r"-?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,9})(?:\.\d{1,6})?"
NUMBER = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"[-\d](?<![\w.^/-].)(?:(?<=\d)|(?<=-)\d)"
    r"(?:\d{0,2}(?:,\d{3})+(?!\d)|\d{0,8})(?:\.\d{1,6})?"
    r"(?:(?=[°%])|(?![\w^/:]|[.,]\d)(?!\s?[-+*/×÷·^=<>(]))"
)
_DIGITS = 24  # of the longest number
_WORD = r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’.]{0,14}"
# What stands between two values of a list: a unit, a separator, whose value comes next.
_HAS = "is|has|had|with|at|got|scored?|shows|sold|by"
_BETWEEN = re.compile(
    r"\s(?P<letter>[A-Z])\s"
    r"|\s?(?:°[CF]?|\\?%|[a-z]{1,9}[²³]?)?[\s$)\]}\\]{0,4}"
    r"(?:,|;|\b ?and\b)(?: ?and\b)?[\s$([{\\]{0,4}"
    rf"(?P<name>(?:(?:the|in|on|bar) )?{_WORD}(?: {_WORD})?)?"
    rf"(?:,? (?:{_HAS})\b|:| =| [–-](?=\s))?[\s$(\\]{{0,3}}[$€£]?"
)
# What at least stands between, as far as the sign, and behind it.
_TO_SIGN = (
    r"(?:\s?+(?:(?!and\b)[a-z°CF\\%]{1,9}+[²³]?+)?+[\s$)\]}\\]{0,4}+(?:[,;]|and\b)|\s[A-Z]\s)"
)
_TO_VALUE = r"[\s$([{\\A-Za-zÀ-ÿ'’.,:=–$€£-]{0,60}+"
_THREE = re.compile(
    rf"[0-9](?![0-9.]){_TO_SIGN}{_TO_VALUE}[0-9][0-9.,]{{0,{_DIGITS}}}?{_TO_SIGN}{_TO_VALUE}[0-9]"
)
_POINTS = re.compile(
    r"\n[^\S\n]{0,8}(?:[-*•–|]|\d{1,2}[.)])[^\S\n]{0,3}\**[A-Za-zÀ-ÿ][\w '’-]{0,30}\**"
    r"[^\S\n]{0,3}(?:[:|–=-]|is)"
)
_BEFORE = re.compile(rf"(?P<name>{_WORD})(?: (?:{_HAS})|:| [=–-])?[\s($€£\\]{{1,3}}\Z")
_ROW = re.compile(  # a point or a table's row with one number
    r"^[^\S\n]{0,8}(?:[-*•–|]|\d{1,2}[.)])[^\S\n]{0,3}\**(?P<name>[A-Za-zÀ-ÿ][\w '’-]{0,30}?)\**"
    rf"[^\S\n]{{0,3}}(?::|\||–|-|=|is)\**[^\S\n]{{0,3}}[$€£]?(?P<value>{VALUE})"
    r"(?:[^\S\n]?(?:°[CF]?|%|[a-z]{1,10}))?[^\S\n]{0,3}[|.;,]?[^\S\n]{0,3}$",
    re.MULTILINE,
)
_GOES_ON = re.compile(  # or has a member that is not known
    r"[\s$]?,?\s?(?:\.{2,}|…|\\[cl]?dots|etc\b|and so on)"
    r"|(?:[\s$]?,|\s?and|[\s$]?, and)\s(?:\$|\\\()?[a-z?](?![\w'’])"
    r"|\s?and (?:an?|one|the) (?:unknown|missing|other|\w{1,4}th)\b"
)
_MORE_DIGITS = re.compile(r"[\d.,]{0,40}\d")
_RULE = re.compile(r"[\s|:-]*")
MOST = "largest|highest|maximum|greatest|biggest|tallest|longest|most"
LEAST = "smallest|lowest|minimum|shortest|fewest|least"
NTHS = "first|second|third|fourth|fifth|sixth|seventh|eighth"
_PLACES = {name: place for place, name in enumerate(NTHS.split("|"))} | {"next": 1}
_OFTEN = {"once": 1, "twice": 2, "thrice": 3}
_JOINS = frozenset(
    "first second third fourth fifth sixth last are have sum total together than plus minus"
    " times more less gives makes so or median mode mean average"
    f" range {MOST} {LEAST}".replace("|", " ").split()
)
IN_ORDER = re.compile(
    r"\b(?:(?P<up>ascending|increasing|from (?:the )?(?:smallest|least|lowest))"
    r"|(?P<down>descending|decreasing|from (?:the )?(?:largest|greatest|highest|biggest))"
    r"|sorted|sorting(?=[^.]*(?::|\b(?:gives?|yields?|get|have|makes?))\W*\Z)"
    r"|(?:numerical|in) order)\b",
    re.IGNORECASE,
)
_LISTS = 12


@dataclass(frozen=True, slots=True)
class NumberList:
    """Three values or more, where they stand, and whose they are."""

    values: tuple[Fraction, ...]
    names: tuple[str, ...]
    """Whose the values are, in small letters; "" where no name stands by it."""
    start: int
    end: int


def number_lists(text: str, start: int, end: int) -> list[NumberList]:
    """The first lists in a text, in order; a name that repeats itself makes none."""
    found = sorted(
        [*_inline(text, start, end), *_rows(text, start, end)], key=lambda one: one.start
    )
    return [one for one in found[:_LISTS] if "" in one.names or len({*one.names}) > 1]


def _inline(text: str, start: int, end: int) -> Iterator[NumberList]:
    """Three numbers or more with only separators, units and names between them."""
    at = start
    while (three := _THREE.search(text, at, end)) is not None:
        run, names = _run(text, max(at, three.start() - _DIGITS), three.start(), end)
        if len(run) < 3:
            at = three.start() + 1
            continue
        at = run[-1].end()
        if not _GOES_ON.match(text, at):
            before = _BEFORE.search(text, max(start, run[0].start() - 24), run[0].start())
            named = before["name"].lower() if before and any(names) else ""
            values = tuple(value_of(match[0]) for match in run)
            yield NumberList(values, (named, *names), run[0].start(), at)


def _run(text: str, start: int, place: int, end: int) -> tuple[list[re.Match[str]], list[str]]:
    """The numbers from that at a place on that belong to one list, and the names between them."""
    run: list[re.Match[str]] = []
    names: list[str] = []
    before = NUMBER.finditer(text, start, min(end, place + _DIGITS))
    if not any(number.start() <= place < number.end() for number in before):
        return run, names
    for number in NUMBER.finditer(text, start, end):
        if number.end() <= place:
            continue
        if run:
            joined = _BETWEEN.fullmatch(text, run[-1].end(), number.start())
            if joined is None or not _JOINS.isdisjoint(joined[0].lower().split()):
                break
            names.append((joined["name"] or joined["letter"] or "").lower())
        run.append(number)
    return run, names


def _rows(text: str, start: int, end: int) -> Iterator[NumberList]:
    """Three rows or more, each of a name and a number, one under the other."""
    if text.count("\n", start, end) < 2 or len(_POINTS.findall(text, start, end)) < 2:
        return
    run: list[re.Match[str]] = []
    for row in [*_ROW.finditer(text, start, end), None]:
        is_total = row is not None and row["name"].lower() in _JOINS
        joined = run and row is not None and _RULE.fullmatch(text, run[-1].end(), row.start())
        if row is not None and joined and not is_total:
            run.append(row)
            continue
        if len(run) > 2:
            names = tuple(match["name"].strip().lower() for match in run)
            values = tuple(value_of(match["value"]) for match in run)
            yield NumberList(values, names, run[0].start(), run[-1].end())
        run = [row] if row is not None else []


@lru_cache(maxsize=4096)
def value_of(written: str) -> Fraction:
    """The value of digits, with commas between thousands."""
    return Fraction(written.replace(",", ""))


def count_of(word: str) -> int:
    """How many a number in digits or a word says, "twice" too; 0 for any other word."""
    low = word.lower().removesuffix(" times")
    return int(low) if low.isdigit() else _OFTEN.get(low) or english_number(low) or 0


def place_of(nth: str) -> int:
    """The place of the first, the second, the next or the 3rd, from 0."""
    low = nth.lower()
    return _PLACES[low] if low in _PLACES else int(low[:-2]) - 1


def worked_out(said: Fraction, before: str) -> bool:
    """Whether a value was worked out before, so that it may be the largest of what was."""
    if "=" not in before:
        return False
    written = shown(said)
    place = before.find(written)
    while place >= 0:
        equal = before[max(0, place - 2) : place]
        equals = equal[-1:] == "=" or (equal[:1] == "=" and equal[1:].isspace())
        if equals and not _MORE_DIGITS.match(before, place + len(written)):
            return True
        place = before.find(written, place + 1)
    return False
