"""Two names in an order that is not that of the values that the question gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.picture.sayings import words_of
from vlm_boundary.reasoning.picture.told import NAME, Told
from vlm_boundary.reasoning.text.passages import hypothetical, retracted
from vlm_boundary.reasoning.text.steps import shown

_MORE = frozenset("taller longer larger higher bigger greater heavier older more".split())
_THAN = re.compile(
    rf"\b(?P<one>{NAME}) (?:is|are|was|were|has|have|had|sold|scored|got|read)"
    r"(?: (?!not|only|now)[a-z]{1,9})?"
    r" (?P<how>taller|longer|larger|higher|bigger|greater|heavier|older|more|shorter|smaller|lower"
    r"|lighter|younger|less|fewer)(?: [a-z]{3,12})?(?: [a-z]{3,12})? than"
    rf" (?:the |in |on |that of |bar |for )?(?P<two>{NAME})"
)


def compared(text: str, known: Told, start: int, end: int) -> Iterator[Evidence]:
    """Each comparison of two names that their values do not bear out."""
    for match in _THAN.finditer(text, start, end):
        one, two = words_of(match["one"])[-2:], words_of(match["two"])[:2]
        first = known.named.get(one) or known.named.get(one[-1:])
        second = known.named.get(two) or known.named.get(two[:1])
        if first is None or second is None or first.unit != second.unit:
            continue
        more = match["how"].lower() in _MORE
        if (first.value > second.value) == more and first.value != second.value:
            continue
        if hypothetical(text, match.start(), start) or retracted(text, match.end(), end):
            continue
        values = f"{shown(first.value)} of the one and {shown(second.value)} of the other"
        yield Evidence("contradiction", *match.span(), f"the question has {values}")
