"""pass@k against direct computation in exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from vlm_boundary.analysis import mean_interval, pass_at_k, solved_sets


def exact(c: int, n: int, k: int) -> float:
    return float(1 - Fraction(math.comb(n - c, k), math.comb(n, k)))


@pytest.mark.parametrize("n", [1, 2, 3, 8, 17])
def test_every_count_and_every_k_agree_with_the_definition(n: int) -> None:
    correct = np.arange(n + 1)
    samples = np.full(n + 1, n)
    ks = np.arange(1, n + 1)
    expected = [[exact(int(c), n, int(k)) for k in ks] for c in correct]
    np.testing.assert_allclose(pass_at_k(correct, samples, ks), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("c", "n", "k"), [(1, 1024, 512), (3, 4096, 1000), (1, 100_000, 1)])
def test_large_counts_neither_overflow_nor_cancel(c: int, n: int, k: int) -> None:
    (value,) = pass_at_k(np.array([c]), np.array([n]), np.array([k]))[0]
    assert value == pytest.approx(exact(c, n, k), abs=1e-12)


def test_it_is_the_average_over_all_subsets() -> None:
    """By enumeration: 2 correct of 5 samples, drawn 3 at a time."""
    from itertools import combinations

    outcomes = [True, True, False, False, False]
    hits = [any(draw) for draw in combinations(outcomes, 3)]
    assert pass_at_k(np.array([2]), np.array([5]), np.array([3]))[0, 0] == pytest.approx(
        sum(hits) / len(hits)
    )


def test_a_problem_with_fewer_samples_than_k_has_no_value() -> None:
    values = pass_at_k(np.array([0, 3, 4]), np.array([4, 3, 8]), np.array([4]))[:, 0]
    assert values[0] == 0.0
    assert math.isnan(values[1])
    assert values[2] == pytest.approx(exact(4, 8, 4))


@pytest.mark.parametrize(("c", "n", "k"), [(1, 1, 0), (2, 1, 1), (-1, 1, 1)])
def test_impossible_counts_are_refused(c: int, n: int, k: int) -> None:
    with pytest.raises(ValueError, match=r"k must be|counts must"):
        pass_at_k(np.array([c]), np.array([n]), np.array([k]))


def test_the_interval_is_students_t_over_problems() -> None:
    found = mean_interval(np.array([0.0, 0.5, 1.0, np.nan]), 0.95, (-9, 9))
    assert found["problems"] == 3
    assert found["estimate"] == pytest.approx(0.5)
    # t(0.975, 2) = 4.302653, standard error 0.5 / sqrt(3): from printed tables.
    assert found["high"] == pytest.approx(0.5 + 4.302653 * 0.5 / math.sqrt(3), abs=1e-6)


def test_the_interval_of_a_probability_stays_between_0_and_1() -> None:
    found = mean_interval(np.array([0.0, 1.0, 1.0]), 0.95, (0, 1))
    assert (found["low"], found["high"]) == (0, 1)


def test_what_is_not_known_is_none_and_never_zero() -> None:
    assert mean_interval(np.array([np.nan]), 0.95, (0, 1))["estimate"] is None
    found = mean_interval(np.array([0.25]), 0.95, (0, 1))
    assert (found["estimate"], found["low"], found["high"]) == (0.25, None, None)


def test_without_spread_the_interval_is_the_exact_one() -> None:
    """All of 100 solved: at most -ln(0.025) = 3.69 failures are to be expected among 100 others."""
    found = mean_interval(np.ones(100), 0.95, (0, 1))
    assert (found["high"], found["few"]) == (1.0, True)
    assert found["low"] == pytest.approx(1 - 3.688879 / 100)


def test_solved_sets_count_problems_with_a_single_success() -> None:
    found = solved_sets(np.array([1, 0, 5, 0]), np.array([2, 1, 0, 0]))
    assert found == {"both": 1, "base_only": 1, "other_only": 1, "neither": 1}
