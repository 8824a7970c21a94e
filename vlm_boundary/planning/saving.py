"""What a stopping rule is expected to save, before anything more is drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.config import FULL, ExperimentConfig
from vlm_boundary.counted import counted
from vlm_boundary.planning.design import expected_samples, possible_accuracies, prior_accuracies
from vlm_boundary.planning.estimate import Plan
from vlm_boundary.store import RunDirectory


def saving_lines(
    run: RunDirectory,
    experiment: ExperimentConfig,
    plan: Plan,
    prior: tuple[float, float, float] | None,
) -> Iterator[str]:
    """Expected samples of every arm with a rule, by its counts so far or a stated prior.

    Args:
        prior: as in `detect.Gap`.
    """
    known: dict[str, BenchmarkData | None] = {}
    for one in plan.arms:
        rule = experiment.arm_sampling(one.arm).rule
        if rule is None or one.condition != FULL:
            continue
        if one.benchmark not in known:
            known[one.benchmark] = BenchmarkData.read(run, experiment, one.benchmark)
        data, rng = known[one.benchmark], np.random.default_rng(experiment.seed)
        where = (
            f"{one.arm} on {one.benchmark}: its rule asks for at most "
            f"{counted(rule.n, 'sample')} per problem"
        )
        if prior is not None:
            accuracies, source = prior_accuracies(*prior, rng), "the stated prior"
        elif data and one.arm in data.arms:
            counts = data.counts(one.arm)
            rows = np.arange(len(counts.problem_ids)).repeat(8)
            accuracies = possible_accuracies(counts, rows, rng)
            source = f"the counts of {counted(len(counts.problem_ids), 'problem')} so far"
        else:
            yield f"{where}; to see how many it saves, sample a pilot or give --prior NEVER,A,B"
            continue
        mean = expected_samples(rule, accuracies)
        yield (
            f"{where}, {mean:.0f} on average, {mean * one.problems:,.0f} in all "
            f"({1 - mean / rule.n:.0%} saved), by {source}"
        )
