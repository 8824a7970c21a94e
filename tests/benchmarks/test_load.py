"""Benchmarks from YAML and local files: columns, filters, pictures and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.making import FIELDS, config, png, rows, write

from vlm_boundary.benchmarks import load_benchmark, load_problems
from vlm_boundary.benchmarks.lists import as_options
from vlm_boundary.errors import UserError


def test_equal_pictures_are_kept_once_and_bytes_are_pictures_too(folder: Path) -> None:
    records = [
        {"id": str(i), "question": "?", "answer": "1", "image": {"bytes": png(), "path": None}}
        for i in range(3)
    ]
    found = load_problems(config(write(folder, "d.parquet", records)), folder / "kept").problems
    assert len({p.pictures for p in found}) == 1
    assert len(list((folder / "kept").iterdir())) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not a picture", "can be decoded"),
        (png()[:60], "can be decoded"),
        (None, "does not exist"),
    ],
)
def test_an_unusable_picture_concerns_its_problem_only(
    folder: Path, content: bytes | None, reason: str
) -> None:
    if content is None:
        (folder / "pictures" / "b.png").unlink()
    else:
        (folder / "pictures" / "b.png").write_bytes(content)
    found = load_problems(config(write(folder, "d.jsonl", rows())), folder / "kept").problems
    assert found[0].error is None
    assert reason in (found[1].error or "")


def test_a_picture_path_cannot_leave_its_folder(folder: Path) -> None:
    (folder / "inner").mkdir()
    records = [rows()[0] | {"image": "../pictures/a.png"}]
    path = write(folder / "inner", "d.jsonl", records)
    (problem,) = load_problems(config(path), folder / "kept").problems
    assert "leaves" in (problem.error or "")


def test_a_decompression_bomb_is_refused(folder: Path) -> None:
    # A valid header that promises 50,000 × 50,000 pixels.
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (folder / "pictures" / "b.png").write_bytes(bomb)
    found = load_problems(config(write(folder, "d.jsonl", rows())), folder / "kept").problems
    assert "decompression bomb" in (found[1].error or "")


def test_a_nested_column_is_reached_with_a_dot(folder: Path) -> None:
    records = [rows()[0] | {"metadata": {"source": "x", "deep": {"level": 2}}}]
    fields = FIELDS | {"metadata": ["metadata.source", "metadata.deep.level"]}
    path = write(folder, "d.jsonl", records)
    (problem,) = load_problems(config(path, fields=fields), folder / "kept").problems
    assert problem.metadata == {"metadata.source": "x", "metadata.deep.level": 2}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"fields": {k: v for k, v in FIELDS.items() if k != "answer"}},
            ["fields.answer", "missing"],
        ),
        ({"fields": FIELDS | {"answer": "gold"}}, ["fields.answer", "'gold'", "question"]),
        ({"fields": FIELDS | {"anwser": "a"}}, ["fields.anwser", "'answer'", "problem_id"]),
        ({"filters": [{"multiple_choice": "drop", "first": 1}]}, ["exactly one key"]),
        ({"filters": [{"frist": 1}]}, ["frist", "first", "multiple_choice"]),
        ({"filters": [{"first": 0}]}, ["filters[0].first", "at least 1"]),
        ({"prompt": "easyr1"}, ["no prompt protocol 'easyr1'", "easyr1-paper"]),
        ({"prompt": {"user": "{{ question"}}, ["prompt", "Jinja"]),
        ({"images": {"placeholder": "<image("}}, ["images.placeholder", "regular expression"]),
        ({"images": {"min_pixels": 10, "max_pixels": 9}}, ["min_pixels is larger than max_pixels"]),
        ({"images": {"missing_columns": "skip"}}, ["needs several columns in fields.image"]),
        ({"procedural": {}}, ["either dataset_path or procedural"]),
        ({"dataset_path": "missing.jsonl"}, ["missing.jsonl", "does not exist"]),
    ],
)
def test_a_wrong_benchmark_is_one_clear_line(
    folder: Path, changes: dict[str, Any], says: list[str]
) -> None:
    path = write(folder, "d.jsonl", rows())
    with pytest.raises(UserError) as raised:
        load_problems(config(path, **changes), folder / "kept")
    assert "\n" not in str(raised.value)
    for part in says:
        assert part in str(raised.value)


def test_picture_columns_that_a_record_lacks_are_passed_over_where_that_is_said(
    folder: Path,
) -> None:
    """As OlympiadBench's, of whose up to nine columns each part of the set has fewer."""
    row = {"id": "1", "question": "?", "answer": "1", "one": "pictures/a.png", "two": None}
    records = [row, row | {"id": "2", "two": "pictures/b.png"}]
    path = write(folder, "d.parquet", records)
    several = FIELDS | {"image": ["one", "two", "three", "deep.er"]}
    with pytest.raises(UserError, match="names column 'three', which record 0 does not have"):
        load_problems(config(path, fields=several), folder / "kept")
    lacking = {"missing_columns": "skip"}
    found = load_problems(config(path, fields=several, images=lacking), folder / "kept").problems
    assert [len(p.pictures) for p in found] == [1, 2]
    none = FIELDS | {"image": ["uno", "due"]}
    with pytest.raises(UserError, match="names column 'uno', which record 0 does not have"):
        load_problems(config(path, fields=none, images=lacking), folder / "kept")


