"""A worker's process whose engine misbehaves as the model's name says."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from vlm_boundary.config import OpenAIConfig
from vlm_boundary.engines.base import Engine, Workload
from vlm_boundary.errors import PlaceError, UserError
from vlm_boundary.fleet.session import Listener, Opening, Operator
from vlm_boundary.fleet.work import Unit
from vlm_boundary.fleet.worker import work_off
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import PartTable, RunDirectory, SampleWriter


@dataclass(frozen=True)
class Fake(Unit):
    """Samples of an engine that misbehaves: `does` says how."""

    activity: ClassVar[str] = "faking"
    results: ClassVar[str] = "fakes"
    worker: ClassVar[str] = "fake_worker"

    does: str

    def table(self, run: RunDirectory) -> PartTable:
        return run.samples


class FakeEngine:
    """Dies, hangs and so on at the problem `bad`; elsewhere it does as asked."""

    def draw(self, unit: Fake, run: RunDirectory) -> Iterator[tuple[str, int]]:
        if unit.does == "swallows a stop":
            with suppress(KeyboardInterrupt):
                (run.path / "at work").touch()
                time.sleep(600)
        opened = run.path / f"opened-{unit.partition.arm}"
        for problem_id, spans in unit.spans.items():
            for index in (i for span in spans for i in span):
                once = os.path.getsize(opened) == 1  # it was opened for the first time
                if problem_id == "bad" and (once or unit.does.startswith("always")):
                    _misbehave(unit.does.removeprefix("always "))
                yield problem_id, index

    def describe(self) -> dict[str, Any]:
        return {"engine": "fake"}

    def usage(self) -> dict[str, Any]:
        if self._how == "ends afterwards":
            threading.Timer(0.5, os._exit, [4]).start()
        return {}

    def __init__(self, how: str = "") -> None:
        self._how = how

    def close(self) -> None:
        pass


def _misbehave(how: str) -> None:
    if how == "dies":
        print("out of memory, say", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "hangs":
        time.sleep(600)
    elif how == "refuses":
        raise UserError("the model is not what it says")
    elif how == "finds the disk full":
        raise PlaceError("the disk is full")


class Faker(Operator[Fake]):
    """Stores each sample at once, but where its engine writes nothing."""

    def __init__(self, run: RunDirectory, units: Any) -> None:
        self.run, self.units = run, units

    def opening(self) -> Opening:
        unit = self.units[0]
        pa.array([1])  # imports for seconds, which are not to count as a stall
        with (self.run.path / f"opened-{unit.partition.arm}").open("a") as file:
            file.write(".")
        with (self.run.path / "processes").open("a") as file:
            file.write(f"{os.getpid()}\n")
        if unit.does == "does not open":
            time.sleep(600)
        others = (self.run.path / "processes").read_text().split().count(str(os.getpid())) - 1
        if unit.does == "opens in a new process alone" and others:
            os._exit(3)
        if unit.does == "is refused as it opens":
            raise UserError("there is no such model")
        if unit.does == "dies as it opens":
            os._exit(3)
        if unit.does == "leaves a child":
            child = os.fork()
            if not child:
                time.sleep(600)
            (self.run.path / "child").write_text(str(child))
        port = 2 if unit.does == "is set up otherwise" else 1
        engine = OpenAIConfig(kind="openai", base_url=f"http://127.0.0.1:{port}/v1")
        return Opening(unit.does, None, engine, Workload((), 0))

    def do(self, unit: Fake, engine: Any, told: Listener) -> None:
        for problem_id, index in engine.draw(unit, self.run):
            told.alive()
            if unit.does == "slow":
                time.sleep(0.3)
            if unit.does == "writes nothing":
                continue
            writer = SampleWriter(self.run.samples, unit.partition)
            writer.add(
                Sample(problem_id, index, index, [1], "x", "stop", None), lambda: told.done(1)
            )
            writer.flush()

    def account(self, seconds: float, engine: dict[str, Any]) -> dict[str, Any]:
        return {}


def open_fake(how: str, *_: object) -> Engine:
    return FakeEngine(how)  # type: ignore[return-value]


if __name__ == "__main__":
    assert Path(__file__).stem == Fake.worker
    sys.exit(work_off(Fake, Faker, open_fake))
