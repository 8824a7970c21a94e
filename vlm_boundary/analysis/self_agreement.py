"""How often two samples of a problem say the same: what they see, how they go on, the answer."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData
from vlm_boundary.analysis.stated import Sets, Statements, mixed
from vlm_boundary.analysis.verdicts import Verdicts
from vlm_boundary.records.seeing import Agreement, AgreementOfPair, SelfAgreement

_BITS = np.uint64(40)
_NAMES = ("facts", "steps", "steps_on_same_facts", "answers")


def self_agreement(data: BenchmarkData, stated: dict[str, Statements]) -> SelfAgreement | None:
    """Every arm whose samples were read, and its pairs; None without any.

    A mean over problems of shares of pairs of samples, unbiased for two samples of the model.
    """
    values = {arm: agreements(data.verdicts[arm], one) for arm, one in stated.items()}
    if not values:
        return None
    arms: dict[str, Agreement] = {}
    pairs: list[AgreementOfPair] = []
    for arm, columns in values.items():
        found = data.means(columns, data.verdicts[arm].problem_ids).by(_NAMES)
        arms[arm] = Agreement(**found)
    for pair in data.pairs():
        if pair.base in values and pair.other in values:
            base, other = (
                values[arm][data.verdicts[arm].places(pair.problem_ids)] for arm in pair.names
            )
            found = data.means(other - base, pair.problem_ids, DIFFERENCE).by(_NAMES)
            pairs.append(AgreementOfPair(base=pair.base, other=pair.other, **found))
    return SelfAgreement(arms=arms, pairs=pairs)


def agreements(verdicts: Verdicts, stated: Statements) -> Floats:
    """Facts, steps, steps on the same facts, answers: shape (problems, 4); NaN without a pair."""
    problems = len(verdicts.problem_ids)
    problem = verdicts.problem.astype(np.int64)
    of_fact = problem[stated.owner]
    named = mixed(mixed(of_fact) + stated.name.astype(np.uint64))
    facts = _agreeing(of_fact, named, stated.value, problems)
    stepped = np.flatnonzero(stated.steps != 0)
    alone = problem[stepped]
    steps = _agreeing(alone, mixed(alone), stated.steps[stepped], problems)
    both = np.flatnonzero((stated.steps != 0) & (stated.facts != 0))
    on_facts = mixed(mixed(problem[both]) + stated.facts[both])
    on_same = _agreeing(problem[both], on_facts, stated.steps[both], problems)
    candidate, _ = verdicts.candidates
    given = np.flatnonzero(candidate >= 0)
    answer = candidate[given].astype(np.int64)
    answers = _agreeing(problem[given], mixed(problem[given]), answer, problems)
    return np.stack([facts, steps, on_same, answers], axis=1)


def _agreeing(problem: Ints, group: Sets, item: Ints | Sets, problems: int) -> Floats:
    """Of the pairs of one group those with the same item, by problem.

    Args:
        problem: whose each row is.
        group: rows of one group, which are of one problem, make pairs.
        item: what two rows agree on, or not.
    """
    kept = _pairs(problem, group, problems)
    with np.errstate(invalid="ignore", divide="ignore"):
        same = _pairs(problem, mixed(group + mixed(item)), problems)
        return np.asarray(np.where(kept > 0, same / kept, np.nan))


def _pairs(problem: Ints, group: Sets, problems: int) -> Floats:
    # The problem in front of 40 bits of the hash: sorted once, and whose a group is stays known.
    keys = (problem.astype(np.uint64) << _BITS) | (group >> (np.uint64(64) - _BITS))
    groups, sizes = np.unique(keys, return_counts=True)
    owner = (groups >> _BITS).astype(np.int64)
    pairs = sizes * (sizes - 1) / 2
    return np.bincount(owner, weights=pairs, minlength=problems).astype(np.float64)
