"""Written chains of thought with their verdicts, as tests/reasoning/cases/README.md describes."""

from __future__ import annotations

import re
from pathlib import Path

from vlm_boundary.reasoning import Evidence
from vlm_boundary.reasoning.files import check_output
from vlm_boundary.verifier import Gold, Grader, Output, Verdict

CASES = Path(__file__).parent / "reasoning" / "cases"
UNDECIDED = "-?"
_TIMES = re.compile(r"×(\d+)\{([^{}]*)\}")


def read_case(line: str) -> tuple[set[str], set[str], Output]:
    """The flags that must veto, those known to be missed, and the output."""
    flags, gold, finish, question, text = (part.strip() for part in line.split("|", 4))
    named = [] if flags in ("-", UNDECIDED) else [flag.strip() for flag in flags.split(",")]
    text = _TIMES.sub(lambda match: match[2] * int(match[1]), text).replace("⏎", "\n")
    missed = {flag[1:] for flag in named if flag.startswith("~")}
    return (
        {flag for flag in named if not flag.startswith("~")},
        missed,
        Output(text, Gold(gold, question=question), finish),
    )


def judge(grader: Grader, output: Output) -> tuple[Verdict, tuple[Evidence, ...]]:
    """What the verifier and layers 1 and 2 say of an output."""
    verdict = grader.grade([output])[0]
    return verdict, check_output(output, verdict)
