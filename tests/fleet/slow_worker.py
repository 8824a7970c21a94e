"""A worker's process that has not been given a job: what it imports ahead takes ten minutes."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

from fake_worker import Fake, Faker, open_fake

from vlm_boundary.fleet import worker


def import_slowly(kind: str) -> None:
    """Import as libraries do that can go without a part of theirs: after any Exception."""
    Path(sys.argv[2], "importing").write_text(kind)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        with suppress(Exception):
            time.sleep(deadline - time.monotonic())


if __name__ == "__main__":
    vars(worker)["import_ahead"] = import_slowly
    sys.exit(worker.work_off(Fake, Faker, open_fake))
