"""The shipped benchmarks: each against records of its data set's columns, two against the data.

The records are made up here, with the columns of the real ones; `test_real_records.py` reads those.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import pytest
from benchmarks.making import png
from benchmarks.shipped_cases import CASES, PICTURE
from required import DATA

from vlm_boundary.benchmarks import (
    BenchmarkConfig,
    LoadedBenchmark,
    load_benchmark,
    load_problems,
    messages,
    shipped_names,
)
from vlm_boundary.benchmarks.prompts import Message
from vlm_boundary.benchmarks.validation import left_out
from vlm_boundary.records.problem import Grading

PROMPTS = Path(__file__).with_name("shipped_prompts.json")
"""The prompt of each benchmark's first problem here, as it reaches a model."""
DRAWN = ("maze", "procedural")
"""Those whose problems this package draws."""


def feature(value: Any) -> Any:
    """The type of a column by a value in it, pictures as the hub types them."""
    if value == PICTURE or (isinstance(value, dict) and "bytes" in value):
        return datasets.Image()
    if isinstance(value, list):
        return datasets.List(feature(value[0]) if value else datasets.Value("string"))
    if isinstance(value, dict):
        return {key: feature(inner) for key, inner in value.items()}
    kinds = {bool: "bool", int: "int64", float: "float64"}
    return datasets.Value(kinds.get(type(value), "string"))


def load(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any
) -> LoadedBenchmark:
    """The shipped benchmark over its case's records, as if they came from the hub, or in a file."""
    splits, _ = CASES[name]
    if "" in splits:
        file = tmp_path / str(load_benchmark(name).dataset_path)
        file.write_text("".join(json.dumps(one) + "\n" for one in splits[""]), encoding="utf-8")
        if file.suffix == ".json":
            file.write_text(json.dumps(splits[""]), encoding="utf-8")
        (tmp_path / "0.png").write_bytes(png())
        changes = {"dataset_path": str(file)} | changes

    def load_dataset(path: str, config: str | None, split: str, **_: Any) -> Any:
        if name == "mmmu-open" and config != "Math":
            records = [record | {"question_type": "multiple-choice"} for record in splits[split]]
        elif name == "mathcanvas-bench" and config != "Algebra":
            records = [splits[split][1]]
        else:
            records = splits[split]
        features = {
            key: (
                datasets.Image()
                if key.startswith("image_") and key[-1].isdigit()
                else feature(value)
            )
            for key, value in records[0].items()
        }
        return datasets.Dataset.from_list(records, features=datasets.Features(features))

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return load_problems(load_benchmark(name, changes), tmp_path / "kept")


def test_every_shipped_benchmark_has_its_case() -> None:
    assert {*CASES, *DRAWN} == set(shipped_names())


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_benchmarks_are_valid(name: str) -> None:
    shipped = load_benchmark(name)
    assert shipped.name == name
    assert shipped.description
    assert name in DRAWN or shipped.unverified


