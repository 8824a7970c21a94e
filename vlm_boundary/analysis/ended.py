"""Where an arm's problems ended by its stopping rule, as its stored verdicts say now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vlm_boundary.analysis.counts import Counts, Ints
from vlm_boundary.analysis.verdicts import Verdicts
from vlm_boundary.stopping import Standing, StoppingRule


@dataclass(frozen=True)
class Ended:
    """An arm's verdicts read by its rule, always made again from the verdicts themselves.

    A problem that has not come to its end yet (its run was interrupted, or the verifier that it
    ended by was another one) would be missing from larger k for being hard, and with it the others
    like it. So all problems are read up to the deepest look that each of them has come to, as if
    the rule ended there; then every estimate is unbiased up to that look. Only a problem of which a
    sample cannot be drawn is left out altogether.

    Attributes:
        verdicts: all that there are, sorted by problem and index.
        rule: the arm's.
        standings: how far each problem of `verdicts` has come.
        failed: problems that cannot come to their end, since a sample could not be drawn.
    """

    verdicts: Verdicts
    rule: StoppingRule
    standings: tuple[Standing, ...]
    failed: frozenset[str]

    @classmethod
    def of(cls, verdicts: Verdicts, rule: StoppingRule, failures: Collection[str]) -> Ended:
        """Apply a rule to verdicts.

        Args:
            failures: problems of which a sample could not be drawn, whether it is needed or not.
        """
        starts = np.searchsorted(verdicts.problem, np.arange(len(verdicts.problem_ids) + 1))
        standings = tuple(
            rule.standing(verdicts.index[a:b].tolist(), verdicts.right[a:b].tolist())
            for a, b in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
        )
        failed = {
            problem_id
            for problem_id, one in zip(verdicts.problem_ids, standings, strict=True)
            if not one.complete and problem_id in failures
        }
        return cls(verdicts, rule, standings, frozenset(failed))

    @cached_property
    def _open(self) -> dict[str, Standing]:
        """How far those have come that have not come to their end, and can."""
        return {
            problem_id: one
            for problem_id, one in zip(self.verdicts.problem_ids, self.standings, strict=True)
            if not one.complete and problem_id not in self.failed
        }

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Problems that have not come to their end, and can."""
        return tuple(self._open)

    @cached_property
    def n(self) -> int:
        """The look up to which everything is read: the rule's n, where all problems have ended."""
        reached = [self.rule.before(one.look) for one in self._open.values()]
        # Before the first look no problem ends, and what there is can be read as it is.
        return max(min(reached), self.rule.first) if reached else self.rule.n

    @property
    def read_by(self) -> StoppingRule | None:
        """The rule up to `n`; None where that is the first look, before which nothing stops."""
        return None if self.n == self.rule.first else self.rule.up_to(self.n)

    @cached_property
    def looks(self) -> Ints:
        """How many samples of each problem are read; 0 of those that are left out."""
        if self.read_by is None:
            return np.full(len(self.standings), self.n, dtype=np.int64)
        come = [one.look if one.complete else self.rule.before(one.look) for one in self.standings]
        short = np.array([not one.complete for one in self.standings]) & (np.array(come) < self.n)
        return np.where(short, 0, np.minimum(come, self.n)).astype(np.int64)

    @cached_property
    def read(self) -> Verdicts:
        """The verdicts that estimates stand on: each problem's up to the look at which it ended."""
        within = self.verdicts.index < self.looks[self.verdicts.problem]
        return self.verdicts if within.all() else self.verdicts.where(within)

    @property
    def counts(self) -> Counts:
        """The counts of what is read."""
        return replace(self.read.counts, rule=self.read_by)

    @property
    def beyond(self) -> int:
        """Samples below n that stand behind the look at which their problem ended."""
        return int((self.verdicts.index < self.rule.n).sum()) - len(self.read)
