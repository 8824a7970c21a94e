"""Visual-maths problems drawn by our own code, deterministic and held out by content.

    >>> problem = make_problem("bar_chart", split="test", seed=0, index=17)
    >>> problem.question, problem.answer, problem.draw(84).size

Each problem carries the facts in its picture and worked chains of reasoning. The chains come
in a fixed order: terse first, then in sentences, then the work alone, then other ways.
"""

from __future__ import annotations

from vlm_boundary.benchmarks.procedural.problem import ProceduralProblem, Step, caption, description
from vlm_boundary.benchmarks.procedural.stream import ALL_FAMILIES, FAMILIES, make_problem, problems

__all__ = [
    "ALL_FAMILIES",
    "FAMILIES",
    "ProceduralProblem",
    "Step",
    "caption",
    "description",
    "make_problem",
    "problems",
]
