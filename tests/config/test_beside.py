"""Files that an experiment names: beside it, in the working directory, or on the hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vlm_boundary.config import ExperimentConfig, ReplayConfig, load_experiment
from vlm_boundary.errors import UserError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The experiment's folder, as seen from a working directory beside it."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "there"


def loaded(folder: Path, keys: dict[str, Any] | None, samples: str = "gone") -> ExperimentConfig:
    arm = {"model": "m", "role": "base", "engine": {"kind": "replay", "path": samples}}
    content = {"name": "t", "benchmarks": {"mine": keys}, "arms": {"base": arm}}
    (folder / "t.yaml").write_text(json.dumps(content))
    return load_experiment(Path("..", "there", "t.yaml"))


def keys_of(experiment: ExperimentConfig) -> dict[str, Any]:
    return experiment.benchmarks["mine"] or {}


def test_what_is_beside_the_experiment_is_found_from_any_folder(folder: Path) -> None:
    for name in ("mine.yaml", "d.jsonl", "s.jsonl"):
        (folder / name).touch()
    (folder / "pictures").mkdir()
    named = {"include": "mine.yaml", "dataset_path": "./d.jsonl", "image_root": "pictures"}
    found = loaded(folder, named, "s.jsonl")
    assert keys_of(found) == {
        "include": str(folder / "mine.yaml"),
        "dataset_path": str(folder / "d.jsonl"),
        "image_root": str(folder / "pictures"),
    }
    engine = found.arm_engine("base")
    assert isinstance(engine, ReplayConfig)
    assert engine.path == str(folder / "s.jsonl")


@pytest.mark.parametrize("key", ["include", "dataset_path", "image_root", "path"])
def test_two_files_of_one_name_are_to_be_told_apart(folder: Path, key: str) -> None:
    here = Path("x.yaml").absolute()
    for file in (folder / "x.yaml", here):
        file.touch()

    def load(value: str) -> str:
        if key != "path":
            return str(keys_of(loaded(folder, {key: value}))[key])
        engine = loaded(folder, None, value).arm_engine("base")
        assert isinstance(engine, ReplayConfig)
        return engine.path

    with pytest.raises(
        UserError, match=rf"t\.yaml: (benchmarks\.mine|arms\.base\.engine)\.{key}: x"
    ):
        load("x.yaml")
    with pytest.raises(UserError) as raised:
        load("x.yaml")
    for said in (str(folder / "x.yaml"), str(here), "write ./x.yaml"):
        assert said in str(raised.value)
    assert load("./x.yaml") == str(folder / "x.yaml")
    assert load(str(here)) == str(here)
    here.unlink()
    here.symlink_to(folder / "x.yaml")  # now they are one
    assert load("x.yaml") == str(folder / "x.yaml")


def test_a_file_in_the_working_directory_alone_is_left_to_it(folder: Path) -> None:
    Path("d.jsonl").touch()
    assert keys_of(loaded(folder, {"dataset_path": "d.jsonl"})) == {"dataset_path": "d.jsonl"}


def test_a_hub_id_is_no_folder_of_that_name(folder: Path) -> None:
    (folder / "owner" / "name").mkdir(parents=True)
    for name in ("owner/name", "owner"):
        assert keys_of(loaded(folder, {"dataset_path": name})) == {"dataset_path": name}
    found = keys_of(loaded(folder, {"dataset_path": "./owner/name"}))
    assert found == {"dataset_path": str(folder / "owner" / "name")}
    (folder / "owner" / "d.jsonl").touch()
    found = keys_of(loaded(folder, {"dataset_path": "owner/d.jsonl"}))
    assert found == {"dataset_path": str(folder / "owner" / "d.jsonl")}


def test_a_shipped_name_is_no_file_beside_the_experiment(folder: Path) -> None:
    (folder / "procedural").mkdir()
    assert keys_of(loaded(folder, {"include": "procedural"})) == {"include": "procedural"}
