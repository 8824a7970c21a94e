"""Any arm of any run, under any condition, on each side; problems matched by content."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from demo_parts import HOSTILE, make_demo_run
from hostile_texts import HOSTILE as HOSTILE_TEXTS
from required import needs

from vlm_boundary.demo.app import _PAGE, _Samples
from vlm_boundary.demo.codes import Bit, count
from vlm_boundary.demo.compare import compared_page, in_full
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.lean_gradio import gr
from vlm_boundary.demo.listing import listed_table, problem_list
from vlm_boundary.demo.pages import problem_card
from vlm_boundary.demo.pane import arm_pane
from vlm_boundary.demo.search import MOST_HITS, search_responses
from vlm_boundary.demo.sides import choices, matched, named, settled_arm
from vlm_boundary.demo.updates import state_of, stepped
from vlm_boundary.demo.view import (
    View,
    counts,
    own_arms,
    settle,
    shown_on,
    step_sample,
    unknown,
    view_of_query,
)
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import RunArm
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter
from vlm_boundary.verifier import verify

HARMLESS = {
    *("section", "header", "div", "span", "p", "b", "i", "h2", "h3", "h4", "button", "kbd", "img"),
    *("details", "summary", "mark", "pre", "code", "em", "strong", "blockquote", "hr", "br", "del"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "s", "small", "sub", "sup"),
    *("svg", "line", "text", "polyline", "circle", "title"),
}


class _Elements(HTMLParser):
    """What a page is made of: elements, attributes, and where pictures come from."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.sources: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.sources |= {value or "" for name, value in attrs if name == "src"}


def _opened(*paths: Path) -> dict[str, RunIndex]:
    runs = {path.name: RunIndex(path) for path in paths}
    for run in runs.values():
        run.beside = runs
    return runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunIndex]:
    """`second` has the problems in another order and under other ids, p1 asked otherwise."""
    folder = tmp_path_factory.mktemp("sides")
    first = make_demo_run(folder / "first", problems=4, samples=4)
    writer = SampleWriter(first.samples, Partition("rl", "made", "no_image"))
    for index in range(2):
        writer.add(Sample("p0", index, 1, [1], f"blind \\boxed{{{index}}}", "stop", None))
    writer.flush()
    verify(first)
    second = RunDirectory(folder / "second")
    problems = make_demo_run(second.path, problems=4, samples=4).read_problems("made")
    p0, p1, p2, p3 = problems
    changed = [
        replace(p3, problem_id="p0"),
        replace(p1, question="Something else?"),
        replace(p2, problem_id="p2"),
        replace(p0, problem_id="p3"),
    ]
    second.write_problems("made", tuple(changed))
    return _opened(first.path, second.path)


@pytest.fixture
def view(runs: dict[str, RunIndex]) -> View:
    asked = View(run="first", left="base", right="rl::second", third="rl:no_image")
    return settle(asked, runs)


def test_problems_are_matched_by_content_not_by_id(runs: dict[str, RunIndex]) -> None:
    found = matched(runs["first"], "made", runs["second"])
    assert found.places.tolist() == [3, -1, 2, 0]
    assert (found.matched, found.other_content, found.only_there) == (3, 1, 1)
    own = matched(runs["first"], "made", runs["first"])
    assert own.places.tolist() == [0, 1, 2, 3]


def test_a_side_shows_the_other_runs_samples_of_the_same_problem(
    view: View, runs: dict[str, RunIndex]
) -> None:
    run = runs["first"]
    # The second run's rl solves what it calls p0 and p2: the first run's p3 and p2.
    right = count(counts(view, run).right, Bit.CORRECT)
    assert right.tolist() == [0, 0, 1, 1]
    assert "called p3 in second" in arm_pane(view, run, "right")
    gone = replace(view, problem="p1")
    assert "has another content" in arm_pane(gone, run, "right")
    assert "rl (second)" in arm_pane(view, run, "right")
    assert "rl (no_image)" in arm_pane(view, run, "third")
    assert "3 of 4 problems are in second too" in problem_list(view, run)
    assert "1 have their id there, but another content" in problem_list(view, run)


