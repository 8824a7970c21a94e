"""What the numbers do not stand on, though a run stores it."""

from __future__ import annotations

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.records.analysis import Analysis
from vlm_boundary.records.sections import LeftOut


def left_out(data: BenchmarkData) -> list[LeftOut] | None:
    """Rows by arm, condition and reason; see `fitting`."""
    return [
        LeftOut(arm=where.arm, condition=where.condition, reason=reason, rows=rows)
        for where, reasons in sorted(data.left_out.items())
        for reason, rows in reasons.items()
    ] or None


def left_out_lines(analysis: Analysis) -> list[str]:
    """The same as a terminal and the page are told."""
    return [
        f"{name}: {one.rows:,} {one.reason} left out ({one.arm}"
        f"{'' if one.condition == 'full' else f', {one.condition}'})"
        for name, found in sorted(analysis.benchmarks.items())
        for one in found.left_out or ()
    ]
