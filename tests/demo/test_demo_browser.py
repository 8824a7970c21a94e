"""The demo in a real browser: what people do with it, and what a hostile run cannot do."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from demo_parts import HOSTILE, SAMPLES, Reader, make_demo_run, served
from pyarrow import csv
from required import needs

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.reasoning.people.labels import read_labels
from vlm_boundary.reasoning.people.queue import make_queue
from vlm_boundary.records.manifest import Manifest, RunBenchmark
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter

Opened = Callable[..., Reader]
TITLE = 'document.querySelector(".vb-problem h2")?.innerText'
LEFT = 'document.querySelector("[data-testid=left-index]")?.innerText'
PROGRESS = 'document.querySelector("[data-testid=progress]")?.innerText'
RIGHT = 'document.querySelector("[data-testid=right-index]")?.innerText'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    run = make_demo_run(tmp_path_factory.mktemp("demo") / "first")
    experiment = ExperimentConfig.model_validate(run.read_manifest().experiment)
    make_queue(run, experiment)
    return run


@pytest.fixture(scope="module")
def address(
    browser: Any, run: RunDirectory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    second = make_demo_run(tmp_path_factory.mktemp("demo") / "second", problems=3)
    with served(run.path, second.path) as found:
        yield found


@pytest.fixture
def reader(opened: Opened, address: str) -> Iterator[Reader]:
    made = opened(address)
    yield made
    assert made.outside() == []


def _tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_open_filter_and_walk(reader: Reader) -> None:
    page = reader.open()
    assert "6 of 6 problems" in page.inner_text('[data-testid="count"]')
    assert len(page.query_selector_all(".vb-row img")) == 6
    assert "1 of 24" in page.inner_text("#vb-left-pane .vb-rate")
    reader.press("j", f'{TITLE} === "p1"')
    reader.press("k", f'{TITLE} === "p0"')
    reader.press("ArrowRight", f'{LEFT}?.includes("#1 ") && {RIGHT}?.includes("#1 ")')
    reader.press("w", f'{LEFT}?.includes("#2 ")')
    reader.press("o", f'{RIGHT}?.includes("#0 ")')
    page.click('[data-do="group"][data-value="left"]')
    page.wait_for_function(f'{TITLE} === "p1"')
    assert "2 of 6 problems" in page.inner_text('[data-testid="count"]')
    page.click('#vb-left-pane [data-value="correct"]')
    page.wait_for_function(f'{LEFT}?.includes("#1 ")')
    assert page.inner_text("#vb-left-pane mark.vb-answer") == "4"
    assert page.inner_text("#vb-left-pane mark.vb-fault") == "2 +"
    page.click('[data-do="group"][data-value="all"]')
    page.keyboard.press("/")
    page.keyboard.type("question 3")
    page.wait_for_function(f'{TITLE} === "p3"')
    page.wait_for_function('document.querySelectorAll(".vb-row").length === 1')


def test_a_link_brings_a_colleague_to_the_same_view(reader: Reader, opened: Opened) -> None:
    page = reader.open()
    reader.press("j", f'{TITLE} === "p1"')
    reader.press("ArrowRight", f'{LEFT}?.includes("#1 ")')
    page.wait_for_function('location.search.includes("left_sample=1")')
    there = opened(page.url).open()
    there.wait_for_function(f'{TITLE} === "p1" && {LEFT}?.includes("#1 ")')
    page.go_back()
    page.wait_for_function(f'{TITLE} === "p0"')


def test_the_picture_is_enlarged_and_keys_are_listed(reader: Reader) -> None:
    page = reader.open()
    page.keyboard.press("z")
    page.wait_for_selector("#vb-overlay img")
    page.keyboard.press("j")  # what lies under the picture stays
    page.keyboard.press("Escape")
    page.wait_for_selector("#vb-overlay", state="detached")
    assert page.evaluate(TITLE) == "p0"
    page.keyboard.press("?")
    assert "next problem" in page.inner_text("#vb-help")
    assert page.get_by_role("dialog", name="Keys").is_visible()


def test_search_follows_deletion(reader: Reader) -> None:
    page = reader.open()
    page.keyboard.press("/")
    page.keyboard.type("question 3")
    page.wait_for_function('document.querySelectorAll(".vb-row").length === 1')
    for _ in range(len("question 3")):
        page.keyboard.press("Backspace")
    page.wait_for_function('document.querySelectorAll(".vb-row").length === 6')
    page.wait_for_function('!location.search.includes("search")')


def test_a_link_names_its_tab_and_what_it_cannot_find_is_said(reader: Reader) -> None:
    page = reader.page
    page.goto(f"{reader.address}?run=gone&problem=p99&tab=runs")
    page.wait_for_selector('[data-testid="runs"]')
    page.wait_for_function('location.search.endsWith("&tab=runs")')
    said = page.inner_text('[data-testid="status"]')
    assert "a run that is not here: gone" in said
    assert "a problem that is not here: p99" in said


def test_a_long_text_has_a_pane_and_a_search_of_its_own(reader: Reader) -> None:
    page = reader.open()
    page.click('#vb-left-pane [data-do="whole"]')
    page.get_by_label("search in this text").fill("so it")
    page.wait_for_function(
        'document.querySelector("#vb-whole [role=status]").innerText === "1 of 1"'
    )
    page.keyboard.press("Escape")
    page.wait_for_selector("#vb-whole", state="detached")


def test_an_answers_bar_filters_the_samples(reader: Reader) -> None:
    page = reader.open()
    page.click('#vb-left-pane [data-do="answer_left"][data-value="=4"]')
    page.wait_for_function(f'{LEFT}?.includes("(1 of 1)")')
    page.wait_for_function('location.search.includes("left_answer=%3D4")')
    page.click('#vb-left-pane .vb-kinds [data-do="answer_left"]')
    page.wait_for_function(f'{LEFT}?.includes("of 24)")')


def test_responses_are_searched_and_a_hit_leads_to_its_sample(reader: Reader) -> None:
    page = reader.open()
    page.fill("#vb-text-search input, #vb-text-search textarea", "2 + 3")
    page.keyboard.press("Enter")
    page.wait_for_selector(".vb-hit")
    page.wait_for_function(
        'document.querySelector("[data-testid=hits]").innerText.startsWith("48 of 28")'
    )
    page.click('.vb-hit[data-side="right"][data-value="7 p3"]')
    page.wait_for_function(f'{TITLE} === "p3" && {RIGHT}?.includes("#7 ")')
    page.wait_for_selector("#vb-right-pane mark.vb-found")


def test_the_filtered_list_is_exported(reader: Reader, tmp_path: Path) -> None:
    page = reader.open("?group=left")
    page.click("#vb-export")
    for kind in ("parquet", "csv"):
        with page.expect_download() as download:
            page.click(f'#vb-exported a[download$="{kind}"]')
        download.value.save_as(tmp_path / download.value.suggested_filename)
    tables = [
        pq.read_table(tmp_path / "first-made.parquet"),
        csv.read_csv(tmp_path / "first-made.csv"),
    ]
    for table in tables:
        assert table["problem_id"].to_pylist() == ["p1", "p5"]
        assert table["base_right"].to_pylist() == [1, 1]
        assert table["rl_graded"].to_pylist() == [24, 24]
    assert 'read_parquet("first-made.parquet")' in page.inner_text("#vb-exported")


def test_the_text_stands_above_the_fold(opened: Opened, address: str) -> None:
    # On the quickstart's run they begin at 573, 308 and 490 px (with a picture beside the words).
    for width, height, what, top in (
        (1440, 900, "#vb-left-pane .vb-text", 750),
        (390, 844, ".vb-problem", 400),
        (390, 844, ".vb-words", 560),
    ):
        page = opened(address, viewport={"width": width, "height": height}).open()
        page.wait_for_selector(what)
        box = page.locator(what).first.bounding_box()
        assert 0 < box["y"] < top
        if what != ".vb-problem":
            assert box["y"] + box["height"] < height
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_models_stand_below_each_other_and_labels_at_the_thumb(
    opened: Opened, address: str
) -> None:
    page = opened(address, viewport={"width": 390, "height": 844}).open()
    boxes = [page.locator(f"#vb-{side}-pane").bounding_box() for side in ("left", "right")]
    assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    assert boxes[0]["width"] > 300
    _tab(page, "Label")
    page.wait_for_selector("#vb-valid")
    for verdict in ("valid", "invalid", "unsure"):
        box = page.locator(f"#vb-{verdict}").bounding_box()
        assert box["y"] > 700
        assert box["y"] + box["height"] <= 844


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everyone_can_read_and_reach_it(opened: Opened, address: str, theme: str) -> None:
    needs("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    reader = opened(address)
    page = reader.open(f"?__theme={theme}")

    def violations() -> list[str]:
        found = axe.run(page).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]

    assert page.locator("h1").count() == 1
    stops = page.evaluate(
        "[...document.querySelectorAll('button,a,input,textarea,[tabindex]')]"
        ".filter((one) => one.tabIndex >= 0 && one.offsetParent).length"
    )
    assert stops < 50
    assert violations() == []
    page.keyboard.press("?")
    page.wait_for_selector("#vb-help")
    assert violations() == []
    page.keyboard.press("Escape")
    for tab in ("Label", "Live", "Figures", "Runs"):
        _tab(page, tab)
        if tab == "Label":
            reader.labels_as(f"reads in {theme}")
        page.wait_for_timeout(500)
        assert violations() == []


def test_no_other_origin_sends_or_reads(address: str) -> None:
    def asked(path: str, **headers: str) -> urllib.request.Request:
        return urllib.request.Request(address + path, b"{}", headers=headers)

    for origin in ("https://evil.example", "http://localhost:1", "http://127.0.0.1:1", "null"):
        for path in ("gradio_api/upload", "gradio_api/queue/join", "gradio_api/reset"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(asked(path, Origin=origin))
            assert refused.value.code == 403
        read = urllib.request.Request(f"{address}config", headers={"Origin": origin})
        with urllib.request.urlopen(read) as answer:
            names = [name.lower() for name in answer.headers]
        assert [name for name in names if name.startswith("access-control")] == []


def test_label_undo_reload_and_find_the_label(reader: Reader, run: RunDirectory) -> None:
    reader.open()
    page = reader.labels_as("anna")
    page.wait_for_function(f'{PROGRESS} === "0 of 7 read"')
    assert "base" not in page.inner_text("#vb-queue")
    assert page.query_selector("#vb-queue mark") is None
    page.evaluate("document.activeElement.blur()")
    reader.press("1", f'{PROGRESS} === "1 of 7 read"')
    # Nothing teaches the checker's policy: neither whose it was, nor what the checker says.
    assert page.inner_text('[data-testid="saved"]') == "Saved valid."
    assert page.query_selector("#vb-agreement table") is None
    page.keyboard.press("n")
    page.keyboard.type("a wrong step")
    page.keyboard.press("Escape")
    reader.press("2", f'{PROGRESS} === "2 of 7 read"')
    reader.press("3", f'{PROGRESS} === "3 of 7 read"')
    reader.press("u", f'{PROGRESS} === "2 of 7 read"')
    page.click("#vb-reveal")
    page.wait_for_selector("#vb-agreement table")
    assert page.locator('[data-testid="revealed"] tbody tr').count() == 2
    stored = read_labels(run)
    labels = [one for one in stored.labels if one.labeller == "anna"]
    assert sorted((one.verdict, one.note, one.blind, one.revealed_before) for one in labels) == [
        ("invalid", "a wrong step", True, 0),
        ("valid", "", True, 0),
    ]
    assert stored.revealed["anna"] == {one.sample for one in labels}
    reader.press("3", f'{PROGRESS} === "3 of 7 read"')
    assert page.query_selector("#vb-agreement table") is None
    assert [one.revealed_before for one in read_labels(run).labels if one.verdict == "unsure"] == [
        2
    ]
    reader.press("u", f'{PROGRESS} === "2 of 7 read"')
    page.reload()  # the link names the tab
    page.wait_for_function(f'{PROGRESS} === "2 of 7 read"')
    assert "labels" in page.inner_text('[data-testid="labels"]')


def test_keys_pressed_while_a_label_is_saved_wait_for_it(reader: Reader, run: RunDirectory) -> None:
    page = reader.page
    page.goto(f"{reader.address}?tab=label")
    reader.labels_as("quick")
    page.evaluate("document.activeElement.blur()")
    for key in "1231231":
        page.keyboard.press(key)
    page.wait_for_selector('[data-testid="queue-done"]')
    labels = [one for one in read_labels(run).labels if one.labeller == "quick"]
    labels.sort(key=lambda one: str(one.labelled_at))
    said = [one.verdict for one in labels]
    assert said == ["valid", "invalid", "unsure", "valid", "invalid", "unsure", "valid"]


def test_a_sample_is_picked_for_labelling(reader: Reader, run: RunDirectory) -> None:
    reader.open("?run=first&problem=p3")
    page = reader.labels_as("picker")
    _tab(page, "Samples")
    page.click('#vb-right-pane [data-do="label"]')
    page.wait_for_selector("#vb-queue header >> text=sample #0")
    assert "calls the answer wrong" in page.inner_text("#vb-queue")
    page.click("#vb-unsure")
    page.wait_for_selector('[data-testid="saved"]')
    [label] = [one for one in read_labels(run).labels if one.labeller == "picker"]
    assert (label.sample.problem_id, label.queue, label.blind) == ("p3", None, False)


def test_two_people_at_once(opened: Opened, address: str, run: RunDirectory) -> None:
    people = {name: opened(address) for name in ("carl", "dora")}
    for name, one in people.items():
        one.open()
        one.labels_as(name).evaluate("document.activeElement.blur()")
    for done in range(1, 8):
        for one in people.values():
            one.page.keyboard.press("1")
        for one in people.values():
            one.page.wait_for_function(
                f'(document.querySelector("[data-testid=progress]")?.innerText ?? "7 of 7 read")'
                f' === "{done} of 7 read"'
            )
    for one in people.values():
        one.page.wait_for_selector('[data-testid="queue-done"]')
    labels = read_labels(run).labels
    assert [sum(one.labeller == name for one in labels) for name in people] == [7, 7]


def test_figures_and_several_runs(reader: Reader, run: RunDirectory) -> None:
    run.report.mkdir(exist_ok=True)
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="parent.hacked=1"/>'
    (run.report / "pass_at_k.svg").write_text(svg)
    page = reader.open()
    _tab(page, "Figures")
    page.wait_for_selector("#vb-figures img")
    _tab(page, "Runs")
    page.wait_for_selector('[data-testid="runs"] tbody tr:nth-child(4)')
    assert "50.0%" not in page.inner_text('[data-testid="runs"] tbody tr:first-child')
    assert page.evaluate("window.hacked") is None


def test_a_run_in_progress_is_followed(reader: Reader, run: RunDirectory) -> None:
    page = reader.open("?run=first&problem=p2")
    assert f"of {SAMPLES}" in page.inner_text("#vb-right-pane .vb-rate")
    writer = SampleWriter(run.samples, Partition("rl", "made"))
    writer.add(Sample("p2", SAMPLES, 1, [1], "late \\boxed{4}", "stop", None))
    writer.flush()
    reader.press("ArrowRight", f'{RIGHT}?.includes("#1 ")')
    page.get_by_role("button", name="1 new samples: show").wait_for()
    # Nothing moved under what is being read, until the reader says so; the place stays then too.
    page.get_by_role("button", name="1 new samples: show").click()
    page.wait_for_function(
        'document.querySelector("#vb-right-pane .vb-rate")?.innerText.includes("1 not graded yet")'
    )
    assert page.evaluate(TITLE) == "p2"
    assert "#1 " in page.inner_text('[data-testid="right-index"]')
    page.locator(".vb-fresh").wait_for(state="hidden")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_window_needs_no_sideways_scrolling(
    opened: Opened, address: str, theme: str
) -> None:
    page = opened(address, viewport={"width": 400, "height": 800}).open(f"?__theme={theme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_nothing_a_run_holds_runs_or_loads(opened: Opened, tmp_path: Path) -> None:
    line = "z" * 100_000
    run = make_demo_run(tmp_path / "hostile", problems=len(HOSTILE) + 1, texts=(*HOSTILE, line))
    reader = opened(run.path)
    page = reader.open()
    # Every problem's texts, and on the last problem every sample's.
    for place in range(len(HOSTILE) + 1):
        page.wait_for_function(f'{TITLE}?.startsWith("p{place}")')
        page.keyboard.press("j")
    for index in range(len(HOSTILE) + 1):
        page.wait_for_function(f'{LEFT}?.includes("#{index} ")')
        page.keyboard.press("ArrowRight")
    found = page.content()
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.query_selector(".vb a, .vb iframe, .vb script, .vb form, .vb [onerror]") is None
    assert [url for url in reader.outside() if "evil" in url or url.startswith("http")] == []
    assert "&lt;" in found
    # Shown as text: the long line, and a script.
    page.goto(f"{reader.address}?problem=p0{HOSTILE[0]}")
    page.wait_for_selector(".vb-problem")
    assert "<script>window.hacked = 1</script>" in page.inner_text("#vb-card .vb-words")
    page.click(f'#vb-left-pane [data-s="{len(HOSTILE)}"]')
    page.wait_for_function(f'{LEFT}?.includes("#{len(HOSTILE)} ")')
    assert line in page.inner_text("#vb-left-pane .vb-text")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_an_empty_run_says_so(opened: Opened, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "begun")
    run.write_manifest(Manifest(experiment={"arms": {"base": {"model": "m", "role": "base"}}}))
    reader = opened(run.path)
    reader.page.goto(reader.address)
    reader.page.wait_for_selector('[data-testid="empty"]')


def test_an_empty_run_that_gets_problems_is_followed(opened: Opened, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "begun")
    arms = {role: {"model": f"org/{role}", "role": role} for role in ("base", "rl")}
    run.write_manifest(Manifest(experiment={"arms": arms}))
    reader = opened(run.path)
    page = reader.page
    page.goto(reader.address)
    page.wait_for_selector('[data-testid="empty"]')
    make_demo_run(run.path, problems=2)
    page.wait_for_function(f'{TITLE} === "p0"')
    picker = page.get_by_label("Benchmark", exact=True)
    assert picker.input_value() == "made"
    assert "1 of 24" in page.inner_text("#vb-left-pane .vb-rate")
    # Another benchmark comes while a problem is read: it can be picked, the reader stays.
    reader.press("j", f'{TITLE} === "p1"')
    run.write_problems("later", (Problem("later", "q0", "And this?", "4"),))
    loaded = {"made": RunBenchmark(), "later": RunBenchmark()}
    run.write_manifest(run.read_manifest().model_copy(update={"benchmarks": loaded}))
    picker.click()
    page.get_by_role("option", name="later").click()
    page.wait_for_function(f'{TITLE} === "q0"')


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("gradio_api/file=/etc/passwd", None),
        ("gradio_api/file={run}/manifest.json", None),
        ("gradio_api/file={run}/../second/manifest.json", None),
        ("gradio_api/file=https://example.org/a.png", None),
        ("", "evil.example"),
    ],
)
def test_no_file_is_served_and_no_other_name_answered(
    address: str, run: RunDirectory, path: str, host: str | None
) -> None:
    url = address + path.format(run=run.path)
    asked = urllib.request.Request(url, headers={"Host": host} if host else {})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked)
    assert refused.value.code in (403, 404)


def test_with_a_password_nothing_is_shown_without_it(browser: Any, run: RunDirectory) -> None:
    with served(run.path, auth=(("anna", "secret-word"),)) as address:
        asked: list[tuple[str, bytes | None]]
        asked = [(path, None) for path in ("config", "gradio_api/info", "gradio_api/heartbeat/a")]
        asked += [(f"gradio_api/{path}", b"{}") for path in ("reset", "cancel", "stream/a")]
        for path, data in asked:
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(address + path, data)
            assert refused.value.code == 401
        with Reader(browser, address) as reader:
            page = reader.sign_in("anna", "secret-word")
            page.wait_for_selector(".vb-problem")
            _tab(page, "Label")
            page.wait_for_selector('[data-testid="to-label"]')  # signed in: the name is known
