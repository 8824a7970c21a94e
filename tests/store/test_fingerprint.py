"""A fingerprint changes with the files that it is of, and with nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vlm_boundary.store import fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "one").write_text("1")
    (tmp_path / "in" / "two").write_text("2")
    (tmp_path / "alone").write_text("3")
    return tmp_path


def _later(path: Path) -> None:
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1))


CHANGES: dict[str, Callable[[Path], object]] = {
    "longer": lambda folder: (folder / "in" / "two").write_text("22"),
    "touched": lambda folder: _later(folder / "in" / "deep" / "one"),
    "new": lambda folder: (folder / "in" / "deep" / "new").write_text(""),
    "gone": lambda folder: (folder / "alone").unlink(),
    "renamed": lambda folder: (folder / "in" / "two").rename(folder / "in" / "three"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_change_of_a_file_shows(folder: Path, change: Callable[[Path], object]) -> None:
    paths = [folder / "in", folder / "alone", folder / "absent"]
    before = fingerprint(paths, "settings")
    assert fingerprint(paths[::-1], "settings") == before
    assert fingerprint(paths, "others") != before
    change(folder)
    assert fingerprint(paths, "settings") != before


def test_what_python_keeps_for_itself_does_not_count(folder: Path) -> None:
    before = fingerprint([folder / "in"])
    (folder / "in" / "__pycache__").mkdir()
    (folder / "in" / "__pycache__" / "x.pyc").write_text("")
    assert fingerprint([folder / "in"]) == before
