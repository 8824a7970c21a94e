"""One test a claim, the interval read the other way round; all claims of a report at once."""

from __future__ import annotations

import numpy as np
import pytest
from claims_simulation import MODELS, reports
from scipy.stats import t, ttest_1samp

from vlm_boundary.analysis.intervals import Clustered, holm, intervals_of
from vlm_boundary.analysis.multiplicity import in_turn
from vlm_boundary.analysis.significance import no_crossover_p, one_sided_p, p_values


def test_it_is_students_t_where_the_interval_is() -> None:
    values = np.random.default_rng(0).normal(0.05, 0.3, (200, 3)).clip(-1, 1)
    found = p_values(Clustered.of(values), (-1, 1))
    away = values - values.mean(axis=0)
    carriers = (away**2).sum(axis=0) ** 2 / (away**4).sum(axis=0)
    statistic = ttest_1samp(values, 0).statistic
    assert found == pytest.approx(2 * t.sf(np.abs(statistic), carriers))


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_it_is_below_a_level_just_where_that_interval_leaves_zero_out(level: float) -> None:
    rng = np.random.default_rng(1)
    # Few problems carry the spread: most are alike, some win.
    values = (rng.random((80, 60)) < np.linspace(0.0, 0.5, 60)).astype(float)
    values[:, ::2] -= rng.random((80, 30)) < 0.04
    sums = Clustered.of(values)
    found = intervals_of(sums, level, (-1, 1))
    assert found.few.any()
    assert not found.few.all()
    out = (found.low > 0) | (found.high < 0)
    np.testing.assert_array_equal(p_values(sums, (-1, 1)) <= 1 - level, out)


@pytest.mark.parametrize("problems", [20, 100])
def test_what_one_more_problem_would_undo_is_no_evidence(problems: int) -> None:
    sums = Clustered.of(np.eye(problems)[:, :1] * 0.02)
    assert one_sided_p(sums, 0.0, (-1, 1))[0].tolist() == [1.0]
    assert p_values(sums, (-1, 1)).tolist() == [1.0]


def test_nothing_is_known_of_one_problem() -> None:
    assert np.isnan(p_values(Clustered.of(np.ones((1, 2))), (-1, 1))).all()


def test_problems_that_are_all_alike_differ_by_more_problems() -> None:
    few, more = (p_values(Clustered.of(np.ones((n, 1))), (-1, 1))[0] for n in (4, 100))
    assert more < 0.001 < few


def test_no_crossover_holds_at_every_k() -> None:
    up, p = np.array([0.2, 0.1, 0.05]), np.array([1e-6, 0.001, 0.02])
    assert no_crossover_p(up, p, True) == pytest.approx(0.02)
    assert no_crossover_p(-up, p, True) == pytest.approx(0.001)
    assert no_crossover_p(up, p, False) == 1.0
    assert no_crossover_p(up[:1], p[:1], True) is None


def test_without_anything_to_wait_for_it_is_holms_method() -> None:
    p = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    np.testing.assert_allclose(in_turn(p, [()] * 5), holm(p))


def test_a_test_that_waits_makes_no_other_harder() -> None:
    p = np.array([0.001, 0.02, 0.02, 0.03, 0.04, 1.0])
    after = [(), (), (0, 1), (), (), (3, 4)]
    # Four open; after both of the first pair are rejected, what it waited for is one of three.
    assert in_turn(p, after) == pytest.approx([0.004, 0.06, 0.06, 0.06, 0.06, 1.0])
    assert np.isnan(in_turn(np.array([np.nan, 0.01, 0.01]), after[:3])[2])


def test_reports_of_one_model_against_itself_rarely_claim_anything() -> None:
    """Eight pairs a report: half of such reports make a claim if each stands alone."""
    rng = np.random.default_rng(3)
    found = reports(MODELS["all difficulties"], 60, 16, 4, 2, 60, rng)
    ours, stated, alone = found.mean(axis=0)
    for share in (ours, stated):
        assert share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(found))
    assert alone > 2 * ours
    assert alone > 0.15
