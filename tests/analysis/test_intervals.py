"""Intervals of means over problems: Student's t, clusters, rare problems, bootstrap, bands."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vlm_boundary.analysis import resampling
from vlm_boundary.analysis.intervals import (
    Clustered,
    gamma_intervals,
    holm,
    intervals_of,
    mean_interval,
    t_intervals,
)
from vlm_boundary.analysis.resampling import bootstrap_t, simultaneous_level
from vlm_boundary.analysis.significance import one_sided_p, p_values

RNG = np.random.default_rng(5)


def test_the_interval_is_students_t_over_problems() -> None:
    found = mean_interval(np.array([0.0, 0.5, 1.0, np.nan]), 0.95, (-np.inf, np.inf))
    assert found.problems == 3
    assert found.estimate == pytest.approx(0.5)
    # t(0.975, 2) = 4.302653, standard error 0.5 / sqrt(3): from printed tables.
    assert found.high == pytest.approx(0.5 + 4.302653 * 0.5 / math.sqrt(3), abs=1e-6)


def test_every_column_is_students_interval_by_who_carries_the_spread() -> None:
    values = RNG.normal(size=(80, 7)) / 3
    found = t_intervals(values, 0.9, (-1, 1))
    for column in range(7):
        away = values[:, column] - values[:, column].mean()
        carriers = (away**2).sum() ** 2 / (away**4).sum()
        expected = stats.t.interval(
            0.9, carriers, values[:, column].mean(), stats.sem(values[:, column])
        )
        assert (found.low[column], found.high[column]) == pytest.approx(expected, abs=1e-12)
    assert not found.few.any()


@pytest.mark.parametrize(("more", "claimed"), [(0.0, False), (0.02, True)])
def test_what_one_more_problem_would_undo_is_not_claimed(more: float, claimed: bool) -> None:
    values = np.tile([0.001, 0.002, 0.003], 25)[:, None] + more
    sums = Clustered.of(values)
    found = t_intervals(values, 0.95, (-1, 1))
    assert not found.few
    assert found.low == pytest.approx((values.sum() - 1) / 76)
    assert found.high == pytest.approx((values.sum() + 1) / 76)
    assert (found.low > 0) == claimed
    assert (p_values(sums, (-1, 1)) < 0.05) == claimed
    assert (one_sided_p(sums, 0.0, (-1, 1))[0] < 0.025) == claimed


def test_a_skewed_share_has_the_outer_ends_of_three_intervals() -> None:
    values = np.concatenate([np.full(70, 0.97), np.linspace(0.0, 0.9, 12)])[:, None]
    sums = Clustered.of(values)
    student = intervals_of(sums, 0.95, (-np.inf, np.inf))
    found = intervals_of(sums, 0.95, (0, 1))
    hall = intervals_of(sums, 0.95, (-np.inf, np.inf), each_end=True)
    gamma_low, _ = gamma_intervals(sums, 0.95, (0, 1))
    assert hall.low < student.low
    assert found.low == pytest.approx(np.fmax(hall.low, gamma_low))
    assert found.high == pytest.approx(np.fmin(student.high, 1))


def test_each_column_leaves_out_its_own_missing_problems() -> None:
    values = np.array([[0.1, np.nan], [0.3, 0.2], [0.2, 0.4], [np.nan, 0.1]])
    found = t_intervals(values, 0.95, (0, 1))
    assert found.problems.tolist() == [3, 3]
    for column in range(2):
        alone = mean_interval(values[:, column], 0.95, (0, 1))
        assert found.entries()[column] == alone


def test_the_interval_of_a_probability_stays_between_0_and_1() -> None:
    found = mean_interval(np.repeat([0.0, 1.0], [1, 99]), 0.95, (0, 1))
    assert found.high == 1
    assert mean_interval(np.repeat([1.0, 0.0], [1, 99]), 0.95, (0, 1)).low == 0


def test_what_is_not_known_is_none_and_never_zero() -> None:
    assert mean_interval(np.array([np.nan]), 0.95, (0, 1)).estimate is None
    found = mean_interval(np.array([0.25]), 0.95, (0, 1))
    assert (found.estimate, found.low, found.high) == (0.25, None, None)


def test_without_spread_the_interval_is_the_exact_one() -> None:
    """All of 100 solved: at most -ln(0.025) = 3.69 failures are to be expected among 100 others."""
    found = mean_interval(np.ones(100), 0.95, (0, 1))
    assert (found.high, found.few) == (1.0, True)
    assert found.low == pytest.approx(1 - 3.688879 / 100)


def test_one_rare_problem_widens_the_interval_beyond_t() -> None:
    values = np.zeros(200)
    values[0] = -1.0
    found = mean_interval(values, 0.95, (-1, 1))
    t = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.few
    # Exact for one Poisson event: 5.57 at most.
    assert found.low == pytest.approx(-1 / 200 - math.hypot(5.5716 - 1, 0) / 200, abs=1e-4)
    assert found.low < t.low
    assert found.high > t.high


def test_clusters_count_as_one_draw_each() -> None:
    """Five versions of each problem with the same value know no more than one version."""
    values = RNG.random(30)
    once = mean_interval(values, 0.95, (0, 1))
    groups = np.repeat(np.arange(30), 5).astype(np.int32)
    five = mean_interval(np.repeat(values, 5), 0.95, (0, 1), groups)
    assert five.problems == 150
    assert (five.estimate, five.low, five.high) == pytest.approx(
        (once.estimate, once.low, once.high)
    )


def test_clusters_of_unlike_size_use_the_ratio_estimators_error() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.5, 0.25, 0.75])
    groups = np.array([7, 7, 7, 2, 2, 5], dtype=np.int32)
    sums, sizes = np.array([2.0, 0.75, 0.75]), np.array([3, 2, 1])
    mean = values.mean()
    expected = math.sqrt(3 / 2 * ((sums - sizes * mean) ** 2).sum()) / 6
    sums_of = Clustered.of(values[:, None], groups)
    assert sums_of.error()[0] == pytest.approx(expected)
    assert sums_of.mean()[0] == pytest.approx(mean)


def test_bootstrap_t_agrees_with_t_where_t_is_right() -> None:
    values = RNG.normal(0.1, 0.3, size=(400, 2))
    low, high = bootstrap_t(Clustered.of(values), 0.95, (-9, 9), 20_000, np.random.default_rng(0))
    expected = t_intervals(values, 0.95, (-9, 9))
    np.testing.assert_allclose(low, expected.low, atol=2e-3)
    np.testing.assert_allclose(high, expected.high, atol=2e-3)


def test_bootstrap_t_of_clusters_equals_that_of_their_means() -> None:
    values = RNG.random(25)
    alone = bootstrap_t(Clustered.of(values[:, None]), 0.95, (0, 1), 999, np.random.default_rng(3))
    groups = np.repeat(np.arange(25), 4).astype(np.int32)
    together = bootstrap_t(
        Clustered.of(np.repeat(values, 4)[:, None], groups),
        0.95,
        (0, 1),
        999,
        np.random.default_rng(3),
    )
    np.testing.assert_allclose(alone, together)


def test_bootstrap_t_leans_to_the_side_of_the_tail() -> None:
    values = RNG.exponential(size=(60, 1))
    low, high = bootstrap_t(Clustered.of(values), 0.95, (0, 99), 9999, np.random.default_rng(0))
    mean = values.mean()
    assert high[0] - mean > mean - low[0]


def test_a_band_over_one_column_is_the_interval_and_over_independent_ones_sidaks() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(2000, 20))
    one = simultaneous_level(Clustered.of(values[:, :1]), 0.95, 20_000, rng)
    assert one == pytest.approx(0.95, abs=0.004)
    twenty = simultaneous_level(Clustered.of(values), 0.95, 20_000, rng)
    assert twenty == pytest.approx(0.95 ** (1 / 20), abs=0.001)
    same = simultaneous_level(Clustered.of(values[:, [0] * 20]), 0.95, 20_000, rng)
    assert same == pytest.approx(0.95, abs=0.004)


def test_holm_by_hand() -> None:
    found = holm(np.array([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(found, [0.03, np.nan, 0.06, 0.06])


def test_resamples_come_in_blocks_that_change_no_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = Clustered.of(RNG.random((37, 3)))
    whole = bootstrap_t(sums, 0.95, (0, 1), 501, np.random.default_rng(7))
    monkeypatch.setattr(resampling, "_BLOCK", 37 * 20 + 5)
    blocks = bootstrap_t(sums, 0.95, (0, 1), 501, np.random.default_rng(7))
    np.testing.assert_allclose(whole, blocks, rtol=1e-12)


def test_bootstrap_t_that_bounds_nothing_is_not_given() -> None:
    """Six problems, one unlike the others: it was [-100, +2]."""
    values = np.array([[0.02], [0.02], [0.021], [0.02], [0.02], [-0.6]])
    sums = Clustered.of(values)
    low, high = bootstrap_t(sums, 0.95, (-1, 1), 2000, np.random.default_rng(0))
    assert np.isnan([low, high]).all()
    wider, end = bootstrap_t(sums, 0.95, (-np.inf, np.inf), 2000, np.random.default_rng(0))
    assert wider < -1 < end
