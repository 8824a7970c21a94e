"""Checkpoints as users name them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of a checkpoint, if not their meaning."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"w" * 100)
    (model / "tokenizer_config.json").write_text("{}")
    (model / "chat_template.jinja").write_text("{{ messages }}")
    return model


def test_a_folder_is_identified_by_what_it_computes(folder: Path) -> None:
    first = resolve_checkpoint(str(folder))
    assert first.folder == folder
    assert resolve_checkpoint(str(folder)) == first
    (folder / "README.md").write_text("new words")
    assert resolve_checkpoint(str(folder)).identity == first.identity
    (folder / "model.safetensors").write_bytes(b"v" * 100)
    assert resolve_checkpoint(str(folder)).identity != first.identity


@pytest.mark.parametrize("place", [0, 5 << 20, (10 << 20) - 1])
def test_a_large_file_is_told_apart_at_its_ends_and_in_between(folder: Path, place: int) -> None:
    weights = bytearray(10 << 20)
    (folder / "model.safetensors").write_bytes(weights)
    first = resolve_checkpoint(str(folder)).identity
    # As training does, another step changes values all over, not a single byte.
    for offset in range(0, 1 << 20, 4096):
        weights[(place + offset) % len(weights)] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    assert resolve_checkpoint(str(folder)).identity != first


def test_the_chat_template_is_found_wherever_its_writer_put_it(folder: Path) -> None:
    hashes = set()
    hashes.add(resolve_checkpoint(str(folder)).chat_template_hash)
    (folder / "chat_template.jinja").unlink()
    for name in ("chat_template.json", "tokenizer_config.json"):
        (folder / name).write_text(json.dumps({"chat_template": "{{ messages }}"}))
        hashes.add(resolve_checkpoint(str(folder)).chat_template_hash)
        (folder / name).write_text("{}")
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("config.json", "not a model folder"),
        ("model.safetensors", "no *.safetensors weights"),
        ("tokenizer_config.json", "no tokenizer_config.json"),
        ("chat_template.jinja", "no chat template"),
    ],
)
def test_what_a_folder_lacks_is_named(folder: Path, missing: str, says: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(UserError) as raised:
        resolve_checkpoint(str(folder))
    assert says in str(raised.value)


@pytest.mark.parametrize("model", ["./nowhere", "/nowhere/model", "a/b/c", "nowhere"])
def test_a_path_that_does_not_exist_is_not_looked_up_on_the_hub(model: str) -> None:
    with pytest.raises(UserError, match="no such model folder"):
        resolve_checkpoint(model)


def test_a_local_folder_has_no_revision(folder: Path) -> None:
    with pytest.raises(UserError, match="no revision"):
        resolve_checkpoint(str(folder), "main")


def test_a_hub_model_that_is_not_at_hand_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError) as raised:
        resolve_checkpoint("nobody/nothing-of-this-name")
    assert "nobody/nothing-of-this-name" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_untrained_checkpoint_is_made_once_and_says_what_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = resolve_checkpoint("tiny:untrained-7")
    assert "never trained" in (first.note or "")
    stamp = (first.folder / "model.safetensors").stat().st_mtime_ns
    assert resolve_checkpoint("tiny:untrained-7") == first
    assert (first.folder / "model.safetensors").stat().st_mtime_ns == stamp
    assert resolve_checkpoint("tiny:untrained-8").identity != first.identity
