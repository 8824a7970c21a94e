"""The shared verifier: is an output's final answer right?"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vlm_boundary.records.verdict import COMMITTED, SOURCES, STATUSES, Verdict
from vlm_boundary.verifier.faults import Failures
from vlm_boundary.verifier.grader import Grader, grade, grader_version
from vlm_boundary.verifier.verdict import Gold, GradedProblem, Output, Tolerance

if TYPE_CHECKING:
    from vlm_boundary.verifier.crossing import cross
    from vlm_boundary.verifier.opinion_stage import store_opinions
    from vlm_boundary.verifier.stage import failures_of, program_failures_of, verify, verify_share

# What works on tables of runs is imported when it is asked for: grading alone needs no tables, and
# starts in a fraction of the time without them.
_ON_TABLES = {
    "cross": "crossing",
    "store_opinions": "opinion_stage",
    "failures_of": "stage",
    "program_failures_of": "stage",
    "verify": "stage",
    "verify_share": "stage",
}


def __getattr__(name: str) -> Any:
    if name in _ON_TABLES:
        return getattr(import_module(f"{__name__}.{_ON_TABLES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "COMMITTED",
    "SOURCES",
    "STATUSES",
    "Failures",
    "Gold",
    "GradedProblem",
    "Grader",
    "Output",
    "Tolerance",
    "Verdict",
    "cross",
    "failures_of",
    "grade",
    "grader_version",
    "program_failures_of",
    "store_opinions",
    "verify",
    "verify_share",
]