def test_each_side_was_asked_in_its_own_way() -> None:
    run = RunIndex(Path(__file__).parents[2] / "demo" / "runs" / "embedded")
    view = settle(View(left="rl", right="rl:no_image", third="base"), {run.name: run})
    card = problem_card(view, run)
    assert "the prompt as rl and base saw it" in card
    blind = card.partition("the prompt as rl (no_image) saw it")[2]
    assert blind
    assert "[picture" not in blind


def test_solved_sets_of_three(view: View, runs: dict[str, RunIndex]) -> None:
    run = runs["first"]
    known = counts(view, run)
    # base solves p0 and p1; the second run's rl p2 and p3; without the picture nothing is drawn
    # but two wrong samples of p0.
    assert {one: int(known.group(one).sum()) for one in ("100", "000", "open")} == {
        "100": 1,
        "000": 0,
        "open": 3,
    }
    two = settle(replace(view, third=""), runs)
    pair = counts(two, run)
    assert [int(pair.group(one).sum()) for one in ("both", "left", "right", "neither")] == [
        0,
        1,
        2,
        0,
    ]
    assert settle(replace(view, group="both"), runs).group == "all"
    assert settle(replace(two, group="100"), runs).group == "all"
    assert stepped(view, run, "group", "100", "left").problem == "p0"


def test_what_is_compared_is_what_every_side_has_in_full(
    view: View, runs: dict[str, RunIndex]
) -> None:
    run = runs["first"]
    two = settle(replace(view, third=""), runs)
    sides = [shown_on(two, run, side) for side in ("left", "right")]
    assert in_full(sides).tolist() == [True, False, True, True]
    page = compared_page(two, run)
    assert "over the 3 problems" in page
    # base: one of 4 samples of p0 is right, none of p2 and p3; rl of second: p2 and p3.
    assert "base: pass@1 8.3%, pass@4 33.3%" in page
    assert "rl (second): pass@1 16.7%, pass@4 66.7%" in page
    three = compared_page(view, run)
    assert "over the 1 problems" in three
    assert 'data-testid="pairs"' in three


def test_links_and_what_they_cannot_name(view: View, runs: dict[str, RunIndex]) -> None:
    parsed = parse_qs(view.query().lstrip("?"))
    query = {key: values[0] for key, values in parsed.items()}
    assert settle(view_of_query(query, []), runs) == view
    assert unknown(view, view) == []
    asked = View(left="base:full:first", right="rl::gone", third="nobody")
    shown = settle(asked, runs)
    assert (shown.left, shown.right, shown.third) == ("base", "rl", "")
    assert unknown(asked, shown) == [
        "the link names a model that is not here: rl::gone",
        "the link names a model that is not here: nobody",
    ]


def test_what_can_be_picked(runs: dict[str, RunIndex]) -> None:
    run = runs["first"]
    assert [value for _, value in choices(run, "full")] == [
        "base",
        "rl",
        "rl:no_image",
        "base::second",
        "rl::second",
    ]
    assert settled_arm("rl:full:first", run, "full", "") == "rl"
    assert settled_arm("rl:gone", run, "full", "x") == "x"
    assert str(named("rl::second")) == "rl::second"


def test_a_side_without_samples_stays_among_what_can_be_picked(runs: dict[str, RunIndex]) -> None:
    needs("gradio")
    from vlm_boundary.demo.app import _Samples
    from vlm_boundary.demo.updates import pickers_for

    run = runs["first"]
    # Only rl was asked without the picture, so that no picker offers base so.
    asked = View(run="first", left="base:no_image", right="rl", third="base:no_image")
    view = settle(asked, runs)
    assert view.left == "base:no_image"
    for picker in pickers_for(view, run)[1:4]:
        assert picker.value in [value for _, value in picker.choices]
    page = _Samples(cast(Any, None), runs, None, False, False)
    emptied = page._pick(view, "first", None, "rl", None, "made", "full")[0]
    assert (emptied.left, emptied.right, emptied.third) == ("base", "rl", "")


