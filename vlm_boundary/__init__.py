"""What reinforcement learning did to a vision-language model, with its uncertainty.

`import vlm_boundary as vb` imports nothing else; what it offers comes from `vlm_boundary.face` once
it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

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

if TYPE_CHECKING:
    from vlm_boundary.face import (
        CheckedChain,
        Gold,
        Output,
        Run,
        Tolerance,
        UserError,
        check_chain,
        compare_counts,
        compare_table,
        grade,
        grade_many,
        open_run,
        pass_at_k,
        run_experiment,
    )
else:  # so that a type checker refuses names that there are not

    def __getattr__(name):
        """Import the face once something of it is asked for."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.face"), name)

    def __dir__():
        """What there is, and what is imported once it is asked for."""
        return sorted({*globals(), *__all__})
