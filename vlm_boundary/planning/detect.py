"""What gaps an experiment finds, which designs find one, and what a stopping rule would save."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.pairs import needed_at
from vlm_boundary.analysis.power import POWER, smallest_gap
from vlm_boundary.config import FULL, ExperimentConfig
from vlm_boundary.counted import counted
from vlm_boundary.engines.bound import Bound
from vlm_boundary.errors import UserError
from vlm_boundary.planning.design import (
    Accuracies,
    Design,
    designs,
    expected_samples,
    possible_accuracies,
    prior_accuracies,
)
from vlm_boundary.planning.estimate import ArmPlan, Plan
from vlm_boundary.store import RunDirectory

_SHOWN = 3
# Shares of the problems that one model alone solves: a usual one, and a large one.
_SHARES = (0.1, 0.2)


@dataclass(frozen=True)
class Gap:
    """A gap to be found: `gap` in pass@k as a share, with this power.

    `prior` is what accuracies are drawn from where there is no pilot: the share never solved, and a
    and b of the others' Beta.
    """

    gap: float
    k: int
    power: float
    prior: tuple[float, float, float] | None


def detect_lines(
    run: RunDirectory, experiment: ExperimentConfig, plan: Plan, asked: Gap
) -> Iterator[str]:
    """The cheapest designs on each benchmark, by the counts so far or a stated prior.

    Raises:
        UserError: there is neither.
    """
    level = experiment.analysis.confidence
    yield ""
    yield (
        f"To find a gap of {100 * asked.gap:g} points in pass@{asked.k} {asked.power:.0%} of the "
        f"time ({level:.0%} intervals, problems as a sample of their kind):"
    )
    told = False
    for benchmark in experiment.benchmarks:
        for base, other, source, accuracies in _known(run, experiment, benchmark, asked):
            told = True
            yield f"{benchmark}, {other} against {base}, by {source}:"
            found = designs(accuracies, asked.gap, asked.k, level, asked.power)
            plans = [_plan_of(plan, arm, benchmark) for arm in (base, other)]
            yield from _of_pair(found, plans, level, asked.power)
    if not told:
        raise UserError(
            f"{run.path}: no pair of arms has verdicts yet to go by; give --prior NEVER,A,B: the "
            f"share of problems never solved, and the Beta(A, B) of the others' accuracies"
        )


def _known(
    run: RunDirectory, experiment: ExperimentConfig, benchmark: str, asked: Gap
) -> Iterator[tuple[str, str, str, Accuracies]]:
    rng = np.random.default_rng(experiment.seed)
    if asked.prior is not None:
        bases = [arm for arm, config in experiment.arms.items() if config.role == "base"]
        for base in bases:
            for other, config in experiment.arms.items():
                if other not in bases and config.role != "repeat":
                    stated = Accuracies.of_prior(*asked.prior, rng)
                    yield base, other, "the stated prior", stated
        return
    data = BenchmarkData.read(run, experiment, benchmark)
    for pair in data.pairs() if data else ():
        if pair.problem_ids:
            pilot = Accuracies.of_pilot(pair.base_counts, pair.other_counts, rng)
            source = f"the counts of {counted(len(pair.problem_ids), 'problem')} so far"
            yield pair.base, pair.other, source, pilot


def _plan_of(plan: Plan, arm: str, benchmark: str) -> ArmPlan:
    return next(
        one
        for one in plan.arms
        if (one.arm, one.benchmark, one.condition) == (arm, benchmark, FULL)
    )


def _of_pair(
    found: list[Design], plans: list[ArmPlan], confidence: float, power: float
) -> Iterator[str]:
    there = min(one.problems for one in plans)
    possible = [one for one in found if one.problems <= there]
    if not possible:
        best = min(found, key=lambda one: one.variance)
        gap = smallest_gap(there, best.variance, confidence, power) if there else None
        finds = "no gap at all" if gap is None else f"{100 * gap:.1f} points"
        yield (
            f"  not with its {counted(there, 'problem')}, whatever n: {_way(best)} finds "
            f"{finds}, and {best.from_problems:.0%} of that variance is the "
            f"problems'; it takes {counted(best.problems, 'problem')}"
        )
        return
    fixed = next((one for one in possible if len(one.rule.looks) == 1), None)
    shown = possible[:_SHOWN]
    if fixed is not None and fixed not in shown:
        shown.append(fixed)
    for one in shown:
        yield (
            f"  {one.problems:,} of {counted(there, 'problem')}, {_way(one)}: {one.total:,.0f} "
            f"samples ({one.samples[0]:.0f} + {one.samples[1]:.0f} per problem)"
            f"{_cost(one, plans)}; "
            f"{one.from_problems:.0%} of the variance is the problems', which no samples take away"
        )


def _way(design: Design) -> str:
    *looks, n = design.rule.looks
    if not looks:
        return f"n = {n} fixed"
    after = ", ".join(map(str, looks))
    return f"n = {n}, stop: {{after: [{after}], right: {design.rule.right}}}"


def _cost(design: Design, plans: list[ArmPlan]) -> str:
    """Tokens and hours, as far as lengths and GPUs are known."""
    each = [design.problems * samples for samples in design.samples]
    said = ""
    lengths = [one.response_tokens for one in plans]
    if None not in lengths:
        tokens = sum(s * length for s, length in zip(each, lengths, strict=True) if length)
        said += f", {tokens:,.0f} tokens"
    for gpu in plans[0].bounds:
        bounds = [one.bounds[gpu] for one in plans]
        seconds = [
            samples * bound.seconds / one.missing
            for samples, bound, one in zip(each, bounds, plans, strict=True)
            if isinstance(bound, Bound) and one.missing
        ]
        if len(seconds) == len(plans):
            said += f", at least {sum(seconds) / 3600:.2g} hours on {gpu}"
    return said


def resolution_lines(run: RunDirectory, experiment: ExperimentConfig, plan: Plan) -> Iterator[str]:
    """What gap in pass@n each benchmark resolves, and what the gaps seen so far would need."""
    level = experiment.analysis.confidence
    sizes = {arm.benchmark: arm.problems for arm in plan.arms if arm.condition == FULL}
    if len(experiment.arms) > 1:
        for benchmark, problems in sizes.items():
            if problems:
                yield (
                    f"Resolution: {counted(problems, 'problem')} of {benchmark} show, "
                    f"{POWER:.0%} of the time, {_shown_by(problems, level)}"
                )
    for benchmark in experiment.benchmarks:
        data = BenchmarkData.read(run, experiment, benchmark)
        for pair in data.pairs() if data else ():
            for k, found in needed_at(pair, np.unique([1, pair.n]), level).items():
                if found.problems is None:
                    continue
                samples = found.samples
                more = f", or {counted(samples, 'sample')} of each" if samples else ""
                yield (
                    f"  {pair.other} − {pair.base} on {benchmark} at k = {k}: "
                    f"{100 * found.gap:+.1f} points so far; to find a gap of that size "
                    f"{POWER:.0%} of the time takes {counted(found.problems, 'problem')} "
                    f"(there are {len(pair.problem_ids):,}){more}"
                )


def _shown_by(problems: int, confidence: float) -> str:
    """Which gaps so many problems show, for each share that one model alone solves."""
    gaps = {share: smallest_gap(problems, share, confidence) for share in _SHARES}
    shown = {share: gap for share, gap in gaps.items() if gap is not None and gap <= share}
    if not shown:  # a gap is no larger than that share
        return f"no gap in pass@n if one model alone solves no more than {_SHARES[-1]:.0%} of them"
    said = " and of ".join(
        f"{100 * gap:.1f} points or more if one model alone solves {share:.0%} of the problems"
        for share, gap in shown.items()
    )
    none = "".join(f", and none if it solves {share:.0%}" for share in gaps if share not in shown)
    return f"a gap in pass@n of {said}{none}"


def saving_lines(
    run: RunDirectory,
    experiment: ExperimentConfig,
    plan: Plan,
    prior: tuple[float, float, float] | None,
) -> Iterator[str]:
    """Expected samples of every arm with a rule, by its counts so far or a stated prior.

    Args:
        prior: as in `Gap`.
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
