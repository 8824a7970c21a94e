"""Views: filters, steps, and links that bring a colleague to the same place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from demo_parts import make_demo_run

from vlm_boundary.demo.codes import rates_of
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.listing import problem_list
from vlm_boundary.demo.pane import arm_pane
from vlm_boundary.demo.view import (
    View,
    counts,
    current_sample,
    listed_problems,
    open_problem,
    settle,
    shown_samples,
    slices_of,
    step_problem,
    step_sample,
    view_of_query,
)
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, SampleWriter


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunIndex:
    return RunIndex(make_demo_run(tmp_path_factory.mktemp("view") / "run").path)


@pytest.fixture
def view(run: RunIndex) -> View:
    return settle(View(), {run.name: run})


def _listed(view: View, run: RunIndex) -> list[str]:
    return [run.problems["made"][place].problem_id for place in listed_problems(view, run)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["p0", "p1", "p2", "p3", "p4", "p5"]),
        ({"group": "both"}, ["p0", "p4"]),
        ({"group": "left"}, ["p1", "p5"]),
        ({"group": "right"}, ["p2"]),
        ({"group": "neither"}, ["p3"]),
        ({"group": "luck"}, ["p1", "p5"]),
        ({"group": "disputed"}, []),
        ({"slices": ("task: task 1",)}, ["p1", "p3", "p5"]),
        ({"slices": ("task: task 1", "level: 0", "level: 1")}, ["p1", "p3"]),
        ({"slices": ("answer type: integer",)}, ["p0", "p1", "p2", "p3", "p4", "p5"]),
        ({"search": "QUESTION 3"}, ["p3"]),
        ({"search": "nothing like it"}, []),
        ({"sort": "gap", "group": "all"}, ["p1", "p2", "p5", "p0", "p3", "p4"]),
        ({"sort": "left"}, ["p0", "p1", "p4", "p5", "p2", "p3"]),
        # Both arms' one right answer of p0 and p4 against one of p1, p2 and p5; p3 has none.
        ({"sort": "disagreement"}, ["p0", "p4", "p1", "p2", "p5", "p3"]),
        ({"sort": "length"}, ["p0", "p1", "p2", "p3", "p4", "p5"]),
        ({"sort": "unlikely"}, ["p0", "p1", "p2", "p3", "p4", "p5"]),
    ],
)
def test_filters(
    view: View, run: RunIndex, changes: dict[str, object], expected: list[str]
) -> None:
    assert _listed(replace(view, **changes), run) == expected  # type: ignore[arg-type]


def test_what_problems_can_be_filtered_by(run: RunIndex) -> None:
    assert slices_of(run, "made") == [
        "task: task 0",
        "task: task 1",
        "level: 0",
        "level: 1",
        "level: 2",
    ]


def test_steps_stop_at_the_ends(view: View, run: RunIndex) -> None:
    assert view.problem == "p0"
    assert step_problem(view, run, -1).problem == "p0"
    for expected in ("p1", "p2", "p3", "p4", "p5", "p5"):
        view = step_problem(view, run, 1)
        assert view.problem == expected
    view = step_sample(open_problem(view, "p1"), run, "both", 1)
    assert (view.left_sample, view.right_sample) == (1, 1)
    view = step_sample(replace(view, show_left="correct"), run, "left", 1)
    assert current_sample(view, run, "left") == 1
    assert current_sample(replace(view, show_right="correct"), run, "right") is None


def test_a_link_brings_back_the_same_view(view: View, run: RunIndex) -> None:
    view = replace(
        view,
        problem="p4",
        left_sample=7,
        show_right="wrong",
        group="both",
        sort="gap",
        search="a & b=c?",
        slices=("task: task 0", "level: 1"),
    )
    parsed = parse_qs(view.query().lstrip("?"))
    query = {key: values[0] for key, values in parsed.items()}
    assert settle(view_of_query(query, parsed["slice"]), {run.name: run}) == view


@pytest.mark.parametrize(
    "query",
    [
        {"run": "../other", "left": "<script>", "benchmark": "x", "problem": "p99"},
        {"left_sample": "-1", "right_sample": "9" * 30, "show_left": "'", "group": "x", "sort": ""},
    ],
)
def test_a_link_to_nothing_leads_somewhere(run: RunIndex, query: dict[str, str]) -> None:
    settled = settle(view_of_query(query, []), {run.name: run})
    assert settled.problem == "p0"
    assert (settled.left, settled.right, settled.left_sample) == ("base", "rl", 0)


def test_what_is_not_graded_is_never_counted_as_wrong(tmp_path: Path) -> None:
    made = make_demo_run(tmp_path / "grows", samples=4)
    for arm in ("base", "rl"):
        writer = SampleWriter(made.samples, Partition(arm, "made"))
        for index in range(4, 24):
            writer.add(Sample("p3", index, None, [1], "\\boxed{4}", "stop", None))
            if arm == "base":
                writer.add(Sample("p0", index, None, [1], "\\boxed{4}", "stop", None))
        writer.flush()
    run = RunIndex(made.path)
    view = settle(View(), {run.name: run})
    # p3 was solved by neither: with samples that wait for their verdict nobody knows that.
    assert _listed(replace(view, group="neither"), run) == []
    assert _listed(replace(view, group="open"), run) == ["p3"]
    assert _listed(replace(view, group="both"), run) == ["p0", "p4"]
    left = rates_of(counts(view, run).left)
    assert left[0] == 1 / 4
    pane = arm_pane(replace(view, problem="p0"), run, "left")
    assert "<b>1 of 4 graded</b> right" in pane
    assert "20 not graded yet" in pane
    assert "pass@4" in pane
    assert "pass@24" not in pane
    rows = problem_list(view, run)
    assert "1 of 4 right, 20 not graded yet" in rows
    assert "of 24 right" not in rows


def test_a_problem_is_solved_from_a_threshold_on(view: View, run: RunIndex) -> None:
    twice = settle(replace(view, at_least=2), {run.name: run})
    assert _listed(replace(twice, group="both"), run) == []
    assert len(_listed(replace(twice, group="neither"), run)) == 6
    assert settle(view_of_query({"at_least": "0"}, []), {run.name: run}).at_least == 1


def test_samples_are_filtered_by_their_answer(view: View, run: RunIndex) -> None:
    view = replace(view, problem="p1")
    assert len(shown_samples(replace(view, left_answer="=5"), run, "left")) == 23
    assert shown_samples(replace(view, left_answer="=4"), run, "left").tolist() == [1]
    assert shown_samples(replace(view, left_answer="none"), run, "left").tolist() == []
    assert open_problem(replace(view, left_answer="=4"), "p2").left_answer == ""
