"""A stop that was asked for: remembered, and looked for at every step of every loop.

An exception alone does not stop a program: Python drops one that falls into a finalizer or into a
callback from C, of which importing what models are made of runs thousands, and libraries catch more
than they mean to. So whoever loops calls `look` at each step.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_asked = _heeding = False  # of this process, as signals are


def ask() -> None:
    """Have this process stop at its next look."""
    global _asked
    _asked = True


def look() -> None:
    """Stop, if that was asked for.

    Raises:
        KeyboardInterrupt: it was, whether or not one has been raised before.
    """
    if _asked:
        raise KeyboardInterrupt


@contextmanager
def heeded(*, once: bool = False) -> Iterator[None]:
    """Have SIGTERM, by which schedulers end a job, and Ctrl-C stop what is done in the context.

    Contexts in one another know of the same stop. It is forgotten at the end of the outermost one,
    which nothing leaves as if it had not been asked for.

    Args:
        once: a second signal is not to interrupt the storing of results.

    Raises:
        KeyboardInterrupt: a stop was asked for.
    """
    global _asked, _heeding

    def come(signum: int, frame: Any) -> None:
        if not (once and _asked):
            ask()
            look()

    outer, _heeding = _heeding, True
    previous = {signal.SIGTERM: signal.signal(signal.SIGTERM, come)}
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as nohup and shells have it ignored
        previous[signal.SIGINT] = signal.signal(signal.SIGINT, come)
    try:
        yield
        look()
    finally:
        for signum, handler in previous.items():
            signal.signal(signum, handler)
        _heeding, _asked = outer, outer and _asked
