"""Which checkpoints one engine can serve in turn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from vlm_boundary import tiny
from vlm_boundary.engines.swapping import same_but_weights


@pytest.fixture
def rl(tmp_path: Path) -> Path:
    return shutil.copytree(tiny.find("rl"), tmp_path / "rl")


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def other_shape(folder: Path) -> None:
    tensors = {"one": np.zeros((2, 2), dtype=np.float32)}
    save_file(tensors, folder / "model.safetensors")


def test_checkpoints_of_one_training_differ_in_their_weights_alone(rl: Path) -> None:
    assert same_but_weights(tiny.find("base"), rl)
    assert same_but_weights(rl, tiny.find("distilled"))


@pytest.mark.parametrize(
    "harmless",
    [
        lambda f: edit(f / "config.json", transformers_version="4.0.0", _name_or_path="/elsewhere"),
        lambda f: (f / "trainer_state.json").write_text('{"global_step": 20}'),
        lambda f: (f / "optimizer.pt").write_bytes(b"never read"),
        lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {}}'),
    ],
)
def test_what_no_engine_is_built_from_may_differ(
    rl: Path, harmless: Callable[[Path], object]
) -> None:
    harmless(rl)
    assert same_but_weights(tiny.find("base"), rl)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: edit(f / "config.json", hidden_act="gelu"),
        lambda f: edit(f / "tokenizer_config.json", padding_side="left"),
        lambda f: (
            (f / "preprocessor_config.json").unlink(missing_ok=True)
            or (f / "processor_config.json").unlink(missing_ok=True)
        ),
        lambda f: (f / "generation_config.json").unlink(),
        lambda f: (f / "added.json").write_text("{}"),
        other_shape,
    ],
)
def test_anything_else_makes_another_engine(rl: Path, change: Callable[[Path], object]) -> None:
    change(rl)
    assert not same_but_weights(tiny.find("base"), rl)


def test_quantised_checkpoints_have_engines_of_their_own(rl: Path, tmp_path: Path) -> None:
    edit(rl / "config.json", quantization_config={"quant_method": "awq"})
    other = shutil.copytree(rl, tmp_path / "other")
    assert not same_but_weights(rl, other)
