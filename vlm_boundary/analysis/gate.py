"""A gate: whether a checkpoint may pass, by the tests that the report's claims stand on.

GO takes each rule's one-sided test (an intersection-union test; Berger 1982), NO-GO the opposite
shown of one, adjusted by Holm's method; docs/gate.md has the levels, nominal and simulated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vlm_boundary.analysis.counts import Codes, Counts
from vlm_boundary.analysis.data import BenchmarkData, Pair
from vlm_boundary.analysis.differences import difference_at_k
from vlm_boundary.analysis.estimators import all_of
from vlm_boundary.analysis.intervals import Clustered, cluster_codes, holm, intervals_of
from vlm_boundary.analysis.passk import CONFIDENCE
from vlm_boundary.analysis.sets import cells
from vlm_boundary.analysis.significance import one_sided_p
from vlm_boundary.analysis.table_file import VerdictTable
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.config.gate import Below, GateRules, Keeps, NotLower, Rule
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError, did_you_mean
from vlm_boundary.records.outputs import Decision, Flip, Gate, JudgedRule, Standing
from vlm_boundary.records.record import Entry
from vlm_boundary.store import RunDirectory

_NAMED = 5


@dataclass(frozen=True)
class Compared:
    """Two arms on the problems that both have, as a gate looks at them.

    Attributes:
        groups: the cluster of each problem, None where each is its own.
        alike: the counts over samples that do not depend on outcomes, base and other: with a
            stopping rule those up to the first look.
        shares: by arm, how many samples have each status that is known, and how many there are.
    """

    benchmark: str
    pair: Pair
    groups: Codes | None
    alike: tuple[Counts, Counts]
    shares: Mapping[str, tuple[Mapping[str, int], int]]

    @cached_property
    def _fresh(self) -> list[dict[str, tuple[int, int]]]:
        columns = (
            (one.problem_ids, one.correct.tolist(), one.samples.tolist()) for one in self.alike
        )
        return [{key: (c, n) for key, c, n in zip(*of, strict=True)} for of in columns]

    def fresh(self, problem_id: str) -> tuple[int, int, int, int]:
        """Right and all samples of a problem, of the base and of the other, from `alike`."""
        base, other = (found.get(problem_id, (0, 0)) for found in self._fresh)
        return *base, *other

    def rule(self, kind: str, text: str, why: str, **found: Any) -> JudgedRule:
        """A rule of these arms, open unless something else was found."""
        of = {"benchmark": self.benchmark, "base": self.pair.base, "other": self.pair.other}
        said = {"kind": kind, "rule": text, "why": why, "standing": "open"}
        return JudgedRule(**of | said | found)


@dataclass(frozen=True)
class _Asked:
    """A rule's answer before it is known how many others are asked."""

    judged: JudgedRule
    tested: bool
    holds: float
    """One-sided p-value against the rule's not holding."""
    violated: float
    """One-sided p-value against its not being violated."""


def gate_run(run: RunDirectory, experiment: ExperimentConfig, rules: GateRules) -> Gate:
    """Put a run's verdicts, as they are now, through a gate.

    Raises:
        UserError: there are no verdicts, or the rules name what the run does not hold.
    """
    read = [BenchmarkData.read(run, experiment, name) for name in experiment.benchmarks]
    data = {one.benchmark: one for one in read if one is not None}
    if not data:
        raise UserError(f"{run.path}: there are no verdicts to judge; sample and verify first")
    where = str(run.path)
    for name in rules.benchmarks or ():
        _known("benchmark", name, data, where)
    arms = {arm for one in data.values() for arm in one.arms}
    for name in filter(None, (rules.base, rules.arm)):
        _known("arm", name, arms, where)
    pairs = [
        _compared(one, pair)
        for name, one in data.items()
        if rules.benchmarks is None or name in rules.benchmarks
        for pair in one.pairs()
        if rules.base in (None, pair.base) and rules.arm in (None, pair.other)
    ]
    return decide(pairs, rules, experiment.analysis.confidence, where)


def _known(what: str, name: str, valid: Collection[str], where: str) -> None:
    if name not in valid:
        hint = did_you_mean(name, valid) or f"; there are {', '.join(sorted(valid))}"
        raise UserError(f"{where}: no verdicts of {what} {name!r}{hint}")


def _compared(data: BenchmarkData, pair: Pair) -> Compared:
    first = data.first_look
    drawn = {arm: first.verdicts[arm] for arm in pair.names}
    return Compared(
        data.benchmark,
        pair,
        data.groups(pair.problem_ids),
        alike=(first.counts(pair.base), first.counts(pair.other)),
        shares={arm: (one.statuses(), len(one)) for arm, one in drawn.items()},
    )


