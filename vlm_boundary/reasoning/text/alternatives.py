"""Values that a text names in a row as possible: "24, 32 or perhaps 40"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vlm_boundary.mathtext.words import ONE_NUMBER
from vlm_boundary.reasoning.text.passages import SENTENCE, opening

_POSSIBLE = re.compile(
    r"\b(?:could|might|may|maybe|perhaps|possib\w+|either|plausible|come to mind|depend\w*"
    r"|options? (?:are|include)|candidates?)\b",
    re.IGNORECASE,
)
VALUE = re.compile(
    rf"(?<![\w.√])(?:@|\d+(?:[.:/]\d+)*(?:π|√\d+)?|π(?:/\d+)?|√\d+|[A-H](?![\w'’])"
    rf"|{ONE_NUMBER}(?![\w-]))",
    re.IGNORECASE,
)
"""A value in plain characters: a number, a time, a fraction, a multiple of π, an option."""
_BETWEEN = re.compile(
    r"[\s,;.°%?()$]*(?:(?:or|and|even|maybe|perhaps|possibly|either|also|as well|option|the|it is"
    r"|could|may|might|be|if not|[a-z](?= ?=)|c?m|degrees|units|square units|minutes|dollars"
    r"|million)\b[\s,;.°%?()=$]*){0,6}",
    re.IGNORECASE,
)
# A list of possible values, each with its own condition or with what it is for.
_LISTED = re.compile(
    r"\b(?:possible|plausible|candidate)s? ?[a-z]*(?: are| include)?[: ]", re.IGNORECASE
)
_ITEM = re.compile(r"(?:[:,;]|\b(?:are|or|and|include)) ?(@|\d+(?:[.:/]\d+)?(?:π|√\d+)?)(?= |$|,)")
_OR = re.compile(r"\b(?:or|maybe|perhaps|possibly|could|may|might)\b", re.IGNORECASE)

_DOUBTS = re.compile(  # one of which every row has
    opening(
        [
            *(
                "or",
                "could",
                "might",
                "may",
                "perhaps",
                "possib",
                "either",
                "plausible",
                "come to mind",
            ),
            *("depend", "option", "candidate"),
        ]
    ),
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Where a row of alternatives stands, its values as written, and its sentence's end."""

    start: int
    end: int
    values: frozenset[str]
    sentence_end: int


def rows(text: str) -> Iterator[Alternatives]:
    """The rows of at least two different values that are named as alternatives."""
    if _DOUBTS.search(text) is None:
        return
    for sentence in SENTENCE.finditer(text):
        if _DOUBTS.search(text, *sentence.span()) is None:
            continue
        row: list[re.Match[str]] = []
        for match in VALUE.finditer(text, *sentence.span()):
            if row and _BETWEEN.fullmatch(text, row[-1].end(), match.start()) is None:
                yield from _row(text, sentence, row)
                row = []
            row.append(match)
        yield from _row(text, sentence, row)
        listed = _LISTED.search(text, *sentence.span())
        if listed and "=" not in sentence[0]:
            items = list(_ITEM.finditer(text, listed.end() - 1, sentence.end()))
            if len({item[1] for item in items}) > 1:
                values = frozenset(item[1] for item in items)
                yield Alternatives(items[0].start(1), items[-1].end(), values, sentence.end())


def _row(text: str, sentence: re.Match[str], row: list[re.Match[str]]) -> Iterator[Alternatives]:
    values = frozenset(match[0].lower() for match in row)
    if len(values) < 2:
        return
    start, end = row[0].start(), row[-1].end()
    if _OR.search(text, start, end) or _POSSIBLE.search(text, sentence.start(), start):
        yield Alternatives(start, end, values, sentence.end())
