"""How close sampling came to the least time that it could have taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vlm_boundary.store import read_writer


def speed_lines(writers: Iterable[Path]) -> list[str]:
    """A line for each engine process that sampled: its speed, and its share of what is possible."""
    lines = []
    for path in sorted(writers):
        record = read_writer(path)
        if record and record["work"].get("draw_seconds") and record["work"]["samples"]:
            lines.append(_line(record["arms"], record["work"]))
    return lines


def _line(arms: Sequence[str], work: Mapping[str, Any]) -> str:
    seconds = work["draw_seconds"]
    speed = (
        f"{', '.join(arms)}: {work['samples']:,} samples, {work['tokens']:,} tokens "
        f"in {seconds:,.1f} s ({work['tokens'] / seconds:,.0f} tokens/s)"
    )
    bound = work.get("lower_bound", {})
    if "seconds" in bound:
        share = bound["seconds"] / seconds
        least = f"{bound['seconds']:,.1f} s on {bound['gpu']}"
        return f"{speed}; the least time is {least}, {share:.0%} of that"
    return f"{speed}; no lower bound: {bound.get('reason', 'not recorded')}"
