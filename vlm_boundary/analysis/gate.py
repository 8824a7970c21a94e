"""A gate: whether a checkpoint may pass, by the tests that the report's claims stand on.

A rule holds where its one-sided test shows it, at half of what the intervals leave out (2.5 % where
they have 95 %): just where the printed interval lies beyond the margin. GO takes that of every
rule, so that a violated one is let through with at most that chance, however many rules there are
(an intersection-union test; Berger 1982). A rule is violated where the opposite is shown, adjusted
by Holm's method for all rules that are tested, so that NO-GO has at most that chance where all
rules hold. What is neither is open. These are nominal levels: docs/gate.md has the simulated ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vlm_boundary.analysis.counts import Codes, Counts
from vlm_boundary.analysis.data import BenchmarkData
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
        n: the most samples per problem that both have.
        base_counts, other_counts: of the same problems, in one order.
        groups: the cluster of each problem, None where each is its own.
        alike: the counts over samples that do not depend on outcomes, base and other: with a
            stopping rule those up to the first look.
        shares: by arm, how many samples have each status that is known, and how many there are.
    """

    benchmark: str
    base: str
    other: str
    n: int
    base_counts: Counts
    other_counts: Counts
    groups: Codes | None
    alike: tuple[Counts, Counts]
    shares: Mapping[str, tuple[Mapping[str, int], int]]

    @cached_property
    def _fresh(self) -> list[dict[str, tuple[int, int]]]:
        """Right and all samples of each problem in `alike`."""
        return [
            dict(
                zip(
                    counts.problem_ids,
                    zip(counts.correct.tolist(), counts.samples.tolist(), strict=True),
                    strict=True,
                )
            )
            for counts in self.alike
        ]

    def fresh(self, problem_id: str) -> tuple[int, int, int, int]:
        """Right and all samples of a problem, of the base and of the other, from `alike`."""
        base, other = (found.get(problem_id, (0, 0)) for found in self._fresh)
        return *base, *other


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
        _compared(one, pair.base, pair.other)
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


