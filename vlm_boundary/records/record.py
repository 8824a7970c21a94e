"""What every record shares, and the estimates that most of them are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

T = TypeVar("T")
P = TypeVar("P", bound="ArmPair")


class Record(BaseModel):
    """Base of every record: values do not change; keys that a reader does not know are left alone.

    A field with a default is written only where it was given: null says that a value is not known,
    a key that is not there that it does not apply.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=(), use_attribute_docstrings=True)

    def as_json(self) -> dict[str, Any]:
        """The record as JSON has it."""
        return self.model_dump(mode="json", exclude_unset=True)

    def given(self) -> dict[str, Any]:
        """The fields that were given, for a record that says these things and more."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def where_known(**fields: Any) -> dict[str, Any]:
    """Those of these fields that are not None, for a record that leaves out what does not apply."""
    return {name: value for name, value in fields.items() if value is not None}


def _ascending(by_k: dict[int, T]) -> dict[int, T]:
    return dict(sorted(by_k.items()))


ByK = Annotated[dict[int, T], AfterValidator(_ascending)]
"""Something at each k, ascending; in JSON, where keys are text, they stand in any order."""


class Interval(Record):
    """An estimate with its interval."""

    estimate: float | None
    low: float | None
    high: float | None

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies above or below zero, else 0."""
        if self.low is None or self.high is None:
            return 0
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


class Estimate(Interval):
    """An estimate over problems."""

    problems: int
    """How many it stands on."""


class Entry(Estimate):
    """A mean over problems, as nearly all numbers are."""

    few: bool
    """So few problems, or so few that carry the spread, that the interval is not Student's t."""


Curve = ByK[Entry]


class Difference(Entry):
    """Other − base at one k."""

    band_low: float | None
    """Of the band that holds at every k at once; null beyond the last k that all problems have."""
    band_high: float | None
    bootstrap_low: float | None = None
    """Bootstrap-t, at the k of the published figures."""
    bootstrap_high: float | None = None

    @property
    def band(self) -> Interval:
        """With the ends of the band."""
        return Interval(estimate=self.estimate, low=self.band_low, high=self.band_high)

    @property
    def bootstrap(self) -> Interval:
        """With the ends of the bootstrap."""
        return Interval(estimate=self.estimate, low=self.bootstrap_low, high=self.bootstrap_high)


class Range(Record):
    """What a value can be."""

    low: float | None
    high: float | None


class Crossover(Record):
    """The k at which a difference turns from above zero to zero or below."""

    estimate: int | None
    low: int | None
    high: int | None
    status: str
    """none (the estimates do not turn), resolved (bounded on both sides), or not_resolved."""
    excluded: bool
    """No k up to `up_to` is in the interval."""
    up_to: int
    """The last k that all problems have: beyond it problems drop out, and it is not looked for."""


class Within(Interval):
    """A difference held against a margin; the interval is that of two one-sided tests."""

    p_value: float | None
    """That the difference is as large as the margin, or larger; null below two problems."""


class Equivalence(Record):
    """Whether a difference is smaller than a margin that the user states."""

    margin: float
    """As a share: 0.02 is two points."""
    level: float
    """Of the intervals: 0.9 where others have 0.95, since each test is one-sided."""
    at: ByK[Within]
    """At k = 1 and the last k."""


class PairedDifference(Record):
    """All that is said of a difference at k = 1 … n, whatever was estimated at each k."""

    difference: ByK[Difference]
    band_level: float
    """The level at which each interval of the band stands alone."""
    crossover: Crossover
    p_values: ByK[float | None]
    """At the published k and the last: below 5 % just where the 95 % interval leaves zero out."""
    p_no_crossover: float | None
    """That they never cross up to the last k with all problems; 1 where the intervals do not say
    so, null where there is one k."""
    equivalence: Equivalence | None = None
    """Where a margin is stated."""
    clusters: int | None = None
    """How many, where problems have clusters."""


class ArmPair(Record):
    """Two arms; what is said of them is other − base."""

    base: str
    other: str

    @property
    def names(self) -> tuple[str, str]:
        """Both, the base first."""
        return self.base, self.other


def find_pair(pairs: Iterable[P], names: tuple[str, str]) -> P | None:
    """What is said of a base and another arm; None where nothing is."""
    return next((pair for pair in pairs if pair.names == names), None)


class CellCounts(Record):
    """How many problems both arms solve, one of them alone, or none."""

    both: int
    base_only: int
    other_only: int
    neither: int

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Both, base only, other only, neither."""
        return self.both, self.base_only, self.other_only, self.neither


class CellProblems(Record):
    """Which problems both arms solve, one of them alone, or none."""

    both: list[str]
    base_only: list[str]
    other_only: list[str]
    neither: list[str]


class Support(Record):
    """How the set of solved problems changed; see `analysis.sets.support_metrics`."""

    srr: float | None
    ndr: float | None
    sds: float | None
    nscr: float | None


class SolvedSets(Record):
    """Which problems each of two arms solved at least once, and what that proves."""

    solved: CellCounts
    solved_problems: CellProblems
    support: Support
    mcnemar_p: float | None
    unsolved_below: float | None
    """One-sided: an unsolved problem's success probability is below this, not zero."""


class Needed(Record):
    """What it would take to find a gap as large as the one that was seen."""

    gap: float
    power: float
    problems: int | None
    samples: int | None
    smallest_gap: float | None
