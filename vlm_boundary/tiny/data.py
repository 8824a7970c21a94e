"""The problems that training and its watch on progress use, drawn by the benchmark's generator.

Three sets that share no state: what is trained on, a slice of the train split to watch progress
and choose settings by, and the shipped benchmark, which is looked at once everything is fixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.benchmarks.procedural import FAMILIES, make_problem, problems
from vlm_boundary.benchmarks.procedural.problem import ProceduralProblem
from vlm_boundary.config import FULL, Condition

PICTURE_SIZE = 84
VALIDATION_SEED = 10_000
VALIDATION_PROBLEMS = 240
EVALUATION_SEED = 0
EVALUATION_PROBLEMS = 120

Pictures = NDArray[np.uint8]


def training(seed: int, families: Sequence[str] = FAMILIES) -> Iterator[ProceduralProblem]:
    """Draw free-form problems from each family in turn, without end, none of the watched ones."""
    held = {problem.state for problem in _validation()}
    for place in count():
        family = families[place % len(families)]
        problem = make_problem(family, split="train", seed=seed, index=place // len(families))
        if not problem.choices and problem.state not in held:
            yield problem


def validation(families: Sequence[str] = FAMILIES) -> list[ProceduralProblem]:
    """The watched slice of the train split: free-form problems that are never trained on."""
    return [p for p in _validation() if not p.choices and p.family in families]


def evaluation() -> list[ProceduralProblem]:
    """The shipped benchmark's problems behind its filter."""
    drawn = problems(split="test", seed=EVALUATION_SEED, count=EVALUATION_PROBLEMS)
    return [problem for problem in drawn if not problem.choices]


@cache
def _validation() -> tuple[ProceduralProblem, ...]:
    return tuple(problems(split="train", seed=VALIDATION_SEED, count=VALIDATION_PROBLEMS))


@dataclass(frozen=True)
class DrawnProblems:
    """Problems with their pictures drawn, shape (problems, 84, 84, 3)."""

    problems: tuple[ProceduralProblem, ...]
    pictures: Pictures
    condition: Condition = FULL
    """What prompts show: they may leave the pictures out."""

    @classmethod
    def of(cls, problems: Sequence[ProceduralProblem]) -> DrawnProblems:
        """Draw each problem's picture."""
        pictures = np.empty((len(problems), PICTURE_SIZE, PICTURE_SIZE, 3), np.uint8)
        for place, problem in enumerate(problems):
            pictures[place] = np.asarray(problem.draw(PICTURE_SIZE))
        return cls(tuple(problems), pictures)

    @classmethod
    def draw(cls, seed: int, size: int, families: Sequence[str] = FAMILIES) -> DrawnProblems:
        """The first problems of a training stream."""
        return cls.of(list(islice(training(seed, families), size)))

    def take(self, places: Sequence[int]) -> DrawnProblems:
        """The problems at these places."""
        chosen = tuple(self.problems[i] for i in places)
        return replace(self, problems=chosen, pictures=self.pictures[list(places)])

    def under(self, condition: Condition) -> DrawnProblems:
        """The same problems, shown under another condition."""
        return replace(self, condition=condition)

    def __len__(self) -> int:
        return len(self.problems)
