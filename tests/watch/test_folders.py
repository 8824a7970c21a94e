"""Which folders of a training run are checkpoints, and which of them may be read already."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from vlm_boundary.errors import UserError
from vlm_boundary.watch.folders import CheckpointFolder, announced, checkpoints, what_lacks

WEIGHTS = save({"a": np.arange(12, dtype=np.float32), "b": np.zeros((2, 3), dtype=np.float16)})


def model(folder: Path) -> Path:
    """A folder with what a model's must have."""
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer_config.json"):
        (folder / name).write_text("{}")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    return folder


def test_checkpoints_are_found_by_step_and_nothing_else_is(tmp_path: Path) -> None:
    for name in ("global_step_100", "checkpoint-20", "global_step_5", "checkpoint-last", "runs"):
        (tmp_path / name).mkdir()
    for name in ("tmp-checkpoint-30", "checkpoint-40-merged"):
        (tmp_path / name).mkdir()
    (tmp_path / "checkpoint-7").write_text("a file")
    assert [one.step for one in checkpoints(tmp_path)] == [5, 20, 100]


def test_two_folders_of_one_step_and_a_folder_that_is_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "global_step_5").mkdir()
    (tmp_path / "checkpoint-5").mkdir()
    with pytest.raises(UserError, match="are both of step 5"):
        checkpoints(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        checkpoints(tmp_path / "later")


def test_a_whole_model_lacks_nothing(tmp_path: Path) -> None:
    assert what_lacks(model(tmp_path / "one")) is None


@given(length=st.integers(0, len(WEIGHTS) - 1))
def test_weights_of_which_only_the_beginning_is_written_are_not_whole(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    folder = model(tmp_path_factory.mktemp("cut") / "one")
    (folder / "model.safetensors").write_bytes(WEIGHTS[:length])
    assert what_lacks(folder) == "model.safetensors is not whole"


@given(content=st.binary(max_size=200))
def test_what_is_no_weights_file_is_never_whole(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = model(tmp_path_factory.mktemp("noise") / "one")
    (folder / "model.safetensors").write_bytes(content)
    assert what_lacks(folder) == "model.safetensors is not whole"


def test_every_file_that_an_index_names_must_be_there(tmp_path: Path) -> None:
    folder = model(tmp_path / "one")
    index = folder / "model.safetensors.index.json"
    index.write_text(
        json.dumps({"weight_map": {"a": "model.safetensors", "b": "more.safetensors"}})
    )
    assert what_lacks(folder) == "more.safetensors is not there"
    (folder / "more.safetensors").write_bytes(WEIGHTS)
    assert what_lacks(folder) is None
    index.write_text('{"weight_map": {"a"')
    assert what_lacks(folder) == "model.safetensors.index.json is not whole"


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_model_without_its_configuration_is_not_whole(tmp_path: Path, name: str) -> None:
    folder = model(tmp_path / "one")
    (folder / name).unlink()
    assert what_lacks(folder) == f"{name} is not there"


def test_an_adapter_needs_no_configuration_but_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    assert what_lacks(folder) == "no *.safetensors is there"
    (folder / "adapter_model.safetensors").write_bytes(WEIGHTS)
    assert what_lacks(folder) is None


@pytest.mark.parametrize(
    ("tracker", "content"),
    [
        ("checkpoint_tracker.json", '{"best_global_step": 40, "last_global_step": 20}'),
        ("latest_checkpointed_iteration.txt", "20\n"),
    ],
)
def test_a_trainer_that_keeps_a_record_is_believed(
    tmp_path: Path, tracker: str, content: str
) -> None:
    done, begun = (CheckpointFolder(step, tmp_path / f"global_step_{step}") for step in (20, 40))
    assert announced(done)
    assert announced(begun)  # nothing is said yet
    (tmp_path / tracker).write_text(content)
    assert announced(done)
    assert not announced(begun)
    (tmp_path / tracker).write_text("")  # being written
    assert announced(begun)
