"""A benchmark YAML from a task of another harness: copied, never run, and what is missing said."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from benchmarks.making import call, png

from vlm_boundary.benchmarks import Scan, load_benchmark_file
from vlm_boundary.benchmarks.from_task import TODO, scaffold
from vlm_boundary.errors import UserError

# As lm-eval's chartqa.yaml says it, of a file here.
CHARTS = """
dataset_path: json
dataset_kwargs: {data_files: DATA}
test_split: test
output_type: generate_until
task: charts
doc_to_image:
  - image
doc_to_text: |
  <image>{{query}}
  Answer with a number.
doc_to_target: "{{ label[0] }}"
metric_list:
  - metric: !function utils.relaxed_accuracy
    aggregation: mean
metadata: {version: 0.0}
"""
# As lm-eval's mmmu has it: a template that others include, functions for what is asked and shown.
TEMPLATE = """
dataset_path: MMMU/MMMU
validation_split: validation
doc_to_image: !function utils.doc_to_image
doc_to_text: !function utils.doc_to_text
doc_to_target: "answer"
process_results: !function utils.process_results
"""
TASK = "include: _template_yaml\ntask: mmmu_val_art\ndataset_name: Art\n"
TASK += "process_docs: !function utils.only\n"
UTILS = '''
import pathlib
from functools import partial

pathlib.Path(__file__).with_name("was-run").touch()
raise RuntimeError("imported")


def doc_to_text(doc, prompt=None):
    """Words."""
    question = doc["question"].strip()  # not a word more
    if doc.get("options"):
        question += "\\n" + doc["options"]
    return question


def doc_to_image(doc):
    return [doc["image_1"].convert("RGB")]


only = partial(filter, None)
'''


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "utils.py").write_text(UTILS)
    (folder / "_template_yaml").write_text(TEMPLATE)
    (folder / "mmmu_val_art.yaml").write_text(TASK)
    (folder / "red.png").write_bytes(png("red"))
    rows = [{"query": f"How many in {n}?", "label": [str(n)], "image": "red.png"} for n in range(3)]
    (folder / "charts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = json.dumps(str(folder / "charts.jsonl"))
    (folder / "charts.yaml").write_text(CHARTS.replace("DATA", data))
    return folder


def test_a_task_in_templates_maps_whole(
    tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("from-task", tasks / "charts.yaml")
    assert done.exit_code == 0, done.output
    assert "charts.yaml: whole" in done.output
    checked = call("validate", "charts.yaml")
    assert checked.exit_code == 0, checked.output
    assert "3 problems" in checked.output
    first = next(iter(Scan(load_benchmark_file("charts.yaml")))).problem
    assert (first.question, first.answer) == (
        "<image>How many in 0?\nAnswer with a number.\n",
        "0",
    )
    text = (tmp_path / "charts.yaml").read_text()
    assert "# The task grades by utils.relaxed_accuracy; here the verifier does" in text
    again = call("from-task", tasks / "charts.yaml")
    assert again.exit_code == 2
    assert (tmp_path / "charts.yaml").read_text() == text


def test_functions_are_shown_and_never_run(tasks: Path, tmp_path: Path) -> None:
    path = tmp_path / "art.yaml"
    done = call("from-task", tasks / "mmmu_val_art.yaml", "--output", path)
    assert done.exit_code == 1, done.output
    assert not (tasks / "was-run").exists()
    assert "TODO fields.question: doc_to_text is the function utils.doc_to_text" in done.output
    assert "It reads question, options." in done.output
    assert "3 to do" in done.output
    text = path.read_text()
    for line in UTILS[UTILS.index("def doc_to_text") :].split("\n\n\n")[0].splitlines():
        assert f"#     {line}".rstrip() + "\n" in text
    assert '#     return [doc["image_1"].convert("RGB")]' in text.replace("#         ", "#     ")
    assert "#     only = partial(filter, None)" in text
    config = load_benchmark_file(str(path))  # valid, with what is missing by its name
    assert (config.fields.question, config.fields.image, config.fields.answer) == (
        TODO,
        TODO,
        "answer",
    )
    assert (config.dataset_path, config.dataset_name, config.split) == (
        "MMMU/MMMU",
        "Art",
        "validation",
    )


def test_validate_says_what_is_missing(tasks: Path, tmp_path: Path) -> None:
    task = (tasks / "charts.yaml").read_text().replace("- image", "- picture")
    task = re.sub(r"doc_to_text: \|(\n  .*)+", "doc_to_text: !function utils.gone", task)
    (tasks / "charts.yaml").write_text(task)
    path = tmp_path / "charts.yaml"
    done = call("from-task", tasks / "charts.yaml", "--output", path)
    assert done.exit_code == 1
    assert "its text does not stand in tasks/ under that name" in path.read_text()
    checked = call("validate", path)
    assert checked.exit_code == 2
    assert "fields.question names column 'TODO'" in checked.output
    assert "image, label, query" in checked.output


def test_options_and_words(tasks: Path) -> None:
    (tasks / "choice.yaml").write_text(
        "dataset_path: owner/set\ntask: a choice\noutput_type: multiple_choice\nnum_fewshot: 5\n"
        "description: 'Look well. '\ndoc_to_image: image\ndoc_to_text: question\n"
        'doc_to_choice: ["yes", "no"]\ndoc_to_target: label\n'
    )
    found = scaffold(tasks / "choice.yaml")
    assert found.name == "a-choice"
    assert not found.todo
    fields = found.keys["fields"]
    assert fields["question"] == "Look well. {{ question }}"
    assert fields["choices"] == "{{ ['yes', 'no'] }}"
    assert "[label] if label is integer else label" in fields["answer"]
    assert found.keys["grading"] == {"letters": "one"}
    assert "The task compares likelihoods" in found.text()
    assert "5 worked examples" in found.text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("group: g\ntask: [one, two]\n", "give one of its tasks (one, two)"),
        ("task: t\ndoc_to_text: q\n", "names no dataset_path"),
        ("include: ../outside.yaml\n", "--root names a wider folder"),
        ("include: bad.yaml\n", "includes itself"),
        ("include: none.yaml\n", "no such file"),
        ("task: !!python/object/apply:os.system [id]\n", "line 1"),
        ("task: !other x\n", "line 1"),
        ("- a\n- b\n", "keys and values"),
        ("a: [\n", "bad.yaml, line"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_what_is_no_task_is_one_line(tasks: Path, text: str, message: str) -> None:
    (tasks / "bad.yaml").write_text(text)
    (tasks.parent / "outside.yaml").write_text(TEMPLATE)
    with pytest.raises(UserError) as refused:
        scaffold(tasks / "bad.yaml")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_wider_folder_may_be_named(tasks: Path) -> None:
    (tasks / "inner").mkdir()
    (tasks / "inner" / "art.yaml").write_text(TASK.replace("_template", "../_template"))
    found = scaffold(tasks / "inner" / "art.yaml", tasks)
    assert "def doc_to_text(doc" in found.text()  # where the template names it, not the task


def test_a_template_that_cannot_be_read_is_left_to_do(tasks: Path) -> None:
    (tasks / "odd.yaml").write_text(
        'dataset_path: a/b\ntask: t\ndoc_to_text: "{{ question | regex_replace(1) }}"\n'
        "doc_to_target: 7\n"
    )
    found = scaffold(tasks / "odd.yaml")
    assert list(found.todo) == ["fields.question"]
    assert "regex_replace" in found.text()
    assert found.keys["fields"]["answer"] == "{{ 7 }}"