def _compared(data: BenchmarkData, base: str, other: str) -> Compared:
    pair, first = data.pair(base, other), data.first_look
    return Compared(
        benchmark=data.benchmark,
        base=base,
        other=other,
        n=pair.n,
        base_counts=pair.base_counts,
        other_counts=pair.other_counts,
        groups=data.groups(pair.problem_ids),
        alike=(first.counts(base), first.counts(other)),
        shares={
            arm: (first.verdicts[arm].statuses(), len(first.verdicts[arm])) for arm in (base, other)
        },
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
    pair = Compared(
        benchmark=Path(where).stem,
        base=rules.base,
        other=rules.arm,
        n=min(int(first.depths.max()), int(second.depths.max())),
        base_counts=first,
        other_counts=second,
        groups=cluster_codes(first.problem_ids, table.clusters),
        alike=(first, second),
        shares={
            name: ({"undecided": int(one.undecided.sum())}, int(one.samples.sum()))
            for name, one in zip((rules.base, rules.arm), (first, second), strict=True)
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
    known = {key for pair in pairs for key in pair.base_counts.problem_ids}
    for rule in rules.rules:
        for key in rule.problems if isinstance(rule, Keeps) else ():
            if key not in known:
                hint = did_you_mean(key, known)
                raise UserError(f"{where}: no compared problem {key!r}{hint}")


def _ask(rule: Rule, pair: Compared, confidence: float, where: str) -> _Asked | None:
    if isinstance(rule, NotLower):
        return _not_lower(rule, pair, confidence, where)
    return _keeps(rule, pair) if isinstance(rule, Keeps) else _below(rule, pair, where)


def _not_lower(rule: NotLower, pair: Compared, confidence: float, where: str) -> _Asked:
    """Non-inferiority: the paired difference against the margin in place of zero."""
    k = pair.n if rule.k == "n" else rule.k
    if k > pair.n:
        raise UserError(
            f"{where}: {pair.benchmark}: {pair.base} and {pair.other} have "
            f"{counted(pair.n, 'sample')} a problem; a rule asks for pass@{k}"
        )
    values = difference_at_k(pair.base_counts, pair.other_counts, np.array([k]))[:, 0]
    sums = Clustered.of(values[:, None], pair.groups)
    (found,) = intervals_of(sums, confidence, (-1, 1), each_end=True).entries()
    # Below two problems nothing is known.
    p = (np.nan_to_num(one, nan=1.0) for one in one_sided_p(sums, -rule.points / 100, (-1, 1)))
    holds, violated = (float(one[0]) for one in p)
    standing = f"not lower than {pair.base}'s by {rule.points:g} points or more"
    if not rule.points:
        standing = f"higher than {pair.base}'s"
    text = f"pass@{k} of {pair.other} is {standing}"
    of = (
        ""
        if found.problems == len(values)
        else f", {found.problems} of {counted(len(values), 'problem')}"
    )
    return _Asked(
        _rule(pair, rule.kind, text, f"{_difference(found, confidence)}{of}").model_copy(
            update={"estimate": found.estimate, "low": found.low, "high": found.high}
        ),
        tested=True,
        holds=holds,
        violated=violated,
    )


def _keeps(rule: Keeps, pair: Compared) -> _Asked | None:
    """Lost is a problem that the base solves and the other never; shown where that is no luck.

    None where all listed problems are of other benchmarks.
    """
    listed = set(rule.problems) & set(pair.base_counts.problem_ids)
    if not listed:
        return None
    lost = {
        flip.problem_id: flip.p
        for flip in flips(pair)
        if flip.solved_by == pair.base and flip.problem_id in listed
    }
    text = f"{pair.other} solves what {pair.base} does of {counted(len(listed), 'listed problem')}"
    why = "none is lost"
    # A problem that neither ever solves cannot be lost, so that it is no test.
    tests = sum(any(pair.fresh(key)[::2]) for key in listed)
    if lost:
        first = sorted(lost, key=lambda key: (lost[key], key))
        few = ", ".join(f"{key} (p = {lost[key]:.2g})" for key in first[:_NAMED])
        why = f"{len(lost)} not once: {few}{', …' if len(lost) > _NAMED else ''}"
    return _Asked(
        _rule(pair, rule.kind, text, why),
        tested=True,
        holds=1.0 if lost else 0.0,
        violated=min(1.0, tests * min(lost.values())) if lost else 1.0,
    )


def _below(rule: Below, pair: Compared, where: str) -> _Asked:
    """A share of the samples that there are, of the arm that has more of them."""
    counted = {}
    for arm, (statuses, samples) in pair.shares.items():
        if rule.share not in statuses:
            raise UserError(f"{where}: it does not say which samples are {rule.share}")
        counted[arm] = (statuses[rule.share] / samples, statuses[rule.share], samples)
    worst = max(counted, key=lambda arm: counted[arm][0])
    share, marked, samples = counted[worst]
    holds = 100 * share < rule.percent
    text = f"fewer than {rule.percent:g}% of samples are {rule.share}"
    judged = _rule(
        pair, rule.kind, text, f"{worst} {100 * share:.2f}% ({marked:,} of {samples:,}), counted"
    )
    update = {"standing": "holds" if holds else "violated", "estimate": share}
    return _Asked(judged.model_copy(update=update), tested=False, holds=1.0, violated=1.0)


def flips(pair: Compared) -> Iterator[Flip]:
    """The problems that one of two arms solves and the other does not, surest first."""
    base, other = pair.base_counts, pair.other_counts
    found = cells(base.correct, other.correct)
    for cell, solver in (("base_only", pair.base), ("other_only", pair.other)):
        rows = []
        for row in np.flatnonzero(found[cell]).tolist():
            key = base.problem_ids[row]
            rows.append(
                Flip(
                    benchmark=pair.benchmark,
                    base=pair.base,
                    other=pair.other,
                    problem_id=key,
                    solved_by=solver,
                    base_right=int(base.correct[row]),
                    base_samples=int(base.samples[row]),
                    other_right=int(other.correct[row]),
                    other_samples=int(other.samples[row]),
                    p=_by_luck(*pair.fresh(key), of_base=solver == pair.base),
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


def _rule(pair: Compared, kind: str, text: str, why: str) -> JudgedRule:
    return JudgedRule(
        benchmark=pair.benchmark,
        base=pair.base,
        other=pair.other,
        kind=kind,
        rule=text,
        standing="open",
        why=why,
    )


def _difference(found: Entry, confidence: float) -> str:
    if found.estimate is None:
        return "no problem in common has so many samples"
    if found.low is None or found.high is None:
        return f"{100 * found.estimate:+.2f} points, no interval from so few problems"
    low, high = 100 * found.low, 100 * found.high
    return (
        f"{100 * found.estimate:+.2f} points, {confidence:.0%} interval {low:+.2f} to {high:+.2f}"
    )
