"""Samples made elsewhere, from a file to a report, on a machine without any engine."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from e2e.runs import call

from vlm_boundary.benchmarks import load_benchmark, load_problems
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.store import Partition, RunDirectory

YAML = """\
name: elsewhere
benchmarks: {procedural: {procedural: {count: 8, seed: 3}}}
arms:
  base: {model: org/base, role: base, engine: {kind: replay, path: base.jsonl}}
  rl:
    model: org/rl
    role: rl
    engine: {kind: replay, path: rl.jsonl, fields: {problem_id: id, text: responses}}
sampling: {n: 4}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere.yaml").write_text(YAML)
    benchmark = load_benchmark("procedural", {"procedural": {"count": 8, "seed": 3}})
    problems = load_problems(benchmark, tmp_path / "pictures").problems
    with (tmp_path / "base.jsonl").open("w") as base, (tmp_path / "rl.jsonl").open("w") as rl:
        for problem in problems:
            right, wrong = f"\\boxed{{{problem.answer}}}", "\\boxed{no idea}"
            for text in (right, wrong, wrong, wrong):
                base.write(json.dumps({"problem_id": problem.problem_id, "text": text}) + "\n")
            rl.write(json.dumps({"id": problem.problem_id, "responses": [right] * 3}) + "\n")
    # Whoever imports these finds them broken.
    (tmp_path / "absent").mkdir()
    for name in ("torch", "vllm", "transformers", "openai"):
        (tmp_path / "absent" / f"{name}.py").write_text(f"raise ImportError('no {name} here')\n")
    return tmp_path


def call_without_engines(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder / "absent"), os.environ.get("PYTHONPATH", "")])
    return call(folder, *arguments, environment={"PYTHONPATH": path})


def test_from_files_to_a_report_without_any_engine(folder: Path) -> None:
    done = call_without_engines(folder, "run", "elsewhere.yaml")
    assert done.returncode == 0, done.stderr
    # 7 problems (one is multiple choice, and dropped): 4 samples of base, 3 of rl.
    assert "49 samples drawn, 49 graded, 49 checked." in done.stdout
    run = RunDirectory(folder / "runs" / "elsewhere")
    curves = json.loads(run.analysis.read_text())["benchmarks"]["procedural"]["arms"]
    assert curves["base"]["pass_at_k"]["1"]["estimate"] == pytest.approx(0.25)
    page = (run.report / "index.html").read_text()
    assert "replayed from base.jsonl" in page
    assert "rl.jsonl holds 3 samples of this problem, 4 are asked for" in page
    rows = run.samples.read(Partition("base", "procedural")).to_pylist()
    assert {row["seed"] for row in rows} == {None}


def test_another_file_under_the_same_name_is_not_mixed_in(folder: Path) -> None:
    assert call_without_engines(folder, "sample", "elsewhere.yaml").returncode == 0
    with (folder / "base.jsonl").open("a") as file:
        file.write(json.dumps({"problem_id": "more", "text": "x"}) + "\n")
    done = call_without_engines(folder, "sample", "elsewhere.yaml")
    assert done.returncode == 2
    assert "already holds samples drawn with other weights" in done.stderr


def test_another_data_file_under_the_same_yaml_stops_the_command(tmp_path: Path) -> None:
    fields = {"question": "q", "answer": "a", "problem_id": "id"}
    replay = {"kind": "replay", "path": "samples.jsonl"}
    experiment = {
        "name": "e",
        "benchmarks": {"mine": {"dataset_path": "data.jsonl", "fields": fields}},
        "arms": {"base": {"model": "m", "role": "base", "engine": replay}},
        "sampling": {"n": 1},
    }
    (tmp_path / "e.yaml").write_text(json.dumps(experiment))

    def write(golds: list[str]) -> None:
        lines = ({"id": str(i), "q": f"{i}?", "a": gold} for i, gold in enumerate(golds))
        (tmp_path / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    write(["1", "2", "3"])
    samples = ({"problem_id": str(i), "text": f"\\boxed{{{i}}}"} for i in range(3))
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in samples))
    done = call(tmp_path, "sample", "e.yaml")
    assert done.returncode == 0, done.stderr
    write(["0", "1", "2", "3"])
    for stage in ("sample", "run", "plan"):
        done = call(tmp_path, stage, "e.yaml")
        assert done.returncode == 2, done.stdout
        (line,) = (line for line in done.stderr.splitlines() if "already holds" in line)
        assert "data.jsonl changed (3 of 3 answers differ, 1 problem added)" in line
        assert "Traceback" not in done.stderr
    for stage in ("verify", "analyze"):  # which go by the run's own copy
        assert call(tmp_path, stage, "runs/e").returncode == 0


