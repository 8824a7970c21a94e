import json

import pytest
from required import needs

from vlm_boundary.errors import UserError
from vlm_boundary.tiny import WEIGHTS, find, trained

FAMILY = (
    *("foundation", "base", "rl", "rl-seed2", "distilled"),
    *("rl-blind", "reader", "reader-seeing", "reader-reasoning"),
)


@pytest.mark.parametrize("name", FAMILY)
def test_the_family_is_in_the_package(name: str) -> None:
    folder = find(name)
    assert folder.is_dir()
    for file in ("config.json", "tokenizer.json", "training.json"):
        assert (folder / file).is_file(), file
    # No log where nothing was trained.
    assert (folder / "log.jsonl").is_file() is (name != "reader-seeing")
    assert "demonstration" in json.loads((folder / "vlm_boundary.json").read_text())["note"]


def test_checkpoints_on_the_way_to_rl_are_kept() -> None:
    assert len([name for name in trained() if name.startswith("rl-step")]) >= 2


@pytest.mark.parametrize(
    ("before", "after", "sees", "reasons"),
    [
        ("base", "rl-blind", False, True),
        ("reader", "reader-reasoning", False, True),
        ("reader", "reader-seeing", True, False),
        ("base", "rl", True, True),
    ],
)
def test_training_changed_what_its_name_says(
    before: str, after: str, sees: bool, reasons: bool
) -> None:
    needs("safetensors")
    from safetensors.torch import load_file

    old, new = (load_file(find(name) / "model.safetensors") for name in (before, after))
    changed = {name for name, tensor in old.items() if not tensor.equal(new[name])}
    assert old.keys() == new.keys()
    assert any(".visual." in f".{name}" for name in changed) is sees
    assert any(".visual." not in f".{name}" for name in changed) is reasons


def test_an_unknown_name_lists_what_there_is() -> None:
    names = r"tiny:base, tiny:distilled, tiny:foundation, tiny:reader.*tiny:rl.*untrained-SEED"
    with pytest.raises(UserError, match=names):
        find("rll")


def test_all_weights_together_stay_small() -> None:
    size = sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file())
    assert size <= 30_000_000
