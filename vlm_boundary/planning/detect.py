"""Which designs find a gap between two models, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.power import smallest_gap
from vlm_boundary.config import FULL, ExperimentConfig
from vlm_boundary.counted import counted
from vlm_boundary.engines.bound import Bound
from vlm_boundary.errors import UserError
from vlm_boundary.planning.design import Accuracies, Design, designs
from vlm_boundary.planning.estimate import ArmPlan, Plan
from vlm_boundary.store import RunDirectory

_SHOWN = 3


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
            f"  {one.problems:,} of {counted(there, 'problem')}, {_way(one)}: "
            f"{one.total:,.0f} samples "
            f"({one.samples[0]:.0f} + {one.samples[1]:.0f} per problem){_cost(one, plans)}; "
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
