"""An analysis with its arms in order, and how they are told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from vlm_boundary.analysis.estimators import paper_grid
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.records.analysis import Analysis, ArmAnalysis, BenchmarkAnalysis
from vlm_boundary.records.record import ArmPair

T = TypeVar("T")
P = TypeVar("P", bound=ArmPair)

_ROLES = ("base", "rl", "step", "distilled", "instruct", "repeat")
_READINGS = {"exact": "exact check of generated problems", "structural": "checks of the text"}


@dataclass(frozen=True)
class Part(Generic[T]):
    """One part of what was `found` on a benchmark: its name, all its content, and the section."""

    found: Findings
    name: str
    content: BenchmarkAnalysis
    section: T


@dataclass(frozen=True)
class Findings:
    """The analysis, and how arms are told apart: by their order, roles and colours."""

    analysis: Analysis
    roles: Mapping[str, str]

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        return self.analysis.confidence

    @property
    def level(self) -> str:
        """The level as text: 95%."""
        return f"{self.confidence:.0%}"

    @property
    def benchmarks(self) -> dict[str, BenchmarkAnalysis]:
        """What was found on each benchmark, by name."""
        return dict(sorted(self.analysis.benchmarks.items()))

    def with_section(
        self, of: Callable[[BenchmarkAnalysis], T | None]
    ) -> Iterator[tuple[str, BenchmarkAnalysis, T]]:
        """The benchmarks that have a section: name, content, section."""
        for name, content in self.benchmarks.items():
            if section := of(content):
                yield name, content, section

    def by_arm(self, found: Mapping[str, T]) -> dict[str, T]:
        """What is known of each arm, in order."""
        return {arm: found[arm] for arm in self.roles if arm in found}

    def arms(self, found: Iterable[str]) -> list[str]:
        """These arms in order, without those that only repeat another."""
        known = set(found)
        return [arm for arm, role in self.roles.items() if arm in known and role != "repeat"]

    def colour(self, arm: str) -> int:
        """An arm's place in the palette."""
        return list(self.roles).index(arm)

    def pairs(self, found: Iterable[P]) -> list[P]:
        """These pairs in order; RL checkpoints come first."""
        order = list(self.roles)

        def place(pair: P) -> tuple[bool, int, int]:
            base, other = pair.names
            return self.roles[other] != "rl", order.index(base), order.index(other)

        return sorted(found, key=place)


def in_order(experiment: ExperimentConfig) -> dict[str, str]:
    """Each arm's role, in an order that does not depend on how the experiment was written."""

    def place(arm: str) -> tuple[int, int, str]:
        config = experiment.arms[arm]
        return _ROLES.index(config.role), config.step or 0, arm

    return {arm: experiment.arms[arm].role for arm in sorted(experiment.arms, key=place)}


def reading_name(reading: str) -> str:
    """How a reading of valid is called; a judge's name and band stand in `NAME.band`."""
    return _READINGS.get(reading, reading.replace(".", ", "))


def first_looks(arms: Iterable[ArmAnalysis]) -> str:
    """How many samples all problems of those arms have that stop early; empty if none does."""
    looks = sorted({one.alike for one in arms if one.stopping})
    return f"{' or '.join(map(str, looks))} samples" if looks else ""


def on_grid(by_k: Mapping[int, T]) -> dict[int, T]:
    """The entries at the k of the published figures, of those that there are."""
    shown = set(paper_grid(max(by_k)).tolist()) if by_k else set()
    return {k: entry for k, entry in by_k.items() if k in shown}


def powers_of_two(most: int) -> tuple[int, ...]:
    """1, 2, 4 … up to a k, and that k where it is not close to the last."""
    powers = [2**i for i in range(max(most, 1).bit_length())]
    return tuple(powers if most < 1.4 * powers[-1] else [*powers, most])
