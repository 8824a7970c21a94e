"""Further forms of a table of verdicts: TSV, words, a column a sample, this package's own, logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vlm_boundary.analysis.counts import Counts
from vlm_boundary.analysis.table_file import read_table_file
from vlm_boundary.cli import cli
from vlm_boundary.errors import UserError

LOGS = Path(__file__).parents[1] / "imports" / "logs"


def told(counts: Counts) -> list[tuple[str, int, int, int]]:
    columns = (counts.samples, counts.correct, counts.undecided)
    return list(zip(counts.problem_ids, *(column.tolist() for column in columns), strict=True))


def read(
    path: Path, text: str, called: dict[str, str] | None = None
) -> dict[str, list[tuple[Any, ...]]]:
    path.write_text(text)
    return {name: told(one) for name, one in read_table_file(path, None, called).counts.items()}


def test_tabs_and_words(tmp_path: Path) -> None:
    text = "model\tproblem_id\tcorrect\nb\tp\tyes\nb\tp\tNo\nb\tp\t\nb\tq\ttrue\n"
    assert read(tmp_path / "t.tsv", text) == {"b": [("p", 3, 1, 1), ("q", 1, 1, 0)]}


def test_a_column_a_sample(tmp_path: Path) -> None:
    # An empty cell is no sample; null in words is one that is undecided.
    text = "model,problem_id,s0,s1,s2\nb,p,1,0,\nb,q,1,1,1\nr,p,null,1,0\n"
    found = {"b": [("p", 2, 1, 0), ("q", 3, 3, 0)], "r": [("p", 3, 1, 1)]}
    assert read(tmp_path / "t.csv", text) == found
    lines = [
        {"model": "b", "problem_id": "p", "s0": True, "s1": False, "s2": None},
        {"model": "b", "problem_id": "q", "s0": True, "s1": True, "s2": True},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    assert read(tmp_path / "t.jsonl", text) == {"b": found["b"]}
    with pytest.raises(UserError, match=r"t\.jsonl:3: no column s2"):
        read(tmp_path / "t.jsonl", text + '{"model": "b", "problem_id": "r", "s0": 1, "s1": 1}\n')


def test_which_columns_are_samples_is_asked_where_two_sorts_could_be(tmp_path: Path) -> None:
    text = "model,problem_id,s0,s1,t0,t1\nb,p,1,0,7,8\n"
    with pytest.raises(UserError, match=r"s\*, t\* could be a sample each; say which"):
        read(tmp_path / "t.csv", text)
    assert read(tmp_path / "t.csv", text, {"correct": "s*"}) == {"b": [("p", 2, 1, 0)]}
    with pytest.raises(UserError, match="row 1: t0 is '7'"):
        read(tmp_path / "t.csv", text, {"correct": "t*"})
    with pytest.raises(UserError, match=r"no column x\*"):
        read(tmp_path / "t.csv", text, {"correct": "x*"})


def test_a_problem_twice_or_without_a_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="was in row 1 already"):
        read(tmp_path / "t.csv", "model,problem_id,s0,s1\nb,p,1,0\nb,p,1,1\n")
    with pytest.raises(UserError, match="problem q: has no sample"):
        read(tmp_path / "t.csv", "model,problem_id,s0,s1\nb,p,1,0\nb,q,,\n")


def test_its_own_table_of_problems(tmp_path: Path) -> None:
    head = "benchmark,arm,problem_id,samples,correct,undecided,strict\n"
    rows = "one,b,p,4,2,0,2\none,b,q,4,0,1,0\n"
    found = [("p", 4, 2, 0), ("q", 4, 0, 0)]
    assert read(tmp_path / "problems.csv", head + rows) == {"b": found}
    # The same id in another benchmark is another problem.
    both = read(tmp_path / "problems.csv", head + rows + "two,b,p,8,8,0,8\n")
    assert both == {"b": [("one/p", 4, 2, 0), ("one/q", 4, 0, 0), ("two/p", 8, 8, 0)]}


def passk(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["passk", *arguments], catch_exceptions=False)
    return result.exit_code, result.output


def test_logs_count_by_their_own_verdict(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arms = ("--base", "step-10", "--rl", "step-20", "--json", str(out))
    code, said = passk(str(LOGS / "verl"), *arms)
    assert code == 2
    assert "several verdicts (score, acc); say which, --correct-column" in said
    code, said = passk(str(LOGS / "verl"), *arms, "--correct-column", "acc")
    assert code == 0, said
    models = json.loads(out.read_text())["models"]
    for step in (0, 10, 20):
        rows = [json.loads(line) for line in (LOGS / "verl" / f"{step}.jsonl").open()]
        mean = sum(row["acc"] for row in rows) / len(rows)
        assert models[f"step-{step}"]["pass_at_k"]["1"]["estimate"] == pytest.approx(mean)
    code, said = passk(str(LOGS / "verl"), *arms, "--model-column", "m")
    assert code == 2
    assert "of logs only --correct-column can be said" in said


def test_logs_are_named(tmp_path: Path) -> None:
    named = [f"{arm}={LOGS / 'lm-eval' / f'org__{arm}'}" for arm in ("base", "rl")]
    code, said = passk(*named, "--base", "base", "--rl", "rl")
    assert code == 0, said
    assert "10" in said
