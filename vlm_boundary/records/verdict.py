"""What the verifier, or a program in its place, says of one output."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

Status = Literal["correct", "incorrect", "no_answer", "truncated", "undecided"]
STATUSES: tuple[Status, ...] = get_args(Status)

Source = Literal["tag", "box", "statement", "conclusion", "sole", "sentence", "none", "program"]
SOURCES: tuple[Source, ...] = get_args(Source)
"""Where an answer stood: <answer> tags, \\boxed{}, "the answer is", a concluding sentence, an
output (or last line) that is a value alone, another sentence that answers the question; program: a
grader of the benchmark's own did not say where."""
COMMITTED: frozenset[Source] = frozenset(("tag", "box", "statement", "sole", "program"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an output's final answer is right, and everything that decided it.

    `correct` is None where it cannot be told; such outputs count as not correct in headline
    numbers, and the bound that counts them as correct is printed beside. `rule` names what decided.
    `extracted` is the answer as written, at `span` (start, end) of the output's characters, and
    `normalised` the value it was read as. `flags` say what else was seen.
    """

    correct: bool | None
    status: Status
    extracted: str | None
    rule: str
    normalised: str | None = None
    span: tuple[int, int] | None = None
    source: Source = "none"
    flags: tuple[str, ...] = ()
    tolerance: str | None = None

    @property
    def strict(self) -> bool:
        """Right, and said outright (tagged, boxed, stated, said alone), or by a program."""
        return self.correct is True and self.source in COMMITTED

    @property
    def lenient(self) -> bool:
        """Right, or not known to be wrong."""
        return self.correct is not False


@dataclass(frozen=True)
class GraderProgram:
    """A program that reads JSON lines and writes a verdict line for each.

    Attributes:
        argv: the program and its arguments; no shell reads them.
        seconds: that one output may take.
        memory_mib: of address space, for each of its processes.
    """

    argv: tuple[str, ...]
    seconds: float
    memory_mib: int

    @classmethod
    def of(cls, grading: Mapping[str, Any]) -> GraderProgram | None:
        """The program that a benchmark's settings under `grading` name, if they name one."""
        if not grading.get("command"):
            return None
        return cls(tuple(grading["command"]), grading["seconds"], grading["memory_mib"])

    @property
    def files(self) -> tuple[Path, ...]:
        """The arguments that are files."""
        return tuple(Path(one) for one in self.argv if Path(one).is_file())

    @property
    def version(self) -> str:
        """What its verdicts say that they are by: a hash of arguments, files' bytes and limits.

        Files count by name and content, wherever they lie; what they import is not seen.
        """
        files = set(self.files)
        said = [
            [Path(one).name, hashlib.sha256(Path(one).read_bytes()).hexdigest()]
            if Path(one) in files
            else one
            for one in self.argv
        ]
        text = json.dumps([said, self.seconds, self.memory_mib])
        return f"program/{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def __str__(self) -> str:
        return " ".join(self.argv)
