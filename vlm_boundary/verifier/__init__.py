"""The shared verifier: is an output's final answer right?"""

from vlm_boundary.verifier.grader import Grader, grade, grader_version
from vlm_boundary.verifier.stage import verify
from vlm_boundary.verifier.verdict import STATUSES, Output, Verdict

__all__ = ["STATUSES", "Grader", "Output", "Verdict", "grade", "grader_version", "verify"]