def test_a_report_is_made_anew_where_something_changed_and_only_there(folder: Path) -> None:
    run = RunDirectory(folder / "runs" / "elsewhere")

    def made(*arguments: str) -> int:
        done = call_without_engines(folder, "run", "elsewhere.yaml", *arguments)
        assert done.returncode == 0, done.stderr
        assert f"Report: {run.page.relative_to(folder)}" in done.stdout
        return run.page.stat().st_mtime_ns

    # Three samples, which is what both have: what lacks would be looked for again.
    fewer = ("--n", "3", "-o", "analysis.bootstrap_draws=100")
    first = made(*fewer)
    assert made(*fewer) == first
    figure = next(run.report.rglob("*.svg"))
    figure.unlink()
    second = made(*fewer)
    assert second > first
    assert figure.is_file()
    assert made("--n", "3") > second  # another number of draws


def test_samples_that_cannot_be_drawn_are_said_arm_by_arm(folder: Path) -> None:
    records = [json.loads(line) for line in (folder / "rl.jsonl").read_text().splitlines()]
    for record in records[1:3]:
        record["responses"][0] = [["too deep"]]
    records[4]["id"] = "no-such-problem"
    (folder / "rl.jsonl").write_text("\n".join(map(json.dumps, records)))
    done = call_without_engines(folder, "sample", "elsewhere.yaml")
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith(("rl", "  ", "base"))]
    lost = 7 * 4 - 6 * 3 + 2
    assert f"rl on procedural: {lost} of 28 samples were not drawn" in said
    assert any("text is list" in line for line in said)
    assert any("holds no sample of this problem" in line for line in said)
    assert any("no benchmark of this run has (" in line for line in said)
    assert any("no-such-problem" in line for line in said)
    assert f"{28 + 28 - lost} samples drawn" in done.stdout
    assert not any(line.startswith("base on") for line in said)


def test_an_arm_that_gets_nothing_is_an_error(folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "rl.jsonl").read_text().splitlines()]
    nested = [line | {"responses": [[[text]] for text in line["responses"]]} for line in lines]
    (folder / "rl.jsonl").write_text("\n".join(map(json.dumps, nested)))
    done = call_without_engines(folder, "sample", "elsewhere.yaml")
    assert done.returncode == 1
    assert "rl on procedural: 28 of 28 samples were not drawn" in done.stderr
    assert "Error: " in done.stderr.splitlines()[-1]
    assert "28 samples drawn" in done.stderr.splitlines()[-1]
    assert "but none of rl on procedural" in done.stderr.splitlines()[-1]
    assert any(
        "  21: text is list, not text, first in" in line for line in done.stderr.splitlines()
    )
    assert "samples drawn" not in done.stdout
    whole = call_without_engines(folder, "run", "elsewhere.yaml")
    assert whole.returncode == 1
    assert "but none of rl on procedural" in whole.stderr.splitlines()[-1]
    assert "0 samples drawn, 28 graded, 28 checked." in whole.stdout
    assert (folder / "runs" / "elsewhere" / "report" / "index.html").is_file()
    run = RunDirectory(folder / "runs" / "elsewhere")
    assert run.samples.read(Partition("base", "procedural")).num_rows == 28


