"""Times of day that a question lists, and what a chain says of which are before and after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from vlm_boundary.reasoning.lists.listed import described
from vlm_boundary.reasoning.lists.members import wrong_members
from vlm_boundary.reasoning.lists.properties import Found, Speech
from vlm_boundary.reasoning.text.places import small

_TIME = re.compile(r"(?<![\d:.])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?!\d|:\d)")
_BEFORE = re.compile(r"\bbefore(?= \d?\d:\d\d)", re.IGNORECASE)
_AFTER = re.compile(r"\bafter(?= \d?\d:\d\d)", re.IGNORECASE)
_MINUTES = re.compile(r"\b\d{1,4}\b")


def wrong_hours(speech: Speech) -> Iterator[Found]:
    """Before 8:30 are 7:35 and 8:40: times are compared as minutes of the day."""
    if len(_TIME.findall(speech.question)) <= 3 or "[" not in speech.question:
        return
    question = _in_minutes(speech.question)
    data = described(question)
    if data is None or any(data.names):
        return
    text = _in_minutes(speech.text)
    asked = re.sub(r"\[[^\[\]]*\]", " ", question).lower()
    timed = replace(speech, text=text, low=small(text), question=question, asked=asked, data=data)
    for first, last, note in wrong_members(timed):
        yield first, last, _MINUTES.sub(lambda found: _hour(int(found[0])), note)


def _in_minutes(text: str) -> str:
    """The same text, each time of day in minutes and of the same length, and every place kept."""
    text = _BEFORE.sub(" below", _AFTER.sub("above", text))

    def minutes(found: re.Match[str]) -> str:
        return str(int(found["hour"]) * 60 + int(found["minute"])).zfill(len(found[0]))

    return _TIME.sub(minutes, text)


def _hour(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
