"""The section `thoughts`, from samples through the verifier and the checker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from analysis_runs import BenchmarkRun, make_run, write_samples

from vlm_boundary.analysis.stage import analyze
from vlm_boundary.reasoning.stage import check
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition
from vlm_boundary.verifier import verify

ARMS = {"base": {"model": "org/base", "role": "base"}, "rl": {"model": "org/rl", "role": "rl"}}
SAME = "<think>3 + 4 = 7. The answer is 7.</think>The answer is \\boxed{7}."
LUCKY = "<think>3 + 5 = 8. The answer is 8.</think>The answer is \\boxed{7}."
SPOILT = "<think>3 + 4 = 7. The answer is 7.</think>The answer is \\boxed{9}."
PLAIN = "3 + 4 = 7.\n\\boxed{7}"


def run_of(path: Path, texts: dict[str, list[list[str]]]) -> BenchmarkRun:
    """By arm, a list of each problem's texts."""
    keys = [f"p{place}" for place in range(len(texts["base"]))]
    run = make_run(path, [Problem("mine", key, "How many?", "7") for key in keys], ARMS, 4)
    for arm, by_problem in texts.items():
        samples = [
            Sample(key, index, index, [7], text, "stop", -1.0)
            for key, written in zip(keys, by_problem, strict=True)
            for index, text in enumerate(written)
        ]
        write_samples(run.directory, Partition(arm, "mine"), samples)
    verify(run.directory)
    check(run.directory)
    return run


def section(run: BenchmarkRun) -> dict[str, Any] | None:
    found = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]
    thoughts: dict[str, Any] | None = found.get("thoughts")
    return thoughts


def test_answers_that_differ_are_counted_by_arm_and_among_right_ones(tmp_path: Path) -> None:
    base = [[SAME, SAME, LUCKY, SPOILT], [SAME] * 4, [SAME, PLAIN, PLAIN, SPOILT]]
    run = run_of(tmp_path / "run", {"base": base, "rl": [[PLAIN] * 4] * 3})
    found = section(run)
    assert found is not None
    assert set(found) == {"base"}  # the other has no thought of its own
    every, right = found["base"]["all_answers"], found["base"]["right_answers"]
    assert (every["samples"], every["differ"]) == (10, 3)
    assert (right["samples"], right["differ"]) == (8, 1)
    assert every["share"]["estimate"] == pytest.approx(3 / 10)
    assert every["share"]["problems"] == 3
    low, high = every["share"]["interval"] if "interval" in every["share"] else (
        every["share"]["low"], every["share"]["high"]
    )  # fmt: skip
    assert 0 <= low < 3 / 10 < high <= 1
    written = (run.directory.tables / "mine-thoughts.md").read_text(encoding="utf-8")
    assert "3 of 10" in written
    assert "1 of 8" in written


def test_without_thoughts_nothing_is_said(tmp_path: Path) -> None:
    assert section(run_of(tmp_path / "run", {arm: [[PLAIN] * 4] * 2 for arm in ARMS})) is None
