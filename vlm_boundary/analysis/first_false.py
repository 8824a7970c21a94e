"""Where chains fail: what kind of statement is the first false one, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vlm_boundary.analysis.counts import Bools, Ints
from vlm_boundary.analysis.data import BenchmarkData, Pair
from vlm_boundary.analysis.shares import difference_of_shares, share_of
from vlm_boundary.analysis.stated import Statements
from vlm_boundary.analysis.verdicts import Verdicts
from vlm_boundary.records.record import Entry
from vlm_boundary.records.seeing import Chains, ChainsOfArm, ChainsOfPair, FirstFalseShares
from vlm_boundary.records.validity import FIRST_FALSE, FirstFalse

_OUTCOMES = ("all_chains", "right_answers", "wrong_answers")


def _part(kind: FirstFalse) -> Callable[[Ints], tuple[Ints, Ints]]:
    place = FIRST_FALSE.index(kind)
    return lambda counts: (counts[:, place], counts.sum(axis=1))


# Of the counts of problems by kind, shape (problems, kinds): part and whole of each share.
_SHARES: dict[str, Callable[[Ints], tuple[Ints, Ints]]] = {
    **{kind: _part(kind) for kind in FIRST_FALSE},
    "seeing_of_stated": lambda counts: (counts[:, 0], counts[:, 0] + counts[:, 1]),
}


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
        kinds = [
            verdicts.count(which & (stated.first_false == place))
            for place in range(len(FIRST_FALSE))
        ]
        counts = np.stack(kinds, axis=1)
        if counts.any():
            found[outcome] = counts
    return found


def _of_arm(data: BenchmarkData, arm: str, tallies: dict[str, Ints]) -> ChainsOfArm:
    level, groups = data.settings.confidence, data.groups(data.verdicts[arm].problem_ids)

    def shares(counts: Ints) -> FirstFalseShares:
        entries: dict[str, Entry] = {
            name: share_of(*of(counts), level, groups) for name, of in _SHARES.items()
        }
        return FirstFalseShares(samples=int(counts.sum()), **entries)

    return ChainsOfArm(**{outcome: shares(counts) for outcome, counts in tallies.items()})


def _of_pair(data: BenchmarkData, pair: Pair, tallies: dict[str, dict[str, Ints]]) -> ChainsOfPair:
    level, groups = data.settings.confidence, data.groups(pair.problem_ids)
    rows = {arm: data.verdicts[arm].places(pair.problem_ids) for arm in pair.names}
    found = {}
    for outcome in _OUTCOMES:
        if all(outcome in tallies[arm] for arm in pair.names):
            base, other = (tallies[arm][outcome][rows[arm]] for arm in pair.names)
            found[outcome] = {
                name: difference_of_shares(of(base), of(other), level, groups)
                for name, of in _SHARES.items()
            }
    return ChainsOfPair(base=pair.base, other=pair.other, **found)
