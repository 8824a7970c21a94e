"""A finished run, broken: no traceback, no silent number, nothing more lost than said."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from breakages import BREAKAGES, EXPERIMENT, Breakage, Broken, write_data
from breakages import table as breakage_table
from click.testing import CliRunner

from vlm_boundary.cli import cli
from vlm_boundary.fleet import Crew, Job
from vlm_boundary.fleet.session import EngineSession, Listener, OpenedEngine
from vlm_boundary.sampling.work import Draw, Drawer


@dataclass(frozen=True)
class Said:
    """What commands said, and how each ended."""

    text: str
    codes: dict[str, int]


def call(folder: Path, *commands: str) -> Said:
    """Run commands on the run, or on the experiment where they draw; no traceback in any."""
    said, codes = [], {}
    for command in commands:
        name, *options = command.split()
        target = folder / ("e.yaml" if name in {"sample", "run"} else "run")
        done = CliRunner().invoke(cli, [name, str(target), *options])
        ended = done.exception is None or isinstance(done.exception, SystemExit)
        assert ended, (command, done.exc_info)
        assert "Traceback" not in done.output
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
        assert len(errors) == (done.exit_code == 2), (command, done.output)
        said.append(done.output)
        codes[command] = done.exit_code
    return Said("\n".join(said), codes)


def numbers(folder: Path) -> Any:
    """What the analysis says of the arms."""
    content = json.loads((folder / "run" / "analysis.json").read_text())["benchmarks"]["mine"]
    return {key: content.get(key) for key in ("arms", "pairs", "cot", "problems")}


@pytest.fixture(scope="module")
def whole() -> Iterator[Path]:
    """A finished run, at a place of its own: every case is a copy put there."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield from _whole(Path(folder) / "place")


def _whole(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    write_data(folder)
    (folder / "e.yaml").write_text(EXPERIMENT.format(folder=folder))
    said = call(folder, "sample", "verify", "check", "analyze", "fsck")
    assert set(said.codes.values()) == {0}, said.text
    assert f"{folder / 'run'} is whole." in said.text
    kept = folder.with_name("kept")
    folder.rename(kept)
    yield kept


class DrawnHere(Crew):
    """What engine processes do, without their start."""

    def work_off(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self.draw([unit for unit in job.units if isinstance(unit, Draw)])

    def draw(self, units: Sequence[Draw]) -> None:
        drawer = Drawer(self._run, units)
        with closing(OpenedEngine()) as opened:
            session, told = EngineSession(drawer, drawer.opening(), opened), Listener()
            for unit in units:
                drawer.do(unit, session.engine, told)
            session.record(told)


@pytest.fixture(autouse=True)
def drawn_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlm_boundary.sampling.stage.Crew", DrawnHere)


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda one: one.name.replace(" ", "-"))
def test_a_broken_run(whole: Path, breakage: Breakage) -> None:
    folder = whole.with_name("place")
    shutil.copytree(whole, folder, copy_function=shutil.copy2)
    try:
        right = numbers(folder)
        breakage.do(Broken(folder))
        analysis = folder / "run" / "analysis.json"
        if analysis.is_file():
            analysis.rename(folder / "before.json")
        found = call(folder, "fsck")
        before = call(folder, "analyze")
        if "data" in breakage.name:
            before = call(folder, "analyze", "sample")
        assert breakage.says in found.text + before.text
        assert not ("set aside" in found.text or "not a folder" in found.text) or (
            found.codes["fsck"] == 1
        )
        assert (2 in before.codes.values()) == breakage.stops
        if before.codes["analyze"] == 0 and numbers(folder) != right:
            assert not breakage.same
            named = ("left out", "do not say whose they are")
            assert any(map(before.text.__contains__, named)) or "layer" in breakage.name
        mended = call(folder, "fsck --set-aside")
        assert "mended  " not in call(folder, "fsck --set-aside").text
        if not breakage.again:
            assert list((folder / "run" / "samples").rglob("part-*.parquet"))
            return
        verify = "verify --force" if breakage.forced else "verify"
        after = call(folder, "sample", verify, "check", "analyze", "fsck")
        assert set(after.codes.values()) == {0}, (mended.text, after.text)
        assert numbers(folder) == right
    finally:
        shutil.rmtree(folder)


def test_the_table_is_the_documentation_s() -> None:
    """Write it again with `python tests/breakages.py`."""
    page = (Path(__file__).parents[2] / "docs" / "run-directories.md").read_text(encoding="utf-8")
    assert breakage_table() in page
    assert len(BREAKAGES) >= 40
