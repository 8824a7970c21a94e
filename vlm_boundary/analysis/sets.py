"""Which of two arms solved which problems at least once."""

from __future__ import annotations

from typing import Any

from vlm_boundary.analysis.counts import Ints


def solved_sets(base_correct: Ints, other_correct: Ints) -> dict[str, Any]:
    """How many problems each of two arms solved at least once, on the same problems.

    Args:
        base_correct, other_correct: correct counts, shape (problems,), problems in one order.
    """
    base, other = base_correct > 0, other_correct > 0
    return {
        "both": int((base & other).sum()),
        "base_only": int((base & ~other).sum()),
        "other_only": int((~base & other).sum()),
        "neither": int((~base & ~other).sum()),
    }
