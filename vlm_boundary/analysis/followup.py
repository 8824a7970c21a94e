"""More samples of the problems that one arm alone solved, for both arms alike."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Ids
from vlm_boundary.analysis.data import BenchmarkData, Pair
from vlm_boundary.analysis.sets import cells
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.records.sections import FollowUp, FreshSamples, SolvedAgain, StillUnsolved
from vlm_boundary.sampling.plan import TopUp
from vlm_boundary.store import RunDirectory

CELLS = ("base_only", "other_only")


def top_ups(run: RunDirectory, experiment: ExperimentConfig, n: int) -> list[TopUp]:
    """What brings both arms of every pair to n samples on both cells that one arm alone solved.

    Topping up one cell, or one arm, would manufacture shrinkage or expansion. UserError where n is
    not above what the run has, or nothing was verified yet.
    """
    wanted: dict[tuple[str, str], set[str]] = {}
    read = (BenchmarkData.read(run, experiment, name) for name in experiment.benchmarks)
    for data in filter(None, read):
        for pair in data.pairs():
            if n <= max(map(data.asked, pair.names)):
                raise UserError(f"--n {n}: give more than the {pair.n} samples that arms have")
            ids = {i for cell in CELLS for i in _ids(pair, cell)}
            for arm in pair.names:
                wanted.setdefault((arm, data.benchmark), set()).update(ids)
    if not wanted:
        raise UserError(f"{run.path}: there is no pair of verified arms to follow up")
    samplings = {arm: experiment.arm_sampling(arm) for arm, _ in wanted}
    # Where a rule ended a problem early, what lies between that and its n is not needed.
    fresh_from = {arm: one.n if one.rule else 0 for arm, one in samplings.items()}
    return [
        TopUp(arm, benchmark, n, frozenset(ids), fresh_from[arm])
        for (arm, benchmark), ids in wanted.items()
        if ids
    ]


def followup(data: BenchmarkData) -> list[FollowUp] | None:
    """What the samples beyond n say of each pair's two cells; None where there are none.

    Only fresh samples count here, of both arms: a problem is in its cell because of what the first
    n happened to be.
    """
    rows = [row for pair in data.pairs() for cell in CELLS if (row := _row(data, pair, cell))]
    return rows or None


def _row(data: BenchmarkData, pair: Pair, cell: str) -> FollowUp | None:
    ids = _ids(pair, cell)
    solved, least = [], []
    for arm in pair.names:
        verdicts = data.everything[arm]
        fresh = verdicts.where(verdicts.index >= data.asked(arm)).counts
        if not ids or not set(fresh.problem_ids).issuperset(ids):
            return None
        counts = fresh.on(ids)
        least.append(int(counts.samples.min()))
        solved.append(counts.correct > 0)
    base, other = solved
    names = np.array(ids, dtype=object)
    return FollowUp(
        base=pair.base,
        other=pair.other,
        cell=cell,
        problems=len(ids),
        fresh_samples=FreshSamples(base=least[0], other=least[1]),
        solved_again=SolvedAgain(
            base=int(base.sum()), other=int(other.sum()), both=int((base & other).sum())
        ),
        still_unsolved_by=StillUnsolved(base=names[~base].tolist(), other=names[~other].tolist()),
    )


def _ids(pair: Pair, cell: str) -> Ids:
    mask = cells(pair.base_counts.correct, pair.other_counts.correct)[cell]
    return pair.base_counts.where(mask)
