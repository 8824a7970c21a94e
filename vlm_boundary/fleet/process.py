"""An engine's process as its parent sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from vlm_boundary.fleet.places import Place


class EngineProcess:
    """A process that opens an engine: it is told JSON lines, and tells some through `messages`.

    It leads a session of its own: whatever its engine starts ends with it, and Ctrl-C does not
    reach it but through its parent, once.

    Args:
        module: what is run; see `fleet.worker`.
        arguments: what follows the pipe's number on its command line.
        place: where it runs.
        log: the file that takes everything it prints.
    """

    def __init__(self, module: str, arguments: Sequence[str], place: Place, log: Path) -> None:
        self.log = log
        self.messages, write_end = os.pipe()
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(write_end), *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.PIPE,
                pass_fds=[write_end],
                start_new_session=True,
                env=dict(os.environ) | place,
                text=True,
            )
        os.close(write_end)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def tell(self, content: Any) -> None:
        """Send it a line; one that has ended does not hear it."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(content) + "\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """Ask it to store what it has and to end."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code once it has ended; None where it has not in time."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(timeout=seconds)
        return None

    def kill(self) -> None:
        """Leave nothing behind of it and its children."""
        with suppress(ProcessLookupError):  # already gone, with all its children
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()

    def last_line(self) -> str:
        """The last that it printed."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return "stopped"
        kept = [line.strip() for line in lines if line.strip()]
        return kept[-1][:300] if kept else "no output"
