"""Logs as counts: what the tool itself called right, a problem at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from vlm_boundary.analysis.counts import Counts
from vlm_boundary.analysis.table_file import VerdictTable
from vlm_boundary.errors import UserError
from vlm_boundary.imports.gathered import Gathered, Placed
from vlm_boundary.imports.records import shown
from vlm_boundary.imports.sources import Sources

_LISTED = 12


def verdict_table(sources: Sources, opinion: str | None = None) -> VerdictTable:
    """Each arm's counts by the verdict that the logs hold, this verifier having no part in them.

    A response without that verdict counts as undecided, and so as not correct.

    Args:
        opinion: which of the tool's verdicts; needed where it gives several.

    Raises:
        UserError: a log cannot be read, has no verdict, or has several and none is named.
    """
    placed = list(Gathered(sources, "log").placed())
    name = _opinion(placed, opinion)
    several = len({one.benchmark for one in placed}) > 1
    seen: dict[str, dict[str, Counter[bool | None]]] = defaultdict(lambda: defaultdict(Counter))
    for one in placed:
        key = f"{one.benchmark}/{one.problem_id}" if several else one.problem_id
        seen[one.arm][key][one.response.opinions.get(name)] += 1
    counts = {arm: _counts(problems) for arm, problems in seen.items()}
    return VerdictTable(counts, None, 0)


def _opinion(placed: Sequence[Placed], wanted: str | None) -> str:
    held = Counter(
        name
        for one in placed
        for name, verdict in one.response.opinions.items()
        if verdict is not None
    )
    names = list(held)
    listed = ", ".join(shown(name) for name in names[:_LISTED])
    if wanted is not None and wanted not in held:
        raise UserError(f"--correct-column {wanted}: the logs hold no such verdict ({listed})")
    if wanted is None and not names:
        raise UserError(
            "the logs hold no verdict on a response; 'vlm-boundary import' and 'run' grade them"
        )
    if wanted is None and len(names) > 1:
        raise UserError(f"the logs hold several verdicts ({listed}); say which, --correct-column")
    return wanted or names[0]


def _counts(problems: dict[str, Counter[bool | None]]) -> Counts:
    names = tuple(sorted(problems))
    said = [problems[name] for name in names]
    samples = np.array([one.total() for one in said], dtype=np.int64)
    right = np.array([one[True] for one in said], dtype=np.int64)
    undecided = np.array([one[None] for one in said], dtype=np.int64)
    return Counts(names, samples, right, undecided, strict=right)
