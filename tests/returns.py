"""The way of an experiment through the rooms, up to the first job of an engine's process.

    python tests/returns.py configs/quickstart.yaml

A room is a folder of `vlm_boundary` that stands at its top. `sample` is run on a fresh run
directory in this process, and the functions of its own room (`sampling`) are watched as long as no
other room stands between them and `sample`: every place in their code that calls into another room
is a step of the way, at its first call alone, so that neither arms nor problems count more than
once. What a room calls in its turn is its own business, and so are calls back. Two steps in a row
to one room are one. A return is a step to a room that the way has left before. The way ends as the
first job is written to an engine's process.

Engines' processes are replaced by ones that end when they are given a job, so that nothing is drawn
and the stage goes on to its end; until there, calls of functions that work out what is missing are
counted: those named `plan_…`, and `sample_indices`, which reads the keys of stored samples. What an
engine's process works out for itself is not seen here.

Older versions are measured alike: PYTHONPATH=THEIR/ROOT python tests/returns.py EXPERIMENT.yaml.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import IO, Any, cast

import vlm_boundary
from vlm_boundary.config import load_experiment
from vlm_boundary.sampling import sample
from vlm_boundary.store import RunDirectory

PACKAGE = str(Path(vlm_boundary.__file__).parent) + "/"
HOME = "sampling"
# Its argument is the pipe that the parent reads: at once it says that all is imported.
ENGINE = """echo '{"imported": true}' > "/dev/fd/$0"
while read -r line; do case $line in "["*) exit;; esac; done"""


class Way:
    """What is seen of the stage, as `sys.setprofile` has it."""

    def __init__(self) -> None:
        self.steps: dict[tuple[str, int, str], str] = {}
        """The room of each place in the code that calls into one."""
        self.planned: Counter[str] = Counter()
        self.handed_over = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Note a call."""
        if event != "call":
            return
        name = frame.f_code.co_name
        if name.startswith("plan_") or name == "sample_indices":
            self.planned[name] += 1
        room = _room(frame)
        if self.handed_over or room in (None, HOME):
            return
        caller = frame.f_back
        while caller is not None and _room(caller) is None:
            if caller.f_code.co_name == "<module>" and caller.f_code.co_filename.startswith(
                PACKAGE
            ):
                return
            caller = caller.f_back
        if caller is not None and _at_home(caller):
            place = caller.f_code.co_filename, caller.f_lineno, str(room)
            self.steps.setdefault(place, str(room))

    def rooms(self) -> list[str]:
        """The way, no room twice in a row."""
        return [room for room, _ in groupby(self.steps.values())]

    def places(self) -> Iterator[str]:
        """A line for each place in the code that is a step."""
        for (file, line, _), room in self.steps.items():
            yield f"{room:12} {file.removeprefix(PACKAGE)}:{line}"


def _room(frame: FrameType) -> str | None:
    """The room whose function it is; None for what is not in one, and for a module's own code."""
    if frame.f_code.co_name == "<module>" or not frame.f_code.co_filename.startswith(PACKAGE):
        return None
    room, _, inside = frame.f_code.co_filename.removeprefix(PACKAGE).partition("/")
    return room if inside else None


def _at_home(frame: FrameType) -> bool:
    """Whether only the stage's own room stands between a function and `sample`."""
    one: FrameType | None = frame
    while one is not None:
        if _room(one) not in (None, HOME):
            return False
        if one.f_code is sample.__code__:
            return True
        one = one.f_back
    return False


def main() -> None:
    """Print the way of one experiment."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("experiment", type=Path)
    parser.add_argument("-o", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--places", action="store_true", help="print each step's place")
    options = parser.parse_args()
    way = Way()
    _end_at_once(way)
    with tempfile.TemporaryDirectory() as folder:
        overrides = (*options.overrides, f"run_dir={folder}/run")
        experiment = load_experiment(options.experiment, overrides)
        sys.setprofile(way)
        sample(RunDirectory(experiment.run_path), experiment)
        sys.setprofile(None)
        partitions = len(experiment.targets())
    rooms = way.rooms()
    if options.places:
        print(*way.places(), sep="\n")
    print(" > ".join(rooms))
    print(f"{len(rooms)} steps, {len(rooms) - len(set(rooms))} of them returns")
    for name, count in sorted(way.planned.items()):
        print(f"{name}: {count} calls for {partitions} partitions")


def _end_at_once(way: Way) -> None:
    """Have engines' processes read their first line and end, and note when it is written."""

    class Engine(subprocess.Popen[Any]):
        """In place of an engine's process."""

        def __init__(self, command: Sequence[str], **options: Any) -> None:
            is_engine = list(command[:2]) == [sys.executable, "-m"]
            super().__init__(
                ["/bin/sh", "-c", ENGINE, command[3]] if is_engine else command, **options
            )
            if is_engine:
                self.stdin = cast(IO[Any], _Told(self.stdin, way))

    setattr(subprocess, "Popen", Engine)  # noqa: B010  # as a type it may not be assigned to


class _Told:
    """A pipe to an engine's process."""

    def __init__(self, pipe: Any, way: Way) -> None:
        self._pipe = pipe
        self._way = way

    def write(self, content: Any) -> Any:
        """Pass it on: with a job, which is a list, the way is at its end."""
        if content[:1] in ("[", b"["):
            self._way.handed_over = True
        return self._pipe.write(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)

    def __enter__(self) -> _Told:
        return self

    def __exit__(self, *error: object) -> None:
        self._pipe.close()


if __name__ == "__main__":
    main()