@pytest.mark.parametrize(
    ("text", "options"),
    [  # made up in the manner of We-Math's
        ("A. 1; B. 2; C. 3;", ["1", "2", "3"]),
        ("A. 45° B. 60° ;C. 120°; D. None", ["45°", "60°", "120°", "None"]),
        ("A. ①; ③;B. ②; ③;C. none", ["①; ③", "②; ③", "none"]),
        ("A. B; B. C; C. D; D. None", ["B", "C", "D", "None"]),
        ("A. A;B. B;C. C", ["A", "B", "C"]),
        ("A. To shape ;B.; B. To shape ;C.; C. No.", ["To shape ;B.", "To shape ;C.", "No."]),
        ("A. North to ;C.  ;B. West to ;C. ;C. Stay", ["North to ;C.", "West to ;C.", "Stay"]),
        ("A. Yes;  ; B. No.  ; C. Unknown", ["Yes", "No.", "Unknown"]),
        ("A. ①;B．②;C. ③", ["①", "②", "③"]),
        ("A. Yes; B. No; F. None of these", ["Yes", "No", "None of these"]),
        ("(A) one\n(B) two", ["one", "two"]),
        ("A) one B) two C: three", ["one", "two", "three"]),
        ("one; two", []),
        ("", []),
    ],
)
def test_options_in_one_text_begin_at_their_letters(text: str, options: list[str]) -> None:
    assert as_options(text) == options


def test_two_records_of_one_id_are_refused(folder: Path) -> None:
    path = write(folder, "d.jsonl", [rows()[0], rows()[0]])
    with pytest.raises(UserError, match="two records have the id '1'"):
        load_problems(config(path), folder / "kept")


def test_a_record_without_a_gold_answer_is_kept_and_marked(folder: Path) -> None:
    path = write(folder, "d.jsonl", [rows()[0] | {"answer": None}, rows()[1]])
    found = load_problems(config(path), folder / "kept").problems
    assert [p.error for p in found] == ["no gold answer", None]


@pytest.mark.parametrize(
    ("precision", "kept", "error"),
    [
        (1.0, 1, None),
        ("2", 2, None),
        (None, None, None),
        ("", None, None),
        (float("nan"), None, None),
        (-1, None, "precision -1 is not"),
        (1e12, None, "precision 1e+12 is not"),
    ],
)
def test_precision_is_a_number_of_decimals(
    folder: Path, precision: Any, kept: int | None, error: str | None
) -> None:
    path = write(folder, "d.jsonl", [rows()[0] | {"precision": precision}])
    fields = FIELDS | {"precision": "precision"}
    (problem,) = load_problems(config(path, fields=fields), folder / "kept").problems
    assert problem.precision == kept
    assert (error or "") in (problem.error or "")
    assert bool(error) == bool(problem.error)


def test_an_id_by_content_follows_the_content_alone(folder: Path) -> None:
    fields = {name: column for name, column in FIELDS.items() if name != "problem_id"}
    (folder / "pictures" / "c.png").write_bytes(png("red"))
    records = [rows()[0], rows()[0] | {"image": "pictures/b.png"}, rows()[1]]
    found = load_problems(config(write(folder, "d.jsonl", records), fields=fields), folder / "k")
    ids = [p.problem_id for p in found.problems]
    assert len(set(ids)) == 3
    again = [rows()[1], rows()[0] | {"image": "pictures/c.png"}]
    other = load_problems(config(write(folder, "e.csv", again), fields=fields), folder / "k")
    assert [p.problem_id for p in other.problems] == [ids[2], ids[0]]
    twice = config(write(folder, "f.jsonl", [rows()[0]] * 2), fields=fields)
    with pytest.raises(UserError, match="duplicates: drop"):
        load_problems(twice, folder / "k")


def test_broken_json_names_its_line(folder: Path) -> None:
    path = folder / "d.jsonl"
    path.write_text(json.dumps(rows()[0]) + "\n{\n")
    with pytest.raises(UserError, match="line 2: not JSON"):
        load_problems(config(path), folder / "kept")


def test_a_yaml_file_is_included_with_paths_beside_it(folder: Path) -> None:
    write(folder, "data.csv", rows())
    yaml = folder / "mine.yaml"
    yaml.write_text(
        "dataset_path: data.csv\n"
        "fields: {problem_id: id, question: question, answer: answer, image: image}\n"
    )
    included = load_benchmark("other", {"include": str(yaml), "filters": [{"first": 1}]})
    assert included.name == "other"
    assert len(load_problems(included, folder / "kept").problems) == 1


def test_an_unknown_benchmark_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError, match="mathvision-testmini"):
        load_benchmark("mathvision")


def test_the_procedural_benchmark_draws_its_problems(tmp_path: Path) -> None:
    drawn = load_benchmark("procedural", {"procedural": {"count": 16}})
    found = load_problems(drawn, tmp_path)
    assert found.filter_log[0].before == 16
    assert found.filter_log[0].after == len(found.problems)
    assert {p.metadata["metadata.task"] for p in found.problems} > {"angles"}
    again = load_problems(drawn, tmp_path)
    assert again == found
