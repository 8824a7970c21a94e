"""Further samples of the problems that one arm alone solved, from files to the report."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.compute as pc
from e2e.runs import call

from vlm_boundary.benchmarks import load_benchmark, load_problems
from vlm_boundary.store import Partition, RunDirectory

YAML = """\
name: more
benchmarks: {procedural: {procedural: {count: 8, seed: 3}}}
arms:
  base: {model: org/base, role: base, engine: {kind: replay, path: base.jsonl}}
  rl: {model: org/rl, role: rl, engine: {kind: replay, path: rl.jsonl}}
sampling: {n: 4}
analysis: {bootstrap_draws: 100}
"""


def test_problems_that_ended_early_are_followed_up_by_fresh_samples_alone(tmp_path: Path) -> None:
    stops = YAML.replace("sampling: {n: 4}", "sampling: {n: 4, stop: {after: [2], right: 1}}")
    (tmp_path / "more.yaml").write_text(stops)
    benchmark = load_benchmark("procedural", {"procedural": {"count": 8, "seed": 3}})
    first, *others = load_problems(benchmark, tmp_path / "pictures").problems
    for arm, right in (("base", {0, 5}), ("rl", set())):
        with (tmp_path / f"{arm}.jsonl").open("w") as file:
            for problem in (first, *others):
                for index in range(8):
                    hit = problem is first and index in right
                    text = f"\\boxed{{{problem.answer}}}" if hit else "\\boxed{no idea}"
                    file.write(json.dumps({"problem_id": problem.problem_id, "text": text}) + "\n")
    assert call(tmp_path, "run", "more.yaml").returncode == 0
    run = RunDirectory(tmp_path / "runs" / "more")
    # As if it had been drawn by the rule: the base's first problem ended at two samples.
    table = run.samples.read(Partition("base", "procedural"))
    ended = pc.and_(
        pc.equal(table["problem_id"], first.problem_id), pc.greater_equal(table["sample_index"], 2)
    )
    for part in run.samples.parts(Partition("base", "procedural")):
        part.unlink()
    run.samples.append(Partition("base", "procedural"), table.filter(pc.invert(ended)))
    done = call(tmp_path, "followup", "more.yaml", "--n", "8")
    assert done.returncode == 0, done.stderr
    rows = run.samples.read(Partition("base", "procedural"), ["problem_id", "sample_index"])
    of_first = [r["sample_index"] for r in rows.to_pylist() if r["problem_id"] == first.problem_id]
    assert of_first == [0, 1, 4, 5, 6, 7]
    found = json.loads(run.analysis.read_text())["benchmarks"]["procedural"]
    (cell,) = found["followup"]
    assert cell["fresh_samples"] == {"base": 4, "other": 4}
    assert cell["solved_again"] == {"base": 1, "other": 0, "both": 0}
    assert found["arms"]["base"]["stopping"]["ended_at"] == {"2": 1, "4": len(others)}
    assert found["arms"]["base"]["stopping"]["unread"] == 0


def test_both_cells_and_both_arms_are_topped_up_and_headlines_stay(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(YAML)
    benchmark = load_benchmark("procedural", {"procedural": {"count": 8, "seed": 3}})
    problems = load_problems(benchmark, tmp_path / "pictures").problems
    # Right answers by index: the first problem only base solves within 4, the second only rl;
    # base solves the second at index 6, rl the first never.
    right = {"base": {0: {1}, 1: {6}, 2: {0, 5}}, "rl": {0: set(), 1: {0, 1, 7}, 2: {0}}}
    for arm, by_problem in right.items():
        with (tmp_path / f"{arm}.jsonl").open("w") as file:
            for place, problem in enumerate(problems):
                for index in range(8):
                    hit = index in by_problem.get(place, set())
                    text = f"\\boxed{{{problem.answer}}}" if hit else "\\boxed{no idea}"
                    file.write(json.dumps({"problem_id": problem.problem_id, "text": text}) + "\n")
    assert call(tmp_path, "run", "more.yaml").returncode == 0
    run = RunDirectory(tmp_path / "runs" / "more")
    before = json.loads(run.analysis.read_text())["benchmarks"]["procedural"]
    assert "followup" not in before
    assert call(tmp_path, "followup", "more.yaml", "--n", "4").returncode == 2
    done = call(tmp_path, "followup", "more.yaml", "--n", "8")
    assert done.returncode == 0, done.stderr
    assert "Solved by one arm of a pair alone: 2 problems." in done.stdout
    assert "16 samples drawn" in done.stdout
    for arm in right:
        rows = run.samples.read(Partition(arm, "procedural"), ["problem_id", "sample_index"])
        fresh = [r["problem_id"] for r in rows.to_pylist() if r["sample_index"] >= 4]
        assert set(fresh) == {problems[0].problem_id, problems[1].problem_id}
    after = json.loads(run.analysis.read_text())["benchmarks"]["procedural"]
    for key in ("arms", "pairs"):
        assert after[key] == before[key]
    base_only, rl_only = after["followup"]
    assert base_only["cell"] == "base_only"
    assert base_only["fresh_samples"] == {"base": 4, "other": 4}
    assert base_only["solved_again"] == {"base": 0, "other": 0, "both": 0}
    assert rl_only["solved_again"] == {"base": 1, "other": 1, "both": 1}
    report = (run.report / "report.md").read_text()
    assert "problems that one alone had solved, in fresh samples of both" in report