def test_an_arm_is_compared_by_problems_that_have_all_samples_asked_for(tmp_path: Path) -> None:
    run = make_demo_run(tmp_path / "run", problems=3, samples=4)
    writer = SampleWriter(run.samples, Partition("rl", "made"))
    for index in range(4, 6):
        writer.add(Sample("p2", index, 1, [1], "so \\boxed{4}", "stop", None))
    writer.flush()
    verify(run)
    arms = {"base": RunArm(sampling={"n": 4}), "rl": RunArm(sampling={"n": 6})}
    run.write_manifest(run.read_manifest().model_copy(update={"arms": arms}))
    runs = {"run": RunIndex(run.path)}
    sides = [shown_on(settle(View(), runs), runs["run"], side) for side in ("left", "right")]
    assert in_full(sides).tolist() == [False, False, True]


def test_what_another_run_has_got_can_be_picked_without_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vlm_boundary.demo.index._REFRESH_SECONDS", 0)
    made = [make_demo_run(tmp_path / name, problems=2, samples=2) for name in ("mine", "theirs")]
    open_now = _opened(*(one.path for one in made))
    view = settle(View(run="mine"), open_now)
    page = _Samples(gr.Blocks(), open_now, None, False, True)
    before = state_of(open_now["mine"])
    assert all(one == gr.skip() for one in page._follow(view, 4, before))
    writer = SampleWriter(made[1].samples, Partition("rl", "made", "no_image"))
    writer.add(Sample("p0", 0, 1, [1], "blind", "stop", None))
    writer.flush()
    # Another run is looked at once a minute: twelve looks a minute at each would take their time.
    assert all(one == gr.skip() for one in page._follow(view, 4, before))
    monkeypatch.setattr("vlm_boundary.demo.app._OTHERS_SECONDS", 0)
    sides = page._follow(view, 4, before)[_PAGE + 1 : _PAGE + 4]
    for side in sides:
        assert ("rl (no_image, theirs)", "rl:no_image:theirs") in side.choices


