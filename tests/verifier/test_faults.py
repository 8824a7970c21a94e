"""Nothing that one output or gold answer holds ends a command: it is recorded, counted, shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sampled import append_samples, sample_row

from vlm_boundary.cli import cli
from vlm_boundary.records.problem import Problem
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.verifier import Gold, Grader, Output, cross, failures_of, grade, verify
from vlm_boundary.verifier import compare as compare_module
from vlm_boundary.verifier import grader as grader_module
from vlm_boundary.verifier.extract import extract
from vlm_boundary.verifier.faults import FAULTS
from vlm_boundary.verifier.opinions import second_opinions
from vlm_boundary.verifier.pool import KillingPool
from vlm_boundary.verifier.reader import read

BAD = "a text on which a rule raises \\boxed{4}"
BAD_GOLD = "a gold answer on which a rule raises"
HERE = Partition("base", "b")


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verifier with a fault in its rules for outputs, and one in those for gold answers."""

    def extract_or_raise(scope: Any, target: Any, **rest: Any) -> Any:
        if BAD in scope.text:
            return [][1]
        return extract(scope, target, **rest)

    def read_or_raise(text: str, **rest: Any) -> Any:
        if text == BAD_GOLD:
            raise RecursionError("too deep")
        return read(text, **rest)

    monkeypatch.setattr(grader_module, "extract", extract_or_raise)
    monkeypatch.setattr(compare_module, "read", read_or_raise)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)])


@pytest.mark.usefixtures("faulty")
def test_what_one_output_raises_is_that_outputs_alone() -> None:
    outputs = [Output("\\boxed{4}", "4"), Output(BAD, "4"), Output("\\boxed{4}", BAD_GOLD)]
    with Grader(workers=1) as grader:
        fine, bad, bad_gold = grader.grade(outputs)
        either = Gold(BAD_GOLD, alternatives=("4",))
        assert grader.grade([Output("\\boxed{4}", either)])[0].correct is True
    assert fine.correct is True
    assert (bad.correct, bad.status, bad.rule) == (None, "undecided", "failed")
    assert (bad.flags, bad_gold.flags) == (("IndexError",), ("RecursionError",))
    assert grade(BAD, "4") == bad
    crossed = cross(["4", "5"], [Gold("4"), Gold(BAD_GOLD)])
    assert crossed.tolist() == [[True, False], [False, False]]
    with closing(KillingPool(workers=1)) as pool:
        assert second_opinions([outputs[2]], [bad_gold], pool)[0].mathvision is False


@pytest.mark.usefixtures("faulty")
def test_grade_writes_its_file_and_says_how_many_failed(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"output": "\\boxed{4}", "answer": "4"},
        {"output": BAD, "answer": "4"},
        {"output": "4", "answer": BAD_GOLD},
        {"output": BAD, "answer": "5"},
    ]
    source.write_text("\n\n".join(json.dumps(row) for row in rows) + "\n")
    for command in ("grade", "check"):
        result = call(command, source, "--output", target)
        assert result.exit_code == 0, result.output
        assert "3 outputs could not be graded" in result.stderr
        assert "2 IndexError, 1 RecursionError" in result.stderr
        assert f"The first: {source}:3." in result.stderr
        written = [json.loads(line) for line in target.read_text().splitlines()]
        assert len(written) == 4
    call("grade", source, "--output", target)
    written = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["correct"] for row in written] == [True, None, None, None]
    assert [row["rule"] for row in written][1:] == ["failed"] * 3
    assert written[1]["flags"] == ["IndexError"]


@pytest.mark.usefixtures("faulty")
def test_verify_grades_the_others_and_says_how_many_failed(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    problems = [Problem("b", "p0", "How many?", "4"), Problem("b", "p1", "How many?", BAD_GOLD)]
    run.write_problems("b", tuple(problems))
    for problem in problems:
        texts = enumerate(("\\boxed{4}", BAD))
        append_samples(run, HERE, [sample_row(problem.problem_id, i, text) for i, text in texts])
    assert verify(run) == 4
    stored = run.verdicts.read(HERE).to_pylist()
    assert [row["correct"] for row in stored] == [True, None, None, None]
    failures = failures_of(run)
    assert failures.kinds == {"IndexError": 1, "RecursionError": 2}
    assert failures.first == "problem p0, sample 1, of base on b (full)"
    assert verify(run) == 0  # it is a verdict like any other until the rules change


def test_a_verifier_without_a_fault_says_nothing(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"output": "\\boxed{4}", "answer": "4"}) + "\n")
    assert not call("grade", source, "--output", tmp_path / "out.jsonl").stderr.count("fault")


@pytest.mark.parametrize("error", [MemoryError, OSError, KeyboardInterrupt, ImportError])
def test_what_is_the_machines_or_the_callers_is_no_outputs(error: type[BaseException]) -> None:
    assert not issubclass(error, FAULTS)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("The answer is 4 (or 5).", "4"),
        ("\\boxed{01}", "5 \\approx 5.01"),
        ("answer is \x05②,③④⑤.The answer is \x05②,③", "1234"),
        ("<answer>\\boxed{4}\\boxed{\\boxed{</answer>", "4"),
    ],
)
def test_texts_on_which_a_rule_once_raised(text: str, gold: str) -> None:
    assert grade(text, gold).rule != "failed"


def test_outputs_that_once_ended_the_command(tmp_path: Path) -> None:
    """The command itself, on texts that a rule was met to raise on; the file is written."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"output": "The answer is 4 (or 5).", "answer": "4"},
        {"output": "\\boxed{1.41}", "answer": "\\sqrt{2} \\approx 1.41"},
        {"output": "\\boxed{\\sqrt{2} \\approx 1.41}", "answer": "\\approx"},
        {"output": "\ud800 \\boxed{\ud800}", "answer": "\udfff"},
        {"output": "\\boxed{4}", "answer": "4"},
    ]
    source.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    here = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "vlm_boundary", "grade", str(source), "--output", str(target)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": here},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = [json.loads(line) for line in target.read_text().splitlines()]
    assert len(written) == len(rows)
    assert written[-1]["correct"] is True
