"""The section `seeing`: what the picture, the thought and the training each do."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.controls import controls
from vlm_boundary.analysis.counts import Bools, Bounds, Codes, Counts, Floats, Ints, on_shared
from vlm_boundary.analysis.data import BenchmarkData, Pair
from vlm_boundary.analysis.distributions import fields_of, parts_of
from vlm_boundary.analysis.intervals import Clustered, holm, known
from vlm_boundary.analysis.series import along_training
from vlm_boundary.analysis.shares import difference_of_shares, share_of
from vlm_boundary.analysis.significance import p_values
from vlm_boundary.analysis.stated import first_false, self_agreement, statements
from vlm_boundary.analysis.stopping import pass_at_k_of
from vlm_boundary.config import FULL, Condition
from vlm_boundary.records.record import Curve, where_known
from vlm_boundary.records.seeing import (
    Chains,
    Decomposition,
    Leaning,
    Seeing,
    SeeingCost,
    SeeingStep,
    SelfAgreement,
    Terms,
    TermsOfKind,
)
from vlm_boundary.records.validity import FIRST_FALSE

WORDS: Condition = "described"
BOTH: Condition = "described_with_image"
_ONE, _TWO = (-1.0, 1.0), (-2.0, 2.0)  # what a difference can be, and a difference of two


def counts_under(data: BenchmarkData, arm: str, condition: Condition) -> Counts | None:
    """An arm's counts under a condition; None where the experiment or the run has none."""
    if condition == FULL:
        return data.counts(arm)
    if condition not in data.experiment.controls:
        return None
    verdicts = data.control(arm, condition)
    return None if verdicts is None else verdicts.first(_drawn(data, arm, condition)).counts


def _drawn(data: BenchmarkData, arm: str, condition: Condition) -> int:
    """Samples per problem that the experiment draws of an arm under a condition."""
    for control, settings in data.experiment.controls.items():
        if control == condition:
            return settings.n if data.experiment.arm_sampling(arm).temperature > 0 else 1
    return data.n(arm)


class Together:
    """pass@k of arms under conditions, all on the problems that every one of them has."""

    def __init__(self, data: BenchmarkData, cells: dict[tuple[str, Condition], Counts]) -> None:
        self.data = data
        shared = on_shared(*cells.values())
        self.problem_ids = shared[0].problem_ids
        self.n = min(_drawn(data, arm, condition) for arm, condition in cells)
        self.ks = data.grid(self.n)
        values = (pass_at_k_of(one, self.ks) for one in shared)
        self._values = dict(zip(cells, values, strict=True))

    @classmethod
    def of(
        cls, data: BenchmarkData, arms: tuple[str, ...], conditions: tuple[Condition, ...]
    ) -> Together | None:
        """None where one of these is missing, or they share no problem."""
        cells = {}
        for arm in arms:
            for condition in conditions:
                found = counts_under(data, arm, condition)
                if found is None:
                    return None
                cells[arm, condition] = found
        together = cls(data, cells)
        return together if together.problem_ids else None

    def less(self, arm: str, one: Condition, other: Condition) -> Floats:
        """An arm under one condition less under another, shape (problems, ks)."""
        return self._values[arm, one] - self._values[arm, other]

    def gain(self, pair: Pair, condition: Condition) -> Floats:
        """Other − base under a condition, shape (problems, ks)."""
        return self._values[pair.other, condition] - self._values[pair.base, condition]

    def kept(self, arm: str) -> tuple[Floats, Floats]:
        """An arm's pass@1 with the picture and with words, shape (problems,) each."""
        return self._values[arm, FULL][:, 0], self._values[arm, WORDS][:, 0]

    def curve(self, values: Floats, bounds: Bounds, which: Bools | None = None) -> Curve:
        """Means over problems with intervals, or over those that are marked."""
        ids = self.problem_ids
        if which is not None:
            values, ids = values[which], tuple(ids[row] for row in np.flatnonzero(which))
        return self.data.means(values, ids, bounds).curve(self.ks)


def seeing_costs(data: BenchmarkData) -> dict[str, SeeingCost]:
    """By arm: words in the picture's place, and the picture beside the words."""
    found = {}
    for arm in data.arms:
        together = Together.of(data, (arm,), (FULL, WORDS))
        if together is None:
            continue
        beside = Together.of(data, (arm,), (WORDS, BOTH))
        added = beside and beside.curve(beside.less(arm, BOTH, WORDS), _ONE)
        full, told = together.kept(arm)
        level, groups, most = _as_ratio(together)
        found[arm] = SeeingCost(
            n=together.n,
            problems=len(together.problem_ids),
            cost=together.curve(together.less(arm, WORDS, FULL), _ONE),
            kept=share_of(full, told, level, groups, most),
            **where_known(beside_words=added),
        )
    return found


def decompositions(data: BenchmarkData) -> list[Decomposition]:
    """Every pair that was sampled with the picture and with its content in words.

    whole = reasoning + seeing, each with the interval of its own differences, problem by problem.
    """
    fields, found = None, []
    for pair in data.pairs():
        together = Together.of(data, pair.names, (FULL, WORDS))
        if together is None:
            continue
        fields = fields_of(data) if fields is None else fields
        beside = Together.of(data, pair.names, (WORDS, BOTH))
        added = beside and beside.curve(beside.gain(pair, BOTH) - beside.gain(pair, WORDS), _TWO)
        kinds = _kinds(together, pair, fields)
        found.append(
            Decomposition(
                base=pair.base,
                other=pair.other,
                n=together.n,
                tests=sum(
                    len(one.reasoning_adjusted_p) + len(one.seeing_adjusted_p) for one in kinds
                ),
                kinds=kinds,
                kept=difference_of_shares(
                    together.kept(pair.base), together.kept(pair.other), *_as_ratio(together)
                ),
                **_terms(together, pair).given(),
                **where_known(beside_words=added),
            )
        )
    return found


