"""CoT-pass@k where not every right answer was judged, and where the checker errs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from math import comb, prod

import numpy as np
import pytest
from given import given

from vlm_boundary.analysis.cot_pass_at_k import (
    calibrated_curve,
    expected_pass_at_k,
    subset_pass_at_k,
)
from vlm_boundary.stopping import StoppingRule


def exact_truth(n: int, valid: int, k: int) -> Fraction:
    return 1 - Fraction(comb(n - valid, k), comb(n, k))


def bounds(n: int, c: int, m: int, d: int, k: int) -> tuple[float, float]:
    all_n, all_c, all_m, all_d = (np.array([x]) for x in (n, c, m, d))
    low, high = subset_pass_at_k(all_n, all_c, all_m, all_d, np.array([k]))
    return float(low[0, 0]), float(high[0, 0])


def exact_bounds(n: int, c: int, m: int, d: int, k: int) -> tuple[Fraction, Fraction]:
    """The definition, term by term."""
    within, tail = Fraction(0), Fraction(0)
    for j in range(k + 1):
        chance = Fraction(comb(c, j) * comb(n - c, k - j), comb(n, k))
        if j <= m:
            within += chance * (1 - Fraction(comb(m - d, j), comb(m, j)))
        else:
            tail += chance
    return within + (tail if d else 0), within + tail


def expected(n: int, c: int, valid: int, m: int, k: int) -> tuple[float, float]:
    """Mean of both bounds over every subset of m of the c right answers."""
    low = high = 0.0
    for d in range(max(0, m - (c - valid)), min(m, valid) + 1):
        chance = comb(valid, d) * comb(c - valid, m - d) / comb(c, m)
        one = bounds(n, c, m, d, k)
        low, high = low + chance * one[0], high + chance * one[1]
    return low, high


def test_the_worked_example() -> None:
    n, c, valid, m, k = 128, 64, 4, 16, 16
    truth = float(exact_truth(n, valid, k))
    assert truth == pytest.approx(0.418, abs=5e-4)
    # At most 16 of 16 samples are right: no tail, and so exactly unbiased.
    assert expected(n, c, valid, m, k) == pytest.approx((truth, truth), abs=1e-9)


def test_both_short_cuts_of_the_worked_example_are_off() -> None:
    """What the estimator is for: the rate in the usual formula, or the subset as all of n."""
    n, c, valid, m, k = 128, 64, 4, 16, 16
    rate = subset = Fraction(0)
    for d in range(min(m, valid) + 1):
        chance = Fraction(comb(valid, d) * comb(c - valid, m - d), comb(c, m))
        rate += chance * exact_truth(n, c * d // m, k)
        subset += chance * exact_truth(m, d, k)
    assert float(rate) == pytest.approx(0.361, abs=5e-4)
    assert float(subset) == pytest.approx(0.694, abs=5e-4)


@pytest.mark.parametrize("n", [5, 8])
def test_every_small_case_against_exact_fractions(n: int) -> None:
    for c in range(n + 1):
        for m in range(c + 1):
            for d in range(m + 1):
                for k in range(1, n + 1):
                    exact = exact_bounds(n, c, m, d, k)
                    assert bounds(n, c, m, d, k) == pytest.approx(
                        tuple(map(float, exact)), abs=1e-12
                    ), (c, m, d, k)


@pytest.mark.parametrize("n", [6, 9])
def test_unbiased_up_to_m_and_bounding_beyond(n: int) -> None:
    for c in range(n + 1):
        for valid in range(c + 1):
            for m in range(1, c + 1):
                for k in range(1, n + 1):
                    truth = float(exact_truth(n, valid, k))
                    low, high = expected(n, c, valid, m, k)
                    if min(k, c) <= m:
                        assert (low, high) == pytest.approx((truth, truth), abs=1e-12)
                    assert low <= truth + 1e-12
                    assert truth - 1e-12 <= high


def test_all_judged_is_the_usual_estimator() -> None:
    n, c, d = np.array([16, 16, 16, 4]), np.array([5, 0, 16, 2]), np.array([2, 0, 16, 1])
    low, high = subset_pass_at_k(n, c, c, d, np.arange(1, 17))
    np.testing.assert_array_equal(low, high)
    for row in range(4):
        for k in range(1, 17):
            if k > n[row]:
                assert np.isnan(low[row, k - 1])
            else:
                exact = float(exact_truth(int(n[row]), int(d[row]), k))
                assert low[row, k - 1] == pytest.approx(exact, abs=1e-14)


def test_nothing_judged_says_nothing_below_pass_at_k() -> None:
    assert bounds(8, 4, 0, 0, 2) == pytest.approx((0.0, 1 - comb(4, 2) / comb(8, 2)))


def test_large_counts_stay_finite() -> None:
    low, high = subset_pass_at_k(
        np.array([100_000]), np.array([60_000]), np.array([16]), np.array([3]),
        np.array([1, 10, 1000, 100_000]),
    )  # fmt: skip
    assert low[0, 0] == pytest.approx(0.6 * 3 / 16, rel=1e-9)
    assert (np.diff(low[0]) >= 0).all()
    np.testing.assert_allclose(low[0, -1], 1.0)
    np.testing.assert_array_equal(low, high)


@pytest.mark.parametrize("counts", [(8, 9, 1, 0), (8, 4, 5, 0), (8, 4, 2, 3), (8, 4, 2, -1)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="counts must be"):
        bounds(*counts, 1)


@pytest.mark.parametrize("judged_at_most", [1, 2, 9])
def test_problems_that_ended_early_keep_the_bounds(judged_at_most: int) -> None:
    """Over every sequence that a rule on right samples can end with, and every judged subset."""
    rule = StoppingRule((3, 5, 8), 2)
    a, b = 0.15, 0.25  # right and valid, right and not
    ks = np.arange(1, 9)
    mean = np.zeros((2, len(ks)))
    for look, c, v, ways in _endings(rule):
        chance = ways * a**v * b ** (c - v) * (1 - a - b) ** (look - c)
        m = min(c, judged_at_most)
        for d in range(max(0, m - (c - v)), min(m, v) + 1):
            drawn = comb(v, d) * comb(c - v, m - d) / comb(c, m)
            n_, c_, m_, d_ = (np.array([x]) for x in (look, c, m, d))
            found = subset_pass_at_k(n_, c_, m_, d_, ks, rule)
            mean += chance * drawn * np.array([bound[0] for bound in found])
    truth = 1 - (1 - a) ** ks
    assert (mean[0] <= truth + 1e-12).all()
    assert (truth <= mean[1] + 1e-12).all()
    # With as few right ones as were judged among the first k, nothing is open.
    exact = min(judged_at_most, rule.first)
    np.testing.assert_allclose(mean[0, :exact], truth[:exact], atol=1e-12)
    np.testing.assert_allclose(mean[1, :exact], truth[:exact], atol=1e-12)


def _endings(rule: StoppingRule) -> Iterator[tuple[int, int, int, int]]:
    """Look, right, valid, and how many sequences of right, valid and wrong samples end so."""
    for look in rule.looks:
        before = rule.before(look)
        for c in range(look + 1):
            paths = sum(
                comb(before, s) * comb(look - before, c - s)
                for s in range(min(rule.right, c + 1) if before else 1)
            )
            if rule.ends_with(look, c):
                for v in range(c + 1):
                    yield look, c, v, paths * comb(c, v)


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
