"""What one comparison came to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One comparison: right, wrong, or None; the rule that decided; the tolerance it used."""

    correct: bool | None
    rule: str
    tolerance: str | None = None
