"""Which files are a run's own; a run is a stranger's folder, and a link in it may lead anywhere."""

from __future__ import annotations

from pathlib import Path


def is_own(path: Path, run: Path) -> bool:
    """Whether it is a file that lies in the run: no link, and behind none that leads out of it."""
    return path.is_file() and not path.is_symlink() and path.resolve().is_relative_to(run.resolve())
