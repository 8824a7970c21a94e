"""A bundle for tests: served as its readers would serve it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SHOWS = (
    'document.querySelector("#vb-samples:not([hidden]) #vb-left-pane .vb-text") !== null && '
    'document.querySelector("#vb-list .vb-row") !== null'
)
"""Whether the page shows a problem with a sample of its left arm, and the list."""


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """`python -m http.server` over a folder, on a port that is free; yields its address."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "-b", "127.0.0.1", "-d", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"port (\d+)", server.stdout.readline())
            assert found is not None
            yield f"http://127.0.0.1:{found[1]}/"
        finally:
            server.terminate()


def until(page: Any, condition: str, seconds: float = 120) -> None:
    """Wait for a JavaScript condition.

    Playwright's own waiting evaluates text within the page, which the bundle's policy forbids.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"never so: {condition}"
        time.sleep(0.02)
