"""A changed prompt is shown word by word, and `verify EXPERIMENT.yaml` grades by what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vlm_boundary.cli import cli
from vlm_boundary.sampling.changes import word_changes

YAML = """\
name: t
run_dir: {folder}/run
benchmarks:
  mine:
    dataset_path: {folder}/mine.jsonl
    fields: {{problem_id: id, question: q, answer: a}}
    prompt: {{instruction: Think step by step and put your final answer within a box.}}
arms:
  only: {{model: org/only, role: rl, engine: {{kind: replay, path: {folder}/only.jsonl}}}}
sampling: {{n: 2}}
analysis: {{bootstrap_draws: 100}}
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    rows = [{"id": f"p{i}", "q": f"How long is {i}?", "a": str(10 * (i + 1))} for i in range(3)]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    texts = [
        {"problem_id": row["id"], "text": f"\\boxed{{{int(row['a']) + 0.2}}}"}
        for row in rows
        for _ in range(2)
    ]
    (tmp_path / "only.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    path = tmp_path / "t.yaml"
    path.write_text(YAML.format(folder=tmp_path))
    return path


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("think first", "think twice", "think [-first-] {+twice+}"),
        ("", "think", "{+think+}"),
        ("think", "", "[-think-]"),
        ("a b c d e f g h", "a b c d e f g i", "… d e f g [-h-] {+i+}"),
        ("x b c d e f g h i j y", "z b c d e f g h i j w",
         "[-x-] {+z+} b c d e … g h i j [-y-] {+w+}"),
    ],
)  # fmt: skip
def test_changes_of_words(before: str, now: str, said: str) -> None:
    assert word_changes(before, now) == said


def test_a_changed_prompt_is_shown(experiment: Path) -> None:
    assert call("sample", experiment).exit_code == 0
    text = experiment.read_text()
    experiment.write_text(text.replace("step by step and", "carefully and"))
    done = call("sample", experiment)
    assert done.exit_code == 2
    assert (
        "arm 'only' already holds samples of mine drawn with another prompt (instruction: Think "
        "[-step by step-] {+carefully+} and put your final …); take another run_dir"
    ) in done.stderr


def test_no_base_is_said_before_sampling(experiment: Path) -> None:
    done = call("run", experiment)
    assert done.exit_code == 0
    assert "No arm has the role base, so nothing will be compared." in done.stderr
    assert "mine: only is right in 0.0% of its samples" in done.stdout


def test_an_experiments_grading_is_taken_over_by_verify(experiment: Path) -> None:
    assert call("run", experiment).exit_code == 0
    text = experiment.read_text()
    changed = "grading: {numeric: absolute, tolerance: 0.5}\n    fields"
    experiment.write_text(text.replace("fields", changed, 1))
    done = call("verify", experiment)
    assert done.exit_code == 0
    assert "mine: its grading has changed" in done.stdout
    assert "6 samples graded" in done.stdout
    again = call("verify", experiment)
    assert "0 samples graded" in again.stdout
    assert "its grading has changed" not in again.stdout
    assert "only is right in 100.0% of its samples" in call("run", experiment).stdout
