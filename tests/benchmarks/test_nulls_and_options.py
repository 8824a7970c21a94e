"""What says nothing is null in every source, and options keep the letters of their columns."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.making import config, write

from vlm_boundary.benchmarks import Scan, load_benchmark
from vlm_boundary.benchmarks.lists import OptionsError, as_list, lettered, options_of
from vlm_boundary.nulls import is_null, with_nulls
from vlm_boundary.records.problem import Problem

ROW = {"id": "1", "question": "How many?", "answer": "3"}
COLUMNS = {"problem_id": "id", "question": "question", "answer": "answer"}


def problems(path: Path, **fields: Any) -> list[Problem]:
    return [c.problem for c in Scan(config(path, fields=COLUMNS | fields))]


NULLS = [None, math.nan, np.nan, np.float32("nan"), np.datetime64("NaT"), pd.NaT, Decimal("nan")]


@pytest.mark.parametrize("value", [*NULLS, "", " \n"], ids=repr)
def test_what_says_nothing_is_null(value: Any) -> None:
    assert is_null(value)


@pytest.mark.parametrize(
    "value",
    ["nan", "None", 0, 0.0, False, b"", [], {}, np.array([np.nan]), pd.Timestamp(0)],
    ids=repr,
)
def test_what_says_something_is_not(value: Any) -> None:
    assert not is_null(value)


def test_nulls_inside_lists_and_records_are_found() -> None:
    assert with_nulls({"a": [math.nan, {"b": pd.NaT}], "c": "nan"}) == {
        "a": [None, {"b": None}],
        "c": "nan",
    }


def sources(folder: Path, record: dict[str, Any]) -> dict[str, Path]:
    """One record with NaN in it in every kind of file, as pandas, numpy and json write them."""
    frame = pd.DataFrame([record])
    files: dict[str, Callable[[Path], object]] = {
        "pandas.csv": lambda path: frame.to_csv(path, index=False),
        "texts.csv": lambda path: frame.astype(str).to_csv(path, index=False),
        "texts.tsv": lambda path: frame.astype(str).to_csv(path, sep="\t", index=False),
        "json.jsonl": lambda path: path.write_text(json.dumps(record, default=str) + "\n"),
        "json.json": lambda path: path.write_text(json.dumps([record], default=str)),
        "pandas.parquet": lambda path: frame.to_parquet(path),
        "arrow.parquet": lambda path: pq.write_table(
            pa.table({k: pa.array([v]) for k, v in record.items()}), path
        ),
    }
    for name, make in files.items():
        make(folder / name)
    return {name: folder / name for name in files}


def test_nan_is_null_in_every_source(tmp_path: Path) -> None:
    """The gold was the text nan, and an answer of nan right."""
    record = ROW | {"answer": math.nan, "unit": math.nan, "choices": math.nan, "level": math.nan}
    fields = {"unit": "unit", "choices": "choices", "metadata": ["level"]}
    paths = sources(tmp_path, record)
    for name, path in paths.items():
        (problem,) = problems(path, **fields)
        assert problem.error == "no gold answer", name
        assert (problem.answer, problem.unit, problem.choices) == ("", None, ()), name
        assert problem.metadata["level"] in (None, ""), name
    whole = ROW | {"question": math.nan}
    (tmp_path / "q").mkdir()
    for name, path in sources(tmp_path / "q", whole).items():
        assert problems(path)[0].question == "", name


def test_open_questions_stay_where_others_have_options(tmp_path: Path) -> None:
    """NaN in the column of options made a question of one option, which the filter dropped."""
    records: list[dict[str, Any]] = [
        ROW | {"choices": math.nan},
        ROW | {"id": "2", "choices": "['a', 'b']"},
    ]
    pd.DataFrame(records).to_parquet(tmp_path / "d.parquet")
    changes = {"filters": [{"multiple_choice": "drop"}]}
    settings = config(tmp_path / "d.parquet", fields=COLUMNS | {"choices": "choices"}, **changes)
    assert [c.problem.problem_id for c in Scan(settings)] == ["1"]


def test_nan_is_null_in_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "hub" / "data").mkdir(parents=True)
    found = datasets.Dataset.from_list([ROW | {"answer": math.nan}])
    found.to_parquet(tmp_path / "hub" / "data" / "test-00000-of-00001.parquet")
    settings = load_benchmark("mine", {"dataset_path": str(tmp_path / "hub"), "fields": COLUMNS})
    (candidate,) = Scan(settings)
    assert candidate.problem.error == "no gold answer"


def test_a_null_stays_null_through_a_templates_filter(tmp_path: Path) -> None:
    path = write(tmp_path, "d.jsonl", [ROW | {"unit": None}, ROW | {"id": "2", "unit": math.nan}])
    found = problems(path, unit="{{ unit | trim | lower }}")
    assert [p.unit for p in found] == [None, None]


# ------------------------------------------------------------------------------- options' letters

FOUR = ["A", "B", "C", "D"]


@pytest.mark.parametrize("empty", ["", None, math.nan, "  "], ids=repr)
@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_an_empty_option_never_gives_its_letter_to_the_next(
    tmp_path: Path, empty: Any, suffix: str
) -> None:
    """With A empty, the prompt showed B's text under A, and the grading followed."""
    record = ROW | {"A": empty, "B": "Two", "C": "Three", "D": "Four"}
    (problem,) = problems(write(tmp_path, f"d{suffix}", [record]), choices=FOUR)
    assert problem.error == (
        "option A is empty and a later one is not, so that letters would shift"
    )
    assert problem.choices == ("", "Two", "Three", "Four")  # it still is a multiple-choice question


