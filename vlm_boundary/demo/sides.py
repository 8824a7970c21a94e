"""Which arm a side of the page shows: of any run that is open, under any condition.

Problems of different runs are the same where their content is: question, pictures, choices and
answer. Ids alone say nothing: two runs may have filtered, edited or numbered their data otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.demo.codes import Codes
from vlm_boundary.demo.drawn import ProblemSamples
from vlm_boundary.demo.index import PartitionIndex, RunIndex
from vlm_boundary.records.problem import Problem

SIDES = ("left", "right", "third")
_NO_ID = ""


@dataclass(frozen=True)
class Named:
    """An arm as a link names it: ARM, ARM:CONDITION or ARM:CONDITION:RUN.

    Without a condition it is the view's, without a run the view's run.
    """

    arm: str
    condition: str = ""
    run: str = ""

    def __str__(self) -> str:
        return ":".join((self.arm, self.condition, self.run)).rstrip(":")


def named(text: str) -> Named:
    """What a link says of a side; names of arms and conditions have no colon."""
    arm, _, rest = text.partition(":")
    condition, _, run = rest.partition(":")
    return Named(arm, condition, run)


@dataclass(frozen=True)
class Matching:
    """Where a run's problems stand in another run.

    `places` has the place there of each problem here, -1 where it is not there; `other_content`
    counts those of which there is only the id, with another content; `only_there` the other run's
    problems that are not here.
    """

    benchmark: str
    places: NDArray[np.int64]
    other_content: int
    only_there: int

    @property
    def matched(self) -> int:
        """How many problems are in both."""
        return int((self.places >= 0).sum())


@dataclass(frozen=True)
class Shown:
    """One arm under one condition, seen from the problems of a benchmark of the view's run."""

    run: RunIndex
    arm: str
    condition: str
    matching: Matching
    foreign: bool
    """Whether its run is another than the view's."""

    @property
    def partition(self) -> PartitionIndex | None:
        """Its samples; None before the first."""
        return self.run.partition(self.arm, self.matching.benchmark, self.condition)

    @property
    def codes(self) -> Codes:
        """A byte a sample, a row for each problem of the view's run; nothing drawn where none."""
        if self.matching.benchmark not in self.run.problems:
            return np.zeros((len(self.matching.places), 0), dtype=np.uint8)
        codes = self.run.codes(self.arm, self.matching.benchmark, self.condition)
        if not self.foreign:
            return codes
        found = codes[self.matching.places]
        found[self.matching.places < 0] = 0
        return found

    def problem(self, place: int) -> Problem | None:
        """The problem at a place of the view's run, as this run has it; None where it has none."""
        there = int(self.matching.places[place])
        return self.run.problems[self.matching.benchmark][there] if there >= 0 else None

    def load(self, problem: Problem) -> ProblemSamples:
        """The samples of one of this run's problems."""
        return self.run.load(self.arm, self.matching.benchmark, self.condition, problem.problem_id)


def shown_arm(text: str, run: RunIndex, benchmark: str, condition: str) -> Shown:
    """The arm that `text` names, for a view of `benchmark` and `condition` in `run`."""
    side = named(text)
    other = run.beside.get(side.run, run)
    matching = matched(run, benchmark, other)
    return Shown(other, side.arm, side.condition or condition, matching, other is not run)


def settled_arm(text: str, run: RunIndex, condition: str, otherwise: str) -> str:
    """The side as it is named where it is there, `otherwise` where not."""
    side = named(text)
    other = run.beside.get(side.run, run) if side.run else run
    if (side.run and side.run not in run.beside) or side.arm not in other.arms:
        return otherwise
    if side.condition and side.condition not in other.conditions:
        return otherwise
    if other is run:
        side = replace(side, run="")
    if side.condition == condition:
        side = replace(side, condition="")
    return str(side)


