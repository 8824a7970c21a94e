"""What is missing from a run: the samples its settings ask for and its tables do not hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vlm_boundary.benchmarks.problem import Problem


@dataclass(frozen=True)
class Span:
    """Consecutive sample indices of one problem that are still to be drawn."""

    problem: Problem
    indices: range


def wanted_problems(problems: list[Problem], limit: int | None) -> list[Problem]:
    """The problems to sample: those that can be put to a model, at most `limit` of them."""
    return [problem for problem in problems if problem.error is None][:limit]


def missing_spans(problems: list[Problem], n: int, present: dict[str, set[int]]) -> list[Span]:
    """Spans that bring each problem to samples 0 … n-1, in the problems' order."""
    return [
        Span(problem, span)
        for problem in problems
        for span in _gaps(n, present.get(problem.problem_id, set()))
    ]


def _gaps(n: int, present: set[int]) -> Iterator[range]:
    start: int | None = None
    for index in range(n + 1):
        absent = index < n and index not in present
        if absent and start is None:
            start = index
        elif not absent and start is not None:
            yield range(start, index)
            start = None
