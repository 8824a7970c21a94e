"""The section `shrinkage`: accuracies of problems drawn towards what problems like them have."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.beyond_n import FEWEST_PROBLEMS
from vlm_boundary.analysis.counts import Counts, Floats, Ints
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData
from vlm_boundary.analysis.extrapolation import (
    Fit,
    Histograms,
    fit_beta_binomial,
    fit_zero_inflated,
)
from vlm_boundary.analysis.intervals import known
from vlm_boundary.records.sections import ShrinkageTest, ShrunkArm


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
    found = {arm: one for arm in data.arms if (one := _of_arm(data, arm))}
    return found or None


def _of_arm(data: BenchmarkData, arm: str) -> ShrunkArm | None:
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
        back_test=_back_test(data.first_look, arm, whole),
    )


def _back_test(data: BenchmarkData, arm: str, problem_ids: tuple[str, ...]) -> ShrinkageTest | None:
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
