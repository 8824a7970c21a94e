"""What an experiment tracker is told, read back from trackio's own store."""

from __future__ import annotations

from pathlib import Path

import pytest
from analysis_runs import BenchmarkRun, make_run, right, wrong
from required import needs

from vlm_boundary.analysis.stage import analyze
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem
from vlm_boundary.tracking import checkpoint_points, curve_points, refuse_missing, track_checkpoints


@pytest.fixture
def run(tmp_path: Path) -> BenchmarkRun:
    """A base that solves half of its samples, and two steps that solve more and more."""
    arms = {"base": {"model": "b", "role": "base"}} | {
        f"step-{step}": {"model": "b", "role": "step", "step": step} for step in (10, 20)
    }
    made = make_run(
        tmp_path / "run", [Problem("mine", f"p{i}", "?", "7") for i in range(8)], arms, 4
    )
    for arm, share in (("base", 1), ("step-10", 2), ("step-20", 3)):
        made.add_verdicts(
            arm,
            {f"p{i}": [right("7")] * share + [wrong("8")] * (4 - share) for i in range(8)},
        )
    analyze(made.directory, made.experiment)
    return made


def test_curves_have_a_point_at_each_k(run: BenchmarkRun) -> None:
    points = dict(curve_points(analyze(run.directory, run.experiment)))
    assert sorted(points) == [1, 2, 4]
    assert points[1]["mine/pass@k/base"] == pytest.approx(25)
    assert points[1]["mine/difference/step-20-base"] == pytest.approx(50)
    assert points[4]["mine/pass@k/step-10"] == pytest.approx(100)


def test_checkpoints_have_a_point_each_by_step(run: BenchmarkRun) -> None:
    points = checkpoint_points(analyze(run.directory, run.experiment), run.experiment)
    assert list(points) == [10, 20]
    assert [one["mine/pass@1"] for one in points.values()] == pytest.approx([50, 75])
    assert points[10]["mine/difference@1-base"] == pytest.approx(25)


def test_trackio_stores_what_it_is_told(
    run: BenchmarkRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trackio = needs("trackio")
    from trackio import sqlite_storage
    from trackio import utils as trackio_utils

    for module in (trackio, sqlite_storage, trackio_utils):
        if hasattr(module, "TRACKIO_DIR"):
            monkeypatch.setattr(module, "TRACKIO_DIR", tmp_path / "store")
    analysis = analyze(run.directory, run.experiment)
    early = run.experiment.model_copy(
        update={"arms": {n: a for n, a in run.experiment.arms.items() if n != "step-20"}}
    )
    for known in (early, early, run.experiment, run.experiment):  # a checkpoint comes; restarts
        track_checkpoints(run.directory, known, analysis, "trackio")
    (found,) = trackio.Api().runs("made")
    rows = sqlite_storage.SQLiteStorage.get_logs("made", found.name)
    assert [(row["step"], row["mine/pass@1"]) for row in rows] == [(10, 50), (20, 75)]


def test_a_tracker_that_is_not_installed_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    with pytest.raises(
        UserError, match=r"--track wandb: it is not installed; in a clone: pip install"
    ):
        refuse_missing("wandb")
