"""What one comparison came to."""

from __future__ import annotations

from dataclasses import dataclass

from vlm_boundary.records.verdict import Status

STATUSES: dict[bool | None, Status] = {True: "correct", False: "incorrect", None: "undecided"}
"""What a comparison's outcome is called in a verdict."""
MOST_KEPT = 2000
"""Characters of an answer that its verdict keeps."""


@dataclass(frozen=True)
class Outcome:
    """One comparison: right, wrong, or None; the rule that decided; the tolerance it used."""

    correct: bool | None
    rule: str
    tolerance: str | None = None
