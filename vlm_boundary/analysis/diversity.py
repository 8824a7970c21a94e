"""The section `diversity`: how many answers arms give, and how spread they are."""

from __future__ import annotations

from functools import cache

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.estimators import all_of
from vlm_boundary.analysis.verdicts import Verdicts
from vlm_boundary.records.sections import Diversity, DiversityOfArm, DiversityOfPair


def distinct_at_k(verdicts: Verdicts, ks: Ints) -> Floats:
    """How many different answers k samples give, on average over the samples that there are.

    Σ_a (1 - C(n - m_a, k) / C(n, k)) over the answers a, of which m_a samples have each
    (rarefaction, Hurlbert 1971), unbiased for k samples of the model. Right answers are one answer,
    whatever their form; wrong ones are told apart by their normalised form; no answer is none.

    Returns:
        Shape (problems, ks), ks ascending; NaN where a problem has fewer than k samples.
    """
    owner, marked, samples = _answers(verdicts)
    problems, most = len(samples), int(samples.max(initial=0)) + 1
    # Answers that as many of as many samples have are worked out once.
    kinds, place = np.unique(marked * most + samples[owner], return_inverse=True)
    of = kinds % most
    given = 1.0 - all_of(of - kinds // most, of, ks)
    found = np.stack(
        [np.bincount(owner, weights=column[place], minlength=problems) for column in given.T],
        axis=1,
    )
    return np.where(ks <= samples[:, None], found, np.nan)


def answer_entropy(verdicts: Verdicts) -> Floats:
    """Entropy of a problem's answers in nats, "no answer" being one of them, shape (problems,).

    Σ_a (m_a/n) (1/m_a + 1/(m_a + 1) + … + 1/(n - 1)) (Zhang 2012, Entropy estimation in Turing's
    perspective), which lacks only what answers rarer than about one in n add.
    """
    owner, marked, samples = _answers(verdicts)
    problems = len(samples)
    none = samples - np.bincount(owner, weights=marked, minlength=problems).astype(np.int64)
    owner = np.concatenate([owner, np.arange(problems)])
    marked = np.concatenate([marked, none])
    there = marked > 0
    owner, marked = owner[there], marked[there]
    # Sums of 1/j from m to n - 1 as differences of sums from 1.
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, samples.max(initial=0) + 1))])
    each = marked / samples[owner] * (harmonic[samples[owner] - 1] - harmonic[marked - 1])
    return np.asarray(np.bincount(owner, weights=each, minlength=problems), dtype=np.float64)


def _answers(verdicts: Verdicts) -> tuple[Ints, Ints, Ints]:
    """The answers that were given: whose problem, how many samples; and samples by problem."""
    candidate, first = verdicts.candidates
    marked = np.bincount(candidate[candidate >= 0], minlength=int(first[-1])).astype(np.int64)
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    there = marked > 0
    owner, marked = owner[there], marked[there]
    # How answers are numbered depends on how they are stored; in this order sums do not.
    order = np.lexsort((marked, owner))
    return owner[order], marked[order], verdicts.counts.samples


def diversity(data: BenchmarkData) -> Diversity:
    """How many answers each arm gives and how spread they are; pairs on as many first samples."""

    @cache
    def values(arm: str, n: int) -> tuple[Floats, Floats]:
        drawn = data.verdicts[arm].first(n)
        return distinct_at_k(drawn, data.grid(n)), answer_entropy(drawn)

    arms = {}
    for arm in data.arms:
        distinct, spread = values(arm, data.n(arm))
        ids, bounds = data.verdicts[arm].problem_ids, (0.0, np.inf)
        arms[arm] = DiversityOfArm(
            n=data.n(arm),
            distinct_at_k=data.means(distinct, ids, bounds).curve(data.grid(data.n(arm))),
            entropy=data.mean(spread, ids, bounds),
        )
    pairs = []
    for pair in data.pairs():
        ids, bounds = pair.problem_ids, (-np.inf, np.inf)
        rows = {arm: data.verdicts[arm].first(pair.n).places(ids) for arm in pair.names}
        base, other = ([of[place] for of in values(arm, pair.n)] for arm, place in rows.items())
        gap = data.means(other[0] - base[0], ids, bounds)
        pairs.append(
            DiversityOfPair(
                base=pair.base,
                other=pair.other,
                n=pair.n,
                distinct_at_k=gap.curve(data.grid(pair.n)),
                entropy=data.mean(other[1] - base[1], ids, bounds),
            )
        )
    return Diversity(arms=arms, pairs=pairs)
