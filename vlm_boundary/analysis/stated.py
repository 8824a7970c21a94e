"""What an arm's samples state: facts and steps, what is false first, what samples agree on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Bools, Floats, Ints
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.readings import of_the_same_text
from vlm_boundary.analysis.shares import difference_of_shares, share_of
from vlm_boundary.analysis.verdicts import Verdicts
from vlm_boundary.records.record import Entry
from vlm_boundary.records.seeing import (
    Agreement,
    AgreementOfPair,
    Chains,
    ChainsOfArm,
    ChainsOfPair,
    FirstFalseShares,
    SelfAgreement,
)
from vlm_boundary.records.validity import FIRST_FALSE
from vlm_boundary.store import Partition, encoded

Sets = NDArray[np.uint64]
_OUTCOMES = ("all_chains", "right_answers", "wrong_answers")
_BITS = np.uint64(40)
_NAMES = ("facts", "steps", "steps_on_same_facts", "answers")


@dataclass(frozen=True)
class Statements:
    """The statements of an arm's samples, by the rows of its verdicts.

    Attributes:
        first_false: place in `records.validity.FIRST_FALSE`, -1 if not known; shape (samples,).
        facts, steps: which of these each sample states, as a hash of the set; 0 for none.
        owner: the sample that states a fact, ascending, shape (facts,).
        name, value: of whom which value it states, each as a number.
    """

    first_false: NDArray[np.int8]
    facts: Sets
    steps: Sets
    owner: Ints
    name: Ints
    value: Ints


def statements(data: BenchmarkData, arm: str) -> Statements | None:
    """What an arm's graded samples state; None where none was read."""
    verdicts = data.verdicts[arm]
    columns = ["names", "values", "steps", "first_false", "text_hash"]
    table = data.run.statements.read(
        Partition(arm, data.benchmark), columns, coded=["problem_id", "first_false"]
    )
    rows = of_the_same_text(verdicts, table)
    if not (rows >= 0).any():
        return None
    codes, kinds = encoded(table["first_false"])
    place = np.array([FIRST_FALSE.index(kind) for kind in kinds] + [-1], dtype=np.int8)
    first_false = np.full(len(verdicts), -1, dtype=np.int8)
    first_false[rows[rows >= 0]] = place[codes][rows >= 0]
    row_of_fact, name = _listed(table["names"])
    _, value = _listed(table["values"])
    row_of_step, step = _listed(table["steps"])
    owner = rows[row_of_fact]
    kept = owner >= 0
    order = np.argsort(owner[kept], kind="stable")
    owner, name, value = (column[kept][order] for column in (owner, name, value))
    of_step = rows[row_of_step]
    there = of_step >= 0
    return Statements(
        first_false,
        facts=_sets(owner, mixed(mixed(name) + value.astype(np.uint64)), len(verdicts)),
        steps=_sets(of_step[there], mixed(step[there]), len(verdicts)),
        owner=owner,
        name=name,
        value=value,
    )


def _listed(column: pa.ChunkedArray) -> tuple[Ints, Ints]:
    """The row of every item of a column of lists, and the item as a number."""
    lists = column.combine_chunks()
    owner = pc.list_parent_indices(lists).to_numpy(False).astype(np.int64)
    codes, _ = encoded(pa.chunked_array([lists.flatten()]))
    return owner, codes.astype(np.int64)


def mixed(numbers: Ints | Sets) -> Sets:
    """Numbers as hashes (the finaliser of splitmix64), which may be added up."""
    found = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        found = (found ^ (found >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(found ^ (found >> np.uint64(31)), dtype=np.uint64)


def _sets(owner: Ints, items: Sets, samples: int) -> Sets:
    """Each sample's items as one hash, in whatever order."""
    order = np.argsort(owner, kind="stable")
    owner, items = owner[order], items[order]
    found = np.zeros(samples, dtype=np.uint64)
    if len(owner):
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        found[owner[starts]] = np.add.reduceat(items, starts)
    return found


def _parts(counts: Ints) -> dict[str, tuple[Ints, Ints]]:
    """Of the counts of problems by kind, shape (problems, kinds): part and whole of each share."""
    whole = counts.sum(axis=1)
    kinds = {str(kind): (counts[:, place], whole) for place, kind in enumerate(FIRST_FALSE)}
    return kinds | {"seeing_of_stated": (counts[:, 0], counts[:, 0] + counts[:, 1])}


def first_false(data: BenchmarkData, stated: dict[str, Statements]) -> Chains | None:
    """By arm and pair; None where the truth of no problem is known."""
    known = {arm: one for arm, one in stated.items() if (one.first_false >= 0).any()}
    if not known:
        return None
    tallies = {arm: _tallies(data.verdicts[arm], one) for arm, one in known.items()}
    return Chains(
        arms={arm: _of_arm(data, arm, found) for arm, found in tallies.items()},
        pairs=[
            _of_pair(data, pair, tallies)
            for pair in data.pairs()
            if pair.base in tallies and pair.other in tallies
        ],
    )


def _tallies(verdicts: Verdicts, stated: Statements) -> dict[str, Ints]:
    """By outcome: how many of each problem's chains fail where, shape (problems, kinds)."""
    outcomes: dict[str, Bools] = {
        "all_chains": np.ones(len(verdicts), dtype=bool),
        "right_answers": verdicts.right,
        "wrong_answers": ~verdicts.right & ~verdicts.undecided,
    }
    found = {}
    for outcome, which in outcomes.items():
        kinds = (stated.first_false == place for place in range(len(FIRST_FALSE)))
        counts = np.stack([verdicts.count(which & of_kind) for of_kind in kinds], axis=1)
        if counts.any():
            found[outcome] = counts
    return found


def _of_arm(data: BenchmarkData, arm: str, tallies: dict[str, Ints]) -> ChainsOfArm:
    level, groups = data.settings.confidence, data.groups(data.verdicts[arm].problem_ids)

    def shares(counts: Ints) -> FirstFalseShares:
        entries: dict[str, Entry] = {
            name: share_of(*of, level, groups) for name, of in _parts(counts).items()
        }
        return FirstFalseShares(samples=int(counts.sum()), **entries)

    return ChainsOfArm(**{outcome: shares(counts) for outcome, counts in tallies.items()})


def _of_pair(data: BenchmarkData, pair: Pair, tallies: dict[str, dict[str, Ints]]) -> ChainsOfPair:
    level, groups = data.settings.confidence, data.groups(pair.problem_ids)
    rows = {arm: data.verdicts[arm].places(pair.problem_ids) for arm in pair.names}
    found = {}
    for outcome in _OUTCOMES:
        if all(outcome in tallies[arm] for arm in pair.names):
            base, other = (_parts(tallies[arm][outcome][rows[arm]]) for arm in pair.names)
            found[outcome] = {
                name: difference_of_shares(base[name], other[name], level, groups) for name in base
            }
    return ChainsOfPair(base=pair.base, other=pair.other, **found)


def self_agreement(data: BenchmarkData, stated: dict[str, Statements]) -> SelfAgreement | None:
    """Every arm whose samples were read, and its pairs, unbiased for two samples; None without."""
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
    """Of the pairs of rows of one group, which are of one problem, those with one item."""
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
