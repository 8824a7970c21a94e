"""What a generated problem's picture shows, in words."""

from __future__ import annotations

import json
import re

from vlm_boundary.benchmarks.procedural.problem import ProceduralProblem

_SHOWN = ("bars", "points", "labels", "grid", "rows", "clocks", "column_heights")


def description(problem: ProceduralProblem) -> str:
    """What the picture shows, whole: the caption, or all facts as JSON where a family has none."""
    if any(key in _SHOWN for key in problem.facts):
        return caption(problem)
    return json.dumps(dict(problem.facts))


def caption(problem: ProceduralProblem) -> str:
    """What the picture shows, in short: every number or label, or the initials of each shape."""
    shown = next(value for key, value in problem.facts.items() if key in _SHOWN)
    text = json.dumps(shown, separators=(" ", " ")).replace("null", "-")
    # "green circle" as gc: a grid of them would be longer than any other response.
    text = re.sub(r'"(\w)\w+ (\w)\w+"', r"\1\2", text)
    return re.sub(r'["{}]', "", text)
