"""Text files of records as they really are: quotes, headers, marks, doubles, compression."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.making import FIELDS, config, png, rows, write

from vlm_boundary.benchmarks import Scan, load_benchmark
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem

COLUMNS = {name: column for name, column in FIELDS.items() if name != "image"}


def problems(path: Path, **fields: Any) -> list[Problem]:
    return [c.problem for c in Scan(config(path, fields=COLUMNS | fields))]


def refused(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UserError) as raised:
        problems(path)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(("suffix", "cut"), [(".csv", ","), (".tsv", "\t")])
def test_a_quote_that_nothing_closes_is_said_with_its_line(
    tmp_path: Path, suffix: str, cut: str
) -> None:
    """It took all rows behind it into its cell, and the file was called fine."""
    lines = ["id,question,answer", "1,What?,3", '2,"How, 4', "3,Which?,5", "4,Who?,6", ""]
    said = refused(tmp_path / f"d{suffix}", "\n".join(lines).replace(",", cut))
    assert "line 3: a quote opens in this row and is never closed" in said


def test_text_behind_a_closed_quote_is_said(tmp_path: Path) -> None:
    said = refused(tmp_path / "d.csv", 'id,question,answer\n1,"a" b,3\n')
    assert "line 2: " in said


def test_quotes_as_they_should_be_are_read(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text('id,question,answer\n1,"a ""b""\nc, d",5"\n')
    (problem,) = problems(tmp_path / "d.csv")
    assert (problem.question, problem.answer) == ('a "b"\nc, d', '5"')


def test_a_header_that_says_a_name_twice_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path / "d.csv", "id,question,answer,answer\n1,?,3,4\n")
    assert "two columns are named 'answer'" in said


def test_a_parquet_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    table = pa.table([["1"], ["?"], ["3"], ["4"]], names=["id", "question", "answer", "answer"])
    pq.write_table(table, tmp_path / "d.parquet")
    with pytest.raises(UserError, match="two columns are named 'answer'"):
        problems(tmp_path / "d.parquet")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.jsonl", '{"id": "1", "question": "?", "answer": "3", "answer": "4"}\n'),
        ("d.json", '[{"id": "1", "question": "?", "answer": "3", "answer": "4"}]'),
        ("d.json", '{"answer": {"answer": "3"}, "answer": {"answer": "4"}}'),
    ],
)
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, name: str, content: str) -> None:
    assert "the key 'answer' stands twice" in refused(tmp_path / name, content)


@pytest.mark.parametrize("name", ["d.jsonl", "d.json", "d.csv", "d.tsv"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, rows())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [p.problem_id for p in problems(path)] == ["1", "2"]


@pytest.mark.parametrize("name", ["d.jsonl", "d.json", "d.csv", "d.tsv"])
def test_compressed_text_is_read_as_it_is(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, rows())
    compressed = path.with_name(f"{name}.gz")
    compressed.write_bytes(gzip.compress(path.read_bytes()))
    assert problems(compressed) == problems(path)


@pytest.mark.parametrize("name", ["d.jsonl.gz", "d.csv.gz", "d.json.gz"])
def test_damaged_compression_is_one_line(tmp_path: Path, name: str) -> None:
    many = [rows()[0] | {"id": f"{number}"} for number in range(4000)]
    path = write(tmp_path, name.removesuffix(".gz"), many)
    whole = gzip.compress(path.read_bytes())
    for content in (whole[: len(whole) // 2], b"no gzip", whole[:50] + b"\0\1\2" * 9 + whole[77:]):
        said = refused(tmp_path / name, content)
        assert name in said


def test_what_a_compressed_file_can_be_is_said(tmp_path: Path) -> None:
    assert "cannot read '.gz' files" in refused(tmp_path / "d.parquet.gz", b"")


# ------------------------------------------------------------------------------------ float golds

KINDS = [pa.float16(), pa.float32(), pa.float64(), pa.dictionary(pa.int32(), pa.float32())]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_float_gold_is_what_was_meant(tmp_path: Path, kind: pa.DataType) -> None:
    """0.1 in 32 bits was read as 0.10000000149011612, and an answer of 0.1 was wrong."""
    flat = kind.value_type if pa.types.is_dictionary(kind) else kind
    golds = pa.array([0.1, 2.5, None], type=flat)
    table = pa.table(
        {
            "id": ["1", "2", "3"],
            "question": ["?"] * 3,
            "answer": golds if flat == kind else golds.dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "d.parquet")
    found = problems(tmp_path / "d.parquet")
    assert [p.answer for p in found] == ["0.1", "2.5", ""]


def test_floats_inside_records_and_lists_too(tmp_path: Path) -> None:
    kind = pa.struct(
        [("deep", pa.list_(pa.float32())), ("by_name", pa.map_(pa.string(), pa.float32()))]
    )
    told = pa.array([{"deep": [0.1, 0.7], "by_name": [("x", 0.3)]}, None], type=kind)
    table = pa.table({"id": ["1", "2"], "question": ["?"] * 2, "answer": ["1"] * 2, "told": told})
    pq.write_table(table, tmp_path / "d.parquet")
    found = problems(tmp_path / "d.parquet", metadata=["told"])
    assert found[0].metadata["told"] == {"deep": [0.1, 0.7], "by_name": [["x", 0.3]]}
    assert found[1].metadata["told"] is None


def test_float_golds_of_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "hub" / "data").mkdir(parents=True)
    features = datasets.Features(
        {"id": datasets.Value("string"), "question": datasets.Value("string")}
        | {"answer": datasets.Value("float32"), "image": datasets.Image()}
    )
    record = {"id": "1", "question": "?", "answer": 0.1, "image": {"bytes": png(), "path": None}}
    found = datasets.Dataset.from_list([record], features=features)
    found.to_parquet(tmp_path / "hub" / "data" / "test-00000-of-00001.parquet")
    settings = load_benchmark("mine", {"dataset_path": str(tmp_path / "hub"), "fields": FIELDS})
    (candidate,) = Scan(settings)
    assert candidate.problem.answer == "0.1"


def test_json_keeps_its_numbers(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text(json.dumps(rows()[0] | {"answer": 0.1}) + "\n")
    assert problems(tmp_path / "d.jsonl")[0].answer == "0.1"


def test_a_number_with_thousands_of_digits_is_a_line_with_its_place(tmp_path: Path) -> None:
    line = '{"id": "1", "question": "How many?", "answer": ' + "9" * 5000 + "}\n"
    said = refused(tmp_path / "d.jsonl", '{"id": "0", "question": "?", "answer": 1}\n' + line)
    assert "line 2: a whole number there has too many digits" in said


def test_bytes_and_records_are_no_text(tmp_path: Path) -> None:
    """A gold answer was "b'abc'", or "{'value': 3}"."""
    golds = [b"abc", b"\xff\xfe", b""]
    table = pa.table({"id": [b"1", b"2", b"3"], "question": ["How?"] * 3, "answer": golds})
    pq.write_table(table, tmp_path / "d.parquet")
    found = problems(tmp_path / "d.parquet")
    assert [one.problem_id for one in found] == ["1", "2", "3"]
    assert [(one.answer, one.error) for one in found] == [
        ("abc", None),
        ("", "answer is neither text nor number, but bytes that are no UTF-8"),
        ("", "no gold answer"),
    ]
    record = {"id": "1", "question": "How?", "answer": {"value": 3}}
    (one,) = problems(write(tmp_path, "d.jsonl", [record]))
    assert (one.answer, one.error) == ("", "answer is neither text nor number, but a record")
