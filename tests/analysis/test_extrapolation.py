"""The beta-binomial fits against a general optimiser and exact sums, and the back-test."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from analysis_runs import drawn, make_run
from given import given
from scipy.optimize import minimize
from scipy.special import betaln

from vlm_boundary.analysis.beyond_n import RESAMPLES, back_test, beyond_n, resampled
from vlm_boundary.analysis.extrapolation import (
    Fit,
    Histograms,
    Likelihood,
    _newton_step,
    count_histogram,
    fit_beta_binomial,
    fit_zero_inflated,
)
from vlm_boundary.records.problem import Problem


def counts(a: float, b: float, never: float, n: int, problems: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    accuracy = rng.beta(a, b, problems) * (rng.random(problems) >= never)
    return rng.binomial(n, accuracy)


CASES = [(0.3, 1.2, 0.15, 128, 114), (0.3, 0.6, 0.0, 64, 460), (2.0, 3.0, 0.3, 16, 200)]


@pytest.mark.parametrize(("a", "b", "never", "n", "problems"), CASES)
def test_fits_reach_the_likelihood_that_a_general_optimiser_finds(
    a: float, b: float, never: float, n: int, problems: int
) -> None:
    histogram = count_histogram(counts(a, b, never, n, problems, 1), n)
    (h,) = histogram
    every = np.arange(n + 1)

    def beta_binomial(a: float, b: float) -> np.ndarray:
        return np.asarray(betaln(a + every, b + n - every) - betaln(a, b))

    def plain(x: np.ndarray) -> float:
        return float(-(h * beta_binomial(*np.exp(x))).sum())

    def inflated(x: np.ndarray) -> float:
        log, share = beta_binomial(*np.exp(x[:2])), 1 / (1 + math.exp(-x[2]))
        zero = math.log(share + (1 - share) * math.exp(log[0]))
        return float(-(h[0] * zero + (h[1:] * (math.log1p(-share) + log[1:])).sum()))

    options = {"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-8, "fatol": 1e-10}
    starts = ([-1.0, 0.0], [0.5, 0.5])
    best = min(minimize(plain, s, method="Nelder-Mead", options=options).fun for s in starts)
    fit = fit_beta_binomial(Histograms.of(histogram))
    assert plain(np.log([fit.a[0], fit.b[0]])) == pytest.approx(best, abs=1e-5)
    best = min(
        minimize(inflated, [*s, p], method="Nelder-Mead", options=options).fun
        for s in starts
        for p in (-1.0, -5.0)
    )
    zero = fit_zero_inflated(Histograms.of(histogram), fit)
    share = min(max(float(zero.never[0]), 1e-12), 1 - 1e-12)
    found = inflated(np.array([*np.log([zero.a[0], zero.b[0]]), math.log(share / (1 - share))]))
    assert found <= best + 1e-5


@pytest.mark.parametrize("truncated", [False, True])
def test_derivatives_are_those_of_the_likelihood(truncated: bool) -> None:
    """By central differences."""
    likelihood = Likelihood.of(
        Histograms.of(count_histogram(counts(0.5, 2, 0.2, 12, 60, 2), 12)), truncated=truncated
    )
    x, step = np.array([[-0.7, 0.4]]), 1e-5
    gradient, (aa, bb, ab) = likelihood.derivatives(x)

    def at(da: float, db: float) -> np.ndarray:
        return np.asarray(likelihood.derivatives(x + np.array([[da, db]]))[0][0])

    values = [
        (likelihood.value(x + d)[0] - likelihood.value(x - d)[0]) / (2 * step)
        for d in (np.array([[step, 0.0]]), np.array([[0.0, step]]))
    ]
    assert gradient[0] == pytest.approx(values, rel=1e-5)
    by_a = (at(step, 0) - at(-step, 0)) / (2 * step)
    by_b = (at(0, step) - at(0, -step)) / (2 * step)
    assert [aa[0], ab[0]] == pytest.approx(by_a, rel=1e-5)
    assert [ab[0], bb[0]] == pytest.approx(by_b, rel=1e-5)


@pytest.mark.parametrize("k", [1, 2, 10, 300])
def test_pass_at_k_is_the_beta_distributions_mean(k: int) -> None:
    """Whole a and b, in exact fractions: Π_{i<k} (b + i) / (a + b + i) is missed."""
    missed = math.prod((Fraction(3 + i, 5 + i) for i in range(k)), start=Fraction(1))
    fit = Fit(np.array([2.0]), np.array([3.0]), np.array([0.25]))
    found = fit.pass_at_k(np.array([k]))[0, 0]
    assert found == pytest.approx(float(Fraction(3, 4) * (1 - missed)), abs=1e-12)


def test_true_parameters_are_found_in_much_data() -> None:
    histogram = count_histogram(counts(0.4, 1.0, 0.2, 256, 20_000, 3), 256)
    fit = fit_zero_inflated(Histograms.of(histogram), fit_beta_binomial(Histograms.of(histogram)))
    assert [fit.a[0], fit.b[0], fit.never[0]] == pytest.approx([0.4, 1.0, 0.2], rel=0.1)


def test_without_more_zeros_than_a_beta_has_nothing_is_never_solved() -> None:
    histogram = count_histogram(np.array([3, 4, 5, 6, 5, 4]), 10)
    plain = fit_beta_binomial(Histograms.of(histogram))
    assert fit_zero_inflated(Histograms.of(histogram), plain).never.tolist() == [0.0]


@pytest.mark.parametrize("alike", [0, 8])
def test_counts_that_say_nothing_have_no_fit(alike: int) -> None:
    histogram = count_histogram(np.full(20, alike), 8)
    plain = fit_beta_binomial(Histograms.of(histogram))
    for fit in (plain, fit_zero_inflated(Histograms.of(histogram), plain)):
        assert np.isnan(fit.pass_at_k(np.array([16]))).all()


def test_each_row_is_fitted_as_if_it_were_alone() -> None:
    weights = resampled(40, 5)[:4]
    histogram = count_histogram(counts(0.4, 1.5, 0.1, 20, 40, 4), 20, weights)
    together = fit_beta_binomial(Histograms.of(histogram))
    for row in range(4):
        alone = fit_beta_binomial(Histograms.of(histogram[row : row + 1]))
        assert [together.a[row], together.b[row]] == pytest.approx(
            [alone.a[0], alone.b[0]], rel=1e-3
        )


def test_resamples_draw_as_many_problems_as_there_are() -> None:
    weights = resampled(30, 7)
    assert weights.shape == (RESAMPLES + 1, 30)
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 30).all()
    assert (weights == resampled(30, 7)).all()


def test_the_back_test_scores_what_was_not_fitted_on() -> None:
    rng = np.random.default_rng(11)
    accuracy = rng.beta(0.4, 1.2, 400)
    first = rng.binomial(16, accuracy)
    correct = first + rng.binomial(112, accuracy)
    found = back_test(first, 16, correct, 128, resampled(400, 1), 0.95)
    assert found.observed == pytest.approx((correct > 0).mean())
    for model in ("beta_binomial", "zero_inflated"):
        error = found.models[model].error
        assert given(error.low) < given(error.estimate) < given(error.high)
        predicted = found.models[model].predicted.estimate
        assert error.estimate == pytest.approx(given(predicted) - found.observed)
    assert abs(given(found.beta_binomial.error.estimate)) < 0.05


def test_the_section_ends_at_ten_n_and_allows_for_its_back_test(tmp_path: Path) -> None:
    keys = [f"p{i:02}" for i in range(30)]
    golds = dict.fromkeys(keys, "4")
    problems = [Problem("mine", key, "?", "4", answer_type="integer") for key in keys]
    arms = {"base": {"model": "b", "role": "base"}, "rl": {"model": "r", "role": "rl"}}
    run = make_run(tmp_path / "run", problems, arms, n=32)
    rng = np.random.default_rng(0)
    for seed, arm in enumerate(arms):
        accuracy = dict(zip(keys, rng.beta(0.5, 1.5, 30), strict=True))
        outcomes = drawn(accuracy, golds, 32, seed)
        if arm == "rl":
            outcomes["p00"] = outcomes["p00"][:20]
        run.add_verdicts(arm, outcomes)
    section = beyond_n(run.data)
    assert section is not None
    found = section.as_json()
    base, rl = found["arms"]["base"], found["arms"]["rl"]
    assert (rl["problems"], rl["left_out"], base["left_out"]) == (29, 1, 0)
    assert list(base["beta_binomial"]["pass_at_k"]) == ["32", "64", "160", "320"]
    assert (base["back_test"]["fitted_on"], base["back_test"]["k"]) == (4, 32)
    for model in ("beta_binomial", "zero_inflated"):
        error = base["back_test"][model]["error"]["estimate"]
        value = base[model]["pass_at_k"]["320"]
        assert value["low"] <= value["estimate"] <= value["high"]
        if error < 0:
            assert value["high"] >= min(value["estimate"] - error, 1)
    (pair,) = found["pairs"]
    assert pair["problems"] == 29
    assert set(pair["difference"]["zero_inflated"]) == {"32", "64", "160", "320"}


def test_a_few_problems_are_too_few(tmp_path: Path) -> None:
    problems = [Problem("mine", "a", "?", "4")]
    run = make_run(tmp_path / "run", problems, {"base": {"model": "b", "role": "base"}}, n=8)
    run.add_verdicts("base", drawn({"a": 0.5}, {"a": "4"}, 8, 0))
    assert beyond_n(run.data) is None


@pytest.mark.parametrize("scale", [0.0, 1e-300, 1e300])
def test_a_flat_or_an_endless_likelihood_warns_nobody(scale: float) -> None:
    """Numpy's warnings stood on the terminal of `analyze`."""
    gradient = np.array([[scale, -scale]])
    curvature = (np.array([scale]), np.array([scale]), np.array([scale]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step = _newton_step(gradient, curvature, np.array([1e-3]))
    assert np.isfinite(step).all()
