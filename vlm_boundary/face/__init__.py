"""What `import vlm_boundary` offers: the commands as functions, for notebooks and scripts.

Nothing is computed here. Every function hands on to the room that the command of the same purpose
does, and imports it when it is called, so that grading needs no tables. What a command does besides
printing is in `stages`, which the commands call too. docs/python.md says what stays as it is
between versions.
"""

from __future__ import annotations

from vlm_boundary.errors import UserError
from vlm_boundary.face.anyone import (
    CheckedChain,
    check_chain,
    compare_counts,
    compare_table,
    grade,
    grade_many,
    pass_at_k,
)
from vlm_boundary.face.run import Run, open_run, run_experiment
from vlm_boundary.verifier import Gold, Output, Tolerance

__all__ = [
    "CheckedChain",
    "Gold",
    "Output",
    "Run",
    "Tolerance",
    "UserError",
    "check_chain",
    "compare_counts",
    "compare_table",
    "grade",
    "grade_many",
    "open_run",
    "pass_at_k",
    "run_experiment",
]
