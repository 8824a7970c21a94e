import json
from pathlib import Path
from statistics import fmean

import pytest
from required import needs

needs("torch")
needs("transformers")

from vlm_boundary.tiny.curves import draw_curves
from vlm_boundary.tiny.record import read_log
from vlm_boundary.tiny.train import load, main
from vlm_boundary.verifier import grader_version


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("family")
    for stage in ("foundation", "base", "rl"):
        main([stage, "--out", str(out), "--smoke"])
    return out


def test_smoke_training_lowers_the_loss_and_raises_the_reward(trained: Path) -> None:
    losses = [
        line["loss"]
        for line in read_log(trained / "foundation")
        if "step" in line and "loss" in line
    ]
    assert losses[-1] < 0.5 * losses[0]
    rewards = [line["reward"] for line in read_log(trained / "rl") if "reward" in line]
    assert fmean(rewards[-8:]) > 1.2 * fmean(rewards[:4])


def test_checkpoints_load_and_say_how_they_were_made(trained: Path) -> None:
    assert {path.name for path in trained.iterdir() if path.is_dir()} == {
        "foundation",
        "base",
        "rl",
        "rl-step4",
        "rl-step8",
    }
    for folder in (path for path in trained.iterdir() if path.is_dir()):
        load(folder)
        record = json.loads((folder / "training.json").read_text())
        assert record["seed"] == 1
        assert record["libraries"]["torch"]
        assert "demonstration" in json.loads((folder / "vlm_boundary.json").read_text())["note"]
    record = json.loads((trained / "rl-step4" / "training.json").read_text())
    assert (record["step"], record["grader"]) == (4, grader_version())


def test_the_curves_of_a_family_are_drawn_from_its_logs(trained: Path) -> None:
    svg = draw_curves(trained).read_text()
    assert all(f"<!-- {name} -->" in svg for name in ("foundation", "base", "rl"))


def _changed(one: Path, other: Path) -> set[str]:
    before, after = (load(folder).state_dict() for folder in (one, other))
    different = {name for name, tensor in before.items() if not tensor.equal(after[name])}
    return {"sees" if ".visual." in name else "reasons" for name in different}


def test_a_stage_changes_only_what_sees_or_only_what_reasons(trained: Path) -> None:
    for stage in ("rl-blind", "reader", "reader-seeing", "reader-reasoning"):
        main([stage, "--out", str(trained), "--smoke"])
    assert _changed(trained / "base", trained / "rl-blind") == {"reasons"}
    assert _changed(trained / "base", trained / "reader") == {"sees", "reasons"}
    assert _changed(trained / "reader", trained / "reader-seeing") == {"sees"}
    assert _changed(trained / "reader", trained / "reader-reasoning") == {"reasons"}
    for stage, condition in (("rl-blind", "no_image"), ("reader-reasoning", "described")):
        watched = [line for line in read_log(trained / stage) if "accuracy" in line]
        assert {line["condition"] for line in watched} == {condition, "full"}
