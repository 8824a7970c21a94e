"""The section `arms`: what each arm does alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from vlm_boundary.analysis.consistency import COVER_PERCENTS, TAUS
from vlm_boundary.analysis.counts import Floats
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.intervals import Intervals
from vlm_boundary.analysis.stopping import (
    accuracy_of,
    lenient_pass_at_k_of,
    pass_at_k_of,
    strict_pass_at_k_of,
)
from vlm_boundary.analysis.verdicts import Ended
from vlm_boundary.records.analysis import ArmAnalysis, SinglePass, Stopping
from vlm_boundary.records.record import Curve, where_known


def arms(data: BenchmarkData) -> dict[str, ArmAnalysis]:
    """Every arm's sizes, outcomes and curves."""
    return {arm: _alone(data, arm) for arm in data.arms}


def _alone(data: BenchmarkData, arm: str) -> ArmAnalysis:
    counts, n = data.counts(arm), data.n(arm)
    ks = np.arange(1, n + 1)

    def curve(values: Floats) -> Curve:
        return data.means(values, counts.problem_ids).curve(ks)

    strict, strict_most = strict_pass_at_k_of(counts, ks)
    bounded = not np.array_equal(strict, strict_most, equal_nan=True)
    return ArmAnalysis(
        role=data.experiment.arms[arm].role,
        n=n,
        problems=len(counts.problem_ids),
        problems_with_fewer_than_n=int((counts.depths < n).sum()),
        samples=int(counts.samples.sum()),
        correct=int(counts.correct.sum()),
        statuses=data.verdicts[arm].statuses(),
        sources=data.verdicts[arm].sources(),
        pass_at_k=curve(pass_at_k_of(counts, ks)),
        pass_at_k_strict=curve(strict),
        pass_at_k_lenient=curve(lenient_pass_at_k_of(counts, ks)),
        avg_at_n=data.mean(accuracy_of(counts), counts.problem_ids),
        single_pass=_single_pass(data, arm),
        **_of_alike(data.first_look, arm),
        **where_known(
            pass_at_k_strict_upper=curve(strict_most) if bounded else None,
            stopping=stopping(data.ended[arm]) if arm in data.ended else None,
        ),
    )


def _of_alike(data: BenchmarkData, arm: str) -> dict[str, Any]:
    """What takes as many samples of every problem: votes, consistency, shares of right answers."""
    found = data.consistency[arm]

    def over_problems(values: Floats) -> Intervals:
        return data.means(values, data.counts(arm).problem_ids)

    g_pass = enumerate(f"{tau:g}" for tau in TAUS)
    return {
        "pass_hat_k": over_problems(found.hat).curve(np.arange(1, data.n(arm) + 1)),
        "maj_at_k": over_problems(found.majority).curve(found.grid),
        "g_pass_at_k": {
            tau: over_problems(found.g_pass[:, place]).curve(found.ks) for place, tau in g_pass
        },
        "mg_pass_at_k": over_problems(found.mean_g).curve(found.ks),
        "cover_at_tau": over_problems(found.covered).by(f"{p / 100:g}" for p in COVER_PERCENTS),
    }


def stopping(ended: Ended) -> Stopping:
    """How far problems went, and what that saved."""
    looks, drawn = np.unique(ended.looks[ended.looks > 0], return_counts=True)
    problems, samples = int(drawn.sum()), int(looks @ drawn)
    return Stopping(
        after=list(ended.rule.looks[:-1]),
        right=ended.rule.right,
        n=ended.rule.n,
        ended_at=dict(zip(looks.tolist(), drawn.tolist(), strict=True)),
        mean_n=samples / problems if problems else None,
        saved=1 - samples / (problems * ended.n) if problems else None,
        unread=ended.beyond,
        unfinished=list(ended.unfinished),
        left_out=sorted(ended.failed - set(ended.verdicts.counts.where(ended.looks > 0))),
    )


def _single_pass(data: BenchmarkData, arm: str) -> SinglePass:
    """Accuracy of one answer per problem: that of the checkpoint's one-sample arm, or the first."""
    config, told = data.experiment.arms[arm], data.experiment.arm_chat_template_args
    same = [
        name
        for name in data.arms
        if data.n(name) == 1
        and told(name) == told(arm)
        and all(
            getattr(data.experiment.arms[name], key) == getattr(config, key)
            for key in ("model", "revision", "base", "prompt", "chat_template")
        )
    ]
    source = same[0] if same else arm
    first = data.everything[source].first(1).counts
    accuracy = data.mean(first.correct / first.samples, first.problem_ids)
    temperature = data.experiment.arm_sampling(source).temperature
    return SinglePass(arm=source, greedy=temperature == 0.0, **accuracy.given())
