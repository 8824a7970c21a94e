"""Solved sets, what they prove, and what it takes to see a gap."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest

from vlm_boundary.analysis.counts import Counts
from vlm_boundary.analysis.intervals import t_intervals
from vlm_boundary.analysis.power import (
    Variance,
    needed,
    problems_for,
    sampling_variance,
    smallest_gap,
    variances,
)
from vlm_boundary.analysis.sets import mcnemar, solved, solved_sets, support_metrics, unsolved_bound
from vlm_boundary.records.record import CellCounts, CellProblems


def counts(correct: list[int], n: int) -> Counts:
    c = np.array(correct)
    zero = np.zeros_like(c)
    return Counts(tuple(f"p{i}" for i in range(len(c))), np.full(len(c), n), c, zero, c)


def test_solved_sets_count_problems_with_a_single_success() -> None:
    found = solved_sets(np.array([1, 0, 5, 0]), np.array([2, 1, 0, 0]))
    assert found.counts == (1, 1, 1, 1)


def test_the_sets_name_their_problems() -> None:
    found = solved(counts([1, 0, 5, 0], 8), counts([2, 1, 0, 0], 8), 0.95)
    assert found.solved_problems == CellProblems(
        both=["p0"], base_only=["p2"], other_only=["p1"], neither=["p3"]
    )
    assert found.unsolved_below == pytest.approx(1 - 0.05 ** (1 / 8))


@pytest.mark.parametrize(
    ("both", "base_only", "other_only", "expected"),
    [
        (82, 13, 2, (82 / 95, 2 / 84, 2 * (82 / 95) * (2 / 84) / (82 / 95 + 2 / 84), -11 / 97)),
        (0, 0, 0, (None, None, None, None)),
        (0, 3, 0, (0.0, None, None, -1.0)),
        (5, 0, 0, (1.0, 0.0, 0.0, 0.0)),
    ],
)
def test_support_metrics(
    both: int, base_only: int, other_only: int, expected: tuple[float | None, ...]
) -> None:
    found = support_metrics(
        CellCounts(both=both, base_only=base_only, other_only=other_only, neither=1)
    )
    assert (found.srr, found.ndr, found.sds, found.nscr) == pytest.approx(expected)


def test_mcnemars_test_is_binomial() -> None:
    assert mcnemar(5, 0) == pytest.approx(2 / 32)
    assert mcnemar(3, 3) == pytest.approx(1.0)
    assert mcnemar(0, 0) is None
    for one, other in ((1, 0), (7, 12), (40, 61), (525, 475), (300, 520)):
        found = mcnemar(one, other)
        assert found == mcnemar(other, one)
        assert found == pytest.approx(binomtest(one, one + other).pvalue, rel=1e-12, abs=0)


def test_no_success_bounds_the_probability_from_above() -> None:
    bound = unsolved_bound(np.array([128, 0]), 0.95)
    assert (1 - bound[0]) ** 128 == pytest.approx(0.05)
    assert math.isnan(bound[1])


def test_the_sampling_variance_is_unbiased_by_enumeration() -> None:
    """N = 4 samples, p = 0.3: the variance of pass@2, and the mean of its estimate."""
    n, p, k = 4, 0.3, np.array([2])
    outcomes = [sum(o) for o in product([0, 1], repeat=n)]
    weights = np.array([p**c * (1 - p) ** (n - c) for c in outcomes])
    c = np.array(outcomes)
    pass_at_2 = 1 - np.array([math.comb(n - x, 2) / math.comb(n, 2) for x in outcomes])
    mean = (weights * pass_at_2).sum()
    expected = (weights * (pass_at_2 - mean) ** 2).sum()
    estimates = sampling_variance(c, np.full(len(c), n), k)[:, 0]
    assert (weights * estimates).sum() == pytest.approx(expected)
    assert np.isnan(sampling_variance(np.array([1]), np.array([3]), k)).all()


def test_needed_problems_and_samples() -> None:
    z = (1.959964 + 0.841621) ** 2
    found = needed(0.1, Variance(total=0.25, within=0.05), problems=200, n=100, confidence=0.95)
    assert found.problems == math.ceil(z * 0.25 / 0.01)
    # With n samples the variance is 0.2 + 0.05 · 100/n, and may be 0.1² · 200 / z.
    assert found.samples == math.ceil(100 * 0.05 / (0.01 * 200 / z - 0.2))
    assert found.smallest_gap == pytest.approx(math.sqrt(z * 0.25 / 200), abs=1e-6)
    few = needed(0.1, Variance(0.25, 0.05), problems=100, n=100, confidence=0.95)
    assert few.samples is None  # the problems differ too much for any number of samples
    unknown = needed(0.1, Variance(0.25, float("nan")), problems=200, n=100, confidence=0.95)
    assert unknown.samples is None
    assert needed(0.0, Variance(0.25, 0.05), 200, 100, 0.95).problems is None


def test_the_variance_of_a_pair_splits_into_problems_and_samples() -> None:
    base, other = counts([2, 4, 6, 0], 8), counts([4, 4, 8, 0], 8)
    values = (other.correct - base.correct) / 8
    (found,) = variances(values[:, None], base, other, np.array([1]))
    assert found.total == pytest.approx(np.var(values, ddof=1))
    # For k = 1 the unbiased estimate is p(1-p)/(n-1) with p = c/n.
    expected = [sum((c / 8) * (1 - c / 8) / 7 for c in pair) for pair in
                zip(base.correct, other.correct, strict=True)]  # fmt: skip
    assert found.within == pytest.approx(np.mean(expected))


def test_the_smallest_gap_before_sampling() -> None:
    assert smallest_gap(114, 0.2, 0.95) == pytest.approx(2.801585 * math.sqrt(0.2 / 114), abs=1e-6)


@pytest.mark.parametrize("problems", [15, 30, 59])
@pytest.mark.parametrize("deviation", [0.005, 0.15, None])
def test_few_problems_find_the_smallest_gap_that_is_said(
    problems: int, deviation: float | None
) -> None:
    """Four times in five or somewhat more often, by the intervals; None: some won, none lost."""
    rng, gap = np.random.default_rng(0), 0.5
    for _ in range(50):
        variance = gap * (1 - gap) if deviation is None else deviation**2
        found = smallest_gap(problems, variance, 0.95)
        assert found is not None
        gap = found
    if deviation is None:
        values = (rng.random((problems, 2000)) < gap).astype(float)
    else:
        values = rng.normal(gap, deviation, (problems, 2000)).clip(-1, 1)
    share = (t_intervals(values, 0.95, (-1, 1)).low > 0).mean()
    assert 0.77 <= share <= 0.95


def test_problems_that_all_move_alike_are_needed_too() -> None:
    """Eleven points on each of thirty: the interval holds zero, as those not drawn may be lost."""
    spread = Variance(0.005**2, 0.0)
    found = needed(0.11, spread, problems=30, n=64, confidence=0.95)
    assert found.samples is None
    assert found.smallest_gap == pytest.approx(0.025 ** (-1 / 30) - 1, abs=1e-3)
    assert found.problems == 36
    assert needed(-0.11, spread, 36, 64, 0.95).samples is not None
    assert needed(0.01, spread, 60, 64, 0.95).problems == 60  # of so many the rule asks no more
    assert smallest_gap(5, 0.01, 0.95) is None


def test_problems_and_samples_needed_are_those_that_find_the_gap() -> None:
    for gap, variance in ((0.12, 0.04), (0.3, 0.2), (0.2, 0.05)):
        enough = problems_for(gap, variance, 0.95)
        for problems, finds in ((enough, True), (enough - 1, False)):
            smallest = smallest_gap(problems, variance, 0.95)
            assert (smallest is not None and smallest <= gap) is finds
    spread, problems, gap = Variance(0.06, 0.05), 40, 0.15
    samples = needed(gap, spread, problems, 16, 0.95).samples
    assert samples is not None
    for drawn, finds in ((samples, True), (samples - 1, False)):
        smallest = smallest_gap(problems, 0.01 + 0.05 * 16 / drawn, 0.95)
        assert smallest is not None
        assert (smallest <= gap) is finds
