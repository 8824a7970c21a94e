"""Scoring from the command line: real engine, real pictures, real processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from e2e.runs import call
from required import needs

from vlm_boundary.store import Partition, RunDirectory

needs("vllm")

pytestmark = pytest.mark.engine

YAML = """\
name: scored
benchmarks: {procedural: {procedural: {count: 8, seed: 3}}}
arms:
  base: {model: tiny:untrained-1, role: base}
  rl: {model: tiny:untrained-2, role: rl}
sampling: {n: 4, temperature: 1.0, top_p: 0.9, max_tokens: 24, token_logprobs: 2}
engine:
  args: {max_model_len: 512, dtype: bfloat16, kv_cache_memory_bytes: 134217728}
"""
PROBLEMS = 7  # one of the eight is multiple choice, and dropped


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scored")
    (path / "scored.yaml").write_text(YAML)
    done = call(path, "run", "scored.yaml")
    assert done.returncode == 0, done.stderr
    return path


def score(folder: Path, *arguments: str) -> str:
    done = call(folder, "score", "runs/scored", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_arms_own_responses_score_as_they_did_when_they_were_drawn(folder: Path) -> None:
    both = ("--responses-of", "base", "--responses-of", "rl")
    said = score(folder, *both, "--under", "base", "--per-problem", "3")
    assert f"{2 * PROBLEMS * 3} responses scored under base" in said
    run = RunDirectory(folder / "runs" / "scored")
    own = Partition("base", "procedural")
    drawn = {(r["problem_id"], r["sample_index"]): r for r in run.samples.read(own).to_pylist()}
    scores = run.scores("base").read(own).to_pylist()
    assert sorted({row["sample_index"] for row in scores}) == [0, 1, 2]
    assert len(scores) == PROBLEMS * 3
    for row in scores:
        sample = drawn[row["problem_id"], row["sample_index"]]
        assert row["tokens"] == len(sample["token_ids"]) == len(row["token_logprobs"])
        assert abs(row["logprob_sum"] - sample["logprob_sum"]) / row["tokens"] < 0.01
        if row["sample_index"] < 2:
            assert row["token_logprobs"] == pytest.approx(sample["token_logprobs"], abs=0.01)
        else:
            assert sample["token_logprobs"] is None


def test_the_report_shows_how_likely_each_arm_finds_which_responses(folder: Path) -> None:
    assert call(folder, "analyze", "runs/scored").returncode == 0
    assert call(folder, "report", "runs/scored").returncode == 0
    report = (folder / "runs" / "scored" / "report" / "report.md").read_text()
    assert "| base under base | " in report
    assert "| rl under base | " in report
    assert "| rl under rl | " in report


def test_only_what_is_missing_is_scored(folder: Path) -> None:
    pair = ("--responses-of", "rl", "--under", "base")
    assert "0 responses scored" in score(folder, *pair, "--per-problem", "2")
    assert f"{PROBLEMS} responses scored under base" in score(folder, *pair)
    assert "0 responses scored" in score(folder, *pair)


def test_a_scoring_arm_that_changed_is_refused(folder: Path) -> None:
    done = call(
        folder, "score", "runs/scored", "--responses-of", "rl", "--under", "base",
        "-o", "arms.base.model=tiny:untrained-3",
    )  # fmt: skip
    assert done.returncode == 2
    assert "'base' already holds samples drawn with other weights" in done.stderr


def test_a_mistyped_arm_is_one_line(folder: Path) -> None:
    done = call(folder, "score", "runs/scored", "--responses-of", "r1", "--under", "base")
    assert done.returncode == 2
    assert "Error: no arm 'r1'; there are base, rl" in done.stderr
