"""What the command writes, what it refuses, and what it leaves when it fails."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from demo_parts import SAMPLES, make_demo_run
from required import needs

from vlm_boundary.bundle.packs import Packs, write_packed
from vlm_boundary.cli import cli
from vlm_boundary.demo.drawn import ProblemSamples
from vlm_boundary.store import RunDirectory

needs("gradio")  # with which comes what renders


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return make_demo_run(tmp_path_factory.mktemp("bundle") / "first", problems=4)


def _export(*runs: Path, to: Path) -> Result:
    return CliRunner().invoke(cli, ["demo", *map(str, runs), "--export", str(to)])


def _read(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


def test_a_list_in_packs_is_the_list(tmp_path: Path) -> None:
    packs = Packs(tmp_path / "in" / "things", 40)
    things = [[place, "x" * place] for place in range(30)]
    for thing in things:
        packs.add(thing)
    packs.close()
    files = [tmp_path / "in" / f"things-{number}.jsonz" for number in range(len(packs.starts))]
    found = [_read(path) for path in files]
    assert [thing for pack in found for thing in pack] == things
    assert packs.starts == [pack[0][0] for pack in found]
    assert len(packs) == 30
    assert 3 < len(found) < 30
    assert all(len(pack) == 1 or len(json.dumps(pack)) < 90 for pack in found)


def test_what_is_written_once_more_is_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_packed(tmp_path / name, {"one": "√", "two": [1, None]})
    assert (tmp_path / "a.jsonz").read_bytes() == (tmp_path / "b.jsonz").read_bytes()


def test_the_bundle_replaces_itself_and_nothing_else(run: RunDirectory, tmp_path: Path) -> None:
    there = tmp_path / "bundle"
    done = _export(run.path, to=there)
    assert done.exit_code == 0, done.output
    assert "python -m http.server" in done.output
    before = {path.relative_to(there): path.read_bytes() for path in there.rglob("*.jsonz")}
    (there / "data" / "old.jsonz").write_text("of an earlier one")
    assert _export(run.path, to=there).exit_code == 0
    after = {path.relative_to(there): path.read_bytes() for path in there.rglob("*.jsonz")}
    assert after == before
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    refused = _export(run.path, to=other)
    assert refused.exit_code == 2
    assert "something else than a bundle" in refused.output
    assert [path.name for path in other.iterdir()] == ["thesis.tex"]
    assert _export(run.path, to=run.path).exit_code == 2
    assert run.begun


def test_what_others_put_into_a_bundle_stays(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "bundle"
    there.mkdir()
    monkeypatch.chdir(there)
    done = _export(run.path, to=Path("."))
    assert done.exit_code == 0, done.output
    assert (there / "index.html").is_file()
    (there / ".git").mkdir()
    (there / "CNAME").write_text("lab.example")
    refused = _export(run.path, to=there)
    assert refused.exit_code == 2
    assert "something else than a bundle, .git, CNAME;" in refused.output
    assert (there / "CNAME").read_text() == "lab.example"


def test_after_a_failure_what_was_there_is_as_it_was(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "bundle"
    assert _export(run.path, to=there).exit_code == 0
    before = {path: path.read_bytes() for path in there.rglob("*") if path.is_file()}

    def fails(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vlm_boundary.bundle.write.write_problems", fails)
    failed = _export(run.path, to=there)
    assert failed.exit_code == 2
    assert {path: path.read_bytes() for path in there.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_run_that_changes_while_it_is_exported_is_refused(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = ProblemSamples.every
    monkeypatch.setattr(ProblemSamples, "every", lambda one: list(every(one))[1:])
    failed = _export(run.path, to=tmp_path / "bundle")
    assert failed.exit_code == 2
    assert "the run changed while it was exported; try again" in failed.output
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_said(run: RunDirectory, tmp_path: Path) -> None:
    two = _export(run.path, run.path, to=tmp_path / "bundle")
    assert two.exit_code == 2
    assert "--export writes one run, and 2 are named" in two.output
    none = _export(tmp_path / "gone", to=tmp_path / "bundle")
    assert none.exit_code == 2
    assert not (tmp_path / "bundle").exists()


def test_the_tables_hold_every_response_and_count(run: RunDirectory, tmp_path: Path) -> None:
    assert _export(run.path, to=tmp_path / "bundle").exit_code == 0
    tables = tmp_path / "bundle" / "tables"
    responses = pq.read_table(tables / "responses")
    assert responses.num_rows == 2 * 4 * SAMPLES
    assert set(responses["arm"].to_pylist()) == {"base", "rl"}
    counted = pq.read_table(tables / "problems.parquet").to_pylist()
    right = {(row["arm"], row["problem_id"]): row["right"] for row in counted}
    assert right == {
        **{("base", f"p{i}"): int(i in (0, 1)) for i in range(4)},
        **{("rl", f"p{i}"): int(i in (0, 2)) for i in range(4)},
    }
