"""A run's problems in shares, which any processes bring up to date side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.problems import ProblemReader

Result = TypeVar("Result")


@dataclass(frozen=True)
class Share:
    """Problems of a partition whose derived rows one process brings up to date.

    `problem_ids` ascend; `samples` is how many they have together. With `force` every row is made
    again.
    """

    run: Path
    partition: Partition
    problem_ids: tuple[str, ...]
    samples: int
    force: bool


class ShareMap(Protocol):
    """How shares are worked on elsewhere: like `map`, results in the order of the shares."""

    def __call__(  # noqa: D102
        self, work: Callable[[Share], Result], shares: Sequence[Share]
    ) -> Iterable[Result]: ...


def shares_of(
    run: Path,
    table: PartTable,
    *,
    samples: int | None,
    force: bool,
    known: Callable[[Partition, Mapping[str, int]], Iterable[str]],
) -> list[Share]:
    """The problems of every partition in shares of about so many samples; None: all in one.

    Args:
        known: which of a partition's problems, given with how many rows each has, are looked at.
    """
    shares = []
    for partition in table.partitions():
        counts = ProblemReader.of(table, partition).counts
        size = 0
        group: list[str] = []
        for problem_id in known(partition, counts):
            count = counts[problem_id]
            if group and samples is not None and size + count > samples:
                shares.append(Share(run, partition, tuple(group), size, force))
                group, size = [], 0
            group.append(problem_id)
            size += count
        shares.append(Share(run, partition, tuple(group), size, force))
    return shares
