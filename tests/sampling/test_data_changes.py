"""A benchmark's data changed under a run that holds samples of it: the run says so and stops."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock, Timeout
from PIL import Image

from vlm_boundary.benchmarks import Origin, load_benchmark
from vlm_boundary.benchmarks.sources import hub
from vlm_boundary.config import ExperimentConfig, build_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.fleet import Crew, Job
from vlm_boundary.planning import estimate
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.sampling import sample
from vlm_boundary.sampling.outcome import find_lacks
from vlm_boundary.sampling.prepare import regrade_by
from vlm_boundary.store import RunDirectory

FIELDS = {"question": "q", "answer": "a", "problem_id": "id", "image": "picture"}


def write(folder: Path, changes: dict[int, dict[str, Any]] | None = None, count: int = 4) -> None:
    records = [
        {"id": f"p{i}", "q": f"What is {i}?", "a": str(i), "picture": f"{i}.png"}
        | (changes or {}).get(i, {})
        for i in range(count)
    ]
    (folder / "data.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    for i in range(count):
        if not (folder / f"{i}.png").exists():
            Image.new("RGB", (8, 8), (i, 0, 0)).save(folder / f"{i}.png")


def experiment(folder: Path, **changes: Any) -> ExperimentConfig:
    raw = {
        "name": "t",
        "benchmarks": {
            "mine": {"dataset_path": str(folder / "data.jsonl"), "fields": FIELDS} | changes
        },
        "arms": {
            "base": {
                "model": "m",
                "role": "base",
                "engine": {"kind": "replay", "path": str(folder / "samples.jsonl")},
            }
        },
        "sampling": {"n": 1},
    }
    return build_experiment(raw, (), where="t.yaml")


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    write(tmp_path)
    lines = (json.dumps({"problem_id": f"p{i}", "text": str(i)}) + "\n" for i in range(4))
    (tmp_path / "samples.jsonl").write_text("".join(lines))
    found = RunDirectory(tmp_path / "run")
    assert sample(found, experiment(tmp_path)).samples == 4
    return found


def everything(folder: Path) -> None:
    write(folder, {i: {"q": f"Else {i}?", "a": "9"} for i in range(4)})


def one_more(folder: Path) -> None:
    write(folder, count=5)


def another_picture(folder: Path) -> None:
    Image.new("RGB", (8, 8), (0, 0, 9)).save(folder / "2.png")


def one_less_and_a_gold(folder: Path) -> None:
    write(folder, {1: {"a": "7"}}, count=3)


def a_picture_gone(folder: Path) -> None:
    (folder / "0.png").unlink()


@pytest.mark.parametrize(
    ("change", "where", "how"),
    [
        (everything, "data.jsonl", "4 of 4 questions differ, 4 of 4 answers differ"),
        (one_more, "data.jsonl", "1 problem added"),
        (another_picture, "2.png", "1 of 4 pictures differ"),
        (one_less_and_a_gold, "data.jsonl", "1 of 3 answers differ, 1 problem removed"),
        (a_picture_gone, "0.png", "1 of 4 reasons why it cannot be asked differ"),
    ],
)
def test_changed_data_stop_the_run_by_name(
    run: RunDirectory, tmp_path: Path, change: Callable[[Path], None], where: str, how: str
) -> None:
    change(tmp_path)
    for stage in (sample, plan):
        with pytest.raises(UserError) as raised:
            stage(run, experiment(tmp_path))
        said = str(raised.value)
        assert f"{tmp_path / where} changed (" in said
        assert how in said
        assert "restore what was, or take another run_dir (or name)" in said
    assert [p.answer for p in run.read_problems("mine")] == ["0", "1", "2", "3"]


def plan(run: RunDirectory, found: ExperimentConfig) -> None:
    estimate.plan(run, found)


def test_restored_data_go_on(run: RunDirectory, tmp_path: Path) -> None:
    everything(tmp_path)
    with pytest.raises(UserError):
        sample(run, experiment(tmp_path))
    write(tmp_path)
    assert sample(run, experiment(tmp_path)).samples == 0


def test_a_touched_file_with_the_same_content_is_read_once_more_and_no_more(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(tmp_path / "data.jsonl", ns=(1, 1))
    assert sample(run, experiment(tmp_path)).samples == 0
    monkeypatch.setattr("vlm_boundary.sampling.prepare.load_problems", None)
    assert sample(run, experiment(tmp_path)).samples == 0


def test_a_run_whose_data_are_gone_goes_on_with_its_own_copy(
    run: RunDirectory, tmp_path: Path
) -> None:
    (tmp_path / "data.jsonl").unlink()
    assert sample(run, experiment(tmp_path)).samples == 0


def test_a_run_from_before_a_setting_goes_on_with_its_own_copy(
    run: RunDirectory, tmp_path: Path
) -> None:
    """What its manifest does not say is what the setting is by default: nothing is read again."""
    manifest = json.loads((run.path / "manifest.json").read_text())
    del manifest["benchmarks"]["mine"]["config"]["options"]
    (run.path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "data.jsonl").unlink()
    assert sample(run, experiment(tmp_path)).samples == 0


def test_options_that_no_prompt_shows_stop_a_new_run_and_no_begun_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {i: {"options": ["red", "blue"]} for i in range(4)})
    lines = (json.dumps({"problem_id": f"p{i}", "text": str(i)}) + "\n" for i in range(4))
    (tmp_path / "samples.jsonl").write_text("".join(lines))
    asked = experiment(
        tmp_path, fields=FIELDS | {"choices": "options"}, prompt={"user": "{{ question }}"}
    )
    run = RunDirectory(tmp_path / "run")
    with pytest.raises(UserError, match="problem 'p0': its prompt does not show the options"):
        sample(run, asked)
    with monkeypatch.context() as before:  # as by a version that did not look
        before.setattr("vlm_boundary.sampling.prepare.not_shown", lambda *_, **__: None)
        assert sample(run, asked).samples == 4
    assert sample(run, asked).samples == 0


def test_a_run_of_an_older_version_is_compared_by_content(
    run: RunDirectory, tmp_path: Path
) -> None:
    origin = run.path / "origins" / "mine.json"
    origin.unlink()
    assert sample(run, experiment(tmp_path)).samples == 0
    assert origin.is_file()
    origin.unlink()
    everything(tmp_path)
    with pytest.raises(UserError, match="4 of 4 questions differ"):
        sample(run, experiment(tmp_path))


def test_data_changed_behind_the_clock_are_noticed(run: RunDirectory, tmp_path: Path) -> None:
    """Size and time are as they were: only the system knows that the file was written."""
    path = tmp_path / "data.jsonl"
    known = path.stat()
    write(tmp_path, {1: {"a": "7"}})
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (known.st_size, known.st_mtime_ns)
    with pytest.raises(UserError, match="1 of 4 answers differ"):
        sample(run, experiment(tmp_path))


def test_a_problem_that_cannot_be_drawn_starts_no_engine_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    path = tmp_path / "samples.jsonl"
    path.write_text(
        "".join(json.dumps({"problem_id": f"p{i}", "text": "1"}) + "\n" for i in (0, 1))
    )
    run = RunDirectory(tmp_path / "run")
    assert sample(run, experiment(tmp_path)).samples == 2
    monkeypatch.setattr("vlm_boundary.sampling.stage.Crew", None)
    found = experiment(tmp_path)
    drawn = sample(run, found)
    assert drawn.samples == 0
    (lack,) = find_lacks(run, drawn.left)
    assert lack.missing == 2  # and it is said, every time
    assert "no reason is recorded" not in "".join(lack.lines())
    monkeypatch.undo()
    changed = build_experiment(
        found.model_dump(mode="json"), ("sampling.max_tokens=9",), where="t.yaml"
    )
    started: list[Job] = []

    class Noted(Crew):
        def work_off(self, jobs: Sequence[Job]) -> None:
            started.extend(jobs)

    monkeypatch.setattr("vlm_boundary.sampling.stage.Crew", Noted)
    sample(run, changed)
    assert started  # under other settings it may go


def test_a_replayed_file_of_problems_that_ended_early_lacks_nothing(tmp_path: Path) -> None:
    write(tmp_path)
    ends = {0: 2, 1: 4, 2: 8, 3: 6}  # p3 stands at 4, and lacks two of its last eight
    lines = (
        json.dumps({"problem_id": f"p{i}", "text": str(i if i < 2 else 99)})
        for i, n in ends.items()
        for j in range(n)
    )
    (tmp_path / "samples.jsonl").write_text("\n".join(lines) + "\n")
    run = RunDirectory(tmp_path / "run")
    rule = ("sampling.n=8", "sampling.stop={after: [2, 4], right: 2}")
    found = build_experiment(experiment(tmp_path).model_dump(mode="json"), rule, where="t.yaml")
    for drawn_now in (20, 0):
        drawn = sample(run, found)
        assert drawn.samples == drawn_now
        (lack,) = find_lacks(run, drawn.left)
        assert lack.missing == 2
        assert list(lack.reasons.values()) == [(2, ("p3",))]


def test_families_that_changed_stop_what_was_shown_by_them(tmp_path: Path) -> None:
    fields = FIELDS | {"description": "d", "metadata": ["kind"]}
    kinds = {i: {"d": f"shows {i}", "kind": "ab"[i % 2]} for i in range(8)}
    write(tmp_path, kinds, count=8)
    rows = [{"problem_id": f"p{i}", "text": "1", "condition": c}
            for c in ("full", "misleading_caption") for i in range(8)]  # fmt: skip
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = build_experiment(
        experiment(tmp_path, fields=fields, family="kind").model_dump(mode="json"),
        ("controls={misleading_caption: {n: 1}}",),
        where="t.yaml",
    )
    run = RunDirectory(tmp_path / "run")
    assert sample(run, found).samples == 16
    assert sample(run, found).samples == 0
    write(tmp_path, {i: one | {"kind": "ab"[i // 4]} for i, one in kinds.items()}, count=8)
    with pytest.raises(UserError, match="other shown descriptions"):
        sample(run, found)


def test_a_damaged_picture_that_is_to_be_altered_is_one_line(
    run: RunDirectory, tmp_path: Path
) -> None:
    (name,) = run.read_problems("mine")[1].pictures
    (run.images / name).write_bytes(b"no picture")
    found = build_experiment(
        experiment(tmp_path).model_dump(mode="json"),
        ("controls={blurred: {n: 1}}",),
        where="t.yaml",
    )
    with pytest.raises(UserError, match=f"{name}: not a picture.* fsck .* --repair"):
        sample(run, found)


def test_grading_is_taken_over_while_nobody_else_changes_the_run(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []

    def write(manifest: Manifest) -> None:
        lock = FileLock(run.path / ".locks" / "turn.lock")
        with pytest.raises(Timeout):
            lock.acquire(timeout=0)
        held.append(manifest)

    monkeypatch.setattr(run, "write_manifest", write)
    grading = {"numeric": "absolute", "tolerance": 0.5}
    assert regrade_by(run, experiment(tmp_path, grading=grading)) == ["mine"]
    assert held


def test_changed_settings_are_named(run: RunDirectory, tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        sample(run, experiment(tmp_path, fields=FIELDS | {"question": "{{ q }}!"}))
    said = "fields.question (from q to {{ q }}!) changed (4 of 4 questions differ)"
    assert said in str(raised.value)


def test_an_included_yaml_that_changed_is_noticed(tmp_path: Path) -> None:
    write(tmp_path)
    lines = (json.dumps({"problem_id": f"p{i}", "text": str(i)}) + "\n" for i in range(4))
    (tmp_path / "samples.jsonl").write_text("".join(lines))
    included = tmp_path / "inner.yaml"

    def say(question: str) -> None:
        fields = FIELDS | {"question": question}
        included.write_text(json.dumps({"dataset_path": "data.jsonl", "fields": fields}))

    say("q")
    raw = experiment(tmp_path).model_dump()
    raw["benchmarks"] = {"mine": {"include": str(included)}}
    found = build_experiment(raw, (), where="t.yaml")
    run = RunDirectory(tmp_path / "run")
    assert sample(run, found).samples == 4
    say("{{ q }} Say it.")
    with pytest.raises(UserError, match="4 of 4 questions differ"):
        sample(run, found)


def test_a_hub_data_set_is_known_by_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    held: dict[str, Any] = {"sha": "a" * 40}

    class Api:
        def dataset_info(self, name: str, revision: str | None, timeout: float) -> Any:
            if held["sha"] is None:
                raise ConnectionError("offline")
            return SimpleNamespace(sha=held["sha"])

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    config = load_benchmark("mine", {"dataset_path": "org/set", "fields": FIELDS})
    before = Origin.of(config)
    assert before.commit == "a" * 40
    assert Origin.from_record(json.loads(json.dumps(before.record()))) == before
    assert before.changes(config) == []
    held["sha"] = "b" * 40
    assert before.changes(config) == ["org/set at bbbbbbbbbbbb"]
    held["sha"] = None  # no network: the run's own copy is all there is
    assert before.changes(config) == []
    pinned = load_benchmark(
        "mine", {"dataset_path": "org/set", "fields": FIELDS, "revision": "c" * 40}
    )
    assert hub.dataset_commit(pinned) == "c" * 40