@pytest.mark.parametrize(
    "error",
    [UserError("run.json: not a manifest; was it edited?"), OSError(116, "Stale file handle")],
)
def test_another_run_that_cannot_be_read_is_named_and_this_one_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("vlm_boundary.demo.index._REFRESH_SECONDS", 0)
    made = [make_demo_run(tmp_path / name, problems=2, samples=2) for name in ("theirs", "mine")]
    open_now = _opened(*(one.path for one in made))
    view = settle(View(run="mine"), open_now)
    page = _Samples(gr.Blocks(), open_now, None, False, True)
    asked = []

    def unreadable() -> None:
        asked.append("theirs")
        raise error

    def status(followed: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        *_, said, now = page._follow(view, 4, followed)
        return said, now

    monkeypatch.setattr(open_now["theirs"].directory, "read_manifest", unreadable)
    monkeypatch.setattr("vlm_boundary.demo.app._OTHERS_SECONDS", 0)
    said, now = status(state_of(open_now["mine"]))
    assert "theirs is shown as it last was" in said
    assert str(error) in said
    monkeypatch.setattr("vlm_boundary.demo.app._OTHERS_SECONDS", 60)
    writer = SampleWriter(made[1].samples, Partition("rl", "made"))
    for index in range(2, 6):
        writer.add(Sample("p0", index, 1, [1], "so 4", "stop", None))
    writer.flush()
    said, now = status(now)
    assert "theirs is shown as it last was" in said
    assert "12 samples" in said
    assert asked == ["theirs"]  # what fails is not tried at every look
    monkeypatch.undo()
    monkeypatch.setattr("vlm_boundary.demo.index._REFRESH_SECONDS", 0)
    monkeypatch.setattr("vlm_boundary.demo.app._OTHERS_SECONDS", 0)
    said, now = status(now)
    assert "theirs" not in said


def test_a_link_is_read_whole_and_what_it_filters_by_is_there(runs: dict[str, RunIndex]) -> None:
    needs("gradio")
    from vlm_boundary.demo.app import _Samples

    asked = View(run="first", slices=("task: task 1", "task: gone"))
    view = settle(asked, runs)
    assert view.slices == ("task: task 1",)
    assert unknown(asked, view) == ["the link names a filter that is not here: task: gone"]
    link = "?" + "slice=task%3A+gone&" * 200 + "slice=task%3A+task+1"
    event = SimpleNamespace(_data={"action": "link", "value": link})
    page = _Samples(cast(Any, None), runs, None, False, False)
    assert page._go(view, cast(Any, event))[0].slices == ("task: task 1",)


def test_the_other_tabs_go_by_what_is_shown(view: View, runs: dict[str, RunIndex]) -> None:
    run = runs["first"]
    assert own_arms(view, run) == ("base", "rl")
    found = list(search_responses(replace(view, text="blind"), run))[-1]
    assert {hit.side for hit in found.hits} == {"third"}
    # p3's samples of the second run are the first run's p0.
    found = list(search_responses(replace(view, text="2 + 3 = 5"), run))[-1]
    assert {(hit.side, hit.problem_id) for hit in found.hits} == {("left", "p3"), ("right", "p0")}
    names = listed_table(view, run).column_names
    assert {"base_right", "rl::second_right", "rl:no_image_right"} <= set(names)
    after = step_sample(view, run, "both", 1)
    assert (after.left_sample, after.right_sample, after.third_sample) == (1, 1, 1)


def test_hits_of_problems_that_do_not_match_take_nobodys_place(tmp_path: Path) -> None:
    first = make_demo_run(tmp_path / "first", problems=2, samples=2)
    second = make_demo_run(tmp_path / "second", problems=2, samples=2)
    writer = SampleWriter(second.samples, Partition("rl", "made"))
    for problem_id, hits in (("p0", MOST_HITS + 1), ("p1", 1)):
        for index in range(2, 2 + hits):
            writer.add(Sample(problem_id, index, 1, [1], "a needle", "stop", None))
    writer.flush()
    p0, p1 = second.read_problems("made")
    second.write_problems("made", (replace(p0, question="Something else?"), p1))
    runs = _opened(first.path, second.path)
    view = settle(View(run="first", right="rl::second", text="needle"), runs)
    found = list(search_responses(view, runs["first"]))[-1]
    assert [(hit.side, hit.problem_id) for hit in found.hits] == [("right", "p1")]


def test_nothing_hostile_gets_out_of_the_new_parts(tmp_path: Path) -> None:
    texts = (*HOSTILE, *(text[:2000] for text in HOSTILE_TEXTS.values()))
    paths = [
        make_demo_run(tmp_path / name, problems=len(texts), samples=2, texts=texts).path
        for name in ("<b>one", "two")
    ]
    runs = _opened(*paths)
    run = runs["<b>one"]
    view = settle(View(run=run.name, left="base", right="rl::two", third="base::two"), runs)
    assert view.third == "base::two"
    pages = [compared_page(view, run), problem_list(view, run)]
    for problem in run.problems["made"]:
        pages.append(problem_card(replace(view, problem=problem.problem_id), run))
        for side in ("right", "third"):
            pages.append(arm_pane(replace(view, problem=problem.problem_id), run, side))
    found = _Elements()
    found.feed("".join(pages))
    assert found.names <= HARMLESS
    assert not {name for name in found.attributes if name.startswith("on")}
    assert not found.attributes & {"href", "srcdoc", "action", "formaction", "xlink:href"}
    assert {source.partition(":")[0] for source in found.sources} == {"data"}
