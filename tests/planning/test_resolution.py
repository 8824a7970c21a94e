"""What the plan says of gaps that an experiment can tell from nothing."""

from __future__ import annotations

import math
from pathlib import Path

from conftest import HandMadeRun

from vlm_boundary.planning.estimate import ArmPlan, Plan
from vlm_boundary.planning.resolution import resolution_lines
from vlm_boundary.store import RunDirectory
from vlm_boundary.verifier import verify


def planned(path: Path) -> Plan:
    arms = [
        ArmPlan(arm, "mine", "full", 4, 114, 0, 456, "not measured", 0, None, 0.0, {})
        for arm in ("base", "rl")
    ]
    return Plan(path, [], arms, 1)


def test_before_anything_is_sampled(run: HandMadeRun, tmp_path: Path) -> None:
    empty = RunDirectory(tmp_path / "empty")
    (line,) = resolution_lines(empty, run.experiment, planned(empty.path))
    gap = 100 * 2.801585 * math.sqrt(0.1 / 114)
    assert "114 problems of mine" in line
    assert f"{gap:.1f} points or more if one model alone solves 10% of the problems" in line


def test_what_was_sampled_says_what_more_it_takes(run: HandMadeRun) -> None:
    verify(run.directory)
    lines = list(resolution_lines(run.directory, run.experiment, planned(run.directory.path)))
    assert len(lines) == 3
    assert "rl − base on mine at k = 1: +16.7 points so far" in lines[1]
    # Differences 3/4, -1/4 and 0: variance 0.2708, so 7.849 · 0.2708 / (1/6)² problems.
    assert "takes 77 problems (there are 3)" in lines[1]
    assert "rl − base on mine at k = 4: -33.3 points so far" in lines[2]
