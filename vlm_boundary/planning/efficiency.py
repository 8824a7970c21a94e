"""How close sampling came to the least time that it could have taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vlm_boundary.counted import counted
from vlm_boundary.store import read_writer

# A cache that spares less than this share of what it could does not work.
_HITS = 0.1


def speed_lines(writers: Iterable[Path]) -> list[str]:
    """A line for each engine process that sampled: its speed, and its share of what is possible.

    And one more where its prefix cache did not hit.
    """
    lines = []
    for path in sorted(writers):
        record = read_writer(path)
        if record and record["work"].get("draw_seconds") and record["work"]["samples"]:
            lines.append(_line(record["arms"], record["work"]))
            lines += _without_hits(record["arms"], record["work"])
    return lines


def _line(arms: Sequence[str], work: Mapping[str, Any]) -> str:
    seconds = work["draw_seconds"]
    speed = (
        f"{', '.join(arms)}: {counted(work['samples'], 'sample')}, "
        f"{counted(work['tokens'], 'token')} "
        f"in {seconds:,.1f} s ({work['tokens'] / seconds:,.0f} tokens/s)"
    )
    bound = work.get("lower_bound", {})
    if "seconds" in bound:
        share = bound["seconds"] / seconds
        least = f"{bound['seconds']:,.1f} s on {bound['gpu']}"
        return f"{speed}; the least time is {least}, {share:.0%} of that"
    return f"{speed}; no lower bound: {bound.get('reason', 'not recorded')}"


def _without_hits(arms: Sequence[str], work: Mapping[str, Any]) -> list[str]:
    repeated, spared = work.get("repeated_prompt_tokens", 0), work.get("cached_prompt_tokens", 0)
    if spared >= _HITS * repeated:
        return []
    return [
        f"{', '.join(arms)}: warning: the prefix cache spared {spared:,} of {repeated:,} prompt "
        f"tokens that were given again ({spared / repeated:.0%}), so that each sample costs a "
        f"reading of its whole prompt; docs/models.md says for which families that is known"
    ]
