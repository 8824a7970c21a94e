"""A folder with the pictures that the records of `making.rows` name."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.making import png


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, a.png red and b.png blue, in pictures/."""
    (tmp_path / "pictures").mkdir()
    for name, colour in (("a", "red"), ("b", "blue")):
        (tmp_path / "pictures" / f"{name}.png").write_bytes(png(colour))
    return tmp_path
