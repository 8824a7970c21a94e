"""A file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlm_boundary.errors import PlaceError
from vlm_boundary.writing import replacing, replacing_folder


def test_a_file_takes_its_place_when_it_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as file:
        file.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stopped", [ValueError, KeyboardInterrupt])
def test_of_a_failed_attempt_nothing_stays(tmp_path: Path, stopped: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as file:
            file.write_text("ha")
            raise stopped

    with pytest.raises(stopped):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "old.txt").write_text("old")
    rename = Path.rename

    def fails(path: Path, target: Path) -> Path:
        if path.suffix == ".tmp":
            raise OSError(28, "No space left on device", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(PlaceError), replacing_folder(folder) as place:
        (place / "new.txt").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (folder / "old.txt").read_text() == "old"
