"""Grading by a program of a benchmark's own, as `grading: {command: […]}` names it."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vlm_boundary.errors import UserError
from vlm_boundary.forks import usable_cores
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.verdict import GraderProgram, Status, Verdict
from vlm_boundary.verifier.dialogue import Dialogue, NoVerdict, search_path
from vlm_boundary.verifier.outcome import MOST_KEPT, STATUSES
from vlm_boundary.writing import encodable

RULE = "program"
NO_VERDICT = "program_failed"
"""The rule of a verdict that the program did not give."""
PROGRAM = "grader program"
# So many outputs without a single verdict, and the program is not asked any more.
_HOPELESS = 8
_MOST_PROCESSES = 8
_LONGEST_WHAT = 200
_UNSAID = object()
_NO_ANSWER: tuple[Status, ...] = ("no_answer", "truncated")


@dataclass(frozen=True)
class Answered:
    """What the program is told of one output, a line of JSON, with the line's number as `id`.

    `pictures` are paths. Equal outputs to a problem are told once.
    """

    output: str
    answer: str
    problem_id: str = ""
    question: str = ""
    answer_type: str | None = None
    unit: str | None = None
    precision: int | None = None
    choices: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()
    finish_reason: str | None = None
    thinking_open: bool | None = None

    @classmethod
    def to(cls, problem: Problem, images: Path, thinking_open: bool | None) -> Answered:
        """An output to a run's problem, whose pictures lie in `images`; yet to be filled in."""
        return cls(
            "",
            problem.answer,
            problem.problem_id,
            problem.question,
            problem.answer_type,
            problem.unit,
            problem.precision,
            problem.choices,
            problem.grading.alternatives,
            problem.metadata,
            tuple(str((images / name).resolve()) for name in problem.pictures),
            thinking_open=thinking_open,
        )

    @classmethod
    def of_line(cls, record: Mapping[str, Any]) -> Answered:
        """A line of a file of outputs, by the same names; `gold` may stand for `answer`."""
        known = {name: record[name] for name in cls.__dataclass_fields__ if name in record}
        answer = record.get("answer", record.get("gold"))
        known["answer"] = answer if isinstance(answer, str) else json.dumps(answer)
        return cls(**known | {"output": record["output"] or ""})


class ProgramGrader:
    """Grades by the program, in as many processes as there are cores; close it at the end.

    Args:
        program: whose verdicts these are.
        where: the benchmark, as an error names it.
        processes: how many at a time.

    Raises:
        UserError: the program is not there.
    """

    def __init__(self, program: GraderProgram, where: str, processes: int | None = None) -> None:
        refuse_missing(program, where)
        self._where = f"{where}: grading.command"
        self._program = program
        self.version = program.version
        self._idle: list[Dialogue] = []
        self._all: set[Dialogue] = set()
        self._lock = threading.Lock()
        self._given = self._failed = 0
        count = processes or min(usable_cores(), _MOST_PROCESSES)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="grader program")

    def grade(self, outputs: Sequence[Answered]) -> list[Verdict]:
        """A verdict for each output, in order; undecided where the program gives none.

        Raises:
            UserError: the program gives no verdict at all, or it was changed meanwhile.
        """
        lines = [json.dumps(asdict(one), default=str) for one in outputs]
        distinct = list(dict.fromkeys(lines))
        verdicts = dict(zip(distinct, self._threads.map(self._one, distinct), strict=True))
        return [verdicts[line] for line in lines]

    def close(self) -> None:
        """End its processes."""
        self._threads.shutdown(cancel_futures=True)  # what is being asked has a time limit
        for process in self._all:
            process.kill()
        self._all.clear()
        self._idle.clear()

    def _one(self, line: str) -> Verdict:
        process = self._process()
        number = process.asked
        try:
            told = f'{{"id": {number}, {line[1:]}'
            verdict = _verdict(process.ask(told.encode()), number)
        except NoVerdict as reason:
            process.kill()
            with self._lock:
                self._all.discard(process)
                self._failed += 1
                hopeless = not self._given and self._failed >= _HOPELESS
            what = encodable(str(reason))[:_LONGEST_WHAT]
            if hopeless:
                raise UserError(
                    f"{self._where}: the program ({self._program}) gave no verdict on its first "
                    f"{self._failed} outputs; the last: {reason.kind}, {what}"
                ) from None
            return Verdict(None, "undecided", None, NO_VERDICT, flags=(reason.kind, what))
        with self._lock:
            self._given += 1
            self._idle.append(process)
        return verdict

    def _process(self) -> Dialogue:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        if self._program.version != self.version:
            raise UserError(
                f"{self._where}: the program's files were changed while it graded; verify again"
            )
        process = Dialogue(self._program)
        with self._lock:
            self._all.add(process)
        return process


def refuse_missing(program: GraderProgram, where: str) -> None:
    """Say that the program is not there, before anything is drawn or graded.

    Raises:
        UserError: it is not, or it cannot be executed.
    """
    if shutil.which(program.argv[0], path=search_path()) is None:
        raise UserError(f"{where}: grading.command: there is no program {program.argv[0]!r}")


def _verdict(line: bytes, number: int) -> Verdict:
    """What a line says of the output that was asked about.

    Raises:
        NoVerdict: it is no verdict on it.
    """
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise _bad(f"not JSON: {_shown(line)}") from None
    if not isinstance(said, dict) or said.get("id") != number or isinstance(said["id"], bool):
        raise _bad(f"not an object with the id {number}: {_shown(line)}")
    correct = said.get("correct", _UNSAID)
    if not (correct is None or isinstance(correct, bool)):
        raise _bad(f"correct must be true, false or null: {_shown(line)}")
    status = said.get("status", STATUSES[correct])
    if status != STATUSES[correct] and not (correct is False and status in _NO_ANSWER):
        raise _bad(f"no status {status!r} where correct is {json.dumps(correct)}")
    extracted, rule, flags = said.get("extracted"), said.get("rule"), said.get("flags", [])
    if not all(value is None or isinstance(value, str) for value in (extracted, rule)):
        raise _bad(f"extracted and rule must be texts: {_shown(line)}")
    if not isinstance(flags, list) or not all(isinstance(flag, str) for flag in flags):
        raise _bad(f"flags must be a list of texts: {_shown(line)}")
    return Verdict(
        correct,
        status,
        None if extracted is None else encodable(extracted)[:MOST_KEPT],
        RULE if rule is None else encodable(f"{RULE}: {rule}")[:_LONGEST_WHAT],
        source="program",
        flags=tuple(encodable(flag)[:_LONGEST_WHAT] for flag in flags),
    )


def _bad(what: str) -> NoVerdict:
    return NoVerdict("bad_line", what)


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", errors="replace")
    return text if len(text) <= 80 else f"{text[:80]}…"