@pytest.mark.parametrize("name", CASES)
def test_a_shipped_benchmark_reads_its_columns(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = load(name, tmp_path, monkeypatch).problems
    assert [(p.problem_id, p.answer) for p in found] == CASES[name][1]
    assert [p.error for p in found] == [None] * len(found)
    text_only = name in ("math500", "aime24")
    assert all(bool(p.pictures) != text_only for p in found)
    shipped = load_benchmark(name)
    inside = shipped.options.shown == "question"
    for problem in found:
        assert (
            left_out(problem, shipped.worded(), shipped.images, options_in_question=inside) is None
        )
    turns = messages(found[0], shipped.worded(), shipped.images)
    assert json.loads(PROMPTS.read_text())[name] == rendered(turns)


@pytest.mark.parametrize("name", DRAWN)
def test_a_benchmark_that_is_drawn_has_its_prompt(name: str, tmp_path: Path) -> None:
    found = load_problems(load_benchmark(name, {"procedural": {"count": 16}}), tmp_path).problems
    assert [p.error for p in found] == [None] * len(found)
    assert len(found) >= 8
    assert all(len(p.pictures) == 1 for p in found)
    shipped = load_benchmark(name)
    turns = messages(found[0], shipped.worded(), shipped.images)
    assert json.loads(PROMPTS.read_text())[name] == rendered(turns)


def rendered(turns: list[Message]) -> list[str]:
    """Turns as lines: who speaks, and what, pictures by a word."""
    lines = []
    for turn in turns:
        content = turn["content"]
        parts = [{"text": content}] if isinstance(content, str) else content
        said = "".join(part.get("text", "[picture]") for part in parts)
        lines.append(f"{turn['role']}: {said}")
    return lines


@pytest.mark.parametrize(
    ("name", "grading"),
    [
        ("mathvision-testmini", Grading("decimals", decimals=2)),
        ("mathvista-testmini", Grading("decimals", decimals=1)),
        ("chartqa", Grading("relative", tolerance=0.05)),
        ("dynamath", Grading("absolute", tolerance=0.001)),
        ("mmmu-open", Grading(alternatives=("eight",))),
        ("we-math", Grading(letters="one", chance=0.25)),
        ("logicvista", Grading(letters="one", chance=1 / 3)),
        ("aime24", Grading(chance=0.001)),
        ("measurebench", Grading("absolute", tolerance=0.1)),
    ],
)
def test_the_grading_that_a_shipped_benchmark_declares(
    name: str, grading: Grading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(name, tmp_path, monkeypatch).problems[0].grading == grading


def test_olympiadbench_types_its_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load("olympiadbench", tmp_path, monkeypatch).problems
    assert [p.answer_type for p in found] == ["expression", "float", "list"]
    assert [p.grading.tolerance for p in found] == [0.0, 0.01, 0.0]


def test_olympiadbenchs_pictures_stand_in_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = load("olympiadbench", tmp_path, monkeypatch).problems
    shipped = load_benchmark("olympiadbench")
    for problem in found:
        (picture,) = problem.pictures
        *_, user = messages(problem, shipped.worded(), shipped.images)
        parts = [part.get("image", part.get("text")) for part in user["content"]]
        assert parts[:2] == ["See ", picture]


def test_we_maths_options_have_no_letters_and_its_steps_are_one_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (problem,) = load("we-math", tmp_path, monkeypatch).problems
    assert problem.choices == ("1", "2", "3", "4")
    cluster = load_benchmark("we-math").cluster
    assert cluster is not None
    assert problem.metadata[cluster] == "x"


def test_mmmus_pictures_stand_in_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (problem,) = load("mmmu-open", tmp_path, monkeypatch).problems
    shipped = load_benchmark("mmmu-open")
    first, second = problem.pictures
    *_, user = messages(problem, shipped.worded(), shipped.images)
    assert [part.get("image", part.get("text")) for part in user["content"]] == [
        "Compare ",
        second,
        " and ",
        first,
        ".",
    ]


# -------------------------------------------------------------------------- against the real data


def real_mathvision(tmp_path: Path, **changes: Any) -> LoadedBenchmark:
    local = {
        "dataset_path": str(DATA / "mathvision_testmini" / "testmini.jsonl"),
        "fields": {"image": "image"},
    }
    return load_problems(load_benchmark("mathvision-testmini", local | changes), tmp_path)


@pytest.mark.data
def test_mathvision_testmini_is_114_problems_with_pictures(tmp_path: Path) -> None:
    found = real_mathvision(tmp_path)
    assert [(s.step, s.before, s.after) for s in found.filter_log] == [
        ("multiple_choice: drop", 304, 114)
    ]
    assert all(p.error is None and len(p.pictures) == 1 for p in found.problems)
    assert Counter(p.metadata["level"] for p in found.problems) == {
        1: 23,
        2: 36,
        3: 17,
        4: 12,
        5: 26,
    }
    assert sum(p.answer.replace(".", "", 1).lstrip("-").isdigit() for p in found.problems) == 112


@pytest.mark.data
def test_no_mark_of_a_picture_is_left_in_mathvisions_prompts(tmp_path: Path) -> None:
    shipped = load_benchmark("mathvision-testmini")
    for problem in real_mathvision(tmp_path).problems:
        *_, user = messages(problem, shipped.worded(), shipped.images)
        assert [part["type"] for part in user["content"]] == ["image", "text"]
        assert "<image" not in user["content"][1]["text"]


@pytest.mark.data
def test_mathvision_testmini_has_no_duplicates(tmp_path: Path) -> None:
    found = real_mathvision(
        tmp_path, filters=[{"missing_image": "drop"}, {"duplicates": "drop"}, {"match": MARKED}]
    )
    assert [(s.before, s.after) for s in found.filter_log] == [(304, 304), (304, 304), (304, 303)]


MARKED = {"field": "question", "pattern": r"<image\d+>"}  # one multiple-choice item has no mark


@pytest.mark.data
def test_mathvista_testmini_is_460_problems(tmp_path: Path) -> None:
    local = {
        "dataset_path": str(DATA / "mathvista_testmini" / "testmini.json"),
        "fields": {"image": None},
    }
    found = load_problems(load_benchmark("mathvista-testmini", local), tmp_path)
    assert [(s.before, s.after) for s in found.filter_log] == [(1000, 460)]
    assert Counter(p.answer_type for p in found.problems) == {
        "integer": 418,
        "float": 40,
        "list": 2,
    }
    assert Counter(p.grading.decimals for p in found.problems if p.answer_type == "float") == {
        1: 20,
        2: 20,
    }
    assert [p.problem_id for p in found.problems if p.answer_type == "list"] == ["225", "506"]
    assert Counter(p.unit for p in found.problems) == {None: 410, "years": 49, "g": 1}
    english = local | {"filters": [{"multiple_choice": "drop"}, {"language": "English"}]}
    left = load_problems(load_benchmark("mathvista-testmini", english), tmp_path)
    assert left.filter_log[1].after == 458


@pytest.mark.data
def test_all_of_mathvista_is_kept_where_multiple_choice_is(tmp_path: Path) -> None:
    local = {
        "dataset_path": str(DATA / "mathvista_testmini" / "testmini.json"),
        "fields": {"image": None},
        "filters": [{"multiple_choice": "keep"}],
        "prompt": "mathvista-query",
    }
    config = load_benchmark("mathvista-testmini", local)
    found = load_problems(config, tmp_path).problems
    assert Counter(len(p.choices) for p in found) == {
        2: 185,
        3: 18,
        4: 273,
        5: 51,
        6: 9,
        7: 3,
        8: 1,
    }
    for problem in found:
        (user,) = messages(problem, config.worded(), config.images)
        assert f"({'ABCDEFGH'[len(problem.choices) - 1]}) " in json.dumps(user)


@pytest.mark.parametrize("name", shipped_names())
def test_a_manifest_gives_it_back(name: str) -> None:
    benchmark = load_benchmark(name)
    again = BenchmarkConfig.model_validate(json.loads(benchmark.model_dump_json()))
    assert [step.step for step in again.filters] == [step.step for step in benchmark.filters]
    assert again.model_dump() == benchmark.model_dump()
