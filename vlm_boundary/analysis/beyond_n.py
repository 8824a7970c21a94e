"""The sections `beyond_n` and `shrinkage`: what a fitted distribution of accuracies says."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Bounds, Counts, Floats, Ids, Ints
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.extrapolation import (
    Fit,
    Histograms,
    count_histogram,
    fit_beta_binomial,
    fit_zero_inflated,
)
from vlm_boundary.analysis.intervals import known
from vlm_boundary.records.effort import (
    BackTest,
    BeyondN,
    BeyondNOfArm,
    BeyondNOfPair,
    FittedModel,
    PredictionError,
)
from vlm_boundary.records.record import Interval
from vlm_boundary.records.sections import ShrinkageTest, ShrunkArm

REACH = 10
"""Claims end at this many times n: further out all depends on accuracies near zero, of which n
samples say next to nothing."""
RESAMPLES = 200
BACK_TEST_SHARE = 8
"""The back-test fits on this part of n, and so reaches as many times past it."""
FEWEST_PROBLEMS = 10
MODELS = ("beta_binomial", "zero_inflated")


def both_fits(histograms: Histograms) -> dict[str, Fit]:
    """Both models fitted to the problems as they are (row 0), and to resamples of them."""
    plain = fit_beta_binomial(histograms)
    return {MODELS[0]: plain, MODELS[1]: fit_zero_inflated(histograms, plain)}


def _described(
    fits: dict[str, Fit], ks: Ints, confidence: float, errors: dict[str, float]
) -> dict[str, FittedModel]:
    """Parameters and pass@k of each model, with intervals that allow for its back-test."""
    return {
        model: FittedModel(
            a=known(fit.a[:1])[0],
            b=known(fit.b[:1])[0],
            never_solved=_one(fit.never, confidence),
            pass_at_k=intervals(fit.pass_at_k(ks), ks, confidence, (0, 1), errors.get(model, 0.0)),
        )
        for model, fit in fits.items()
    }


def resampled(problems: int, seed: int) -> Floats:
    """Weights, (RESAMPLES + 1, problems): once each in row 0, then drawn with replacement."""
    drawn = np.random.default_rng(seed).multinomial(
        problems, np.full(problems, 1 / problems), RESAMPLES
    )
    return np.vstack([np.ones(problems), drawn]).astype(np.float64)


def intervals(
    values: Floats, ks: Ints, confidence: float, bounds: Bounds, error: float
) -> dict[int, Interval]:
    """The value in row 0 with the percentile interval of the other rows, for each column.

    Resampling shows how the fit varies, and not that no Beta fits: where the back-test's prediction
    was too low, the interval reaches up further by as much.

    Args:
        values: shape (1 + resamples, ks).
        bounds: what a value can be at all.
        error: predicted − observed in the back-test; 0 without one.
    """
    found = {}
    for column, k in enumerate(ks.tolist()):
        one = _one(values[:, column], confidence)
        if one.low is not None and one.high is not None:
            low = max(one.low - max(error, 0.0), bounds[0])
            high = min(one.high + max(-error, 0.0), bounds[1])
            one = Interval(estimate=one.estimate, low=low, high=high)
        found[k] = one
    return found


def _one(values: Floats, confidence: float) -> Interval:
    tail = (1 - confidence) / 2
    others = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or others.size < RESAMPLES / 2:
        return Interval(estimate=known(values[:1])[0], low=None, high=None)
    low, high = np.quantile(others, [tail, 1 - tail])
    return Interval(estimate=float(values[0]), low=float(low), high=float(high))


def beyond_n(data: BenchmarkData) -> BeyondN | None:
    """Each arm's extrapolation and back-test; each pair's difference.

    The models need the same n for every problem, or a rule by which problems ended: problems with
    fewer samples are left out. None where fewer than ten problems are left in every arm.
    """
    fitted = _Fitted(data)
    arms = {arm: one for arm in data.arms if (one := _reached(data, fitted, arm))}
    pairs = [said for pair in data.pairs() if (said := _difference(data, fitted, pair))]
    return BeyondN(reach=REACH, arms=arms, pairs=pairs) if arms else None


class _Fitted:
    """Fits by arm and problems, each made once; resamples of the same problems are the same."""

    def __init__(self, data: BenchmarkData) -> None:
        self._data = data
        self._known: dict[tuple[str, tuple[str, ...]], dict[str, Fit]] = {}

    def weights(self, problem_ids: Ids) -> Floats:
        """How often each of these problems counts in each fit."""
        return resampled(len(problem_ids), self._data.experiment.seed)

    def on(self, arm: str, counts: Counts, n: int) -> dict[str, Fit]:
        """An arm's fit to these counts of n samples each."""
        key = (arm, counts.problem_ids)
        if key not in self._known:
            weights = self.weights(counts.problem_ids)
            self._known[key] = both_fits(Histograms.of_counts(counts, n, weights))
        return self._known[key]


