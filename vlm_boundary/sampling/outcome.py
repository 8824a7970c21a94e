"""What came of drawing, in lines: how fast it was, and what could not be drawn, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlm_boundary.config import ExperimentConfig, ReplayConfig
from vlm_boundary.counted import counted
from vlm_boundary.engines.replay import unknown_samples
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.plan import Task
from vlm_boundary.store import Partition, RunDirectory, read_writer

_NAMED = 3
_REASONS = 5
_UNKNOWN = "no reason is recorded"
# A cache that spares less than this share of what it could does not work.
_HITS = 0.1


@dataclass(frozen=True)
class Lack:
    """What one arm lacks of a benchmark under a condition.

    `reasons` are how many samples each reason concerns and the problems that they are of, the most
    frequent reason first.
    """

    partition: Partition
    asked: int
    missing: int
    reasons: dict[str, tuple[int, tuple[str, ...]]]

    def lines(self) -> list[str]:
        """As a terminal is told."""
        where = self.partition
        under = "" if where.condition == "full" else f", {where.condition}"
        told = [
            f"{where.arm} on {where.benchmark}{under}: {self.missing:,} of "
            f"{counted(self.asked, 'sample')} were not drawn"
        ]
        for reason, (count, problems) in list(self.reasons.items())[:_REASONS]:
            told.append(f"  {count:,}: {reason} ({_named(problems)})")
        if len(self.reasons) > _REASONS:
            rest = sum(count for count, _ in list(self.reasons.values())[_REASONS:])
            told.append(f"  {rest:,}: for {len(self.reasons) - _REASONS:,} other reasons")
        return told


def find_lacks(run: RunDirectory, left: Iterable[Task]) -> list[Lack]:
    """Why what `sample` left could not be drawn."""
    return [_lack(run, task) for task in left if task.spans]


def unknown_lines(run: RunDirectory, experiment: ExperimentConfig) -> list[str]:
    """What replayed files hold of problems that the run does not have, a line an arm."""
    known = {
        name: {problem.problem_id for problem in run.read_problems(name)}
        for name in experiment.benchmarks
    }
    told = []
    for arm in experiment.arms:
        engine = experiment.arm_engine(arm)
        if isinstance(engine, ReplayConfig) and (found := unknown_samples(engine, known)):
            told.append(
                f"{arm}: {engine.path} holds {counted(sum(found.values()), 'sample')} of "
                f"{len(found):,} problems that no benchmark of this run has ({_named(found)})"
            )
    return told


def not_shown_lines(looked_at: Mapping[Partition, Sequence[Problem]]) -> list[str]:
    """Of what was looked at, problems that a control cannot show: a line a benchmark and reason."""
    told: dict[str, None] = {}  # each once, whoever is not asked
    for where, problems in looked_at.items():
        reasons: dict[str, list[str]] = {}
        for one in problems:
            if one.error is not None:
                reasons.setdefault(one.error, []).append(one.problem_id)
        for reason, ids in reasons.items():
            told[
                f"{where.condition} on {where.benchmark}: {len(ids):,} of {len(problems):,} "
                f"problems are not asked: {reason} ({_named(ids)})"
            ] = None
    return list(told)


def _lack(run: RunDirectory, task: Task) -> Lack:
    missing, total = task.missing(), task.samples
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    rows = run.failures.read(task.partition)
    for row in sorted(rows, key=lambda one: one["sample_index"] is None):  # the exact ones first
        left = missing.get(row["problem_id"], set())
        index = row["sample_index"]
        concerned = set(left) if index is None else left & {index}
        if concerned:
            left -= concerned
            counts[row["reason"]][row["problem_id"]] += len(concerned)
    for problem_id, left in missing.items():
        if left:
            counts[_UNKNOWN][problem_id] += len(left)
    ordered = sorted(counts.items(), key=lambda one: -sum(one[1].values()))
    reasons = {reason: (sum(by.values()), tuple(by)) for reason, by in ordered}
    return Lack(task.partition, task.asked, total, reasons)


def _named(problems: Iterable[str]) -> str:
    """A few ids, and how many more there are."""
    ids = list(problems)
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return f"{'problem' if len(ids) == 1 else 'problems'} {', '.join(ids[:_NAMED])}{more}"


def speed_lines(writers: Iterable[Path]) -> list[str]:
    """A line for each engine process that sampled: its speed, and its share of what is possible.

    And one more where its prefix cache did not hit.
    """
    lines = []
    for path in sorted(writers):
        record = read_writer(path)
        if record and record["work"].get("draw_seconds") and record["work"]["samples"]:
            lines.append(_line(record["arms"], record["work"]))
            lines += _without_hits(record["arms"], record["work"])
    return lines


def _line(arms: Sequence[str], work: Mapping[str, Any]) -> str:
    seconds = work["draw_seconds"]
    speed = (
        f"{', '.join(arms)}: {counted(work['samples'], 'sample')}, "
        f"{counted(work['tokens'], 'token')} in {seconds:,.1f} s "
        f"({work['tokens'] / seconds:,.0f} tokens/s)"
    )
    bound = work.get("lower_bound", {})
    if "seconds" in bound:
        share = bound["seconds"] / seconds
        least = f"{bound['seconds']:,.1f} s on {bound['gpu']}"
        return f"{speed}; the least time is {least}, {share:.0%} of that"
    return f"{speed}; no lower bound: {bound.get('reason', 'not recorded')}"


def _without_hits(arms: Sequence[str], work: Mapping[str, Any]) -> list[str]:
    repeated, spared = work.get("repeated_prompt_tokens", 0), work.get("cached_prompt_tokens", 0)
    if spared >= _HITS * repeated:
        return []
    return [
        f"{', '.join(arms)}: warning: the prefix cache spared {spared:,} of {repeated:,} prompt "
        f"tokens that were given again ({spared / repeated:.0%}), so that each sample costs a "
        f"reading of its whole prompt; docs/models.md says for which families that is known"
    ]