def test_an_unfinished_thought_that_the_prompt_opened_is_not_right(folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "base.jsonl").read_text().splitlines()]
    right = [line for line in lines if "no idea" not in line["text"]]
    with (folder / "base.jsonl").open("w") as file:
        for line in right:
            box = line["text"]
            inside = [("stop", f"so {box}"), ("length", f"so {box}, or")]
            for why, text in (*inside, *((("stop", f"so 7.</think>It is {box}."),) * 2)):
                file.write(json.dumps(line | {"text": text, "finish_reason": why}) + "\n")
    experiment = folder / "elsewhere.yaml"
    experiment.write_text(YAML.replace("path: base.jsonl", "path: base.jsonl, thinking_open: true"))
    assert call_without_engines(folder, "sample", "elsewhere.yaml").returncode == 0
    run = RunDirectory(folder / "runs" / "elsewhere")
    here = Partition("base", "procedural")
    told = run.read_manifest()

    def verified(fact: bool | None) -> tuple[str, list[bool]]:
        """What `verify` says where the manifest says so of the arm, and which are right."""
        content = told.as_json()
        base = content["arms"]["base"]
        del base["thinking_open"]
        if fact is not None:
            base["thinking_open"] = fact
        run.write_manifest(Manifest.model_validate(content))
        done = call_without_engines(folder, "verify", "runs/elsewhere")
        assert done.returncode == 0, done.stderr
        rows = run.verdicts.read(here, ["problem_id", "sample_index", "correct"])
        rows = rows.sort_by([("problem_id", "ascending"), ("sample_index", "ascending")])
        return done.stdout, rows["correct"].to_pylist()

    assert told.arms["base"].thinking_open is True
    assert verified(None)[1] == [True] * 28  # a run from before the fact was kept
    said, correct = verified(True)
    assert "28 samples graded" in said
    assert correct == [False, False, True, True] * 7
    assert "0 samples graded" in verified(True)[0]


def test_files_with_all_samples_are_read_by_a_stopping_rule(folder: Path) -> None:
    """And the run keeps to it: another rule is another design, further looks go on."""
    stops = ("-o", "sampling.stop={after: [2], right: 1}")
    done = call_without_engines(folder, "run", "elsewhere.yaml", *stops)
    assert done.returncode == 0, done.stderr
    run = RunDirectory(folder / "runs" / "elsewhere")
    arms = json.loads(run.analysis.read_text())["benchmarks"]["procedural"]["arms"]
    # The right answer stands first: by the rule one of two samples, not one of four.
    assert arms["base"]["pass_at_k"]["1"]["estimate"] == pytest.approx(0.5)
    assert arms["base"]["pass_at_k"]["4"]["estimate"] == pytest.approx(1.0)
    assert arms["base"]["stopping"]["saved"] == pytest.approx(0.5)
    # The file lacks the fourth sample of rl, which no problem needs.
    assert arms["rl"]["stopping"]["left_out"] == []
    page = (run.report / "index.html").read_text()
    assert "base 2 of at most 4 samples per problem on average (50% saved)" in page
    for other, named in (
        ("sampling.stop={after: [2], right: 2}", "{after: [2], right: 2} (n = 4)"),
        ("sampling.stop={after: [1], right: 1}", "{after: [1], right: 1} (n = 4)"),
        ("sampling.stop=null", "nothing (n = 4)"),
    ):
        done = call_without_engines(folder, "sample", "elsewhere.yaml", "-o", other)
        assert done.returncode == 2, done.stdout
        assert "sampling.stop = {after: [2], right: 1} (n = 4), and now it is" in done.stderr
        assert named in done.stderr
        assert "Traceback" not in done.stderr
    further = ("-o", "sampling.stop={after: [2, 4], right: 1}", "-o", "sampling.n=6")
    assert call_without_engines(folder, "sample", "elsewhere.yaml", *further).returncode == 0