def test_empty_options_at_the_end_are_none(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        ROW | {"A": "x", "B": "y", "C": "", "D": None},
        ROW | {"id": "2"} | dict.fromkeys(FOUR, ""),
    ]
    found = problems(write(tmp_path, "d.jsonl", records), choices=FOUR)
    assert [(p.choices, p.error) for p in found] == [(("x", "y"), None), ((), None)]


def test_a_column_of_several_is_one_option_as_it_stands(tmp_path: Path) -> None:
    """`[0, 1]` in four columns became eight options."""
    record = ROW | {"A": "[0, 1]", "B": "[1, 2]", "C": "(2, 3)", "D": "['x']"}
    (problem,) = problems(write(tmp_path, "d.csv", [record]), choices=FOUR)
    assert problem.choices == ("[0, 1]", "[1, 2]", "(2, 3)", "['x']")


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("['red' 'green' 'blue']", ("red", "green", "blue")),  # numpy's, by str()
        ("['red'\n 'green']", ("red", "green")),
        ("[1 2 3]", ("1", "2", "3")),
        ("[1. 2.5]", ("1.0", "2.5")),
        (str(np.array(["a b", "it's", 'say "x"'])), ("a b", "it's", 'say "x"')),
        ("['red', 'green']", ("red", "green")),
        ('["red", "green"]', ("red", "green")),
        ('["a\\/b", "\\ud83d\\ude00"]', ("a/b", "😀")),
        ("['a', None]", ("a",)),
        ('["a", null, NaN]', ("a",)),
        ("[]", ()),
        ("", ()),
        (None, ()),
        (["x", 2, 0.5], ("x", "2", "0.5")),
        ({"A": "x", "B": "y", "C": None}, ("x", "y")),
        ({"B": "y", "A": "x"}, ("x", "y")),
    ],
    ids=repr,
)
def test_options_in_one_cell(cell: Any, options: tuple[str, ...]) -> None:
    assert lettered(options_of(cell)) == options


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("['red' 'green', 'blue']", "no list that can be read"),
        ("red; green", "no list that can be read"),
        ("[red, green]", "no list that can be read"),
        (3, "no list, but a int"),
        ({"text": ["a"], "label": ["A"]}, "a record with label, text, not a list"),
        ([{"text": "a"}], "option A is neither text nor number"),
        (["a", ["b"]], "option B is neither text nor number"),
        (["a", "", "c"], "option B is empty"),
        ([None, "b"], "option A is empty"),
        ({"B": "y"}, "option A is empty"),
        ("[nan 'b']", "option A is empty"),
    ],
    ids=repr,
)
def test_options_that_cannot_be_told_apart_are_no_options(cell: Any, says: str) -> None:
    with pytest.raises(OptionsError) as raised:
        lettered(options_of(cell))
    assert says in str(raised.value)


def test_such_options_concern_their_problem_only(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        ROW | {"choices": "red; green"},
        ROW | {"id": "2", "choices": ["a", "b"]},
    ]
    found = problems(write(tmp_path, "d.jsonl", records), choices="choices")
    assert [(p.choices, bool(p.error)) for p in found] == [((), True), (("a", "b"), False)]


def test_a_text_that_is_no_list_stands_alone() -> None:
    for text in ("[0, 1)", "a", "['a' 'b', 'c']", "[red, green]", '["\\ud83d"]'):
        assert as_list(text) == [text]
    assert as_list("[[1, 2], [3]]") == [[1, 2], [3]]


def test_a_list_of_long_texts_is_read_in_time() -> None:
    pictures = ["A" * 3_000_000, "B" * 3_000_000]
    assert as_list(str(pictures)) == pictures
    assert as_list("['" + "\\" * 200_000) == ["['" + "\\" * 200_000]


def test_csv_through_the_datasets_library_has_the_same_nulls(tmp_path: Path) -> None:
    """Which takes pandas' words for no value: NA, None, null, N/A."""
    words = ["NA", "None", "null", "N/A", "n/a", "nan", ""]
    lines = [f"{i},How many?,{word}" for i, word in enumerate(words)]
    (tmp_path / "rows.csv").write_text("id,question,answer\n" + "\n".join(lines) + "\n")
    direct = problems(tmp_path / "rows.csv")
    settings = {"dataset_path": str(tmp_path), "data_files": {"test": ["rows.csv"]}}
    found = load_benchmark("mine", settings | {"fields": COLUMNS})
    through = [candidate.problem for candidate in Scan(found)]
    assert [one.answer for one in through] == [one.answer for one in direct]
    assert [one.answer for one in direct][:5] == words[:5]
    assert [one.error is None for one in through] == [one.error is None for one in direct]
