"""`passk` on files with other names for columns, numbers of any size, or unequal samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vlm_boundary.analysis.table_file import read_table_file
from vlm_boundary.errors import UserError

Row = dict[str, Any]


def passk(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "from vlm_boundary.cli import cli; cli()"
    command = [sys.executable, "-c", code, "passk", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=120)


def lines(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def answers(model: str, problem: object, right: int, n: int) -> list[Row]:
    return [
        {"checkpoint": model, "task": problem, "score": int(place < right), "draw": place}
        for place in range(n)
    ]


def test_columns_are_named(tmp_path: Path) -> None:
    rows = [row for model in ("a", "b") for i in range(6) for row in answers(model, i, i % 3, 4)]
    # Columns that have a name of ours and are not meant: ignored.
    path = lines(tmp_path / "t.jsonl", [{**row, "model": "qwen", "correct": "?"} for row in rows])
    named = ("--model-column", "checkpoint", "--problem-column", "task")
    done = passk(
        path, "--base", "a", "--rl", "b", *named, "--correct-column", "score",
        "--index-column", "draw",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "a: 6 problems, 4 samples each" in done.stdout
    missing = passk(path, "--base", "a", "--rl", "b", *named, "--correct-column", "points")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "no column points; there are checkpoint, task, score, draw" in missing.stderr


def test_a_row_a_problem_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("who,what,total,hits,origin\na,1,8,3,x\nb,1,8,5,x\na,2,8,0,y\nb,2,8,1,y\n")
    called = {
        "model": "who", "problem_id": "what", "n": "total", "correct": "hits", "cluster": "origin",
    }  # fmt: skip
    table = read_table_file(path, called=called)
    assert table.counts["b"].correct.tolist() == [5, 1]
    assert table.clusters == {"1": "x", "2": "y"}


def test_problem_numbers_are_of_any_size(tmp_path: Path) -> None:
    ids = [2**53 + 1, 2**53 + 2, -(10**30), 10**400]
    rows = [
        {"model": "a", "problem_id": one, "correct": i > 1}
        for i, one in enumerate(ids)
        for _ in range(2)
    ]
    counts = read_table_file(lines(tmp_path / "t.jsonl", rows)).counts["a"]
    assert set(counts.problem_ids) == {str(one) for one in ids}


def test_numbers_that_are_no_longer_exact_are_refused(tmp_path: Path) -> None:
    ids = pa.array([float(2**53), float(2**53 + 2)], pa.float64())
    table = pa.table({"model": ["a", "a"], "problem_id": ids, "correct": [True, False]})
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(UserError, match=r"row 1: problem_id is .* it is not exact; write it as te"):
        read_table_file(tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text(
        '{"model": "a", "problem_id": ' + "9" * 5000 + ', "correct": true}\n'
    )
    with pytest.raises(UserError, match=r"t.jsonl:1: .* a number of thousands of digits"):
        read_table_file(tmp_path / "t.jsonl")


def test_no_test_compares_solved_sets_of_unequal_n(tmp_path: Path) -> None:
    rows = [
        {"model": model, "problem_id": i, "correct": model == "b" and place == 4}
        for model, n in (("a", 4), ("b", 8))
        for i in range(12)
        for place in range(n)
    ]
    done = passk(lines(tmp_path / "t.jsonl", rows), "--base", "a", "--rl", "b")
    assert done.returncode == 0, done.stderr
    assert "RL only 12" in done.stdout
    assert "McNemar" not in done.stdout
    assert "One model has more samples of 12 of these problems" in done.stdout
    assert "no test compares these counts" in done.stdout
    equal = [row for row in rows if row["model"] == "b"]
    equal += [{**row, "model": "a", "correct": False} for row in equal]
    again = passk(lines(tmp_path / "u.jsonl", equal), "--base", "a", "--rl", "b")
    assert "McNemar's exact p = 0.00049" in again.stdout
