"""Filters: each keeps what it says, in the order in which they are given, and counts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from benchmarks.making import FIELDS, config, png, write

from vlm_boundary.benchmarks import load_problems
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Manifest, RunArm, RunBenchmark
from vlm_boundary.records.problem import dataset_hash, grading_hash
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.store.schemas import SAMPLES, VERDICTS

EXTRA = {
    "choices": "options",
    "answer_type": "type",
    "language": "lang",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six problems; 5 is 0 once more under another id, 4 has no picture, 3's file is missing."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(png("red" if name == "a.png" else "blue"))
    (tmp_path / "copy.png").write_bytes(png("red"))
    columns = ("id", "question", "answer", "type", "lang", "image", "options", "level")
    records = [
        ("0", "How many?", "3", "integer", "English", "a.png", [], 1),
        ("1", "Which?", "B", "text", "english", "b.png", ["A", "B"], 2),
        ("2", "How long?", "2.5", "float", "persian", "b.png", [], 3),
        ("3", "Where?", "7", "integer", "english", "missing.png", [], 1),
        ("4", "Why?", "x+1", "expression", "", "", [], 2),
        ("5", "How many?", "3", "integer", "english", "copy.png", [], 3),
    ]
    rows = [dict(zip(columns, record, strict=True)) for record in records]
    return write(tmp_path, "d.jsonl", rows)


def load(data: Path, *filters: dict[str, Any]) -> Any:
    settings = config(data, fields=FIELDS | EXTRA, filters=list(filters))
    return load_problems(settings, data.parent / "kept")


@pytest.mark.parametrize(
    ("step", "kept", "wording"),
    [
        ({"multiple_choice": "drop"}, "02345", "multiple_choice: drop"),
        ({"multiple_choice": "keep"}, "1", "multiple_choice: keep"),
        ({"answer_type": ["integer", "float"]}, "0235", "answer_type: integer or float"),
        ({"answer_type": "integer"}, "035", "answer_type: integer"),
        ({"keep": {"level": [1, 2]}}, "0134", "keep: level is 1 or 2"),
        ({"keep": {"level": "1"}}, "03", "keep: level is 1"),
        ({"keep": {"level": 1, "lang": "english"}}, "3", "keep: level is 1; lang is english"),
        ({"drop": {"level": [1, 2]}}, "25", "drop: level is 1 or 2"),
        (
            {"match": {"field": "answer", "pattern": r"^\d+$"}},
            "035",
            r"match: answer ~ ^\d+$",
        ),
        (
            {"match": {"field": "question", "pattern": "How", "keep": False}},
            "134",
            "match: question ~ How (dropped)",
        ),
        (
            {"match": {"field": "{{ question }}{{ level }}", "pattern": r"\?3"}},
            "25",
            r"match: {{ question }}{{ level }} ~ \?3",
        ),
        ({"language": "English"}, "0135", "language: English"),
        ({"missing_image": "drop"}, "0125", "missing_image: drop"),
        ({"duplicates": "drop"}, "01234", "duplicates: drop"),
        ({"first": 2}, "01", "first: 2"),
        ({"ids": ["4", "1"]}, "14", "ids: 4 or 1"),
        ({"ids": [4]}, "4", "ids: 4"),
    ],
)
def test_what_a_filter_keeps(data: Path, step: dict[str, Any], kept: str, wording: str) -> None:
    found = load(data, step)
    assert "".join(p.problem_id for p in found.problems) == kept
    (log,) = found.filter_log
    assert (log.step, log.before, log.after) == (wording, 6, len(kept))


def test_filters_are_applied_in_order_and_counted(data: Path) -> None:
    found = load(data, {"multiple_choice": "drop"}, {"first": 3}, {"answer_type": "integer"})
    assert [p.problem_id for p in found.problems] == ["0", "3"]
    assert [(s.before, s.after) for s in found.filter_log] == [(6, 5), (5, 3), (3, 2)]
    other = load(data, {"answer_type": "integer"}, {"multiple_choice": "drop"}, {"first": 3})
    assert [p.problem_id for p in other.problems] == ["0", "3", "5"]


def test_nothing_left_names_the_counts(data: Path) -> None:
    with pytest.raises(UserError, match=r"no problem is left: 6 records, 0 after answer_type"):
        load(data, {"answer_type": "list"})


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"ids": ["9"]}, "no problem '9' among the 6"),
        ({"keep": {"grade": 1}}, "filters.keep names column 'grade'"),
        ({"match": {"field": "answer", "pattern": "("}}, "regular expression"),
        ({"guessable": {"run": "nowhere", "arm": "base"}}, "no verdicts on direct_answer"),
        ({"first": 0}, "at least 1"),
        ({"duplicates": "keep"}, "drop"),
    ],
)
def test_a_filter_that_cannot_work_is_said(data: Path, step: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError) as raised:
        load(data, step)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "step"), [("language", {"language": "en"}), ("choices", {"multiple_choice": "drop"})]
)
def test_a_filter_needs_its_field(data: Path, key: str, step: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"needs fields.{key}"):
        config(data, filters=[step])


def direct_answers(data: Path, path: Path, right: dict[str, tuple[int, int]]) -> Path:
    """A run with so many right answers of so many, by problem, under direct_answer."""
    rows: list[dict[str, Any]] = [
        {
            "problem_id": problem_id,
            "sample_index": index,
            "correct": index < hits,
            "status": "correct" if index < hits else "incorrect",
            "source": "box",
            "flags": [],
            "rule": "same_text",
            "grader": "g",
            "text_hash": "t",
            "gold_hash": "h",
        }
        for problem_id, (hits, total) in right.items()
        for index in range(total)
    ]
    run = RunDirectory(path)
    where = Partition("base", "mine", "direct_answer")
    kept = tuple(load(data).problems)
    mine = RunBenchmark(content=dataset_hash(kept), grading=grading_hash(kept), problems=len(kept))
    manifest = Manifest(
        experiment={"name": "direct"}, benchmarks={"mine": mine}, arms={"base": RunArm()}
    )
    run.write_manifest(manifest)
    run.write_problems("mine", kept)
    run.verdicts.append(where, pa.Table.from_pylist(rows, schema=VERDICTS))
    now = datetime.now(UTC)
    drawn = {"token_ids": [], "text": "x", "finish_reason": "stop", "written_at": now}
    keys = ({key: row[key] for key in ("problem_id", "sample_index", "text_hash")} for row in rows)
    samples = [drawn | key for key in keys]
    run.samples.append(where, pa.Table.from_pylist(samples, schema=SAMPLES))
    return path


def test_guessable_problems_are_those_hit_now_and_then(data: Path, tmp_path: Path) -> None:
    """Low but not zero is out; never and often stay (Appendix D.2 of the paper)."""
    right = {"0": (0, 100), "1": (4, 100), "2": (5, 100), "3": (1, 100), "4": (60, 100)}
    run = direct_answers(data, tmp_path / "run", right | {"5": (100, 100)})
    found = load(data, {"guessable": {"run": str(run), "arm": "base"}})
    assert "".join(p.problem_id for p in found.problems) == "0245"
    assert found.filter_log[0].step == "guessable: answered directly by base at a rate in (0, 0.05)"
    stricter = load(data, {"guessable": {"run": str(run), "arm": "base", "below": 0.02}})
    assert "".join(p.problem_id for p in stricter.problems) == "01245"


def test_a_problem_never_answered_directly_is_not_passed_over(data: Path, tmp_path: Path) -> None:
    run = direct_answers(data, tmp_path / "run", {"0": (0, 10)})
    with pytest.raises(UserError, match="no direct_answer verdict on problem '1'"):
        load(data, {"guessable": {"run": str(run), "arm": "base"}})
    assert load(data, {"first": 1}, {"guessable": {"run": str(run), "arm": "base"}})


def test_direct_answers_count_only_on_what_their_run_holds(data: Path, tmp_path: Path) -> None:
    right = {str(key): (60, 100) for key in range(6)}
    run = direct_answers(data, tmp_path / "run", right)
    step = {"guessable": {"run": str(run), "arm": "base"}}
    assert len(load(data, step).problems) == 6
    where = Partition("base", "mine", "direct_answer")
    table = RunDirectory(run).samples
    rows = table.read(where)
    other = pa.array(["u"] * 100 + ["t"] * (len(rows) - 100))
    place = rows.column_names.index("text_hash")
    table.replace(where, rows.set_column(place, rows.schema.field(place), other))
    with pytest.raises(UserError, match=r"100 verdicts in .* are on other texts than its samples"):
        load(data, step)
    table.replace(where, rows.slice(100))
    with pytest.raises(UserError, match=r"100 verdicts in .* are on other texts than its samples"):
        load(data, step)
    table.replace(where, rows)
    data.write_text(data.read_text().replace("How many?", "How few?"))
    with pytest.raises(UserError, match="problem '0' has another question or answer in"):
        load(data, step)
