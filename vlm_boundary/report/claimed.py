"""What is claimed of a pair of arms: by one test each, adjusted for all claims of the report."""

from __future__ import annotations

from dataclasses import dataclass

from vlm_boundary.analysis.findings import Findings
from vlm_boundary.records.analysis import PairAnalysis
from vlm_boundary.records.record import Difference, Within


def asked(found: Findings) -> int:
    """How many statements the report tests at once.

    Without a margin, that a pair never crosses is asked in the place of two others.
    """
    family = found.analysis.multiplicity
    in_place = "no_crossover" if family.margin is None else None
    return sum(test.claim != in_place for test in family.tests)


@dataclass(frozen=True)
class Claimed:
    """What is claimed of a pair: by one test each, adjusted for all claims of the report."""

    found: Findings
    benchmark: str
    pair: PairAnalysis

    def p(self, claim: str) -> float | None:
        """The adjusted p-value of a claim; None where there is no test of it."""
        for test in self.found.analysis.multiplicity.tests:
            if (test.benchmark, test.names, test.claim) == (
                self.benchmark,
                self.pair.names,
                claim,
            ):
                return test.p_holm
        return None

    def holds(self, claim: str) -> bool:
        """Whether it is claimed."""
        p = self.p(claim)
        return p is not None and p <= 1 - self.found.confidence

    def sign(self, claim: str) -> int:
        """1 or -1 where a difference above or below zero is claimed, else 0."""
        return self.entry(claim).sign if self.holds(claim) else 0

    def k(self, claim: str) -> int:
        """At which k."""
        return self.pair.n if claim == "last" else 1

    def entry(self, claim: str) -> Difference:
        """The difference that it is about."""
        return self.pair.difference[self.k(claim)]

    @property
    def margin(self) -> str:
        """The margin in points, where one is stated."""
        stated = self.pair.equivalence
        return f"{100 * stated.margin:g}" if stated else ""

    @property
    def equivalence_level(self) -> str:
        """Level of the intervals that are held against the margin."""
        stated = self.pair.equivalence
        return f"{stated.level:.0%}" if stated else ""

    def within(self, claim: str) -> Within | None:
        """The difference held against the margin; None where none is stated."""
        stated = self.pair.equivalence
        return stated.at[self.k(claim)] if stated else None

    def unadjusted(self, claim: str) -> str:
        """What stands beside an interval that would claim it were it the only one."""
        p = self.p(claim)
        said = "" if p is None else f", p = {p:.2g}"
        return f"not once all {asked(self.found)} statements of this page are allowed for{said}"
