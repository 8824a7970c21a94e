"""The shared verifier: is an output's final answer right?"""

from vlm_boundary.verifier.crossing import cross
from vlm_boundary.verifier.faults import Failures
from vlm_boundary.verifier.grader import Grader, grade, grader_version
from vlm_boundary.verifier.opinion_stage import store_opinions
from vlm_boundary.verifier.stage import failures_of, verify, verify_share
from vlm_boundary.verifier.verdict import (
    COMMITTED,
    SOURCES,
    STATUSES,
    Gold,
    GradedProblem,
    Output,
    Tolerance,
    Verdict,
)

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
    "store_opinions",
    "verify",
    "verify_share",
]
