"""The section `series`: arms that belong together, along training, temperature or seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints, on_shared
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.intervals import NOTHING, known
from vlm_boundary.analysis.quantiles import student
from vlm_boundary.analysis.stopping import pass_at_k_of
from vlm_boundary.records.record import Curve, where_known
from vlm_boundary.records.series import (
    ArmSeries,
    Seeds,
    SpreadOfSeeds,
    Temperatures,
    TrainingArm,
    TrainingSteps,
    WarmArm,
)


def series(data: BenchmarkData) -> ArmSeries | None:
    """Training steps, temperature sweeps and RL seeds, as far as there are arms for them."""
    temperature, seeds = _temperatures(data) or None, _seeds(data) or None
    said = where_known(training=_training(data), temperature=temperature, seeds=seeds)
    return ArmSeries(**said) if said else None


def _training(data: BenchmarkData) -> TrainingSteps | None:
    """Each of `along_training`.

    At k = 1 and at the largest k that all of them have.
    """
    arms, order = data.experiment.arms, along_training(data)
    if not order:
        return None
    ks = _ends(data, order)
    return TrainingSteps(
        ks=ks.tolist(),
        arms=[
            TrainingArm(
                arm=arm,
                role=arms[arm].role,
                step=arms[arm].step,
                pass_at_k=_curve(data, arm, ks),
            )
            for arm in order
        ],
    )


def along_training(data: BenchmarkData) -> list[str]:
    """Arms with a training step in their order, after each base; none where no arm has a step."""
    arms = data.experiment.arms
    steps = {arm: step for arm in data.arms if (step := arms[arm].step) is not None}
    bases = [arm for arm in data.arms if arms[arm].role == "base" and arm not in steps]
    return [*bases, *sorted(steps, key=lambda arm: (steps[arm], arm))] if steps else []


def _temperatures(data: BenchmarkData) -> list[Temperatures]:
    """Arms of one checkpoint that differ in temperature."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for arm in data.arms:
        groups.setdefault(_checkpoint(data, arm), []).append(arm)
    found = []
    for arms in groups.values():
        warm = {arm: data.experiment.arm_sampling(arm).temperature for arm in arms}
        if len(set(warm.values())) < 2:
            continue
        order = sorted(arms, key=lambda arm: (warm[arm], arm))
        found.append(
            Temperatures(
                model=data.experiment.arms[arms[0]].model,
                arms=[
                    WarmArm(
                        arm=arm,
                        temperature=warm[arm],
                        # A greedy arm has one sample, and so k = 1 alone.
                        pass_at_k=_curve(data, arm, _ends(data, [arm])),
                    )
                    for arm in order
                ],
            )
        )
    return found


def _seeds(data: BenchmarkData) -> list[Seeds]:
    """RL checkpoints of one recipe, which differ in their training seed alone.

    Their spread is that between training runs, which no interval over problems contains; what it
    makes of the difference from a base is in `seeds`.
    """
    experiment = data.experiment
    found = []
    for recipe in experiment.recipes():
        arms = [arm for arm in data.arms if arm in recipe]
        if len(arms) < 2:
            continue
        ks = _ends(data, arms)
        shared = on_shared(*map(data.counts, arms))
        if not shared[0].problem_ids:
            continue
        values = np.array([np.nanmean(pass_at_k_of(counts, ks), axis=0) for counts in shared])
        found.append(
            Seeds(
                arms=arms,
                step=experiment.arms[arms[0]].step,
                problems=len(shared[0].problem_ids),
                pass_at_k={
                    k: spread_of_seeds(values[:, column], data.settings.confidence)
                    for column, k in enumerate(ks.tolist())
                },
            )
        )
    return found


def spread_of_seeds(each: Floats, confidence: float) -> SpreadOfSeeds:
    """Mean over training runs with Student's t interval.

    What is drawn are training runs, which lie close together or do not: the rule for few problems
    allows for problems unlike the others that were not drawn, and has no place here.

    Args:
        each: pass@k of each checkpoint, shape (checkpoints,), two or more.

    Returns:
        Without ends where they are all alike, since that says nothing of other runs.
    """
    mean, deviation = float(each.mean()), float(each.std(ddof=1))
    reach = student(0.5 + confidence / 2, len(each) - 1) * deviation / np.sqrt(len(each))
    ends = np.clip([mean - reach, mean + reach], 0.0, 1.0)
    low, high = known(ends if deviation > NOTHING else np.full(2, np.nan))
    return SpreadOfSeeds(
        estimate=mean, low=low, high=high, standard_deviation=deviation, checkpoints=len(each)
    )


def _checkpoint(data: BenchmarkData, arm: str) -> tuple[Any, ...]:
    config = data.experiment.arms[arm]
    told = repr(sorted(data.experiment.arm_chat_template_args(arm).items()))
    return (config.model, config.revision, config.base, config.chat_template, told, config.prompt)


def _ends(data: BenchmarkData, arms: list[str]) -> Ints:
    """1 and the largest k that all of these arms have."""
    return np.unique([1, min(data.n(arm) for arm in arms)])


def _curve(data: BenchmarkData, arm: str, ks: Ints) -> Curve:
    counts = data.counts(arm)
    return data.means(pass_at_k_of(counts, ks), counts.problem_ids).curve(ks)
