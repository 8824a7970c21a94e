"""The verifier's last line of defence: what grading one output raises is that output's alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from vlm_boundary.records.verdict import Verdict

# What a rule raises on a text that its author did not think of: too deep, an index or key that is
# not there, a value of another kind than expected, a number out of range, a broken assumption. All
# are faults of the verifier's, told by name and count wherever verdicts are made. Not among them:
# what is the machine's (memory, disk, processes), which another run would not raise on this text,
# and what is the caller's (Ctrl-C).
FAULTS = (
    RecursionError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)
FAILED = "failed"


def failed(error: Exception) -> Verdict:
    """The verdict on an output, or against a gold answer, on which a rule raised."""
    return Verdict(None, "undecided", None, FAILED, flags=(type(error).__name__,))


@dataclass
class Failures:
    """Outputs on which a room's own rules failed: how many by kind of error, and the first."""

    rule: str = FAILED
    whose: str = "verifier"
    done: str = "graded"
    kinds: Counter[str] = field(default_factory=Counter)
    first: str | None = None

    def add(self, where: str, rule: str, flags: Iterable[str]) -> None:
        """Count a verdict, where it is one of these: the kind is its first flag, then why."""
        if rule == self.rule:
            kind, *why = flags
            self.kinds[kind] += 1
            self.first = self.first or (f"{where}: {why[0]}" if why else where)

    def __bool__(self) -> bool:
        return self.first is not None

    def __str__(self) -> str:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.most_common())
        return (
            f"{self.kinds.total():,} outputs could not be {self.done}, "
            f"by a fault of the {self.whose}'s ({kinds}); they count as undecided. "
            f"The first: {self.first}."
        )