def choices(run: RunIndex, condition: str) -> list[tuple[str, str]]:
    """What a side can show, in words and as links name it: the view's run first."""
    found = [(arm, arm) for arm in run.arms]
    others = [other for other in run.beside.values() if other is not run]
    for other in (run, *others):
        for arm in other.arms:
            for name in other.conditions:
                own = other is run
                if own and name == condition:
                    continue
                said = settled_arm(str(Named(arm, name, other.name)), run, condition, "")
                if said and any(other.partition(arm, b, name) for b in other.benchmarks):
                    found.append((label(said, run, condition), said))
    return found


def label(text: str, run: RunIndex, condition: str) -> str:
    """A side in words: the arm, and what is not the view's of its condition and run."""
    side = named(text)
    more = [side.condition] if side.condition and side.condition != condition else []
    more += [side.run] if side.run and side.run != run.name else []
    return f"{side.arm} ({', '.join(more)})" if more else side.arm


def matched(run: RunIndex, benchmark: str, other: RunIndex) -> Matching:
    """Where the problems of a run's benchmark stand in another run."""
    problems = run.problems.get(benchmark, [])
    if other is run:
        return Matching(benchmark, np.arange(len(problems)), 0, 0)
    there = {name: len(found) for name, found in other.problems.items()}
    return _matched(run, benchmark, len(problems), other, tuple(there.items()))


@lru_cache(maxsize=64)
def _matched(
    run: RunIndex, benchmark: str, count: int, other: RunIndex, there: tuple[tuple[str, int], ...]
) -> Matching:
    """As `matched`; the counts tell what was read when the answer was found.

    Of the other run that benchmark is taken which has most of the problems, of several with as
    many the one of the same name.
    """
    ours = run.problems.get(benchmark, [])
    found = [
        _match(ours, other.problems[name], name)
        for name, _ in sorted(there, key=lambda one: one[0] != benchmark)
    ]
    return max(
        found,
        key=lambda one: one.matched,
        default=Matching(benchmark, np.full(count, -1), 0, 0),
    )


def _match(ours: Sequence[Problem], theirs: Sequence[Problem], benchmark: str) -> Matching:
    """By content; of several problems with one content those of the same id, then in order."""
    waiting: dict[str, dict[str, int]] = {}
    for place, problem in enumerate(theirs):
        waiting.setdefault(content(problem), {})[problem.problem_id] = place
    places = np.full(len(ours), -1, dtype=np.int64)
    keys = [content(problem) for problem in ours]
    for place, problem in enumerate(ours):
        places[place] = waiting.get(keys[place], {}).pop(problem.problem_id, -1)
    for place in np.flatnonzero(places < 0).tolist():
        left: Mapping[str, int] = waiting.get(keys[place], {})
        if left:
            first = next(iter(left))
            places[place] = waiting[keys[place]].pop(first)
    ids = {problem.problem_id for problem in theirs}
    alone = [ours[place] for place in np.flatnonzero(places < 0).tolist()]
    other_content = sum(problem.problem_id in ids for problem in alone)
    return Matching(benchmark, places, other_content, len(theirs) - int((places >= 0).sum()))


def content(problem: Problem) -> str:
    """What is asked, as a hash: the problem's own, whatever its id."""
    return replace(problem, problem_id=_NO_ID).content_hash()


def matching_line(shown: Shown) -> str:
    """What of the view's problems another run has, in words; empty where all of both."""
    one = shown.matching
    if not shown.foreign or (one.matched == len(one.places) and not one.only_there):
        return ""
    missing = len(one.places) - one.matched
    said = [f"{one.matched:,} of {len(one.places):,} problems are in {shown.run.name} too"]
    if one.other_content:
        said.append(f"{one.other_content:,} have their id there, but another content")
    if missing > one.other_content:
        said.append(f"{missing - one.other_content:,} are not there")
    if one.only_there:
        said.append(f"{one.only_there:,} are only there")
    return "; ".join(said)
