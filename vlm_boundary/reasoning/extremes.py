"""Claims of a largest or smallest among named values that the chain itself lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.passages import opening, retracted
from vlm_boundary.verifier.phrases import occurs

_MOST = "highest|largest|tallest|greatest|biggest|maximum|longest|oldest|heaviest"
_LEAST = "lowest|smallest|shortest|least|minimum|fewest|youngest|lightest"
_EXTREMES = tuple(f"{_MOST}|{_LEAST}".split("|"))
_CLAIM = re.compile(
    rf"(?P<word>{opening(_EXTREMES)})(?: (?:bar|value|point|one|number|column|slice|sales))?"
    r"\s{0,2}(?::|=|\bis\b)\s{0,2}(?:the |at )?(?P<name>[A-Za-z]{1,15})\b(?!\s?\d)",
    re.IGNORECASE,
)
_CALLED = re.compile(rf" (?:is|has) the (?P<word>{_MOST}|{_LEAST})\b", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Za-z]{1,15}\Z")
_PAIR = r"[A-Za-z]{1,15}\s{0,2}(?:is|=|:|has)?\s{0,2}\d{1,12}(?:\.\d{1,9})?%?"
_LIST = re.compile(rf"\b{_PAIR}(?:(?:\s?[,;.]|\s?and)?\s{{1,2}}(?:and )?{_PAIR}){{2,40}}(?![\d%])")
_NAMED = re.compile(r"([A-Za-z]{1,15})\s{0,2}(?:is|=|:|has)?\s{0,2}(\d{1,12}(?:\.\d{1,9})?)")
_THREE = re.compile(r"\d\D+\d\D+\d")  # numbers
_OTHER = re.compile(
    r"\b(?:second|third|next|not|of|to|among|between|except|without|2nd|3rd)\b", re.I
)


def wrong_extremes(text: str, start: int, end: int) -> list[Evidence]:
    """A name called the largest (smallest) of values listed before it, which it is not."""
    if not _THREE.search(text, start, end) or not occurs(_EXTREMES, text.lower()):
        return []
    found: list[Evidence] = []
    values: dict[str, Fraction] | None = None
    for word, name, first, last in _claims(text, start, end):
        if values is None:
            values = _listed(text, start, end)
        if name not in values or _OTHER.search(text, max(start, first - 30), first):
            continue
        most = re.fullmatch(_MOST, word, re.IGNORECASE) is not None
        extreme = max(values.values()) if most else min(values.values())
        if values[name] != extreme and not retracted(text, last, end):
            note = f"{name} is {values[name]}, but {extreme} is listed"
            found.append(Evidence("contradiction", first, last, note))
    return found


def _claims(text: str, start: int, end: int) -> Iterator[tuple[str, str, int, int]]:
    for match in _CLAIM.finditer(text, start, end):
        yield match["word"], match["name"].lower(), *match.span()
    for match in _CALLED.finditer(text, start, end):
        if name := _NAME.search(text, max(start, match.start() - 16), match.start()):
            yield match["word"], name[0].lower(), name.start(), match.end()


def _listed(text: str, start: int, end: int) -> dict[str, Fraction]:
    """The values of the one list of named values, each name once; nothing if it is unclear."""
    lists = list(_LIST.finditer(text, start, end))
    if len(lists) != 1:
        return {}
    pairs = [(name.lower(), Fraction(value)) for name, value in _NAMED.findall(lists[0][0])]
    values = dict(pairs)
    return values if len(values) == len(pairs) else {}
