"""What the numbers do not stand on, though a run stores it."""

from __future__ import annotations

from collections.abc import Sequence

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.counted import counted
from vlm_boundary.records.analysis import Analysis
from vlm_boundary.records.sections import LeftOut

_NAMED = 5


def left_out(data: BenchmarkData) -> list[LeftOut] | None:
    """Rows by arm, condition and reason; see `fitting`."""
    return [
        LeftOut(arm=where.arm, condition=where.condition, reason=reason, rows=rows)
        for where, reasons in sorted(data.left_out.items())
        for reason, rows in reasons.items()
    ] or None


def left_out_lines(analysis: Analysis) -> list[str]:
    """The same as a terminal and the page are told."""
    rows = [
        f"{name}: {one.rows:,} {one.reason} left out ({one.arm}"
        f"{'' if one.condition == 'full' else f', {one.condition}'})"
        for name, found in sorted(analysis.benchmarks.items())
        for one in found.left_out or ()
    ]
    return [*rows, *_not_ended_lines(analysis)]


def _not_ended_lines(analysis: Analysis) -> list[str]:
    """Problems that did not come to their end by a stopping rule, and what became of them."""
    told = []
    for name, found in sorted(analysis.benchmarks.items()):
        for arm, one in found.arms.items():
            if one.stopping and one.stopping.unfinished:
                told.append(
                    f"{name}: {arm} is read up to k = {one.n}, not {one.stopping.n}: "
                    f"{_named(one.stopping.unfinished)} did not end by the rule on the verdicts "
                    f"there are, as where a run was interrupted or the verifier has changed; "
                    f"'vlm-boundary run' draws what they lack"
                )
            if one.stopping and one.stopping.left_out:
                told.append(
                    f"{name}: {_named(one.stopping.left_out)} left out of {arm}: a sample that "
                    f"a look needs could not be drawn"
                )
    return told


def _named(problem_ids: Sequence[str]) -> str:
    """How many problems, and the first of them by name, ready for what became of them."""
    few = ", ".join([*problem_ids[:_NAMED], *(["…"] if len(problem_ids) > _NAMED else [])])
    return f"{counted(len(problem_ids), 'problem')} ({few})"
