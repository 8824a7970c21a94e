"""Progress on the terminal: one bar, its rate and the time left; and what is said beside it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(
    description: str, *, total: int | None = None, unit: str = "it", place: int = 0
) -> tqdm[Any]:
    """A progress bar on standard error; in a log file one line every half minute.

    Args:
        description: what is going on.
        total: how many units there are to do, if that is known.
        unit: name of what is counted.
        place: line of the bar below the first, for bars shown together.
    """
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        desc=description,
        unit=f" {unit}",
        position=place if terminal else 0,
        mininterval=0.2 if terminal else 30.0,
        dynamic_ncols=True,
        smoothing=0.1,
    )


def notice(line: str) -> None:
    """Say something on standard error, above whatever bars are shown there."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)


@dataclass
class PacedLines:
    """Lines that say how far something is: at once, at the end, and every few seconds between.

    `what` is said before "3 of 8", `counted` after it.
    """

    what: str
    counted: str
    told: Callable[[str], None]
    seconds: float
    _last: float = -inf

    def __call__(self, done: int, total: int) -> None:
        """Say it, if it is time."""
        now = time.monotonic()
        if done == total or now - self._last >= self.seconds:
            self._last = now
            self.told(f"{self.what}: {done} of {total} {self.counted}")
