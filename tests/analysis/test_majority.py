"""maj@k against enumeration of every subset."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from vlm_boundary.analysis.consistency import majority_at_k
from vlm_boundary.analysis.verdicts import Verdicts


def verdicts(problems: list[list[str]]) -> Verdicts:
    """Answers by problem; "right…" is right, "-" is no answer."""
    answers = sorted({a for problem in problems for a in problem if a != "-"})
    flat = [(p, i, a) for p, problem in enumerate(problems) for i, a in enumerate(problem)]
    size = len(flat)
    return Verdicts(
        tuple(f"p{place}" for place in range(len(problems))),
        np.array([p for p, _, _ in flat], dtype=np.int32),
        np.array([i for _, i, _ in flat], dtype=np.int32),
        np.array([a.startswith("right") for _, _, a in flat]),
        np.zeros(size, dtype=bool),
        np.zeros(size, dtype=np.int8),
        np.zeros(size, dtype=np.int8),
        np.array([-1 if a == "-" else answers.index(a) for _, _, a in flat], dtype=np.int32),
        tuple(answers),
        np.zeros(size, dtype=np.uint64),
    )


def by_enumeration(problem: list[str], k: int) -> float:
    wins = []
    for drawn in combinations(problem, k):
        votes = Counter("right" if a.startswith("right") else a for a in drawn if a != "-")
        most = max(votes.values(), default=0)
        winners = [answer for answer, count in votes.items() if count == most]
        wins.append(1 / len(winners) if "right" in winners else 0.0)
    return float(np.mean(wins))


PROBLEMS = [
    ["right", "right", "a", "a", "b", "-"],
    ["right", "right2", "a", "a", "a", "b"],  # two forms of the right answer vote together
    ["-", "-", "-", "-", "-", "right"],
    ["-"] * 6,
    ["a", "b", "a", "b", "c", "c"],
    ["right"] * 6,
]


def test_one_and_all_samples_are_exact() -> None:
    found = majority_at_k(verdicts(PROBLEMS), np.array([1, 6]), np.random.default_rng(0))
    for row, problem in zip(found, PROBLEMS, strict=True):
        assert row.tolist() == pytest.approx([by_enumeration(problem, k) for k in (1, 6)])


def test_between_it_is_unbiased() -> None:
    ks = np.array([2, 3, 4, 5])
    many = np.mean(
        [majority_at_k(verdicts(PROBLEMS), ks, np.random.default_rng(s)) for s in range(300)],
        axis=0,
    )
    expected = [[by_enumeration(problem, int(k)) for k in ks] for problem in PROBLEMS]
    np.testing.assert_allclose(many, expected, atol=0.02)


def test_a_problem_with_fewer_samples_has_no_value() -> None:
    found = majority_at_k(
        verdicts([["right"], ["a", "right", "right"]]), np.array([1, 3]), np.random.default_rng(0)
    )
    np.testing.assert_allclose(found, [[1, np.nan], [2 / 3, 1]])
