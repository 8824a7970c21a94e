"""Which gaps between models an experiment can tell from nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.pairs import needed_at
from vlm_boundary.analysis.power import POWER, smallest_gap
from vlm_boundary.config import FULL, ExperimentConfig
from vlm_boundary.counted import counted
from vlm_boundary.planning.estimate import Plan
from vlm_boundary.store import RunDirectory

# Shares of the problems that one model alone solves: a usual one, and a large one.
_SHARES = (0.1, 0.2)


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
                    f"(there are "
                    f"{len(pair.problem_ids):,}){more}"
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
