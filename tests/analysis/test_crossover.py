"""The crossover of differences written down by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vlm_boundary.analysis.differences import crossover
from vlm_boundary.analysis.intervals import Intervals


def intervals(estimates: list[float], reach: float) -> Intervals:
    mean = np.array(estimates)
    size = np.full(len(mean), 10)
    return Intervals(mean, mean - reach, mean + reach, size, mean, size, mean > 9)


FALLING = [0.3, 0.2, 0.1, 0.0, -0.1, -0.2, -0.3]


@pytest.mark.parametrize(
    ("estimates", "reach", "expected"),
    [
        # k:     1    2    3    4    5     6     7
        (FALLING, 0.05, (4, 4, 5, "resolved", False)),
        (FALLING, 0.15, (4, 3, 6, "resolved", False)),
        (FALLING, 0.25, (4, 2, 7, "resolved", False)),
        (FALLING, 0.35, (4, None, None, "not_resolved", False)),
        ([0.3, 0.2, 0.1, -0.01], 0.05, (4, 4, None, "not_resolved", False)),
        ([0.3, 0.3, 0.3], 0.1, (None, None, None, "none", True)),
        ([0.3, 0.2, 0.05], 0.1, (None, 3, None, "none", False)),
        ([-0.3, -0.3, -0.3], 0.1, (None, None, None, "none", True)),
        ([0.0, 0.0, 0.0], 0.1, (None, None, None, "none", False)),
        ([-0.2, 0.2, -0.2], 0.1, (3, 3, 3, "resolved", False)),
        ([0.2], 0.1, (None, None, None, "none", False)),
        ([0.2, 1e-17, -0.2], 0.1, (2, 2, 3, "resolved", False)),
    ],
)
def test_by_hand(estimates: list[float], reach: float, expected: tuple[object, ...]) -> None:
    found = crossover(intervals(estimates, reach))
    assert (found.estimate, found.low, found.high, found.status, found.excluded) == expected


def test_the_estimate_lies_in_its_interval() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        found = crossover(intervals(np.cumsum(rng.normal(size=30)).tolist(), 1.5))
        if found.estimate is not None:
            assert found.low is None or found.low <= found.estimate
            assert found.high is None or found.estimate <= found.high
        if found.status == "resolved":
            assert None not in (found.low, found.high)


def test_what_is_not_known_resolves_nothing() -> None:
    unknown = intervals([0.2, 0.1, -0.1, -0.2], float("nan"))
    assert crossover(unknown).status == "not_resolved"


def test_it_is_looked_for_where_no_problem_has_dropped_out() -> None:
    falling = intervals(FALLING, 0.05)
    fewer = replace(falling, problems=np.array([10, 10, 10, 9, 9, 9, 9]))
    found = crossover(fewer)
    assert (found.estimate, found.status, found.up_to) == (None, "none", 3)
    assert crossover(falling).up_to == 7
