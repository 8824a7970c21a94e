"""From samples to the report: the numbers, the warnings, the same bytes every time."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import HandMadeRun, make_run

from vlm_boundary.analysis.stage import analyze
from vlm_boundary.errors import UserError
from vlm_boundary.report import report
from vlm_boundary.report.behind import DEMO
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.verifier import verify


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> HandMadeRun:
    """A run after its last stage, for tests that only read."""
    made = make_run(tmp_path_factory.mktemp("finished") / "run")
    finish(made)
    return made


def finish(run: HandMadeRun) -> None:
    verify(run.directory)
    analyze(run.directory, run.experiment)
    report(run.directory, run.experiment)


def contents(run: HandMadeRun) -> dict[str, bytes]:
    """Every file that the stages after sampling write."""
    files = [p for p in run.directory.path.rglob("*") if p.is_file()]
    roots = ("verdicts", "report", "tables", "analysis.json")
    relative = {str(p.relative_to(run.directory.path)): p for p in files}
    return {name: p.read_bytes() for name, p in relative.items() if name.startswith(roots)}


def test_the_numbers_are_those_of_the_samples(finished: HandMadeRun) -> None:
    mine = json.loads(finished.directory.analysis.read_text())["benchmarks"]["mine"]
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


def test_no_figure_shows_markup_in_place_of_numbers(finished: HandMadeRun) -> None:
    drawn = sorted((finished.directory.report / "figures").glob("*.svg"))
    names = {path.stem for path in drawn}
    assert {"pass_at_k", "difference", "cost"} <= names
    for path in drawn:
        texts = re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"), re.DOTALL)
        assert any(text.strip("-−,.").isdecimal() for text in texts), path
        assert not [text for text in texts if "mathdefault" in text or "$" in text], path


def test_readings_and_sources_are_reported_per_arm(finished: HandMadeRun) -> None:
    rl = json.loads(finished.directory.analysis.read_text())["benchmarks"]["mine"]["arms"]["rl"]
    assert rl["sources"]["box"] == 10
    assert rl["sources"]["statement"] == 1
    assert rl["sources"]["none"] == 1
    for k, value in rl["pass_at_k"].items():
        assert rl["pass_at_k_strict"][k]["estimate"] <= value["estimate"]
        assert value["estimate"] <= rl["pass_at_k_lenient"][k]["estimate"]
    markdown = (finished.directory.report / "report.md").read_text()
    assert "where the answers stood" in markdown
    assert "| rl, k = 4 |" in markdown


def test_the_same_samples_give_the_same_bytes(run: HandMadeRun) -> None:
    finish(run)
    first = contents(run)
    assert {"analysis.json", "report/report.md", "report/index.html"} <= set(first)
    assert {f"report/figures/pass_at_k.{kind}" for kind in ("png", "svg", "pdf")} <= set(first)
    assert {f"tables/mine-pass_at_k.{kind}" for kind in ("md", "csv", "tex")} <= set(first)
    assert {"report/experiment.yaml", "tables/curves.csv"} <= set(first)
    assert verify(run.directory, force=True) == 24
    analyze(run.directory, run.experiment)
    report(run.directory, run.experiment)
    assert contents(run) == first


def test_another_run_with_the_same_samples_gives_the_same_tables(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "1"), make_run(tmp_path / "2")
    finish(one)
    finish(two)
    assert contents(one) == contents(two)


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
    mine = analyze(run.directory, fewer).as_json()["benchmarks"]["mine"]
    assert list(mine["arms"]["base"]["pass_at_k"]) == ["1", "2"]
    assert mine["arms"]["base"]["samples"] == 6


def test_the_page_says_what_a_reader_must_know_first(tmp_path: Path) -> None:
    made = make_run(tmp_path / "run", note="random weights")
    finish(made)
    page = (made.directory.report / "index.html").read_text()
    assert "(org/base): random weights." in page
    assert "1 of 4 problems cannot be put to a model" in page
    assert "picture a.png does not exist" in page
    assert "multiple_choice: drop (9 → 4)" in page


class _Page(HTMLParser):
    """What a page loads, links to, and runs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append(tag)
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href", "action")]
        assert not [key for key, _ in attrs if key.startswith("on")]
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"] or ""


