"""Files that are taken out of a run without being lost: they keep their place below a folder."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from vlm_boundary.writing import place_errors

ASIDE = "set-aside"


def set_aside(run: Path, path: Path) -> Path:
    """Move a file of a run to the same place below `set-aside`, where nothing looks for it.

    Raises:
        PlaceError: it cannot be moved.
    """
    wanted = run / ASIDE / path.relative_to(run)
    # What stood in place of a folder leaves its name free, for what will lie below it.
    first = 1 if path.parent == run or "=" in path.name else 0
    names = (wanted.with_name(f"{wanted.name}{f'.{n}' if n else ''}") for n in count(first))
    target = next(name for name in names if not os.path.lexists(name))
    with place_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    return target
