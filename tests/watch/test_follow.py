"""A training run followed, with the drawing and the reporting played by the test."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from required import needs

from vlm_boundary import tiny
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import PlaceError, UserError
from vlm_boundary.fleet import EngineDied
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.store import RunDirectory
from vlm_boundary.watch import Watched, follow
from vlm_boundary.watch.folders import merge_command

needs("transformers")

BASE = {"model": "tiny:base", "role": "base"}


class Trainer:
    """A folder that checkpoints are put into, and what is drawn and reported of them."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.folder = path / "training"
        self.folder.mkdir(exist_ok=True)
        content = {
            "name": "watched",
            "run_dir": str(path / "run"),
            "benchmarks": {"procedural": {"procedural": {"count": 8}}},
            "arms": {"base": BASE},
            "sampling": {"n": 4},
        }
        self.experiment = ExperimentConfig.model_validate(content | settings)
        self.run = RunDirectory(path / "run")
        self.drawn: list[list[str]] = []
        self.reported: list[list[str]] = []
        self.lines: list[str] = []
        self.after: list[Callable[[], object]] = []
        """What happens after each report, in turn."""

    def write(self, step: int, model: str = "rl-step40", name: str = "checkpoint-{}") -> Path:
        """Put a whole checkpoint there."""
        folder = self.folder / name.format(step)
        shutil.copytree(tiny.find(model), folder)
        return folder

    def follow(self, **settings: Any) -> ExperimentConfig:
        """Follow it until there is nothing more to come."""
        watched = Watched(self.folder, **{"settle": 0.0, "poll": 0.01, "idle": 0.0} | settings)
        return follow(self.run, self.experiment, watched, self.draw, self.report, self.lines.append)

    def draw(self, experiment: ExperimentConfig, arms: Collection[str]) -> None:
        """Remember for which arms, which are then known to the run."""
        prepare(self.run, experiment, only=arms)
        self.drawn.append(list(arms))

    def report(self, experiment: ExperimentConfig) -> None:
        """Remember on which arms, and let the next thing happen."""
        self.reported.append(list(experiment.arms))
        if self.after:
            self.after.pop(0)()


def test_each_checkpoint_becomes_an_arm_once_it_is_there(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path)
    trainer.write(10)
    trainer.after = [lambda: None, lambda: trainer.write(20, "rl-step80")]
    grown = trainer.follow()
    assert trainer.drawn == [["base"], ["step-10"], ["step-20"]]
    assert trainer.reported[-1] == list(grown.arms) == ["base", "step-10", "step-20"]
    arm = grown.arms["step-20"]
    assert (arm.role, arm.step) == ("step", 20)
    assert arm.model == str(trainer.folder / "checkpoint-20")
    assert trainer.run.read_manifest().arms["step-20"].identity.weights


def test_checkpoints_that_wait_are_taken_together_and_every_k_only(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path)
    for step in (5, 10, 15, 20):
        trainer.write(step, name="global_step_{}")
    trainer.follow(every=10)
    assert trainer.drawn == [["base"], ["step-10", "step-20"]]


def test_a_step_that_the_experiment_names_itself_is_not_taken_again(tmp_path: Path) -> None:
    step = {"model": "tiny:rl-step40", "role": "step", "step": 10}
    trainer = Trainer(tmp_path, arms={"base": BASE, "step-10": step})
    trainer.write(10)
    trainer.write(20, "rl-step80")
    grown = trainer.follow(until=20, idle=None)
    assert trainer.drawn == [["base", "step-10"], ["step-20"]]
    assert grown.arms["step-10"].model == "tiny:rl-step40"


def test_settings_may_be_another_arms(tmp_path: Path) -> None:
    rl = {"model": "tiny:rl", "role": "rl", "sampling": {"n": 8}, "prompt": "mathvista-query"}
    trainer = Trainer(tmp_path, arms={"base": BASE, "rl": rl})
    trainer.write(10)
    arm = trainer.follow(like="rl").arms["step-10"]
    assert (arm.sampling, arm.prompt, arm.role) == ({"n": 8}, "mathvista-query", "step")
    with pytest.raises(UserError, match="it has base, rl"):
        trainer.follow(like="grpo")


