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
                gaps = [100 * smallest_gap(problems, share, level) for share in _SHARES]
                said = " and of ".join(
                    f"{gap:.1f} points or more if one model alone solves {share:.0%} of the "
                    f"problems"
                    for gap, share in zip(gaps, _SHARES, strict=True)
                )
                yield (
                    f"Resolution: {counted(problems, 'problem')} of {benchmark} show, "
                    f"{POWER:.0%} of the time, a gap in pass@n of {said}"
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
