"""A run's problems in shares, which any processes bring up to date side by side."""

from __future__ import annotations

import sys
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
        rows = ProblemReader.of(table, partition)
        groups = rows.chunks(samples or sys.maxsize, known(partition, rows.counts))
        # Without any problem there is a share, too: what is stored of others has to go.
        for group in list(groups) or [()]:
            size = sum(rows.counts[problem_id] for problem_id in group)
            shares.append(Share(run, partition, group, size, force))
    return shares