def test_what_is_half_written_waits_and_says_for_what(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path)
    weights = trainer.write(10) / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    trainer.after = [lambda: None]
    trainer.follow()
    assert trainer.drawn == [["base"]]
    assert trainer.lines == ["step 10: waiting: model.safetensors is not whole"]
    weights.write_bytes(whole)
    trainer.follow()
    assert trainer.drawn[2:] == [["step-10"]]


def test_files_that_still_change_are_not_read(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path)
    trainer.write(10)
    trainer.follow(settle=3600.0)
    assert trainer.drawn == [["base"]]


def test_one_that_cannot_be_evaluated_is_set_aside_and_the_others_go_on(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path)
    (trainer.write(10) / "chat_template.jinja").write_text("{{ messages[0].content }}")
    trainer.write(20, "rl-step80")
    trainer.follow(until=20, idle=None)
    assert trainer.drawn == [["base"], ["step-20"]]
    assert trainer.lines[0].startswith("step 10: not evaluated: ")
    assert "chat template" in trainer.lines[0]


@pytest.mark.parametrize(
    "error", [EngineDied("the engine of step-10 ended"), UserError("too long")]
)
def test_an_engine_that_dies_does_not_end_the_night(tmp_path: Path, error: Exception) -> None:
    trainer = Trainer(tmp_path)
    trainer.write(10)
    draw = trainer.draw

    def dies(experiment: ExperimentConfig, arms: Collection[str]) -> None:
        draw(experiment, arms)
        if arms == ["step-10"]:
            raise error

    trainer.draw = dies  # type: ignore[method-assign]
    trainer.after = [lambda: None, lambda: trainer.write(20, "rl-step80")]
    trainer.follow()
    assert trainer.drawn == [["base"], ["step-10"], ["step-20"]]
    assert f"step-10: {error}" in trainer.lines


def test_a_full_disk_ends_it(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path)
    trainer.write(10)

    def full(experiment: ExperimentConfig, arms: Collection[str]) -> None:
        if arms == ["step-10"]:
            raise PlaceError("no space left")

    trainer.draw = full  # type: ignore[method-assign]
    with pytest.raises(PlaceError):
        trainer.follow()


def test_started_again_it_goes_on_with_what_it_had_though_a_checkpoint_is_gone(
    tmp_path: Path,
) -> None:
    trainer = Trainer(tmp_path)
    gone = trainer.write(10)
    trainer.write(20, "rl-step80")
    trainer.follow()
    shutil.rmtree(gone)
    again = Trainer(tmp_path)
    again.write(30)
    again.after = [lambda: None]
    grown = again.follow()
    assert again.drawn == [["base"], ["step-20"], ["step-30"]]
    assert list(grown.arms) == ["base", "step-10", "step-20", "step-30"]
    assert again.lines[0] == "step 10: its checkpoint is gone; what was drawn of it stays"


def test_shards_are_merged_by_the_command_that_the_user_gives(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path)
    actor = trainer.folder / "global_step_10" / "actor"
    actor.mkdir(parents=True)
    for rank in range(2):
        (actor / f"model_world_size_2_rank_{rank}.pt").write_bytes(b"cos\nabort\n(tR.")
    trainer.follow()
    assert trainer.drawn == [["base"]]
    assert "2 training shards, not a merged model" in trainer.lines[0]
    code = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2])"
    command = merge_command(
        f"{sys.executable} -c '{code}' {tiny.find('rl-step40')} {{target}} {{shards}}"
    )
    trainer.follow(merge=command, idle=0.5)
    assert trainer.drawn[2:] == [["step-10"]]


def test_a_merge_that_fails_is_told_once(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path)
    actor = trainer.folder / "global_step_10" / "actor"
    actor.mkdir(parents=True)
    (actor / "model_world_size_1_rank_0.pt").write_bytes(b"")
    trainer.follow(merge=merge_command(f"{sys.executable} -c 'no such code' {{shards}}"), idle=0.5)
    refused = [line for line in trainer.lines if "not evaluated" in line]
    assert len(refused) == 1
    assert "ended with code 1" in refused[0]
    log = trainer.run.logs / "merging-step-10.log"
    assert "SyntaxError" in log.read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "give a command with {shards}"),
        ("merge --all", "give a command with {shards}"),
        ("merge {shards} {there}", "{there} is neither"),
        ("merge {shards.parent}", "{shards.parent} is neither"),
        ("merge '{shards}", "No closing quotation"),
        ("merge {shards", "--merge: "),
    ],
)
def test_a_merge_command_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(UserError) as raised:
        merge_command(text)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
