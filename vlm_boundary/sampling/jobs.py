"""The work that is missing, shared out over engine processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Literal

from vlm_boundary.config import Condition, ExperimentConfig
from vlm_boundary.sampling.plan import Task
from vlm_boundary.store import Partition

# Samples below which one more engine's start costs more than it saves.
WORTH_AN_ENGINE = 2048


@dataclass(frozen=True)
class Assignment:
    """Problems of one partition to bring to n samples each, or to n scores each.

    With `under`, that arm scores the first n stored responses of each problem. With `judge`, that
    judge reads right ones among them, as they are or in another variant.
    """

    arm: str
    benchmark: str
    condition: Condition
    n: int
    problems: tuple[str, ...]
    under: str | None = None
    judge: str | None = None
    variant: str = "original"

    @property
    def engine_arm(self) -> str:
        """The arm whose engine this is work for, or the judge."""
        return self.judge or self.under or self.arm


@dataclass(frozen=True)
class Job:
    """What one engine process is to draw or score, in order, and how many samples that concerns."""

    assignments: tuple[Assignment, ...]
    samples: int

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms whose engine it is, each once."""
        return tuple(dict.fromkeys(a.engine_arm for a in self.assignments))

    @property
    def activity(self) -> Literal["sampling", "scoring", "judging"]:
        """What it does."""
        if any(a.judge for a in self.assignments):
            return "judging"
        return "scoring" if any(a.under for a in self.assignments) else "sampling"


def make_jobs(
    tasks: dict[str, list[tuple[int, Task]]], places: int, *, under: str | None = None
) -> list[Job]:
    """Share out what is missing.

    Args:
        tasks: for each engine that is needed (a checkpoint under one setting) the tasks of its
            arms with the n that they lead to; a task may come again with a larger n.
        places: how many engines run at once.
        under: the arm that scores these samples, which exist; by default they are drawn.
    """
    jobs = []
    for wanted in tasks.values():
        pieces = _pieces(_samples(wanted), len(tasks), places)
        for piece in range(pieces):
            if job := _job(wanted, piece, pieces, under):
                jobs.append(job)
    return jobs


def waves(experiment: ExperimentConfig, n: int) -> list[int]:
    """The n that arms are brought to in turn, the last of them n itself."""
    return [*(wave for wave in experiment.waves if wave < n), n]


def _samples(wanted: Sequence[tuple[int, Task]]) -> int:
    largest = {task.partition: task.samples for _, task in sorted(wanted, key=lambda one: one[0])}
    return sum(largest.values())


def _pieces(samples: int, engines: int, places: int) -> int:
    """Into how many engines one checkpoint's work is split: so that all places are busy."""
    even = places // gcd(places, engines)
    return max(1, min(even, samples // WORTH_AN_ENGINE))


def _job(
    wanted: Sequence[tuple[int, Task]], piece: int, pieces: int, under: str | None
) -> Job | None:
    # A problem's place among all that are missing, the same for every n: one engine draws it.
    places: dict[Partition, dict[str, int]] = {}
    for _, task in wanted:
        known = places.setdefault(task.partition, {})
        for span in task.spans:
            known.setdefault(span.problem.problem_id, len(known))
    assignments = []
    samples: dict[tuple[Partition, str], int] = {}
    for n, task in wanted:
        where = task.partition
        missing: Counter[str] = Counter()
        for span in task.spans:
            if places[where][span.problem.problem_id] % pieces == piece:
                missing[span.problem.problem_id] += len(span.indices)
        if missing:
            problems = tuple(missing)
            assignments.append(
                Assignment(where.arm, where.benchmark, where.condition, n, problems, under)
            )
        samples |= {(where, problem_id): count for problem_id, count in missing.items()}
    return Job(tuple(assignments), sum(samples.values())) if assignments else None
