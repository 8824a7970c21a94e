"""Forms that records come in: chats, options in one text, ids as keys, files by split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.making import FIELDS, config, png, rows, write
from click.testing import CliRunner

from vlm_boundary.benchmarks import Scan, load_benchmark, load_problems, messages
from vlm_boundary.benchmarks.lists import option_count
from vlm_boundary.benchmarks.validation import left_out
from vlm_boundary.cli import cli
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem

CHAT = {"question": "_question", "answer": "_answer", "image": "images", "problem_id": "{{ _row }}"}


def problems(path: Path, **changes: Any) -> list[Problem]:
    return [c.problem for c in Scan(config(path, **changes))]


# ------------------------------------------------------------------------------------------ chats

LLAVA = {
    "conversations": [
        {"from": "human", "value": "<image>\nHow many?"},
        {"from": "gpt", "value": "3"},
    ],
    "images": ["pictures/a.png"],
}
LLAMA_FACTORY = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "<image>Who is it?"},
        {"role": "assistant", "content": "Ann."},
        {"role": "user", "content": "And here?<image>"},
        {"role": "assistant", "content": "Bob."},
    ],
    "images": ["pictures/a.png", "pictures/b.png"],
}
VERL = {
    "prompt": [{"role": "user", "content": "<image>Find x."}],
    "images": ["pictures/a.png"],
    "reward_model": {"style": "rule", "ground_truth": "42"},
}
PARTS = {
    "messages": [
        {
            "role": "user",
            "content": [{"type": "image"}, {"type": "text", "text": "How many?"}],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "3"}]},
    ],
    "images": ["pictures/a.png"],
}


@pytest.mark.parametrize(
    ("record", "answer", "shown"),
    [
        (LLAVA, "3", ["image", "How many?"]),
        (
            LLAMA_FACTORY,
            "Bob.",
            ["User: ", "image", "Who is it?\nAssistant: Ann.\nUser: And here?", "image"],
        ),
        (VERL, "42", ["image", "Find x."]),
        (PARTS, "3", ["image", "How many?"]),
    ],
    ids=["llava", "llama-factory", "verl", "parts"],
)
def test_a_chat_is_a_question_with_its_pictures_in_their_places(
    folder: Path, record: dict[str, Any], answer: str, shown: list[str]
) -> None:
    fields = CHAT | ({"answer": "reward_model.ground_truth"} if record is VERL else {})
    settings = config(
        write(folder, "d.jsonl", [record]),
        format="chat",
        fields=fields,
        prompt={"user": "{{ question }}"},
    )
    (problem,) = load_problems(settings, folder / "kept").problems
    assert (problem.answer, problem.error) == (answer, None)
    (user,) = messages(problem, settings.worded(), settings.images)
    said = [part.get("text", "image") for part in user["content"]]
    assert [text.strip("\n") for text in said] == shown


@pytest.mark.parametrize(("marks", "pictures"), [("<image><image>", 1), ("", 1), ("<image>", 0)])
def test_marks_and_pictures_of_a_chat_are_counted(folder: Path, marks: str, pictures: int) -> None:
    record = {
        "messages": [
            {"role": "user", "content": f"{marks}?"},
            {"role": "assistant", "content": "3"},
        ],
        "images": ["pictures/a.png"] * pictures,
    }
    (problem,) = problems(write(folder, "d.jsonl", [record]), format="chat", fields=CHAT)
    assert problem.error is not None
    assert f"mark {marks.count('<image>')} pictures" in problem.error
    assert f"it has {pictures}" in problem.error


@pytest.mark.parametrize(
    ("turns", "says"),
    [
        ({"other": 1}, "has no turns"),
        ({"messages": "hello"}, "not a list of turns"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "unknown speaker 'tool'"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "has no question"),
        ({"messages": [{"role": "user", "content": 3}]}, "neither text nor a list of parts"),
        ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "type 'video'"),
    ],
)
def test_what_is_no_chat_is_one_line(folder: Path, turns: dict[str, Any], says: str) -> None:
    path = write(folder, "d.jsonl", [turns | {"images": []}])
    with pytest.raises(UserError, match=says):
        problems(path, format="chat", fields=CHAT)


# ---------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("cell", "options", "expected"),
    [
        ("1|2|none", {"split": r"\|"}, ("1", "2", "none")),
        ("A) red\nB) blue", {"split": r"\n", "prefix": r"[A-Z]\)\s*"}, ("red", "blue")),
        (["(A) red", "(B) blue"], {"prefix": r"\([A-Z]\)\s*"}, ("red", "blue")),
        ("a ;; b", {"split": r"\s*(;;)\s*"}, ("a", "b")),
        (["x", "y"], {"split": r"\|"}, ("x", "y")),
    ],
)
def test_options_in_one_text(
    folder: Path, cell: Any, options: dict[str, str], expected: tuple[str, ...]
) -> None:
    path = write(folder, "d.jsonl", [rows()[0] | {"options": cell}])
    fields = FIELDS | {"choices": "options"}
    (problem,) = problems(path, fields=fields, options=options)
    assert (problem.choices, problem.error) == (expected, None)


def test_an_option_without_its_prefix_is_said(folder: Path) -> None:
    path = write(folder, "d.jsonl", [rows()[0] | {"options": ["(A) red", "blue"]}])
    options = {"prefix": r"\([A-Z]\)\s*"}
    (problem,) = problems(path, fields=FIELDS | {"choices": "options"}, options=options)
    assert problem.error == ("option B, 'blue', is not a text behind what options.prefix says")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Which? Select from A, B, C, and D. (A) 1 (B) 2 (C) 3 (D) 4", 4),
        ("Select from A, B and C", 3),
        ("(A) True (B)False (C)Insufficient Information", 3),
        ("Which option from A-E fits?", 5),
        ("boxes A to F", 6),
        ("What choice (A, B, C, or D)?", 4),
        ("Which figure is a rotation?", 0),
        ("A man walks. Plan B fails.", 0),
        ("", 0),
    ],
)
def test_how_many_options_a_question_names(text: str, count: int) -> None:
    assert option_count(text) == count


def test_chance_and_tolerance_of_each_record(folder: Path) -> None:
    records = [
        rows()[0] | {"options": 3, "error": 0.5},
        rows()[1] | {"options": 5, "error": None},
        rows()[1] | {"id": "3", "options": 0.2, "error": None},
    ]
    first, second, third = problems(
        write(folder, "d.jsonl", records),
        fields=FIELDS | {"chance": "{{ 1 / options }}", "tolerance": "error"},
        grading={"numeric": "absolute", "tolerance": 0.1},
    )
    assert (first.grading.chance, first.grading.tolerance) == (1 / 3, 0.5)
    assert (second.grading.chance, second.grading.tolerance) == (0.2, 0.1)
    assert third.error == "chance 5 is not a probability between 0 and 1"


# ------------------------------------------------------------------------------- files of records


def test_the_key_of_a_json_map_is_an_id(folder: Path) -> None:
    path = folder / "d.json"
    path.write_text(json.dumps({f"v{row['id']}": row for row in rows()}))
    found = problems(path, fields=FIELDS | {"problem_id": "_key"})
    assert [p.problem_id for p in found] == ["v1", "v2"]


def test_a_shipped_benchmark_of_configurations_reads_a_local_file(folder: Path) -> None:
    record = {
        "sample_index": "7",
        "problem_index": "7",
        "problem_version": "Text Lite",
        "question_type": "free-form",
        "metadata": {"subject": "s", "subfield": "f"},
        **rows()[0],
    }
    path = write(folder, "testmini.jsonl", [record])
    mine = folder / "mine.yaml"
    mine.write_text("include: mathverse\ndataset_path: testmini.jsonl\n")
    checked = CliRunner().invoke(cli, ["benchmarks", "validate", str(mine)])
    assert checked.exit_code == 0, checked.output
    assert "1 problem\n" in checked.output
    assert len(list(Scan(load_benchmark("mathverse", {"dataset_path": str(path)})))) == 1


def test_what_only_a_data_set_has_is_still_refused_of_a_file(folder: Path) -> None:
    path = write(folder, "d.jsonl", rows())
    with pytest.raises(UserError, match="dataset_name belongs to a data set"):
        problems(path, dataset_name="x")


def test_a_folder_with_a_file_for_each_split(folder: Path) -> None:
    for split, row in zip(("one", "two"), rows(), strict=True):
        write(folder, f"{split}.jsonl", [row])
    fields = FIELDS | {"problem_id": "{{ _split }}-{{ id }}"}
    found = problems(folder, fields=fields, split=["one", "two"])
    assert [p.problem_id for p in found] == ["one-1", "two-2"]
    (single,) = problems(folder / "two.jsonl", fields=fields, split="two")
    assert single.problem_id == "two-2"
    with pytest.raises(UserError, match="is one file, and split names 2"):
        problems(folder / "two.jsonl", fields=fields, split=["one", "two"])


# ------------------------------------------------------------------------- what reaches the model

CHOICE = {"fields": FIELDS | {"choices": "options"}}


@pytest.mark.parametrize(
    "protocol", ["easyr1-paper", "easyr1-v3", "boxed", "r1v", "mathvista-query"]
)
def test_named_protocols_show_the_options(folder: Path, protocol: str) -> None:
    path = write(folder, "d.jsonl", [rows()[1] | {"options": ["red", "blue"]}])
    settings = config(path, **CHOICE, prompt=protocol)
    (candidate,) = Scan(settings)
    *_, user = messages(candidate.problem, settings.worded(), settings.images)
    assert user["content"][0]["text"].count("\n(A) red\n(B) blue") == 1
    without = config(path, **CHOICE, prompt=protocol, filters=[{"multiple_choice": "drop"}])
    if protocol != "mathvista-query":
        assert "choices" not in without.worded().user


def test_a_question_may_show_its_options_itself(folder: Path) -> None:
    row = rows()[1] | {"question": "Which? (A) red (B) blue"}
    path = write(folder, "d.jsonl", [row])
    fields = FIELDS | {"choices": "{{ question | as_options }}"}
    settings = config(path, fields=fields, options={"shown": "question"}, prompt="boxed")
    (candidate,) = Scan(settings)
    assert candidate.problem.choices == ("red", "blue")
    (user,) = messages(candidate.problem, settings.worded(), settings.images)
    assert user["content"][0]["text"].count("red") == 1


def test_a_prompt_of_ones_own_without_the_options_is_said(folder: Path) -> None:
    path = write(folder, "d.jsonl", [rows()[1] | {"options": ["red", "blue"]}])
    settings = config(path, **CHOICE, prompt={"user": "{{ question }}"})
    (candidate,) = Scan(settings)
    reason = left_out(candidate.problem, settings.worded(), settings.images)
    assert reason is not None
    assert "does not show the options" in reason
    shown = left_out(
        candidate.problem, settings.worded(), settings.images, options_in_question=True
    )
    assert shown is None


def validated(folder: Path, **said: Any) -> Any:
    (folder / "mine.yaml").write_text(json.dumps({"dataset_path": "d.jsonl"} | said))
    return CliRunner().invoke(cli, ["benchmarks", "validate", str(folder / "mine.yaml")])


def test_validate_warns_of_marks_without_a_rule_and_of_options_twice(folder: Path) -> None:
    row = rows()[1] | {"question": "Which in <image1>? red, blue", "options": ["red", "blue"]}
    write(folder, "d.jsonl", [row])
    found = validated(folder, **CHOICE)
    assert found.exit_code == 0, found.output
    assert "1 problems have marks of pictures in their text, as <image1> in 2" in found.output
    assert "1 problem with the options shown twice" in found.output
    assert "Checked 1 problem in" in found.output
    ruled = validated(
        folder, **CHOICE, images={"placeholder": r"<image\d>"}, options={"shown": "question"}
    )
    assert "warning" not in ruled.output


def test_validate_refuses_a_prompt_without_the_question(folder: Path) -> None:
    write(folder, "d.jsonl", rows())
    found = validated(folder, fields=FIELDS, prompt={"user": "Describe the picture."})
    assert found.exit_code == 2
    assert "its prompt does not show the question" in found.output


def test_a_pixel_bound_alone_is_valid(folder: Path) -> None:
    write(folder, "d.jsonl", rows())
    found = validated(folder, fields=FIELDS, images={"max_pixels": 65536})
    assert found.exit_code == 0, found.output


# --------------------------------------------------------------------------- data sets on the hub


def test_validate_reads_the_first_records_of_a_hubs_data_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a folder of parquet behind `load_dataset`, as the hub serves it in a stream."""
    import datasets
    from huggingface_hub import constants

    records = [
        {"id": str(n), "question": "How many?", "answer": "3", "image": png()} for n in range(40)
    ]
    file = write(folder, "test.parquet", records)
    asked: list[dict[str, Any]] = []
    real = datasets.load_dataset

    def load_dataset(path: str, name: str | None, **options: Any) -> Any:
        asked.append(options)
        if not options.get("streaming"):
            raise ValueError("all of it")
        return real("parquet", data_files=str(file), split="train", streaming=True)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    (folder / "mine.yaml").write_text(json.dumps({"dataset_path": "o/set", "fields": FIELDS}))
    call = ["benchmarks", "validate", str(folder / "mine.yaml")]
    found = CliRunner().invoke(cli, call)
    assert found.exit_code == 0, found.output
    assert "Read the first 8 records of o/set, test from the hub." in found.output
    assert "Checked 8 problems in" in found.output
    assert [one["streaming"] for one in asked] == [True]
    (folder / "mine.yaml").write_text(
        json.dumps({"dataset_path": "o/set", "fields": FIELDS | {"answer": "gold"}})
    )
    found = CliRunner().invoke(cli, call)
    assert found.exit_code == 2
    assert "names column 'gold'" in str(found.output) + str(found.exception)
