"""When a problem has been sampled enough: one rule for drawing and for the analysis."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """How far a problem has come under a rule, by the verdicts on its samples.

    Attributes:
        look: how many samples it is to have, by what is known: those of index 0 … look - 1.
        complete: whether all of those have a verdict; then the problem ends at this look.
        right: how many of those that have one are right.
    """

    look: int
    complete: bool
    right: int


@dataclass(frozen=True)
class StoppingRule:
    """A problem ends at the first look at which enough of its samples are right, or at the last.

    Attributes:
        looks: numbers of samples, ascending; the last is n, at which every problem ends.
        right: how many right samples end a problem. A sample counts as right by its stored verdict;
            one that is undecided does not.
    """

    looks: tuple[int, ...]
    right: int

    @property
    def n(self) -> int:
        """The most samples that a problem gets."""
        return self.looks[-1]

    @property
    def first(self) -> int:
        """Samples 0 … first - 1 are those that every problem has."""
        return self.looks[0]

    @property
    def decided_below(self) -> int:
        """Samples of this index and above decide nothing: whoever has come so far gets all n."""
        return self.before(self.n)

    def before(self, look: int) -> int:
        """The look before one; 0 before the first."""
        place = self.looks.index(look)
        return self.looks[place - 1] if place else 0

    def standing(self, indices: Sequence[int], right: Sequence[bool]) -> Standing:
        """How far a problem has come.

        Args:
            indices: of its samples that have a verdict, ascending, each once.
            right: whether each of them is right.
        """
        for look in self.looks:
            there = bisect_left(indices, look)
            found = sum(map(bool, right[:there]))
            if there < look:
                return Standing(look, complete=False, right=found)
            if found >= self.right or look == self.n:
                return Standing(look, complete=True, right=found)
        raise AssertionError("the last look ends every problem")

    def ends_with(self, samples: int, right: int) -> bool:
        """Whether a problem can end with so many samples, so many of them right."""
        if samples not in self.looks or not 0 <= right <= samples:
            return False
        before = self.before(samples)
        goes_on = not before or right - (samples - before) < self.right  # at the look before
        return goes_on and (samples == self.n or right >= self.right)

    def standing_of(self, right: Mapping[int, bool]) -> Standing:
        """How far a problem has come, given whether each sample that has a verdict is right."""
        indices = sorted(right)
        return self.standing(indices, [right[index] for index in indices])

    def up_to(self, look: int) -> StoppingRule:
        """The same rule, ended at one of its looks: what can be read before all is drawn."""
        return StoppingRule(self.looks[: self.looks.index(look) + 1], self.right)

    def goes_on_from(self, before: StoppingRule) -> bool:
        """Whether samples drawn under another rule are those that this one begins with.

        So they are with the same looks before the last, the same number of right samples, and
        further looks only at the other's n or behind it.
        """
        kept = before.looks[:-1]
        alike = self.looks[: len(kept)] == kept and (not kept or self.right == before.right)
        further = self.looks[len(kept) :]
        return alike and (len(further) == 1 or bool(further and further[0] >= before.n))
