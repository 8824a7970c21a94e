"""The section `seeds`: what a recipe of RL does, beside what each of its checkpoints does.

Training seeds and problems are both taken as drawn (crossed, random): the difference of seed s on
problem i is Δ + δ_i + u_s + w_is. δ_i is what the problem and the base's samples of it do to all
seeds, u_s what the training run does to all problems, with the standard deviation τ, w_is the rest,
sampling noise in it. The mean difference D_s of a seed over N problems then has the error
δ̄ + u_s + w̄_s, of which δ̄ is the same for all seeds: they share problems and base. From the
residuals of problems (summed by cluster) come its variance c (the mean covariance between seeds)
and that of w̄_s, v (the mean variance less c). Between seeds the variance s² of D_s is τ² + v,
whatever c is. So

    Δ = mean of D_s,    Var = s²/S + c,    τ² = max(0, s² - v).

The interval's half-width is √((t_{S-1} s/√S)² + (t_f √c)²), each part at its own degrees of freedom
(the method of variance estimates recovery, Zou and Donner 2008); f is that of the mean over seeds
(`t_intervals`), whose interval stands in t_f √c's place where few problems carry the spread. The
first part is the Hartung-Knapp-Sidik-Jonkman interval of a random-effects meta-analysis with seeds
of equal weight (Hartung and Knapp 2001), which would alone take the seeds' errors for independent.
With two seeds t_1 is 12.7.

Over several benchmarks D_s is its mean over them, and c the mean of theirs over their number, since
their problems are independent; the benchmarks are taken as fixed, each as heavy.

What another seed would show on these problems, sampled as often, is predicted by
D ± t_{S-1} s √(1 + 1/S): δ̄ is the same for it, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vlm_boundary.analysis.counts import Codes, Floats, on_shared
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.intervals import NOTHING, Clustered, known, t_intervals
from vlm_boundary.analysis.power import POWER
from vlm_boundary.analysis.quantiles import normal, student
from vlm_boundary.analysis.stopping import pass_at_k_of
from vlm_boundary.records.record import Interval, Range
from vlm_boundary.records.series import RecipeEffect, SeedEffect

MOST_SEEDS = 1000
"""Of more no one asks how many it would take."""


@dataclass(frozen=True)
class _Benchmark:
    """What the problems of one benchmark, or of several, say of the mean over seeds.

    Attributes:
        each: the mean difference of each seed, shape (seeds,).
        shared: the variance c of what these have in common: which problems were drawn, and the
            base's samples.
        own: the variance v of what each has for itself: its samples, and how it fares on the very
            problems that were drawn.
        these: how far down and up the interval of the mean over these very seeds reaches.
        common: how far that of the shared part alone does.
    """

    problems: int
    each: Floats
    shared: float
    own: float
    these: Floats
    common: Floats

    @classmethod
    def of(cls, differences: Floats, groups: Codes | None, confidence: float) -> _Benchmark:
        """From differences of shape (problems, seeds)."""
        seeds = differences.shape[1]
        sums = Clustered.of(differences, groups)
        residuals, clusters = sums.residuals(), len(sums.total)
        scale = clusters / max(clusters - 1, 1) / max(len(differences), 1) ** 2
        covariance = scale * residuals.T @ residuals
        trace, total = float(np.trace(covariance)), float(covariance.sum())
        shared = max((total - trace) / max(seeds * (seeds - 1), 1), 0.0)
        mean = t_intervals(differences.mean(axis=1)[:, None], confidence, (-1, 1), groups)
        these = np.array([mean.estimate - mean.low, mean.high - mean.estimate])[:, 0]
        whole = total / seeds**2
        share = np.sqrt(min(shared / whole, 1.0)) if whole > NOTHING**2 else 1.0
        return cls(
            problems=len(differences),
            each=differences.mean(axis=0),
            shared=shared,
            own=max(trace / seeds - shared, 0.0),
            these=these,
            common=share * these,
        )

    @classmethod
    def mean_of(cls, parts: Sequence[_Benchmark]) -> _Benchmark:
        """Of several benchmarks, each as heavy; their problems are independent."""
        count = len(parts)
        return cls(
            problems=sum(part.problems for part in parts),
            each=np.mean([part.each for part in parts], axis=0),
            shared=sum(part.shared for part in parts) / count**2,
            own=sum(part.own for part in parts) / count**2,
            these=np.sqrt(np.sum([part.these**2 for part in parts], axis=0)) / count,
            common=np.sqrt(np.sum([part.common**2 for part in parts], axis=0)) / count,
        )


def seed_effect(
    arms: Sequence[str],
    differences: Sequence[Floats],
    groups: Sequence[Codes | None],
    confidence: float,
) -> SeedEffect:
    """A recipe's effect, with training seeds and problems both taken as drawn; see the module.

    Args:
        arms: the name of each seed's.
        differences: by benchmark, other − base, shape (problems, seeds).
        groups: the cluster of each problem, None where each is its own.
        confidence: level, as 0.95.

    Returns:
        What takes two problems (or clusters) is None where there is one.

    Raises:
        ValueError: there are fewer than two seeds.
    """
    from scipy.stats import chi2

    of_each = zip(differences, groups, strict=True)
    whole = _Benchmark.mean_of([_Benchmark.of(*one, confidence) for one in of_each])
    seeds = len(whole.each)
    if seeds < 2:
        raise ValueError("a single seed says nothing of others")
    mean, variance = float(whole.each.mean()), float(whole.each.var(ddof=1))
    reach = float(student(0.5 + confidence / 2, seeds - 1)) * np.sqrt(variance)
    tails = chi2.ppf([0.5 + confidence / 2, 0.5 - confidence / 2], seeds - 1)
    squares = np.array([variance, *((seeds - 1) * variance / tails)]) - whole.own
    spread, least, most = known(np.sqrt(np.maximum(squares, 0.0)))
    low, high = _ends(mean, np.hypot(reach / np.sqrt(seeds), whole.common))
    below, above = _ends(mean, whole.these)
    another = reach * np.sqrt(1 + 1 / seeds)
    return SeedEffect(
        estimate=mean,
        low=low,
        high=high,
        problems=whole.problems,
        seeds=seeds,
        each=dict(zip(arms, whole.each.tolist(), strict=True)),
        these_checkpoints=Interval(estimate=mean, low=below, high=above),
        between=Interval(estimate=spread, low=least, high=most),
        another=Range(low=max(mean - another, -1.0), high=min(mean + another, 1.0)),
        seeds_needed=seeds_needed(
            mean, variance, whole.shared, float(whole.common[int(mean < 0)]), confidence
        ),
    )


def _ends(mean: float, reach: Floats) -> list[float | None]:
    return known(np.clip(np.array([mean - reach[0], mean + reach[1]]), -1.0, 1.0))


def seeds_needed(
    gap: float,
    between: float,
    shared: float,
    common: float,
    confidence: float,
    power: float = POWER,
) -> int | None:
    """How many seeds find a gap as large as the one seen, on these problems.

    The smallest S with √((t_{S-1} √(s²/S))² + r²) + z_power √(s²/S + c) at most the gap.

    Args:
        between: s², the variance between seeds.
        shared: c, which no number of seeds changes.
        common: r, how far the interval of the shared part alone reaches towards zero, which is
            further than √c says where problems are few.

    Returns:
        None where no number up to `MOST_SEEDS` does: then it takes more problems.
    """
    seeds = np.arange(2, MOST_SEEDS + 1)
    own = between / seeds
    reach = np.hypot(student(0.5 + confidence / 2, seeds - 1) * np.sqrt(own), common)
    enough = reach + normal(power) * np.sqrt(own + shared) <= abs(gap)
    return int(seeds[np.argmax(enough)]) if enough.any() else None


def seed_effects(benchmarks: Sequence[BenchmarkData]) -> list[RecipeEffect] | None:
    """The section `seeds`: every recipe with two seeds or more against every base.

    On each benchmark at k = 1 and at the largest k that all of its arms have, over the problems
    that all of them have; and over all benchmarks together at the k that those share. None where
    there are no two seeds of one recipe.
    """
    experiment = benchmarks[0].experiment
    bases = [name for name, arm in experiment.arms.items() if arm.role == "base"]
    found = []
    for recipe in experiment.recipes():
        for base in bases:
            seeds = sorted(recipe, key=lambda arm: recipe[arm])
            arms = (base, *seeds)
            there = [data for data in benchmarks if set(arms) <= set(data.arms)]
            values = {data.benchmark: _differences(data, arms) for data in there}
            known_on = {name: of for name, of in values.items() if of}
            if not known_on:
                continue
            level = experiment.analysis.confidence
            effects = {
                name: {k: seed_effect(seeds, [d], [g], level) for k, (d, g) in of.items()}
                for name, of in known_on.items()
            }
            more = {}
            if len(known_on) > 1:
                shared = set.intersection(*(set(of) for of in known_on.values()))
                parts = {k: [of[k] for of in known_on.values()] for k in sorted(shared)}
                together = {
                    k: seed_effect(seeds, [d for d, _ in each], [g for _, g in each], level)
                    for k, each in parts.items()
                }
                more = {"together": together}
            found.append(RecipeEffect(base=base, seeds=recipe, benchmarks=effects, **more))
    return found or None


def _differences(
    data: BenchmarkData, arms: tuple[str, ...]
) -> dict[int, tuple[Floats, Codes | None]]:
    """Each seed less the base, by k, with the clusters of problems that all arms have."""
    base, *seeds = on_shared(*map(data.counts, arms))
    if not base.problem_ids:
        return {}
    ks = np.unique([1, min(data.n(arm) for arm in arms)])
    first = pass_at_k_of(base, ks)
    differences = np.stack([pass_at_k_of(one, ks) - first for one in seeds], axis=2)
    groups, found = data.groups(base.problem_ids), {}
    for place, k in enumerate(ks.tolist()):
        there = ~np.isnan(differences[:, place]).any(axis=1)
        if there.any():
            of = None if groups is None else groups[there]
            found[k] = (differences[there, place], of)
    return found
