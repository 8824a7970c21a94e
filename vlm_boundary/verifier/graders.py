"""Who grades a run's benchmarks: the verifier, or a program of the benchmark's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import pyarrow as pa

from vlm_boundary.records.problem import Problem
from vlm_boundary.records.verdict import GraderProgram, Verdict
from vlm_boundary.store import Partition, RunDirectory, short_hash
from vlm_boundary.verifier.grader import Grader, grader_version
from vlm_boundary.verifier.program import Answered, ProgramGrader
from vlm_boundary.verifier.verdict import Gold, Output

SAMPLE = ("problem_id", "sample_index", "text", "finish_reason")
"""What of a sample is looked at."""


class PartitionGrader(Protocol):
    """Whoever grades the samples of one partition.

    Attributes:
        version: what its verdicts say that they are by.
    """

    version: str

    def grade(self, samples: pa.Table) -> list[Verdict]:
        """A verdict for each sample, with the columns `SAMPLE`."""
        ...


class Graders:
    """The graders of a run's benchmarks, each started when first needed; a context manager.

    Args:
        run: whose samples are graded.
        workers: how many processes each grader has; by default one per core.
    """

    def __init__(self, run: RunDirectory, workers: int | None = None) -> None:
        self._run, self._workers = run, workers
        self._ours = Grader(workers)
        self._programs: dict[str, ProgramGrader] = {}

    def __enter__(self) -> Graders:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def of(self, partition: Partition) -> PartitionGrader:
        """Who grades a partition's samples.

        Raises:
            UserError: its benchmark is graded by a program that is not there.
        """
        run, name = self._run, partition.benchmark
        thinking_open = run.thinking_open(partition.arm)
        program = program_of(run, name)
        if program is None:
            return _ByRules(self._ours, golds_of(run, partition), thinking_open)
        if name not in self._programs:
            where = f"benchmark {name!r}"
            self._programs[name] = ProgramGrader(program, where, self._workers)
        return _ByProgram(self._programs[name], run, name, thinking_open)

    def close(self) -> None:
        """End their processes."""
        self._ours.close()
        for program in self._programs.values():
            program.close()


def program_of(run: RunDirectory, benchmark: str) -> GraderProgram | None:
    """The program that grades a benchmark of the run; None where the verifier does."""
    known = run.read_manifest().benchmarks.get(benchmark)
    return known.grader_program if known else None


def golds_of(run: RunDirectory, partition: Partition) -> dict[str, Gold]:
    """The gold answer of each problem."""
    return {p.problem_id: Gold.of(p) for p in run.read_problems(partition.benchmark)}


def gold_hashes_of(run: RunDirectory, partition: Partition) -> dict[str, str]:
    """What a verdict that is up to date says of each problem's gold answer."""
    thinking_open = run.thinking_open(partition.arm)
    by_program = program_of(run, partition.benchmark) is not None
    return {
        problem.problem_id: _gold_hash(problem, thinking_open, by_program=by_program)
        for problem in run.read_problems(partition.benchmark)
    }


def _gold_hash(problem: Problem, thinking_open: bool | None, *, by_program: bool) -> str:
    """A hash of what texts are held against: the gold, and whether they begin inside a thought.

    It is not part of the text's hash, by which people's labels know the text that they are of. Not
    inside one and not known are graded alike and hashed alike, as before the fact was kept. A
    program also reads what the record says besides.
    """
    said = [repr(Gold.of(problem))]
    if thinking_open:
        said.append("inside a thought")
    if by_program:
        said += ["by a program", json.dumps(problem.metadata, sort_keys=True, default=str)]
    return short_hash(*said)


class _ByRules:
    """The verifier, on golds of one benchmark."""

    def __init__(self, grader: Grader, golds: dict[str, Gold], thinking_open: bool | None) -> None:
        self.version = grader_version()
        self._grader, self._golds, self._thinking_open = grader, golds, thinking_open

    def grade(self, samples: pa.Table) -> list[Verdict]:
        return self._grader.grade(outputs_of(samples, self._golds, self._thinking_open))


class _ByProgram:
    """The benchmark's own program, on its problems."""

    def __init__(
        self,
        grader: ProgramGrader,
        run: RunDirectory,
        benchmark: str,
        thinking_open: bool | None,
    ) -> None:
        self.version = grader.version
        self._grader = grader
        self._told = {
            problem.problem_id: Answered.to(problem, run.images, thinking_open)
            for problem in run.read_problems(benchmark)
        }

    def grade(self, samples: pa.Table) -> list[Verdict]:
        return self._grader.grade(
            [
                replace(self._told[problem_id], output=text, finish_reason=reason)
                for text, problem_id, reason in _texts(samples)
            ]
        )


def outputs_of(
    samples: pa.Table, golds: dict[str, Gold], thinking_open: bool | None
) -> list[Output]:
    """What is graded, of an arm's samples with the columns `SAMPLE`."""
    return [
        Output(text, golds[problem_id], reason, thinking_open=thinking_open)
        for text, problem_id, reason in _texts(samples)
    ]


def _texts(samples: pa.Table) -> Sequence[tuple[str, str, str]]:
    columns = (samples[name].to_pylist() for name in ("text", "problem_id", "finish_reason"))
    return list(zip(*columns, strict=True))


def text_hashes(samples: pa.Table) -> pa.Array:
    """What a verdict says of the text that it is on, of samples with the columns `SAMPLE`."""
    texts, reasons = (samples[name].to_pylist() for name in ("text", "finish_reason"))
    hashes = [short_hash(text, why) for text, why in zip(texts, reasons, strict=True)]
    return pa.array(hashes, pa.string())
