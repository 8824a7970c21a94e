"""Expected CoT-pass@k against the definition, and its curve against what made the labels."""

from __future__ import annotations

from itertools import combinations
from math import comb, prod

import numpy as np
import pytest
from given import given

from vlm_boundary.analysis.cot_pass_at_k import calibrated_curve, expected_pass_at_k


def by_definition(n: int, a: int, b: int, p_a: float, p_b: float, k: int) -> float:
    """Over every k of the n samples."""
    misses = [1 - p_a] * a + [1 - p_b] * b + [1.0] * (n - a - b)
    return 1 - sum(prod(chosen) for chosen in combinations(misses, k)) / comb(n, k)


@pytest.mark.parametrize("n", [4, 7])
@pytest.mark.parametrize(("p_a", "p_b"), [(0.9, 0.2), (1.0, 0.0), (0.5, 0.5), (0.0, 0.0)])
def test_against_the_definition(n: int, p_a: float, p_b: float) -> None:
    cases = [(a, b) for a in range(n + 1) for b in range(n + 1 - a)]
    a, b = (np.array(column) for column in zip(*cases, strict=True))
    found = expected_pass_at_k(np.full(len(cases), n), a, b, p_a, p_b, np.arange(1, n + 1))
    for row, (x, y) in enumerate(cases):
        expected = [by_definition(n, x, y, p_a, p_b, k) for k in range(1, n + 1)]
        np.testing.assert_allclose(found[row], expected, atol=1e-12)


def test_certain_verdicts_give_the_usual_estimator_and_large_n_stays_stable() -> None:
    n, a, b = np.array([4096]), np.array([5]), np.array([60])
    ks = np.array([1, 64, 4096])
    found = expected_pass_at_k(n, a, b, 1.0, 0.0, ks)
    expected = [1 - prod((4096 - 5 - i) / (4096 - i) for i in range(k)) for k in (1, 64)] + [1.0]
    np.testing.assert_allclose(found[0], expected, atol=1e-10)
    assert np.isnan(expected_pass_at_k(n, a, b, 1.0, 0.0, np.array([5000])))[0, 0]


def test_the_curve_follows_the_labels() -> None:
    problems = 60
    n, a, b = (np.full(problems, x) for x in (64, 2, 1))
    labels = {True: (80, 100), False: (5, 50)}
    curve = calibrated_curve(n, a, b, labels, np.array([1, 8, 64]), 0.95, np.random.default_rng(0))
    for k in (1, 8, 64):
        expected = by_definition_fast(64, 2, 1, 80.5 / 101, 5.5 / 51, k)
        assert curve[k].estimate == pytest.approx(expected, abs=1e-9)
        assert given(curve[k].low) < expected < given(curve[k].high)


def by_definition_fast(n: int, a: int, b: int, p_a: float, p_b: float, k: int) -> float:
    """The same sum, by how many of each kind are among the k."""
    total = 0.0
    for i in range(min(a, k) + 1):
        for j in range(min(b, k - i) + 1):
            ways = comb(a, i) * comb(b, j) * comb(n - a - b, k - i - j)
            total += ways * (1 - p_a) ** i * (1 - p_b) ** j
    return 1 - total / comb(n, k)
