"""Checking a file of anyone's outputs, line by line."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vlm_boundary.errors import UserError
from vlm_boundary.iterate import batched
from vlm_boundary.progress import progress_bar
from vlm_boundary.reasoning.arithmetic import check_arithmetic
from vlm_boundary.reasoning.evidence import Chain, Evidence, guarded
from vlm_boundary.reasoning.structure import check_structure
from vlm_boundary.records.validity import flags, validity
from vlm_boundary.verifier import Grader, Output, Verdict
from vlm_boundary.verifier.faults import FAILED, Failures
from vlm_boundary.verifier.files import output_records
from vlm_boundary.writing import encodable, replacing

ADDED = ("valid", "flags", "evidence")
_CHUNK = 4096


@dataclass
class Summary:
    """What became of a file's outputs; `correct` counts right, wrong and undecided answers."""

    valid: Counter[bool | None] = field(default_factory=Counter)
    correct: Counter[bool | None] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    failures: Failures = field(default_factory=Failures)
    """Outputs that the verifier failed on."""
    check_failures: Failures = field(
        default_factory=lambda: Failures(whose="checker", done="checked")
    )
    """Outputs that a checker failed on."""

    @property
    def total(self) -> int:
        """How many outputs were checked."""
        return self.valid.total()


def check_file(source: Path, target: Path) -> Summary:
    """Check a JSONL file into another: every field is kept, `valid`, `flags`, `evidence` added.

    `valid` is false where the answer is wrong or a veto fires, true where it is right and none
    does, null where the verifier cannot tell. A field of the input named so is kept as `input_…`.

    Raises:
        UserError: the file cannot be read or written, or a line cannot be graded.
    """
    if not source.is_file():
        raise UserError(f"{source}: there is no such file")
    if target.exists() and target.samefile(source):
        raise UserError(f"{target}: --output must be another file than the input")
    summary = Summary()
    with (
        replacing(target) as temporary,
        temporary.open("w", encoding="utf-8") as file,
        Grader() as grader,
        progress_bar(f"checking {source.name}", unit="output") as bar,
    ):
        for chunk in batched(output_records(source), _CHUNK):
            verdicts = grader.grade(line.output for line in chunk)
            for line, verdict in zip(chunk, verdicts, strict=True):
                evidence = check_output(line.output, verdict)
                checked = _checked(line.record, verdict, evidence)
                summary.valid[checked["valid"]] += 1
                summary.correct[verdict.correct] += 1
                summary.flags.update(checked["flags"])
                summary.failures.add(line.where, verdict.rule, verdict.flags)
                failed = [item for item in evidence if item.flag == FAILED]
                for item in failed:
                    summary.check_failures.add(line.where, item.flag, (item.note,))
                file.write(encodable(json.dumps(checked, ensure_ascii=False)) + "\n")
            bar.update(len(chunk))
    return summary


def check_output(output: Output, verdict: Verdict) -> tuple[Evidence, ...]:
    """What layers 1 and 2 say of one graded output."""
    chain = Chain(
        output.text,
        output.target().question,
        output.finish_reason,
        verdict.correct,
        verdict.extracted,
        verdict.span,
        verdict.source,
    )
    return guarded(check_structure, chain) + guarded(check_arithmetic, chain)


def _checked(
    record: dict[str, Any], verdict: Verdict, evidence: tuple[Evidence, ...]
) -> dict[str, Any]:
    kept = {f"input_{name}" if name in ADDED else name: value for name, value in record.items()}
    return kept | {
        "valid": validity(verdict.correct, evidence),
        "flags": flags(evidence),
        "evidence": [asdict(item) for item in evidence],
    }
