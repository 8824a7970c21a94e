"""The problems behind the report's numbers: as many as the number says, and by name."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pyarrow as pa
import pytest
from conftest import HandMadeRun, make_run

from vlm_boundary.analysis.findings import Findings, in_order
from vlm_boundary.analysis.shown import shown_tables
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.view import View, listed_problems, settle, unknown, view_of_query
from vlm_boundary.records.analysis import read_analysis
from vlm_boundary.report.behind import by_cell, problem_sets, undecided
from vlm_boundary.store import Partition
from vlm_boundary.verifier import verify


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> HandMadeRun:
    made = make_run(tmp_path_factory.mktemp("behind") / "run")
    verify(made.directory)
    analyze(made.directory, made.experiment)
    return made


@pytest.fixture(scope="module")
def found(run: HandMadeRun) -> Findings:
    return Findings(read_analysis(run.directory.analysis), in_order(run.experiment))


def test_every_linked_number_counts_the_problems_that_are_listed(found: Findings) -> None:
    tables = {name: table for group in shown_tables(found).values() for name, table in group}
    sets = problem_sets(found)
    counted = set()
    for one in sets:
        assert len(set(one.problem_ids)) == len(one.problem_ids) > 0
        for name, row, column in one.cells:
            if name != "family":
                counted.add(name)
                number = tables[name].rows[row][column]
                assert int(re.findall(r"\d+", number)[0]) == len(one.problem_ids)
    assert "mine-solved_sets" in counted
    assert len({one.key for one in sets}) == len(sets)
    assert set(by_cell(sets)) == {cell for one in sets for cell in one.cells}


def test_every_count_of_the_solved_sets_but_zero_is_linked(found: Findings) -> None:
    tables = {name: table for group in shown_tables(found).values() for name, table in group}
    linked = by_cell(problem_sets(found))
    for name in ("mine-solved_sets", "mine-solved_above_floor"):
        if name not in tables:
            continue
        for row, cells in enumerate(tables[name].rows):
            for column in range(1, 5):
                assert ((name, row, column) in linked) == (cells[column] != "0")


def test_the_demo_lists_what_the_report_counts(run: HandMadeRun, found: Findings) -> None:
    index = RunIndex(run.directory.path)
    runs = {index.name: index}
    for one in problem_sets(found):
        query = {key: values[0] for key, values in parse_qs(one.query[1:]).items()}
        asked = view_of_query(query, [])
        view = settle(asked, runs)
        assert unknown(asked, view) == []
        ids = [index.problems["mine"][place].problem_id for place in listed_problems(view, index)]
        assert sorted(ids) == sorted(one.problem_ids)
        assert view.problem in ids
    gone = settle(View(among="solved/mine/base/rl/nowhere"), runs)
    assert gone.among == ""
    assert unknown(replace(gone, among="x"), gone) != []


def test_undecided_samples_lead_to_their_problems_in_the_demo(tmp_path: Path) -> None:
    made = make_run(tmp_path / "run")
    verify(made.directory)
    verdicts, partition = made.directory.verdicts, Partition("base", "mine")
    rows = verdicts.read(partition).to_pylist()
    rows[0] |= {"correct": None, "status": "undecided"}
    verdicts.replace(partition, pa.Table.from_pylist(rows, schema=verdicts.schema))
    analyze(made.directory, made.experiment)
    found = Findings(read_analysis(made.directory.analysis), in_order(made.experiment))
    tables = {name: table for group in shown_tables(found).values() for name, table in group}
    [((name, row, column), query)] = undecided(found).items()
    assert (tables[name].rows[row][0], tables[name].header[column]) == ("base", "undecided")
    assert tables[name].rows[row][column] == "1"
    index = RunIndex(made.directory.path)
    asked = view_of_query({key: said[0] for key, said in parse_qs(query[1:]).items()}, [])
    view = settle(asked, {index.name: index})
    assert unknown(asked, view) == []
    listed = [index.problems["mine"][place].problem_id for place in listed_problems(view, index)]
    assert listed == [rows[0]["problem_id"]]


def test_a_run_without_statistics_has_no_sets(tmp_path: Path) -> None:
    index = RunIndex(make_run(tmp_path / "run").directory.path)
    assert settle(View(among="x"), {index.name: index}).among == ""
