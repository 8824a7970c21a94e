"""A grader of a benchmark's own: a program, and the limits that it works under."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
