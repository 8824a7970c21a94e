"""Entropy of what arms sample: pure functions, and the section `entropy`."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.config import SamplingConfig
from vlm_boundary.records.sections import EntropyOfArm


def surprisal_per_token(
    problem: Ints, tokens: Floats, logprob_sum: Floats, problems: int
) -> Floats:
    """The mean of -log p over all tokens of each problem's samples, in nats.

    Of samples drawn from q and log-probabilities under q, its expectation is the entropy of q a
    token. Under another distribution p it is the cross-entropy of q and p, which is larger.

    Args:
        problem: the place of each sample's problem, shape (samples,).
        tokens: shape (samples,); NaN where they are not known.
        logprob_sum: natural logarithms, shape (samples,); samples where it is NaN are left out.
        problems: how many there are.

    Returns:
        Shape (problems,); NaN where no token is left.
    """
    known = np.isfinite(logprob_sum) & (tokens > 0)
    total = np.bincount(problem[known], weights=-logprob_sum[known], minlength=problems)
    length = np.bincount(problem[known], weights=tokens[known], minlength=problems)
    return np.where(length > 0, total / np.maximum(length, 1), np.nan)


def matched_temperature(temperatures: Floats, entropies: Floats, target: float) -> float | None:
    """The temperature at which the entropy is the target, between those that were tried.

    Entropies are made non-decreasing in temperature by least squares (isotonic regression), then
    joined by straight lines.

    Args:
        temperatures: ascending, shape (temperatures,).
        entropies: measured at each, shape (temperatures,).
        target: the entropy to meet.

    Returns:
        None where the target lies outside what was measured.
    """
    from scipy.optimize import isotonic_regression

    rising = isotonic_regression(entropies).x
    if not rising[0] <= target <= rising[-1]:
        return None
    reaches = int(np.searchsorted(rising, target, side="left"))
    passes = int(np.searchsorted(rising, target, side="right"))
    first = _between(rising, temperatures, reaches, target)
    last = _between(rising, temperatures, passes, target)
    return (first + last) / 2  # of a level stretch its middle: the entropy says no more


def _between(rising: Floats, temperatures: Floats, end: int, target: float) -> float:
    """Where the line that ends at point `end` meets the target; past the ends the end itself."""
    if end == 0 or end == len(rising):
        return float(temperatures[min(end, len(rising) - 1)])
    low, high = rising[end - 1], rising[end]
    share = (target - low) / (high - low)
    return float(temperatures[end - 1] + share * (temperatures[end] - temperatures[end - 1]))


def is_untouched(sampling: SamplingConfig) -> bool:
    """Whether samples are drawn from the model's own distribution, so that cross is plain entropy.

    At temperature 1, with nothing cut off and nothing penalised.
    """
    return (
        sampling.temperature == 1
        and sampling.top_p == 1
        and sampling.top_k == 0
        and sampling.min_p == 0
        and sampling.repetition_penalty == 1
        and not sampling.args
    )


def entropy(data: BenchmarkData) -> dict[str, EntropyOfArm] | None:
    """How surprising each arm's own samples are to it, a token, in nats.

    Stored log-probabilities are the model's own, at temperature 1; samples are drawn after
    temperature and top-p. So this is a cross-entropy, but where nothing changes the distribution.
    None where no log-probabilities were kept.
    """
    found = {}
    for arm in data.arms:
        responses = data.responses[arm]
        values = surprisal_per_token(
            responses.problem, responses.tokens, responses.logprob_sum, len(responses.problem_ids)
        )
        if np.isnan(values).all():
            continue
        sampling = data.experiment.arm_sampling(arm)
        found[arm] = EntropyOfArm(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            cross_entropy=data.mean(values, responses.problem_ids, (0, np.inf)),
            is_entropy=is_untouched(sampling),
        )
    return found or None
