"""Rows of a square grid of dots, and how many dots, gaps and squares fit into them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from vlm_boundary.mathtext.words import english_number
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.text.passages import hypothetical, retracted

_GRID = re.compile(
    r"\b(\d{1,2}) ?(?:by|x|×) ?(\d{1,2}) (?:dot grid|grid of (?:dots|points)|(?:square )?(?:dot"
    r"|point) (?:grid|array))"
)
_SMALL = r"\d{1,2}|two|three|four|five|six|seven|eight|nine|ten"
_IN_GRID = re.compile(
    rf"\b(?P<a>{_SMALL}) (?:(?:unit |little |small )?(?P<what>dots|points|gaps|spaces|squares)"
    r" (?:in|on|per|along|to|make up|form)(?: each| every| a| one| any| the)? (?:row|column|side"
    r"|edge)\b(?!s)"
    r"|(?:rows|columns) of (?:unit |little )?(?P<rows>dots|points|squares|gaps))"
    rf"|\b(?:row|column|side|edge) (?:contains|has|holds|of|with|shows) (?P<b>{_SMALL})"
    rf" (?P<of>dots|points|gaps|spaces|squares)\b"
    rf"|\b(?:rows|columns) of (?P<c>{_SMALL}) (?P<each>dots|points|squares)\b",
    re.IGNORECASE,
)


def grids(question: str, text: str, start: int, end: int) -> Iterator[Evidence]:
    """Rows of a square grid of dots with more or fewer dots, gaps or squares than fit."""
    grid = _GRID.search(question)
    if grid is None or grid[1] != grid[2] or "unit" not in question:
        return
    dots = int(grid[1])
    for match in islice(_IN_GRID.finditer(text, start, end), 20):
        written = match["a"] or match["b"] or match["c"]
        what = (match["what"] or match["rows"] or match["of"] or match["each"]).lower()
        count = int(written) if written.isdigit() else english_number(written.lower())
        fits = dots if what in ("dots", "points") else dots - 1
        if count != fits and _stands(text, match, start, end):
            note = f"a row of this grid has {fits} {what}, not {count}"
            yield Evidence("contradiction", *match.span(), note)


def _stands(text: str, match: re.Match[str], start: int, end: int) -> bool:
    return not hypothetical(text, match.start(), start) and not retracted(text, match.end(), end)
