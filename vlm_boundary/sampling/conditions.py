"""The controls: the same problems without their picture, or with another problem's."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from vlm_boundary.config import Condition
from vlm_boundary.records.problem import Problem


def shown_under(problems: Sequence[Problem], condition: Condition, seed: int) -> list[Problem]:
    """The problems as a condition shows them; those that it cannot show carry an error.

    Under `shuffled_image` every problem has the pictures of another one with as many of them, the
    same for every arm: it depends on the run's seed and on the benchmark alone.
    """
    if condition == "no_image":
        return [_without_picture(problem) for problem in problems]
    if condition == "shuffled_image":
        return _shuffled(problems, seed)
    return list(problems)


def _without_picture(problem: Problem) -> Problem:
    if problem.pictures or problem.error:
        return problem  # the prompt leaves them out
    return replace(problem, error="no picture to leave out")


def _shuffled(problems: Sequence[Problem], seed: int) -> list[Problem]:
    by_count: dict[int, list[Problem]] = {}
    for problem in problems:
        if problem.error is None:
            by_count.setdefault(len(problem.pictures), []).append(problem)
    donors: dict[str, Problem] = {}
    for same in by_count.values():
        # Around a ring in an order that only the seed knows, each gets its neighbour's pictures.
        ring = sorted(same, key=lambda one: _digest(seed, one.problem_id))
        for place, problem in enumerate(ring):
            around = (ring[(place + step) % len(ring)] for step in range(1, len(ring)))
            other = next((one for one in around if one.pictures != problem.pictures), None)
            if other is not None:
                donors[problem.problem_id] = other
    return [_with_pictures(problem, donors.get(problem.problem_id)) for problem in problems]


def _with_pictures(problem: Problem, donor: Problem | None) -> Problem:
    if problem.error is not None:
        return problem
    if donor is None:
        return replace(problem, error="no other problem with as many pictures")
    return replace(problem, pictures=donor.pictures)


def _digest(seed: int, problem_id: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{problem_id}".encode()).digest()