def gate_table(table: VerdictTable, rules: GateRules, where: str) -> Gate:
    """Put anyone's table of verdicts, read as `passk` does, through a gate.

    Args:
        where: the file, which stands for a benchmark.

    Raises:
        UserError: the rules do not name two models of the table, or ask for what it does not say.
    """
    if rules.base is None or rules.arm is None or rules.base == rules.arm:
        raise UserError(f"{where}: of a table the rules must name two models, as base and as arm")
    if rules.benchmarks is not None:
        raise UserError(f"{where}: a table has no benchmarks; leave that key of the rules out")
    for name in (rules.base, rules.arm):
        _known("model", name, table.counts, where)
    first, second = table.shared(rules.base, rules.arm, where)
    n = min(int(first.depths.max()), int(second.depths.max()))
    pair = Compared(
        Path(where).stem,
        Pair(rules.base, rules.arm, n, first, second),
        cluster_codes(first.problem_ids, table.clusters),
        alike=(first, second),
        shares={
            name: ({"undecided": int(one.undecided.sum())}, int(one.samples.sum()))
            for name, one in ((rules.base, first), (rules.arm, second))
        },
    )
    return decide([pair], rules, CONFIDENCE, where)


def decide(pairs: Sequence[Compared], rules: GateRules, confidence: float, where: str) -> Gate:
    """Ask every rule of every pair.

    Args:
        confidence: level of the intervals.
        where: what errors name.

    Raises:
        UserError: no pair is left, or a rule asks for a k or a problem that there is not.
    """
    if not pairs:
        raise UserError(f"{where}: the rules leave no pair of a base and another arm to judge")
    _refuse_unknown_problems(pairs, rules, where)
    level = (1 - confidence) / 2
    asked = [
        one
        for pair in pairs
        for rule in rules.rules
        if (one := _ask(rule, pair, confidence, where)) is not None
    ]
    against = np.array([one.violated if one.tested else np.nan for one in asked])
    adjusted = holm(against)
    judged = [_judged(one, float(p), level) for one, p in zip(asked, adjusted, strict=True)]
    standings = {one.standing for one in judged}
    decision: Decision = "NO-GO" if "violated" in standings else "INCONCLUSIVE"
    return Gate(
        decision="GO" if standings == {"holds"} else decision,
        level=level,
        tests=sum(one.tested for one in asked),
        rules=judged,
        flips=[flip for pair in pairs for flip in flips(pair)],
    )


def _judged(asked: _Asked, adjusted: float, level: float) -> JudgedRule:
    """A rule's standing once it is known for how many to allow; counted ones stand already."""
    if not asked.tested:
        return asked.judged
    standing: Standing = "open"
    if asked.holds <= level:
        standing = "holds"
    elif adjusted <= level:
        standing = "violated"
    tests = {"p_violated": asked.violated, "p_violated_holm": adjusted}
    given = asked.judged.given() | tests | {"standing": standing, "p_holds": asked.holds}
    return JudgedRule(**given)


def _refuse_unknown_problems(pairs: Sequence[Compared], rules: GateRules, where: str) -> None:
    known = {key for one in pairs for key in one.pair.problem_ids}
    for rule in rules.rules:
        for key in rule.problems if isinstance(rule, Keeps) else ():
            if key not in known:
                hint = did_you_mean(key, known)
                raise UserError(f"{where}: no compared problem {key!r}{hint}")


def _ask(rule: Rule, pair: Compared, confidence: float, where: str) -> _Asked | None:
    if isinstance(rule, NotLower):
        return _not_lower(rule, pair, confidence, where)
    return _keeps(rule, pair) if isinstance(rule, Keeps) else _below(rule, pair, where)


def _not_lower(rule: NotLower, compared: Compared, confidence: float, where: str) -> _Asked:
    """Non-inferiority: the paired difference against the margin in place of zero."""
    pair = compared.pair
    k = pair.n if rule.k == "n" else rule.k
    if k > pair.n:
        raise UserError(
            f"{where}: {compared.benchmark}: {pair.base} and {pair.other} have "
            f"{counted(pair.n, 'sample')} a problem; a rule asks for pass@{k}"
        )
    values = difference_at_k(pair.base_counts, pair.other_counts, np.array([k]))[:, 0]
    sums = Clustered.of(values[:, None], compared.groups)
    (found,) = intervals_of(sums, confidence, (-1, 1), each_end=True).entries()
    # Below two problems nothing is known.
    p = (np.nan_to_num(one, nan=1.0) for one in one_sided_p(sums, -rule.points / 100, (-1, 1)))
    holds, violated = (float(one[0]) for one in p)
    standing = f"not lower than {pair.base}'s by {rule.points:g} points or more"
    if not rule.points:
        standing = f"higher than {pair.base}'s"
    text = f"pass@{k} of {pair.other} is {standing}"
    why = _difference(found, confidence)
    if found.problems != len(values):
        why += f", {found.problems} of {counted(len(values), 'problem')}"
    ends = {"estimate": found.estimate, "low": found.low, "high": found.high}
    judged = compared.rule(rule.kind, text, why, **ends)
    return _Asked(judged, tested=True, holds=holds, violated=violated)