def test_the_page_needs_nothing_from_outside_and_runs_only_its_own(finished: HandMadeRun) -> None:
    page = _Page((finished.directory.report / "index.html").read_text())
    links = [one for one in page.addresses if not one.startswith(("data:", "#", DEMO))]
    assert {"../tables/mine-pass_at_k.csv", "../tables/mine-solved_sets.tex"} <= set(links)
    for link in links:  # to a table of this run, which is there
        path = (finished.directory.report / link).resolve()
        assert path.parent == finished.directory.tables.resolve()
        assert path.is_file()
    assert page.tags.count("script") == 3  # the figures' data, plotly, and what calls it
    assert not {"link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert "default-src 'none'" in page.policy
    assert page.policy.count("'sha256-") == 2
    assert "unsafe-inline" not in page.policy.partition("script-src")[2]


def test_names_and_reasons_are_shown_as_text(tmp_path: Path) -> None:
    from dataclasses import replace

    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    made = make_run(tmp_path / "run", note=hostile)
    problems = [
        replace(problem, metadata={"topic": f"{hostile}{place % 2}"})
        for place, problem in enumerate(made.directory.read_problems("mine"))
    ]
    problems[-1] = replace(problems[-1], error=hostile)
    made.directory.write_problems("mine", tuple(problems))
    finish(made)
    page = _Page((made.directory.report / "index.html").read_text())
    assert page.tags.count("script") == 3
    assert "img" in page.tags  # the picture for readers without scripts, and no other
    ours = ("#", "../tables/mine-", "../tables/family.", f"{DEMO}?benchmark=mine&")
    elsewhere = [one[:11] for one in page.addresses if not one.startswith(ours)]
    assert elsewhere == ["data:image/"]
    assert "alert(1)" in (made.directory.tables / "mine-slices.csv").read_text()


def test_of_very_many_failures_the_page_lists_the_first_and_counts_the_rest(
    run: HandMadeRun,
) -> None:
    from vlm_boundary.records.problem import Problem
    from vlm_boundary.report.provenance import failures

    broken = [Problem("mine", f"p{i}", "?", "1", error="no picture") for i in range(1234)]
    run.directory.write_problems("mine", tuple(broken))
    rows = failures(run.directory, run.experiment).rows
    assert len(rows) == 201
    assert rows[-1][-1].startswith("and 1,034 more")


def test_both_curves_are_in_the_figure(finished: HandMadeRun) -> None:
    svg = (finished.directory.report / "figures" / "pass_at_k.svg").read_text()
    assert svg.count("<!-- base -->") == 1
    assert svg.count("<!-- rl -->") == 1


def test_the_settings_beside_the_page_are_the_experiment(finished: HandMadeRun) -> None:
    from vlm_boundary.config import load_experiment

    again = load_experiment(finished.directory.report / "experiment.yaml", ())
    assert again == finished.experiment.model_copy(update={"run_dir": None})


def test_the_verdict_is_the_first_thing_that_is_said(finished: HandMadeRun) -> None:
    page = (finished.directory.report / "index.html").read_text()
    assert "Whether rl is right more or less often than base is not resolved" in page
    assert page.index("not resolved") < page.index("data-panel") < page.index("<section")
    markdown = (finished.directory.report / "report.md").read_text()
    assert markdown.index("Whether rl is right") < markdown.index("figures/pass_at_k.png")


def test_analysis_is_strict_json(finished: HandMadeRun) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    json.loads(finished.directory.analysis.read_text(), parse_constant=refuse)


def test_stages_out_of_order_are_one_clear_line(run: HandMadeRun) -> None:
    with pytest.raises(UserError, match="sample and verify first"):
        analyze(run.directory, run.experiment)
    with pytest.raises(UserError, match="analyze"):
        report(RunDirectory(run.directory.path), run.experiment)
