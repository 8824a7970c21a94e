"""Files that are there whole or not at all, whoever reads and whatever crashes meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to write that takes the path's place at the end; of a failed attempt nothing stays.

    Its folder must exist.
    """
    temporary = path.with_name(f".{uuid4().hex}.tmp")  # no reader looks at such a name
    try:
        yield temporary
        publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def publish(temporary: Path, path: Path) -> Path:
    """Flush a finished file to disk, then give it the name that readers look for."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    return path
