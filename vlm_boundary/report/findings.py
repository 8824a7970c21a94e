"""analysis.json with its arms in order, and how they are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vlm_boundary.analysis.estimators import paper_grid
from vlm_boundary.config import ExperimentConfig

Content = Mapping[str, Any]
_ROLES = ("base", "rl", "step", "distilled", "instruct", "repeat")
_READINGS = {"exact": "exact check of generated problems", "structural": "checks of the text"}


@dataclass(frozen=True)
class Findings:
    """What was found, and how arms are told apart: by their order, roles and colours.

    Attributes:
        analysis: the content of analysis.json, whose keys are sorted.
        roles: the role of every arm, in order.
    """

    analysis: Mapping[str, Any]
    roles: Mapping[str, str]

    @classmethod
    def of(cls, analysis: Mapping[str, Any], roles: Mapping[str, str]) -> Findings:
        """The analysis with its arms and pairs in order."""
        unordered = cls(analysis, roles)
        benchmarks = {
            name: {key: unordered._ordered(one) for key, one in content.items()}
            | {
                "arms": unordered._arms(content["arms"]),
                "pairs": unordered.pairs(content["pairs"]),
            }
            for name, content in analysis["benchmarks"].items()
        }
        return cls({**analysis, "benchmarks": benchmarks}, roles)

    def _ordered(self, section: Any) -> Any:
        """A section whose own arms and pairs stand in order."""
        if not isinstance(section, dict):
            return section
        ordered = dict(section)
        if isinstance(section.get("arms"), dict):
            ordered["arms"] = self._arms(section["arms"])
        if isinstance(section.get("pairs"), list):
            ordered["pairs"] = self.pairs(section["pairs"])
        return ordered

    def _arms(self, by_arm: Mapping[str, Any]) -> dict[str, Any]:
        return {arm: by_arm[arm] for arm in self.roles if arm in by_arm}

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        return float(self.analysis["confidence"])

    @property
    def level(self) -> str:
        """The level as text: 95%."""
        return f"{self.confidence:.0%}"

    @property
    def benchmarks(self) -> dict[str, Content]:
        """What was found on each benchmark, by name."""
        return dict(sorted(self.analysis["benchmarks"].items()))

    def with_section(self, key: str) -> Iterator[tuple[str, Content, Any]]:
        """The benchmarks that have a section: name, content, section."""
        for name, content in self.benchmarks.items():
            if content.get(key):
                yield name, content, content[key]

    def arms(self, found: Iterable[str]) -> list[str]:
        """These arms in order, without those that only repeat another."""
        known = set(found)
        return [arm for arm, role in self.roles.items() if arm in known and role != "repeat"]

    def colour(self, arm: str) -> int:
        """An arm's place in the palette."""
        return list(self.roles).index(arm)

    def pairs(self, found: Iterable[Any]) -> list[Any]:
        """Entries with `base` and `other` in order; RL checkpoints come first."""
        order = list(self.roles)

        def place(pair: Any) -> tuple[bool, int, int]:
            other = pair["other"]
            return self.roles[other] != "rl", order.index(pair["base"]), order.index(other)

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


def on_grid(by_k: Mapping[str, Any]) -> dict[int, Any]:
    """The entries at the k of the published figures, of those that there are."""
    ks = sorted(map(int, by_k))
    shown = set(paper_grid(ks[-1]).tolist()) if ks else set()
    return {k: by_k[str(k)] for k in ks if k in shown}


def powers_of_two(most: int) -> tuple[int, ...]:
    """1, 2, 4 … up to a k, and that k where it is not close to the last."""
    powers = [2**i for i in range(max(most, 1).bit_length())]
    return tuple(powers if most < 1.4 * powers[-1] else [*powers, most])
