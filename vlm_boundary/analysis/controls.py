"""The sections `controls` and `guess_filter`: the same problems without what they are solved by."""

from __future__ import annotations

from functools import partial

import numpy as np

from vlm_boundary.analysis.counts import Bools, Floats, Ids, Ints, on_shared
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.stopping import pass_at_k_of
from vlm_boundary.config import Condition
from vlm_boundary.records.sections import ControlArm, GuessFilter


def guessable(correct: Ints, samples: Ints, draws: int, threshold: float) -> Floats:
    """Which problems direct answers hit now and then, by luck.

    1 where 0 < c/m < threshold over the same number m of direct answers per problem, else 0 (Yue et
    al. 2025, arXiv 2504.13837, appendix on guessable problems).

    Args:
        correct: c among the first m direct answers, shape (problems,).
        samples: how many of those m there are, shape (problems,).
        draws: m.

    Returns:
        Shape (problems,); NaN where a problem has fewer than m direct answers.
    """
    share = np.asarray(correct) / draws
    lucky = (share > 0) & (share < threshold)
    return np.where(np.asarray(samples) >= draws, lucky.astype(np.float64), np.nan)


def fewest_draws(threshold: float) -> int:
    """The least m with which one hit among m direct answers lies below the threshold."""
    return int(np.floor(1 / threshold)) + 1


def survivors(judged: list[Floats]) -> tuple[Bools, Bools]:
    """Problems that no model guesses, and those that some model's direct answers leave open.

    What one model guesses (`judged` has `guessable` of each) is out, whatever the others do; the
    rest is unknown where a model has too few direct answers. Each of shape (problems,).
    """
    stacked = np.array(judged)
    out = (stacked == 1).any(axis=0)
    unknown = ~out & np.isnan(stacked).any(axis=0)
    return ~out & ~unknown, unknown


def controls(data: BenchmarkData) -> dict[str, dict[str, ControlArm]] | None:
    """By condition and arm, its curve and how much better the full problem does, or None."""
    found = {
        condition: {
            arm: one
            for arm in data.arms
            if (one := _control(data, arm, condition, settings.n)) is not None
        }
        for condition, settings in data.experiment.controls.items()
    }
    return {condition: arms for condition, arms in found.items() if arms} or None


def _control(data: BenchmarkData, arm: str, condition: Condition, n: int) -> ControlArm | None:
    verdicts = data.control(arm, condition)
    if verdicts is None:
        return None
    counts = verdicts.first(n).counts
    full, without = on_shared(data.counts(arm), counts)
    ks = data.grid(n)
    values = pass_at_k_of(counts, ks)
    gained = pass_at_k_of(full, ks) - pass_at_k_of(without, ks)
    return ControlArm(
        n=n,
        problems=len(counts.problem_ids),
        pass_at_k=data.means(values, counts.problem_ids).curve(ks),
        full_minus_control=data.means(gained, full.problem_ids, DIFFERENCE).curve(ks),
    )


def guess_filter(data: BenchmarkData) -> list[GuessFilter] | None:
    """Each pair on the problems that direct answers do not guess now and then; None without these.

    With too few samples per problem `surviving` is null.
    """
    control = data.experiment.controls.get("direct_answer")
    if control is None:
        return None
    settings = data.settings.guess_filter
    draws = min(settings.draws, control.n)
    return [_filtered(data, pair, draws) for pair in data.pairs()]


def _filtered(data: BenchmarkData, pair: Pair, draws: int) -> GuessFilter:
    settings = data.settings.guess_filter
    judges = [pair.base, pair.other] if settings.arm is None else [settings.arm]
    filtered = partial(
        GuessFilter,
        base=pair.base,
        other=pair.other,
        judged_by=judges,
        draws=draws,
        draws_needed=fewest_draws(settings.threshold),
        threshold=settings.threshold,
        problems=len(pair.problem_ids),
    )
    if draws < fewest_draws(settings.threshold):
        return filtered(surviving=None)
    judged = [_judged(data, arm, pair.problem_ids, draws) for arm in judges]
    survive, unknown = survivors(judged)
    kept = pair.base_counts.where(survive)
    ks = data.grid(pair.n)
    first, second = (pass_at_k_of(of.on(kept), ks) for of in (pair.base_counts, pair.other_counts))
    return filtered(
        guessable={
            arm: list(pair.base_counts.where(one == 1))
            for arm, one in zip(judges, judged, strict=True)
        },
        surviving=len(kept),
        unknown=int(unknown.sum()),
        base_pass_at_k=data.means(first, kept).curve(ks),
        other_pass_at_k=data.means(second, kept).curve(ks),
        difference=data.means(second - first, kept, DIFFERENCE).curve(ks),
    )


def _judged(data: BenchmarkData, arm: str, problem_ids: Ids, draws: int) -> Floats:
    """`guessable` by an arm's first direct answers; NaN for problems that have too few."""
    verdicts = data.control(arm, "direct_answer")
    if verdicts is None:
        return np.full(len(problem_ids), np.nan)
    first = verdicts.first(draws)
    threshold = data.settings.guess_filter.threshold
    judged = guessable(first.counts.correct, first.counts.samples, draws, threshold)
    places = first.places(problem_ids)
    return np.where(places >= 0, judged[places], np.nan)
