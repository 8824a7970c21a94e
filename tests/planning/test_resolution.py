"""What the plan says of gaps that an experiment can tell from nothing."""

from __future__ import annotations

import math
from pathlib import Path

from conftest import HandMadeRun

from vlm_boundary.planning.estimate import ArmPlan, Plan
from vlm_boundary.planning.resolution import resolution_lines
from vlm_boundary.store import RunDirectory
from vlm_boundary.verifier import verify


def planned(path: Path, problems: int = 114) -> Plan:
    arms = [
        ArmPlan(arm, "mine", "full", 4, problems, 0, 456, "not measured", 0, None, 0.0, {})
        for arm in ("base", "rl")
    ]
    return Plan(path, [], arms, 1)


def test_before_anything_is_sampled(run: HandMadeRun, tmp_path: Path) -> None:
    empty = RunDirectory(tmp_path / "empty")
    (line,) = resolution_lines(empty, run.experiment, planned(empty.path))
    gap = 100 * 2.801585 * math.sqrt(0.1 / 114)
    assert "114 problems of mine" in line
    assert f"{gap:.1f} points or more if one model alone solves 10% of the problems" in line


def test_few_problems_show_no_gap_that_is_larger_than_the_share(
    run: HandMadeRun, tmp_path: Path
) -> None:
    empty = RunDirectory(tmp_path / "empty")
    said = [
        next(resolution_lines(empty, run.experiment, planned(empty.path, problems)))
        for problems in (15, 59, 60)
    ]
    assert "no gap in pass@n if one model alone solves no more than 20% of them" in said[0]
    gap = float(said[1].split("pass@n of ")[1].split(" points")[0])
    assert gap > 100 * 2.801585 * math.sqrt(0.2 / 59)
    assert "solves 20% of the problems, and none if it solves 10%" in said[1]
    assert f"{100 * 2.801585 * math.sqrt(0.2 / 60):.1f} points or more" in said[2]


def test_what_was_sampled_says_what_more_it_takes(run: HandMadeRun) -> None:
    verify(run.directory)
    lines = list(resolution_lines(run.directory, run.experiment, planned(run.directory.path)))
    assert len(lines) == 3
    assert "rl − base on mine at k = 1: +16.7 points so far" in lines[1]
    # Differences 3/4, -1/4 and 0: variance 0.2708, so 7.849 · 0.2708 / (1/6)² problems.
    assert "takes 77 problems (there are 3)" in lines[1]
    assert "rl − base on mine at k = 4: -33.3 points so far" in lines[2]
