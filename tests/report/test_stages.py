"""From samples to the report: the numbers, the warnings, the same bytes every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import HandMadeRun, make_run

from vlm_boundary.analysis import analyze
from vlm_boundary.errors import UserError
from vlm_boundary.report import report
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.verifier import verify


def finish(run: HandMadeRun) -> dict[str, Any]:
    verify(run.directory)
    content = analyze(run.directory, run.experiment)
    report(run.directory, run.experiment)
    return content


def contents(run: HandMadeRun) -> dict[str, bytes]:
    """Every file that the stages after sampling write."""
    files = [p for p in run.directory.path.rglob("*") if p.is_file()]
    roots = ("verdicts", "report", "analysis.json")
    relative = {str(p.relative_to(run.directory.path)): p for p in files}
    return {name: p.read_bytes() for name, p in relative.items() if name.startswith(roots)}


def test_the_numbers_are_those_of_the_samples(run: HandMadeRun) -> None:
    mine = finish(run)["benchmarks"]["mine"]
    base, rl = mine["arms"]["base"], mine["arms"]["rl"]
    # base: 1, 1 and 0 of 4; rl: 4, 0 and 0 of 4.
    assert base["pass_at_k"]["1"]["estimate"] == pytest.approx((1 / 4 + 1 / 4 + 0) / 3)
    assert base["pass_at_k"]["2"]["estimate"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert base["pass_at_k"]["4"]["estimate"] == pytest.approx(2 / 3)
    assert rl["pass_at_k"]["1"]["estimate"] == pytest.approx(1 / 3)
    assert rl["pass_at_k"]["4"]["estimate"] == pytest.approx(1 / 3)
    (pair,) = mine["pairs"]
    assert pair["difference"]["1"]["estimate"] == pytest.approx(1 / 3 - 1 / 6)
    assert pair["difference"]["4"]["estimate"] == pytest.approx(-1 / 3)
    assert pair["solved"] == {"both": 1, "base_only": 1, "other_only": 0, "neither": 1}
    assert base["statuses"]["no_answer"] == 1
    assert rl["statuses"]["truncated"] == 1


def test_readings_and_sources_are_reported_per_arm(run: HandMadeRun) -> None:
    rl = finish(run)["benchmarks"]["mine"]["arms"]["rl"]
    assert rl["sources"]["box"] == 10
    assert rl["sources"]["statement"] == 1
    assert rl["sources"]["none"] == 1
    for k, value in rl["pass_at_k"].items():
        assert rl["pass_at_k_strict"][k]["estimate"] <= value["estimate"]
        assert value["estimate"] <= rl["pass_at_k_lenient"][k]["estimate"]
    markdown = (run.directory.report / "report.md").read_text()
    assert "where the answers stood" in markdown
    assert "| rl, k = 4 |" in markdown


def test_the_same_samples_give_the_same_bytes(run: HandMadeRun) -> None:
    finish(run)
    first = contents(run)
    assert {"analysis.json", "report/report.md", "report/index.html"} <= set(first)
    assert {"report/pass_at_k.png", "report/pass_at_k.svg"} <= set(first)
    assert verify(run.directory, force=True) == 24
    analyze(run.directory, run.experiment)
    report(run.directory, run.experiment)
    assert contents(run) == first


def test_another_run_with_the_same_samples_gives_the_same_tables(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "1"), make_run(tmp_path / "2")
    finish(one)
    finish(two)
    assert contents(one) == contents(two)


def test_second_opinions_are_stored_beside_the_verdicts(run: HandMadeRun) -> None:
    from vlm_boundary.verifier import store_opinions

    before = finish(run)
    store_opinions(run.directory)
    rows = run.directory.opinions.read(Partition("rl", "mine")).to_pylist()
    assert len(rows) == 12
    assert [row["math_verify"] for row in rows if row["problem_id"] == "p1"] == [True] * 4
    assert len(list(run.directory.opinions.root.rglob("disagreements.html"))) == 2
    assert finish(run) == before


def test_only_samples_without_a_verdict_are_graded(run: HandMadeRun) -> None:
    assert verify(run.directory) == 24
    assert verify(run.directory) == 0
    assert verify(run.directory, force=True) == 24


def test_a_changed_gold_answer_is_graded_again(run: HandMadeRun) -> None:
    from dataclasses import replace

    verify(run.directory)
    problems = run.directory.read_problems("mine")
    changed = [replace(p, answer="1") if p.problem_id == "p3" else p for p in problems]
    run.directory.write_problems("mine", tuple(changed))
    assert verify(run.directory) == 8
    rows = run.directory.verdicts.read(Partition("base", "mine")).to_pylist()
    assert all(row["correct"] for row in rows if row["problem_id"] == "p3")


def test_n_and_ks_say_which_samples_count(run: HandMadeRun) -> None:
    verify(run.directory)
    fewer = run.experiment.model_copy(
        update={"sampling": run.experiment.sampling.model_copy(update={"n": 2})}
    )
    mine = analyze(run.directory, fewer)["benchmarks"]["mine"]
    assert list(mine["arms"]["base"]["pass_at_k"]) == ["1", "2"]
    assert mine["arms"]["base"]["samples"] == 6


def test_the_page_says_what_a_reader_must_know_first(tmp_path: Path) -> None:
    made = make_run(tmp_path / "run", note="random weights")
    finish(made)
    page = (made.directory.report / "index.html").read_text()
    assert "(org/base) is random weights." in page
    assert "1 of 4 problems cannot be put to a model" in page
    assert "picture a.png does not exist" in page
    assert "multiple_choice: drop (9 → 4)" in page


def test_the_page_needs_nothing_from_outside_and_runs_nothing(run: HandMadeRun) -> None:
    import re

    finish(run)
    page = (run.directory.report / "index.html").read_text()
    assert "<script" not in page
    assert all(url.startswith("data:") for url in re.findall(r'(?:src|href)="([^"]*)"', page))


def test_names_and_reasons_are_shown_as_text(tmp_path: Path) -> None:
    from dataclasses import replace

    made = make_run(tmp_path / "run", note="<script>alert(1)</script>")
    problems = made.directory.read_problems("mine")
    problems[-1] = replace(problems[-1], error="<img src=x onerror=alert(1)>")
    made.directory.write_problems("mine", tuple(problems))
    finish(made)
    page = (made.directory.report / "index.html").read_text()
    assert "<script" not in page
    assert "<img src=x" not in page


def test_both_curves_are_in_the_figure(run: HandMadeRun) -> None:
    finish(run)
    svg = (run.directory.report / "pass_at_k.svg").read_text()
    assert svg.count("<!-- base -->") == 1
    assert svg.count("<!-- rl -->") == 1


def test_analysis_is_strict_json(run: HandMadeRun) -> None:
    finish(run)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    json.loads(run.directory.analysis.read_text(), parse_constant=refuse)


def test_stages_out_of_order_are_one_clear_line(run: HandMadeRun) -> None:
    with pytest.raises(UserError, match="sample and verify first"):
        analyze(run.directory, run.experiment)
    with pytest.raises(UserError, match="analyze"):
        report(RunDirectory(run.directory.path), run.experiment)