def _as_ratio(together: Together) -> tuple[float, Codes | None, float]:
    """Level, clusters, and that a ratio has no largest value."""
    data = together.data
    return data.settings.confidence, data.groups(together.problem_ids), np.inf


def _terms(together: Together, pair: Pair, which: Bools | None = None) -> Terms:
    whole, reasoning = together.gain(pair, FULL), together.gain(pair, WORDS)
    everyone = np.ones(len(together.problem_ids), dtype=bool)
    return Terms(
        problems=int((everyone if which is None else which).sum()),
        whole=together.curve(whole, _ONE, which),
        reasoning=together.curve(reasoning, _ONE, which),
        seeing=together.curve(whole - reasoning, _TWO, which),
    )


def _kinds(together: Together, pair: Pair, fields: dict[str, dict[str, str]]) -> list[TermsOfKind]:
    """By the values of metadata fields, at k = 1 and the last; p-values adjusted together."""
    ends = np.unique(np.searchsorted(together.ks, [1, together.n]))
    ks = together.ks[ends].tolist()
    rows, tests = [], []
    for field, value, which in parts_of(together.problem_ids, fields):
        if which.any():
            rows.append((field, value, _at(_terms(together, pair, which), ks)))
            tests.append(_tested(together, pair, which, ends))
    adjusted = holm(np.array(tests).ravel()).reshape(len(rows), 2, len(ks))
    return [
        TermsOfKind(
            field=field,
            value=value,
            reasoning_adjusted_p=dict(zip(ks, known(p[0]), strict=True)),
            seeing_adjusted_p=dict(zip(ks, known(p[1]), strict=True)),
            **terms.given(),
        )
        for (field, value, terms), p in zip(rows, adjusted, strict=True)
    ]


def _at(terms: Terms, ks: list[int]) -> Terms:
    curves = {
        name: {k: getattr(terms, name)[k] for k in ks} for name in ("whole", "reasoning", "seeing")
    }
    return Terms(problems=terms.problems, **curves)


def _tested(together: Together, pair: Pair, which: Bools, ends: Ints) -> Floats:
    """P-values that reasoning and seeing are zero, as their intervals say, shape (2, ks)."""
    whole, reasoning = together.gain(pair, FULL), together.gain(pair, WORDS)
    groups = together.data.groups(together.problem_ids)
    found = []
    for values, bounds in ((reasoning, _ONE), (whole - reasoning, _TWO)):
        part = values[np.ix_(which, ends)]
        of_part = None if groups is None else groups[which]
        found.append(p_values(Clustered.of(part, of_part), bounds))
    return np.array(found)


def leanings(data: BenchmarkData) -> list[Leaning]:
    """Other − base in full − control, for every control but the described ones."""
    asked = [one for one in data.experiment.controls if one not in (WORDS, BOTH)]
    found = []
    for pair in data.pairs():
        by_condition: dict[str, Curve] = {}
        for condition in asked:
            if together := Together.of(data, pair.names, (FULL, condition)):
                values = together.gain(pair, FULL) - together.gain(pair, condition)
                by_condition[condition] = together.curve(values, _TWO)
        if by_condition:
            found.append(Leaning(base=pair.base, other=pair.other, by_condition=by_condition))
    return found


def seeing(data: BenchmarkData) -> Seeing | None:
    """Differences taken apart, leaning, where chains fail, and what samples agree on, or None.

    What is no function of an unbiased pass@k is of the samples up to the first look.
    """
    alike = data.first_look
    stated = {arm: one for arm in alike.arms if (one := statements(alike, arm)) is not None}
    chains, agreement = first_false(alike, stated), self_agreement(alike, stated)
    said = where_known(
        costs=seeing_costs(data) or None,
        decomposition=decompositions(data) or None,
        leaning=leanings(data) or None,
        chains=chains,
        self_agreement=agreement,
    )
    if not said:
        return None
    return Seeing(**said, **where_known(training=_training(data, chains, agreement) or None))


def _training(
    data: BenchmarkData, chains: Chains | None, agreement: SelfAgreement | None
) -> list[SeeingStep]:
    order = along_training(data)
    under = controls(data) or {}
    found = []
    for arm in order:
        config = data.experiment.arms[arm]
        of_arm = chains and chains.arms.get(arm)
        false = of_arm and {kind: getattr(of_arm.all_chains, kind) for kind in FIRST_FALSE}
        alike = agreement and agreement.arms.get(arm)
        found.append(
            SeeingStep(
                arm=arm,
                role=config.role,
                step=config.step,
                full_minus_control={
                    condition: _ends(arms[arm].full_minus_control)
                    for condition, arms in under.items()
                    if arm in arms
                },
                **where_known(first_false=false, agreement=alike),
            )
        )
    return found


def _ends(curve: Curve) -> Curve:
    return {k: curve[k] for k in sorted({min(curve), max(curve)})}
