"""Times of day and dates: neither is a ratio, a sum or a quotient."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vlm_boundary.mathtext.words import spelled_out
from vlm_boundary.verifier.latex import plain_math
from vlm_boundary.verifier.outcome import Outcome

_HALF = r"(?:\s*([ap])\.?\s?m\b\.?)?"
_PART_OF_DAY = re.compile(r"\s+in\s+the\s+(morning|afternoon|evening)$", re.IGNORECASE)
_LEAD = re.compile(
    r"(?:(?:it|that|this|the\s+(?:time|clock|watch|answer))\s+)?(?:(?:is|was|shows?|reads?|says?)\s+)?"
    r"(?:(?:at|now|exactly|about|around|approximately)\s+)*",
    re.IGNORECASE,
)
_DIGITAL = re.compile(rf"(\d{{1,2}}):(\d{{2}})(?::(\d{{2}}))?{_HALF}", re.IGNORECASE)
_HOUR = re.compile(r"(\d{1,2})(?:\s*o'?clock\b)?" + _HALF, re.IGNORECASE)
_SPOKEN = re.compile(
    r"(half|(?:a\s+)?quarter|1/4|\d{1,2}(?:\s+minutes?)?)\s+(past|after|to|before)\s+(\d{1,2})"
    + _HALF,
    re.IGNORECASE,
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"\d{{4}}([-/.])\d{{1,2}}\1\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\2(?:\d{{4}}|\d{{2}})"
    rf"|{_MONTH}\s+{_DAY}(?:\s*,?\s*\d{{4}})?|{_DAY}\s+(?:of\s+)?{_MONTH}(?:\s*,?\s*\d{{4}})?"
    rf"|{_MONTH}\s*,?\s*\d{{4}}|(?:1[5-9]|20)\d\d\s*-\s*(?:1[5-9]|20)\d\d",
    re.IGNORECASE,
)
_MAX = 80


@dataclass(frozen=True)
class Clock:
    """A time of day in seconds since midnight; of which half of the day, where that is known."""

    seconds: int
    half: str | None
    marked: bool
    """Whether a.m. or p.m. was said."""


def read_clock(text: str) -> Clock | None:
    """The time that a text says and nothing else: 9:30, 9:30 a.m., half past nine, 5 o'clock."""
    if len(text) > _MAX:
        return None
    plain = spelled_out(plain_math(text)).strip(" .,\"'")
    plain = plain[_LEAD.match(plain).end() :]  # type: ignore[union-attr]  # matches nothing, too
    if said := _PART_OF_DAY.search(plain):
        plain = plain[: said.start()] + (" am" if said[1].lower() == "morning" else " pm")
    if plain.lower() in ("noon", "midnight"):
        return _clock(12, 0, 0, "p" if plain.lower() == "noon" else "a")
    if match := _DIGITAL.fullmatch(plain):
        return _clock(int(match[1]), int(match[2]), int(match[3] or 0), match[4])
    if (match := _HOUR.fullmatch(plain)) and match[0].strip() != match[1]:
        return _clock(int(match[1]), 0, 0, match[2])
    if match := _SPOKEN.fullmatch(plain):
        part = match[1].lower()
        quarter = part.endswith(("quarter", "/4"))
        minutes = 30 if part == "half" else 15 if quarter else int(part.split()[0])
        hour = int(match[3])
        if match[2].lower() in ("past", "after"):
            return _clock(hour, minutes, 0, match[4])
        if part != "half":
            return _clock((hour - 2) % 12 + 1, 60 - minutes, 0, match[4])
    return None


def _clock(hour: int, minute: int, second: int, half: str | None) -> Clock | None:
    if hour > 24 or minute > 59 or second > 59 or (half and not 1 <= hour <= 12):
        return None
    marked = bool(half)
    half = half.lower() if half else None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    elif hour > 12 or hour == 0:
        half = "p" if 12 < hour < 24 else "a"
    return Clock(hour * 3600 + minute * 60 + second, half, marked)


def compare_clock(gold: Clock, raw: str) -> Outcome | None:
    """A time against a time; None where the text says none."""
    found = read_clock(raw)
    if found is None:
        return None
    same_face = gold.seconds % 43200 == found.seconds % 43200
    if not same_face:
        return Outcome(False, "time_differs")
    if gold.half is None:  # 7:45 is the time on a clock's face, whichever half of the day
        plain = found.half is None or found.marked or found.seconds == gold.seconds
        return Outcome(True, "time_equal") if plain else Outcome(None, "half_of_day")
    if found.half is None:
        return Outcome(None, "half_of_day")
    same = gold.half == found.half
    return Outcome(same, "time_equal" if same else "time_differs")


def is_date(text: str) -> bool:
    """Whether a text is a date, or a span of years, and nothing else."""
    return len(text) <= _MAX and _DATE.fullmatch(plain_math(text).strip(" .,")) is not None


def compare_date(gold: str, raw: str) -> Outcome:
    """A date is right as it is written; another order of the same numbers is undecided."""
    one, two = _date_parts(gold), _date_parts(raw)
    if one == two:
        return Outcome(True, "date_equal")
    may_be = is_date(raw) and "-" not in gold and sorted(one) == sorted(two)
    return Outcome(None if may_be else False, "date_differs")


def _date_parts(text: str) -> list[str]:
    plain = plain_math(text[:_MAX]).lower().strip(" .,")
    parts = re.findall(r"\d+|[a-z]{3,}|\S", re.sub(r"(?<=\d)(?:st|nd|rd|th)\b|,|\bof\b", "", plain))
    return [part[:3] if part.isalpha() else part.lstrip("0") or "0" for part in parts]
