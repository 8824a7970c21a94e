"""Inputs and results through a storage that stands for one of another machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import HandMadeRun

from vlm_boundary.cluster.storage import Storage
from vlm_boundary.errors import UserError
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter


def test_results_come_home_each_once(run: HandMadeRun, tmp_path: Path) -> None:
    where = tmp_path / "bucket" / "run"
    storage = Storage(where.as_uri())
    (run.directory.images / "a.png").parent.mkdir()
    (run.directory.images / "a.png").write_bytes(b"picture")
    storage.push_inputs(run.directory)
    partition = Partition("rl", "mine")
    before = len(run.directory.samples.parts(partition))
    with storage.scratch() as there:
        assert there.read_manifest() == run.directory.read_manifest()
        assert there.read_problems("mine") == run.directory.read_problems("mine")
        assert (there.images / "a.png").read_bytes() == b"picture"
        writer = SampleWriter(there.samples, partition)
        writer.add(Sample("p1", 7, 7, [1], "text", "stop", None))
        writer.flush()
        there.failures.add(partition, [("p2", 9, "too long")])
        there.add_writer("one", {"arms": ["rl"]})
        assert there.samples.parts(partition) == []  # uploaded, and not kept twice
    assert storage.pull_results(run.directory) == 3
    assert storage.pull_results(run.directory) == 0
    assert len(run.directory.samples.parts(partition)) == before + 1
    assert run.directory.failures.read(partition)[0]["reason"] == "too long"
    assert [path.name for path in run.directory.writers()] == ["one.json"]


def test_samples_come_home_with_what_they_were_begun_with(run: HandMadeRun, tmp_path: Path) -> None:
    part = run.directory.prefixes.root / "arm" / "part-0.parquet"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"beginnings")
    storage = Storage((tmp_path / "bucket").as_uri())
    storage.push_inputs(run.directory)
    other = RunDirectory(tmp_path / "other")
    storage.pull_results(other)
    home = other.prefixes.root / part.relative_to(run.directory.prefixes.root)
    assert home.read_bytes() == b"beginnings"


def test_a_run_known_from_its_storage_alone(run: HandMadeRun, tmp_path: Path) -> None:
    storage = Storage((tmp_path / "bucket").as_uri())
    storage.push_inputs(run.directory)
    other = RunDirectory(tmp_path / "other")
    storage.pull_results(other, inputs=True)
    assert other.read_manifest() == run.directory.read_manifest()
    assert other.read_problems("mine") == run.directory.read_problems("mine")


def test_fsspecs_schemes_work_too(run: HandMadeRun, tmp_path: Path) -> None:
    storage = Storage("memory://bucket/run")
    storage.push_inputs(run.directory)
    other = RunDirectory(tmp_path / "other")
    Storage("memory://bucket/run").pull_results(other, inputs=True)
    assert other.read_manifest() == run.directory.read_manifest()


@pytest.mark.parametrize("uri", ["nowhere://x/y", "not a uri"])
def test_what_nothing_opens_is_one_line(uri: str) -> None:
    with pytest.raises(UserError, match="cannot be opened"):
        Storage(uri)
