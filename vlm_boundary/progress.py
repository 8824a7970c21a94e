"""Progress on the terminal: one bar, its rate and the time left."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(description: str, *, total: int | None = None, unit: str = "it") -> tqdm[Any]:
    """A progress bar on standard error; in a log file a line every half minute."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        desc=description,
        unit=f" {unit}",
        mininterval=0.2 if terminal else 30.0,
        dynamic_ncols=True,
        smoothing=0.1,
    )