def _ks(n: int) -> Ints:
    return np.array([n, 2 * n, 5 * n, REACH * n])


def _reached(data: BenchmarkData, fitted: _Fitted, arm: str) -> BeyondNOfArm | None:
    n = data.n(arm)
    ids = data.counts(arm).with_all(n)
    if len(ids) < FEWEST_PROBLEMS or n < 2:
        return None
    counts, level = data.counts(arm).on(ids), data.settings.confidence
    tested = _back_test(data, arm, counts, n, fitted.weights(ids))
    errors = (
        {model: one.error.estimate or 0.0 for model, one in tested.models.items()} if tested else {}
    )
    return BeyondNOfArm(
        n=n,
        problems=len(ids),
        left_out=len(data.counts(arm).problem_ids) - len(ids),
        back_test=tested,
        **_described(fitted.on(arm, counts, n), _ks(n), level, errors),
    )


def _back_test(
    data: BenchmarkData, arm: str, counts: Counts, n: int, weights: Floats
) -> BackTest | None:
    """Fit on the first part of each problem's samples; predict pass@n; compare with the observed.

    None where n is too small, or the samples of a problem are not the first n. Not more samples are
    fitted on than up to an arm's first look, which all problems have.
    """
    part = min(n // BACK_TEST_SHARE, data.first_look.n(arm))
    if part < 2:
        return None
    first = data.verdicts[arm].first(part).counts
    if not set(counts.problem_ids) <= set(first.problem_ids):
        return None
    first = first.on(counts.problem_ids)
    if (first.samples != part).any():
        return None
    level = data.settings.confidence
    return back_test(first.correct, part, counts.correct, n, weights, level)


def back_test(
    first: Ints, part: int, correct: Ints, n: int, weights: Floats, confidence: float
) -> BackTest:
    """How far predictions of pass@n from fewer samples lie from what n samples say.

    Args:
        first: correct among the first `part` samples, shape (problems,).
        correct: correct among all samples, shape (problems,); one with a correct sample counts 1.
        weights: as in `count_histogram`.
    """
    ks = np.array([n])
    solved = (correct > 0).astype(np.float64)
    observed = weights @ solved / weights.sum(axis=1)
    early = Histograms.of(count_histogram(first, part, weights))
    said = {}
    for model, fit in both_fits(early).items():
        predicted = fit.pass_at_k(ks)[:, 0]
        said[model] = PredictionError(
            predicted=_one(predicted, confidence), error=_one(predicted - observed, confidence)
        )
    return BackTest(fitted_on=part, k=n, observed=float(observed[0]), **said)


def _difference(data: BenchmarkData, fitted: _Fitted, pair: Pair) -> BeyondNOfPair | None:
    """Other − base, problems resampled for both alike, on those with all n samples in both."""
    n, whole = pair.n, set(pair.base_counts.with_all(pair.n))
    ids = tuple(key for key in pair.other_counts.with_all(n) if key in whole)
    if len(ids) < FEWEST_PROBLEMS or n < 2:
        return None
    ks = _ks(n)
    first, second = pair.base_counts.on(ids), pair.other_counts.on(ids)
    base, other = fitted.on(pair.base, first, n), fitted.on(pair.other, second, n)
    weights = fitted.weights(ids)
    tests = [
        _back_test(data, arm, counts, n, weights)
        for arm, counts in ((pair.base, first), (pair.other, second))
    ]
    errors = {model: _error_of_difference(tests, model) for model in MODELS}
    return BeyondNOfPair(
        base=pair.base,
        other=pair.other,
        n=n,
        problems=len(ids),
        back_test_error=errors,
        difference={
            model: intervals(
                other[model].pass_at_k(ks) - base[model].pass_at_k(ks),
                ks,
                data.settings.confidence,
                (-1, 1),
                errors[model] or 0.0,
            )
            for model in MODELS
        },
    )


def _error_of_difference(tests: list[BackTest | None], model: str) -> float | None:
    """How far the predicted difference of the back-tests lies from the observed one."""
    base, other = (None if one is None else one.models[model].error.estimate for one in tests)
    return None if base is None or other is None else float(other - base)


def shrunk_pass_at_k(correct: Ints, samples: Ints, ks: Ints, fit: Fit) -> Floats:
    """Each problem's pass@k expected of its samples and of what the others are like.

    Accuracies are taken as drawn: a share π of problems is never solved, the others' are from
    Beta(a, b) (empirical Bayes, Morris 1983). After c right samples of n a problem's is Beta(α, β),
    α = a + c, β = b + n - c, so that pass@k is 1 - B(α, β + k) / B(α, β); with c = 0 it is never
    solved with probability π / (π + (1 - π) P(0)), P(0) = B(a, b + n) / B(a, b). The same holds
    where a rule ended problems, which does not depend on their accuracies.

    Args:
        correct, samples: c and n, shape (problems,).
        ks: shape (ks,).
        fit: its first row is taken.

    Returns:
        Shape (problems, ks); NaN where there is no fit.
    """
    from scipy.special import betaln

    a, b, never = float(fit.a[0]), float(fit.b[0]), float(fit.never[0])
    right, wrong = (a + correct)[:, None], (b + samples - correct)[:, None]
    missed = np.exp(betaln(right, wrong + np.asarray(ks)) - betaln(right, wrong))
    by_chance = (1 - never) * np.exp(betaln(a, b + samples) - betaln(a, b))
    out_of_reach = np.where(correct == 0, never / (never + by_chance), 0.0)
    return np.asarray((1 - out_of_reach[:, None]) * (1 - missed), dtype=np.float64)


def fitted(counts: Counts) -> Fit:
    """One fit to these counts, each problem with all that it needs of its n."""
    weights, n = np.ones((1, len(counts.problem_ids))), int(counts.depths.max())
    histograms = Histograms.of_counts(counts, n, weights)
    return fit_zero_inflated(histograms, fit_beta_binomial(histograms))


def shrinkage(data: BenchmarkData) -> dict[str, ShrunkArm] | None:
    """Shrunk estimates of each arm beside the unbiased ones, with a back-test.

    None where no arm has ten problems with n samples, right and wrong ones among them.
    """
    found = {arm: one for arm in data.arms if (one := _shrunk(data, arm))}
    return found or None


def _shrunk(data: BenchmarkData, arm: str) -> ShrunkArm | None:
    n, counts = data.n(arm), data.counts(arm)
    whole = counts.with_all(n)
    if len(whole) < FEWEST_PROBLEMS or n < 2:
        return None
    counts = counts.on(whole)
    fit = fitted(counts)
    if np.isnan(fit.a[0]):
        return None
    ks = data.shown_ks(n)
    values = shrunk_pass_at_k(counts.correct, counts.samples, np.union1d([1], ks), fit)
    by_k = dict(zip(np.union1d([1], ks).tolist(), known(values.mean(axis=0)), strict=True))
    return ShrunkArm(
        n=n,
        a=float(fit.a[0]),
        b=float(fit.b[0]),
        never_solved=float(fit.never[0]),
        pass_at_k=by_k,
        accuracies=dict(zip(whole, values[:, 0].tolist(), strict=True)),
        back_test=_halves_test(data.first_look, arm, whole),
    )


def _halves_test(data: BenchmarkData, arm: str, problem_ids: Ids) -> ShrinkageTest | None:
    """Accuracies from half of the samples, unbiased and shrunk, held against the other half.

    The noise of the other half, p(1 - p)/(m - 1) of its share p among m, is taken off the mean
    squared errors. None where there are fewer than four samples.
    """
    half = data.n(arm) // 2
    verdicts = data.verdicts[arm]
    first, second = (
        verdicts.where((verdicts.index >= start) & (verdicts.index < start + half)).counts
        for start in (0, half)
    )
    there = set(first.problem_ids) & set(second.problem_ids) & set(problem_ids)
    if half < 2 or len(there) < FEWEST_PROBLEMS:
        return None
    ids = tuple(sorted(there))
    first, second = first.on(ids), second.on(ids)
    alike = (first.samples == half) & (second.samples == half)
    if not alike.all():
        return None
    fit = fitted(first)
    if np.isnan(fit.a[0]):
        return None
    truth = second.correct / half
    plain = first.correct / half
    shrunk = shrunk_pass_at_k(first.correct, first.samples, np.array([1]), fit)[:, 0]
    noise = truth * (1 - truth) / (half - 1)
    errors = [(estimate - truth) ** 2 for estimate in (plain, shrunk)]
    unbiased, drawn_in = (float((error - noise).mean()) for error in errors)
    gain = data.mean(errors[0] - errors[1], ids, DIFFERENCE)
    return ShrinkageTest(fitted_on=half, unbiased=unbiased, shrunk=drawn_in, gain=gain)
