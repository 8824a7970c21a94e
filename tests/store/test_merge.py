"""Joining runs: the same samples once, and never samples of two things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample, SampleScore
from vlm_boundary.store import Partition, RunDirectory, SampleWriter
from vlm_boundary.store.merge import merge


def manifest(**changes: Any) -> dict[str, Any]:
    arm = {"identity": {"weights": "w", "seed": 0}, "prompts": {"b": {"prompt": "x"}}} | changes
    return {
        "experiment": {"name": "x", "arms": {"base": {"model": "m"}}, "benchmarks": {"b": None}},
        "benchmarks": {"b": {"content": "c"}},
        "arms": {"base": arm},
    }


def write_manifest(run: RunDirectory, content: dict[str, Any]) -> None:
    run.write_manifest(Manifest.model_validate(content))


def run_with(path: Path, keys: list[tuple[str, int]], **changes: Any) -> RunDirectory:
    run = RunDirectory(path)
    write_manifest(run, manifest(**changes))
    run.write_problems("b", (Problem("b", "p", "?", "1"), Problem("b", "q", "?", "1")))
    writer = SampleWriter(run.samples, Partition("base", "b"))
    for problem_id, index in keys:
        writer.add(Sample(problem_id, index, index, [index], f"{problem_id}{index}", "stop", -1.0))
    writer.flush()
    return run


def keys(run: RunDirectory) -> list[tuple[str, int]]:
    rows = run.samples.read(Partition("base", "b")).to_pylist()
    return [(row["problem_id"], row["sample_index"]) for row in rows]


def test_samples_of_all_runs_come_together_once(tmp_path: Path) -> None:
    one = run_with(tmp_path / "1", [("p", 0), ("p", 1)])
    two = run_with(tmp_path / "2", [("p", 1), ("q", 0)])
    into = RunDirectory(tmp_path / "all")
    assert merge([one, two], into) == 3
    assert keys(into) == [("p", 0), ("p", 1), ("q", 0)]
    assert len(into.read_problems("b")) == 2
    assert merge([one, two, into], into) == 3  # again: nothing changes
    other = RunDirectory(tmp_path / "reversed")
    merge([two, one], other)
    parts = [run.samples.parts(Partition("base", "b")) for run in (into, other)]
    assert [len(found) for found in parts] == [1, 1]


def test_scores_come_together_too(tmp_path: Path) -> None:
    runs = [run_with(tmp_path / str(place), [("p", place), ("p", 9)]) for place in (1, 2)]
    where = Partition("base", "b")
    for place, run in enumerate(runs, start=1):
        writer = SampleWriter(run.scores("rl"), where)
        writer.add(SampleScore("p", place, -1.0, 5, None))
        writer.flush()
        run.score_failures("rl").add(where, [("p", 9, f"too long, says {place}")])
    into = RunDirectory(tmp_path / "all")
    merge(runs, into)
    assert into.scorers() == ["rl"]
    assert len(into.scores("rl").parts(where)) == 1
    rows = into.scores("rl").read(where).to_pylist()
    assert [(row["problem_id"], row["sample_index"]) for row in rows] == [("p", 1), ("p", 2)]
    (failure,) = into.score_failures("rl").read(where)
    assert failure["reason"] == "too long, says 2"


def test_an_arm_of_its_own_joins_the_others(tmp_path: Path) -> None:
    one = run_with(tmp_path / "1", [("p", 0)])
    two = run_with(tmp_path / "2", [("p", 0)])
    theirs = manifest()
    theirs["arms"] = {"rl": theirs["arms"].pop("base")}
    theirs["experiment"]["arms"] = {"rl": {"model": "n"}}
    write_manifest(two, theirs)
    merge([two], one)
    joined = one.read_manifest()
    assert sorted(joined.arms) == ["base", "rl"]
    assert sorted(joined.experiment["arms"]) == ["base", "rl"]


def test_other_weights_are_refused_by_name(tmp_path: Path) -> None:
    one = run_with(tmp_path / "1", [("p", 0)])
    two = run_with(tmp_path / "2", [("p", 1)], identity={"weights": "other", "seed": 0})
    with pytest.raises(UserError, match=r"arms\.base\.identity\.weights is other there and w here"):
        merge([two], one)
    assert keys(one) == [("p", 0)]


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a run directory"):
        merge([RunDirectory(tmp_path)], RunDirectory(tmp_path / "all"))


def label(at: str, problem_id: str) -> str:
    return f'{{"labelled_at": "{at}", "problem_id": "{problem_id}"}}\n'


def test_labels_of_both_come_together_in_the_order_of_their_times(tmp_path: Path) -> None:
    one, two = run_with(tmp_path / "1", [("p", 0)]), run_with(tmp_path / "2", [("p", 1)])
    written = {
        one: label("2026-01-01", "a") + label("2026-01-03", "c") + '{"torn',
        two: label("2026-01-01", "a") + label("2026-01-02", "b"),
    }
    for run, lines in written.items():
        (run.path / "labels").mkdir()
        (run.path / "labels" / "anna.jsonl").write_text(lines)
    (two.path / "labels" / "bert.jsonl").write_text(label("2026-01-01", "d"))
    into = RunDirectory(tmp_path / "all")
    for _ in range(2):  # again: nothing changes
        merge([one, two], into)
        joined = (into.path / "labels" / "anna.jsonl").read_text()
        days = ("2026-01-01", "a"), ("2026-01-02", "b"), ("2026-01-03", "c")
        assert joined == '{"torn\n' + "".join(label(*day) for day in days)
    assert (into.path / "labels" / "bert.jsonl").is_file()


def test_different_queues_of_one_name_are_refused(tmp_path: Path) -> None:
    one, two = run_with(tmp_path / "1", [("p", 0)]), run_with(tmp_path / "2", [("p", 1)])
    for run, content in ((one, "{}"), (two, "[]")):
        (run.path / "labels" / "queues").mkdir(parents=True)
        (run.path / "labels" / "queues" / "paper.json").write_text(content)
    with pytest.raises(UserError, match="different queues of one name"):
        merge([one, two], RunDirectory(tmp_path / "all"))


def test_judges_are_joined_unless_they_differ(tmp_path: Path) -> None:
    runs = [run_with(tmp_path / str(i), [("p", i)]) for i in range(3)]
    for run, weights in zip(runs, ("w", "w", "v"), strict=True):
        write_manifest(run, manifest() | {"judges": {"j": {"identity": {"weights": weights}}}})
    merge(runs[:2], into := RunDirectory(tmp_path / "all"))
    assert into.read_manifest().judges["j"].identity.weights == "w"
    with pytest.raises(UserError, match=r"judges\.j\.identity\.weights"):
        merge(runs, RunDirectory(tmp_path / "other"))
