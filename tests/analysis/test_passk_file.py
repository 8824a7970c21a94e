"""`vlm-boundary passk` on tables that anyone might bring."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from scipy import stats

from vlm_boundary.analysis.table_file import read_table_file
from vlm_boundary.cli import cli

Row = dict[str, Any]


def write(path: Path, rows: list[Row]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["passk", *map(str, arguments)])
    return done.exit_code, done.output


def rows_of(counts: dict[str, dict[str, tuple[int, int]]]) -> list[Row]:
    return [
        {"model": model, "problem_id": problem, "correct": place < c, "text": "ignored"}
        for model, problems in counts.items()
        for problem, (c, n) in problems.items()
        for place in range(n)
    ]


COUNTS = {
    "qwen": {"a": (1, 4), "b": (2, 4), "c": (0, 4), "d": (3, 4), "only": (1, 4)},
    "qwen-rl": {"a": (4, 4), "b": (4, 4), "c": (1, 4), "d": (0, 4)},
}


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_every_format_gives_the_same(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"table{suffix}", rows_of(COUNTS))
    out = tmp_path / "out.json"
    code, text = call(path, "--base", "qwen", "--rl", "qwen-rl", "--json", out)
    assert code == 0, text
    content = json.loads(out.read_text())
    curve = content["models"]["qwen"]["pass_at_k"]
    assert list(map(int, curve)) != []
    assert sorted(map(int, curve)) == [1, 2, 3, 4]
    assert curve["1"]["estimate"] == pytest.approx((1 + 2 + 0 + 3 + 1) / 20)
    # pass@2 of 0, 1, 2, 3 correct of 4: 0, 1/2, 5/6, 1.
    assert curve["2"]["estimate"] == pytest.approx((1 / 2 + 5 / 6 + 0 + 1 + 1 / 2) / 5)
    differences = np.array([3 / 4, 2 / 4, 1 / 4, -3 / 4])
    t = stats.ttest_1samp(differences, 0).confidence_interval()
    entry = content["difference"]["1"]
    assert entry["estimate"] == pytest.approx(differences.mean())
    assert entry["low"] == pytest.approx(max(t.low, -1))
    assert entry["high"] == pytest.approx(min(t.high, 1))
    assert entry["problems"] == 4
    assert content["solved"] == {"both": 2, "base_only": 1, "rl_only": 1, "neither": 0}
    assert content["solved_problems"]["base_only"] == ["d"]
    assert content["crossover_k"]["status"] == "not_resolved"
    assert set(content["crossover_k"]) >= {"estimate", "low", "high", "status"}
    assert "1 of qwen left out" in text
    assert "One model has more samples" not in text
    assert "both 2, base only 1, RL only 1, neither 0" in text


def test_problems_with_fewer_samples_are_left_out_of_that_k_alone(tmp_path: Path) -> None:
    counts = {
        "b": {"x": (1, 4), "y": (1, 2), "z": (0, 4)},
        "r": {"x": (2, 4), "y": (2, 2), "z": (1, 3)},
    }
    out = tmp_path / "out.json"
    path = write(tmp_path / "t.jsonl", rows_of(counts))
    code, text = call(path, "--base", "b", "--rl", "r", "--json", out)
    assert code == 0
    assert "One model has more samples of 1 of these problems" in text
    difference = json.loads(out.read_text())["difference"]
    assert [difference[str(k)]["problems"] for k in (1, 2, 3, 4)] == [3, 3, 2, 1]
    assert difference["4"]["estimate"] == 0.0
    assert difference["4"]["low"] is None


@pytest.mark.parametrize(
    ("values", "right", "undecided"),
    [
        ([True, False, None], 1, 1),
        ([1, 0, 1], 2, 0),
        (["true", "False", ""], 1, 1),
        ([1.0, 0.0, float("nan")], 1, 1),
    ],
)
def test_correct_may_be_written_in_several_ways(
    tmp_path: Path, values: list[Any], right: int, undecided: int
) -> None:
    rows = [{"model": "m", "problem_id": 7, "correct": value} for value in values]
    counts = read_table_file(write(tmp_path / "t.jsonl", rows))["m"]
    assert counts.problem_ids == ("7",)
    assert (counts.correct.sum(), counts.undecided.sum()) == (right, undecided)


def test_numbers_and_words_name_the_same_problem(tmp_path: Path) -> None:
    rows = [
        {"model": "m", "problem_id": 7, "correct": 1},
        {"model": "m", "problem_id": "7", "correct": 0},
        {"model": "m", "problem_id": 7.0, "correct": True},
    ]
    counts = read_table_file(write(tmp_path / "t.jsonl", rows))["m"]
    assert (counts.problem_ids, counts.samples[0], counts.correct[0]) == (("7",), 3, 2)


GOOD = '{"model": "b", "problem_id": "x", "correct": true}\n'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.txt", GOOD, "the name must end in .jsonl, .csv, .parquet"),
        ("none.jsonl", None, "there is no such file"),
        ("t.jsonl", "", "there are no rows"),
        ("t.jsonl", GOOD + "{oops\n", "t.jsonl:2: this line is not JSON"),
        ("t.jsonl", "[" * 100_000, "this line is not JSON"),
        ("t.jsonl", "3\n", "a line must be an object"),
        ("t.jsonl", '{"model": "b", "problem_id": "x"}\n', "no field 'correct'; there are model"),
        ("t.jsonl", GOOD.replace("true", '"maybe"'), "row 1: correct is 'maybe' (str)"),
        ("t.jsonl", GOOD.replace("true", "2"), "row 1: correct is 2 (int)"),
        ("t.jsonl", GOOD.replace('"x"', "null"), "row 1: problem_id is None"),
        ("t.jsonl", GOOD.replace('"x"', '{"a": 1}'), "row 1: problem_id is"),
        ("t.jsonl", GOOD, "no model 'r'; there are b"),
        ("t.csv", "model,correct\nb,1\n", "no column problem_id; there are model, correct"),
        ("t.csv", "model,problem_id,correct\nb,x\n", "Row #2: Expected 3 columns, got 2"),
        ("t.csv", b"\xff\xfe\x00", "cannot be read as UTF-8"),
        ("t.parquet", "not parquet", "not a Parquet file"),
        (
            "t.jsonl",
            GOOD + GOOD.replace('"b"', '"r"').replace('"x"', '"y"'),
            "have no problem_id in common",
        ),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    tmp_path: Path, name: str, content: str | bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, text = call(path, "--base", "b", "--rl", "r")
    assert code == 2
    assert said in text
    assert len(text.splitlines()) == 1
    assert "Traceback" not in text


def test_one_model_is_not_compared_with_itself(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(GOOD)
    code, text = call(path, "--base", "b", "--rl", "b")
    assert code == 2
    assert "name two models" in text


def test_a_crossover_is_reported_with_its_interval(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    chance = np.where(rng.random(300) < 0.1, 0.0, rng.beta(0.35, 0.7, 300))
    odds = (chance / (1 - chance) * 4) ** 1.5 / 4
    counts = {
        model: {f"p{i}": (int(c), 64) for i, c in enumerate(rng.binomial(64, p))}
        for model, p in (("b", chance), ("r", odds / (1 + odds)))
    }
    out = tmp_path / "out.json"
    code, text = call(
        write(tmp_path / "t.csv", rows_of(counts)), "--base", "b", "--rl", "r", "--json", out
    )
    assert code == 0
    turn = json.loads(out.read_text())["crossover_k"]
    assert turn["status"] == "resolved"
    assert turn["low"] <= turn["estimate"] <= turn["high"]
    assert f"Crossover: k = {turn['estimate']} [{turn['low']}, {turn['high']}], resolved" in text