def _keeps(rule: Keeps, compared: Compared) -> _Asked | None:
    """Lost is a problem that the base solves and the other never; shown where that is no luck.

    None where all listed problems are of other benchmarks.
    """
    pair = compared.pair
    listed = set(rule.problems) & set(pair.problem_ids)
    if not listed:
        return None
    lost = {
        flip.problem_id: flip.p
        for flip in flips(compared)
        if flip.solved_by == pair.base and flip.problem_id in listed
    }
    text = f"{pair.other} solves what {pair.base} does of {counted(len(listed), 'listed problem')}"
    why = "none is lost"
    # A problem that neither ever solves cannot be lost, so that it is no test.
    tests = sum(any(compared.fresh(key)[::2]) for key in listed)
    if lost:
        first = sorted(lost, key=lambda key: (lost[key], key))
        few = ", ".join(f"{key} (p = {lost[key]:.2g})" for key in first[:_NAMED])
        why = f"{len(lost)} not once: {few}{', …' if len(lost) > _NAMED else ''}"
    return _Asked(
        compared.rule(rule.kind, text, why),
        tested=True,
        holds=1.0 if lost else 0.0,
        violated=min(1.0, tests * min(lost.values())) if lost else 1.0,
    )


def _below(rule: Below, pair: Compared, where: str) -> _Asked:
    """A share of the samples that there are, of the arm that has more of them."""
    found = {}
    for arm, (statuses, samples) in pair.shares.items():
        if rule.share not in statuses:
            raise UserError(f"{where}: it does not say which samples are {rule.share}")
        found[arm] = (statuses[rule.share] / samples, statuses[rule.share], samples)
    worst = max(found, key=lambda arm: found[arm][0])
    share, marked, samples = found[worst]
    standing = "holds" if 100 * share < rule.percent else "violated"
    text = f"fewer than {rule.percent:g}% of samples are {rule.share}"
    why = f"{worst} {100 * share:.2f}% ({marked:,} of {samples:,}), counted"
    judged = pair.rule(rule.kind, text, why, standing=standing, estimate=share)
    return _Asked(judged, tested=False, holds=1.0, violated=1.0)


def flips(compared: Compared) -> Iterator[Flip]:
    """The problems that one of two arms solves and the other does not, surest first."""
    pair = compared.pair
    base, other = pair.base_counts, pair.other_counts
    found = cells(base.correct, other.correct)
    for cell, solver in (("base_only", pair.base), ("other_only", pair.other)):
        rows = []
        for row in np.flatnonzero(found[cell]).tolist():
            key = base.problem_ids[row]
            rows.append(
                Flip(
                    benchmark=compared.benchmark,
                    base=pair.base,
                    other=pair.other,
                    problem_id=key,
                    solved_by=solver,
                    base_right=int(base.correct[row]),
                    base_samples=int(base.samples[row]),
                    other_right=int(other.correct[row]),
                    other_samples=int(other.samples[row]),
                    p=_by_luck(*compared.fresh(key), of_base=solver == pair.base),
                )
            )
        yield from sorted(rows, key=lambda flip: (flip.p, flip.problem_id))


def _by_luck(base_right: int, base: int, other_right: int, other: int, *, of_base: bool) -> float:
    """The chance that all right samples of two arms that are equally likely to be right are one's.

    Given how many there are, the other's samples are a draw without replacement from those of both,
    which must all be wrong: 1 - pass@k with k the other's samples (Fisher's exact test, one-sided).
    """
    right, mine, others = (base_right, base, other) if of_base else (other_right, other, base)
    if not right or not others:
        return 1.0
    every = mine + others
    chance = all_of(np.array([every - right]), np.array([every]), np.array([others]))
    return float(chance[0, 0])


def _difference(found: Entry, confidence: float) -> str:
    if found.estimate is None:
        return "no problem in common has so many samples"
    if found.low is None or found.high is None:
        return f"{100 * found.estimate:+.2f} points, no interval from so few problems"
    low, high = 100 * found.low, 100 * found.high
    return (
        f"{100 * found.estimate:+.2f} points, {confidence:.0%} interval {low:+.2f} to {high:+.2f}"
    )
