"""The counts of each problem, and the arrays that the analysis is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.stopping import StoppingRule

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Bools = NDArray[np.bool_]
Ids = tuple[str, ...]
Bounds = tuple[float, float]
"""What a value, or a mean of such, can be: the least and the most."""


@dataclass(frozen=True)
class Counts:
    """What one arm did on each problem, one row per problem in the order of `problem_ids`.

    `undecided` samples count as not correct; adding them gives the lenient reading. `strict` counts
    the correct ones whose answer is tagged, boxed, stated as the answer, or said alone. With a
    `rule`, each problem's samples are those up to the look at which it ended, and estimates are
    those of `analysis.stopping`.
    """

    problem_ids: Ids
    samples: Ints
    correct: Ints
    undecided: Ints
    strict: Ints
    rule: StoppingRule | None = None

    @property
    def depths(self) -> Ints:
        """The k up to which each problem's pass@k can be estimated."""
        return self.samples if self.rule is None else np.full_like(self.samples, self.rule.n)

    def where(self, which: Bools) -> Ids:
        """The marked problems."""
        return tuple(key for key, yes in zip(self.problem_ids, which, strict=True) if yes)

    def with_all(self, n: int) -> Ids:
        """The problems that have n samples, or have ended by a rule that goes as far."""
        return self.where(self.depths == n)

    def on(self, problem_ids: Ids) -> Counts:
        """The rows of these problems, in this order; each must be among them."""
        place = {problem_id: row for row, problem_id in enumerate(self.problem_ids)}
        rows = np.array([place[problem_id] for problem_id in problem_ids], dtype=np.int64)
        columns = (self.samples, self.correct, self.undecided, self.strict)
        samples, correct, undecided, strict = (column[rows] for column in columns)
        return Counts(problem_ids, samples, correct, undecided, strict, self.rule)


def on_shared(*arms: Counts) -> list[Counts]:
    """The counts of several arms on the problems that all of them have, ascending."""
    ids = tuple(sorted(set.intersection(*(set(one.problem_ids) for one in arms))))
    return [one.on(ids) for one in arms]
