"""A bundle by the real command, served by `python -m http.server`, in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundle_parts import SHOWS, file_server, until
from demo_parts import HOSTILE, SAMPLES, Reader, make_demo_run
from hostile_texts import HOSTILE as MORE_HOSTILE

from vlm_boundary.demo.codes import GROUPS, SHOWN, SOLVED_BY_THREE, kind
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.view import (
    SORTS,
    View,
    counts,
    listed_problems,
    settle,
    shown_samples,
    slices_of,
)
from vlm_boundary.store import RunDirectory

TITLE = 'document.querySelector(".vb-problem h2")?.innerText'
LEFT = 'document.querySelector("[data-testid=left-index]")?.innerText'
RIGHT = 'document.querySelector("[data-testid=right-index]")?.innerText'
ROWS = 'document.querySelectorAll(".vb-row").length'
RUNS_OR_LOADS = (
    "main a[href]:not([download]), iframe, main script, form, style, [onerror], [onload]"
)
PROBLEMS = 30  # more than a page of the list


class Visitor(Reader):
    """A reader of a bundle; what the browser complains of is trouble."""

    def __init__(self, browser: Any, address: str, **context: Any) -> None:
        super().__init__(browser, address, **context)
        self.page.on("console", self._hear)
        # The oldest browsers that docs/demo.md names have none of these.
        self.context.add_init_script("delete Object.groupBy; delete Map.groupBy;")

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.trouble.append(message.text[:300])

    def press(self, key: str, condition: str) -> None:
        """Press a key and wait until a JavaScript condition holds."""
        self.page.keyboard.press(key)
        until(self.page, condition)

    def open(self, query: str = "") -> Any:
        """Open the page and wait until it shows a problem."""
        self.page.goto(self.address + query)
        until(self.page, SHOWS)
        return self.page


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    run = make_demo_run(tmp_path_factory.mktemp("bundle") / "first", problems=PROBLEMS)
    run.report.mkdir()
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">{}</svg>'
    script = "<script>top.hacked = 1; window.hacked = 1</script><rect width='40' height='20'/>"
    (run.report / "curve.svg").write_text(drawn.format(script))
    return run


@pytest.fixture(scope="module")
def bundle(run: RunDirectory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _exported(run, tmp_path_factory.mktemp("served") / "bundle")


@pytest.fixture(scope="module")
def address(bundle: Path) -> Iterator[str]:
    with file_server(bundle) as found:
        yield found


@pytest.fixture
def reader(browser: Any, address: str) -> Iterator[Visitor]:
    made = Visitor(browser, address)
    yield made
    assert made.trouble == []
    assert made.outside() == []
    made.context.close()


def _exported(run: RunDirectory, folder: Path) -> Path:
    command = [sys.executable, "-m", "vlm_boundary", "demo", str(run.path), "--export", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def test_open_filter_and_walk(reader: Visitor) -> None:
    page = reader.open()
    assert f"{PROBLEMS} of {PROBLEMS} problems" in page.inner_text('[data-testid="count"]')
    assert page.evaluate(ROWS) == 25
    assert page.evaluate("document.querySelectorAll('.vb-row img').length") == 25
    assert "1 of 24" in page.inner_text("#vb-left-pane .vb-rate")
    reader.press("j", f'{TITLE} === "p1"')
    reader.press("k", f'{TITLE} === "p0"')
    reader.press("ArrowRight", f'{LEFT}?.includes("#1 ") && {RIGHT}?.includes("#1 ")')
    reader.press("w", f'{LEFT}?.includes("#2 ")')
    reader.press("o", f'{RIGHT}?.includes("#0 ")')
    page.click('[data-do="group"][data-value="left"]')
    until(page, f'{TITLE} === "p1"')
    page.click('#vb-left-pane [data-value="correct"]')
    until(page, f'{LEFT}?.includes("#1 ")')
    assert page.inner_text("#vb-left-pane mark.vb-answer") == "4"
    assert page.inner_text("#vb-left-pane mark.vb-fault") == "2 +"
    page.click('[data-do="group"][data-value="all"]')
    page.keyboard.press("/")
    page.keyboard.type("question p7")
    until(page, f'{TITLE} === "p7" && {ROWS} === 1')
    for _ in range(len("question p7")):
        page.keyboard.press("Backspace")
    until(page, f"{ROWS} === 25")
    page.click('.vb-pages [data-value="1"]')
    until(page, f"{ROWS} === {PROBLEMS - 25}")


def test_many_keys_in_a_row_are_all_counted(reader: Visitor) -> None:
    page = reader.open()
    for key in "jjjjwwpppk":
        page.keyboard.press(key)
    until(page, f'{TITLE} === "p3" && {LEFT}?.includes("#0 ")')
    page.keyboard.press("w")
    page.keyboard.press("w")
    page.keyboard.press("p")
    until(page, f'{LEFT}?.includes("#2 ") && {RIGHT}?.includes("#1 ")')


def test_a_link_brings_a_colleague_to_the_same_view(reader: Visitor, browser: Any) -> None:
    page = reader.open()
    reader.press("j", f'{TITLE} === "p1"')
    reader.press("ArrowRight", f'{LEFT}?.includes("#1 ")')
    until(page, 'location.hash.includes("left_sample=1")')
    colleague = Visitor(browser, page.url)
    there = colleague.open()
    until(there, f'{TITLE} === "p1" && {LEFT}?.includes("#1 ")')
    assert colleague.trouble == []
    colleague.context.close()
    page.go_back()
    until(page, f'{TITLE} === "p0"')
    page.goto(f"{reader.address}#problem=p2&tab=figures")
    page.wait_for_selector("#vb-panel-figures figure")
    page.click('[role="tab"][data-value="samples"]')
    until(page, f'{TITLE} === "p2"')


def test_figures_runs_and_tables(reader: Visitor, bundle: Path) -> None:
    page = reader.open()
    page.click('[role="tab"][data-value="figures"]')
    until(page, 'document.querySelector("#vb-panel-figures img")?.naturalWidth === 40')
    page.click('[role="tab"][data-value="runs"]')
    page.wait_for_selector('[data-testid="runs"]')
    page.click('[role="tab"][data-value="tables"]')
    with page.expect_download() as download:
        page.click('#vb-panel-tables a[href$="problems.parquet"]')
    kept = Path(download.value.path()).read_bytes()
    assert kept == (bundle / "tables" / "problems.parquet").read_bytes()
    assert page.evaluate("window.hacked") is None


def test_a_run_without_samples_offers_no_tables(browser: Any, tmp_path: Path) -> None:
    run = make_demo_run(tmp_path / "run", problems=2, samples=2, checked=False)
    for table in ("samples", "verdicts"):
        shutil.rmtree(run.path / table)
    with file_server(_exported(run, tmp_path / "bundle")) as address:
        reader = Visitor(browser, address)
        reader.page.goto(address)
        until(reader.page, 'document.querySelector("#vb-list .vb-row") !== null')
        assert reader.page.text_content("#vb-panel-tables") == "No samples yet, so no tables."
        assert reader.trouble == []
        reader.context.close()


def test_texts_pictures_keys_and_answers(reader: Visitor) -> None:
    page = reader.open()
    page.keyboard.press("z")
    page.wait_for_selector("#vb-overlay img")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    listed = page.inner_text("#vb-help")
    assert "next problem" in listed
    assert "label queue" not in listed
    page.keyboard.press("Escape")
    page.click('#vb-left-pane [data-do="whole"]')
    page.get_by_label("search in this text").fill("so it")
    until(page, 'document.querySelector("#vb-whole [role=status]").innerText === "1 of 1"')
    page.keyboard.press("Escape")
    page.click('#vb-left-pane [data-do="answer_own"][data-value="=4"]')
    until(page, f'{LEFT}?.includes("(1 of 1)")')
    until(page, 'location.hash.includes("left_answer=%3D4")')
    page.click('#vb-left-pane .vb-kinds [data-do="answer_left"]')
    until(page, f'{LEFT}?.includes("of {SAMPLES})")')
    page.keyboard.press("r")
    assert page.is_visible("#vb-left-pane .vb-as-written")
    assert page.inner_text("#vb-left-pane .vb-as-written") == "2 + 0 = 2 so it is \\boxed{5}"


def test_responses_are_searched_and_a_hit_leads_to_its_sample(reader: Visitor) -> None:
    page = reader.open()
    page.fill("#vb-text-search input", "2 + 3 ")
    page.keyboard.press("Enter")
    total = 2 * PROBLEMS * SAMPLES
    until(
        page,
        'document.querySelector("[data-testid=hits]")?.innerText.startsWith('
        f'"{2 * SAMPLES} of {total:,} responses hold it")',
    )
    page.click('.vb-hit[data-side="right"][data-value="7 p3"]')
    until(page, f'{TITLE} === "p3" && {RIGHT}?.includes("#7 ")')
    assert page.evaluate('[...CSS.highlights.get("vb-searched")].map(String)') == ["2 + 3 "] * 4


def test_lists_groups_and_kinds_are_the_demos(reader: Visitor, run: RunDirectory) -> None:
    page = reader.open()
    index = RunIndex(run.path)
    first = settle(View(), {index.name: index})
    one, other = slices_of(index, "made")[:2]
    groups = [name for name in GROUPS if name not in SOLVED_BY_THREE]  # a bundle has two sides
    for sides in (("base", "rl"), ("rl", "rl")):
        further: list[dict[str, Any]] = [
            {}, {"at_least": 2}, {"slices": [one, other]}, {"search": "QUESTION 1"},
        ]  # fmt: skip
        for more in further:
            asked: dict[str, Any] = {
                "left": sides[0],
                "right": sides[1],
                "slices": [],
                "search": "",
                **more,
            }
            view = replace(first, **{**asked, "slices": tuple(asked["slices"])})
            wanted = {}
            for sort in SORTS:
                for group in groups:
                    found = listed_problems(replace(view, sort=sort, group=group), index)
                    wanted[f"{sort} {group}"] = found.tolist()
            usual = {"at_least": 1, **asked}
            given = {"view": usual, "sorts": list(SORTS), "groups": groups}
            assert page.evaluate(_LISTS, given) == wanted
    sizes = counts(first, index)
    assert sizes.group("luck").any()
    assert sizes.group("left").any()
    codes = np.arange(256, dtype=np.uint8)
    said = page.evaluate(_KINDS, list(SHOWN))
    for name in SHOWN:  # only what was drawn is graded, and only what was graded is right
        real = [c for c in codes.tolist() if c & 1 and (c & 2 or not c & (4 | 8))]
        expected = np.flatnonzero(kind(codes, name)).tolist()
        assert [c for c in said[name] if c in real] == [c for c in expected if c in real]
    samples = shown_samples(replace(first, show_left="wrong"), index, "left")
    page.click('#vb-left-pane [data-value="wrong"]')
    until(page, f'{LEFT}?.includes("(1 of {len(samples)})")')


_LISTS = """async ({ view, sorts, groups }) => {
  const { listed, tallied } = await import(new URL("view.js", document.baseURI));
  const { load } = await import(new URL("data.js", document.baseURI));
  const run = await load("run"), problems = await load("benchmark-0/problems"), found = {};
  const arms = await Promise.all([view.left, view.right].map(async (name) =>
    tallied(await load(`arm-${run.partitions.findIndex((one) => one.arm === name)}/tallies`))));
  for (const sort of sorts) for (const group of groups) {
    found[`${sort} ${group}`] = listed({ ...view, sort, group }, problems, arms);
  }
  return found;
}"""
_KINDS = """async (names) => {
  const { isKind } = await import(new URL("view.js", document.baseURI));
  return Object.fromEntries(names.map((name) =>
    [name, [...Array(256).keys()].filter((code) => isKind(code, name))]));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_window_needs_no_sideways_scrolling(
    browser: Any, address: str, scheme: str
) -> None:
    size = {"width": 390, "height": 844}
    reader = Visitor(browser, address, viewport=size, color_scheme=scheme)
    page = reader.open()
    for tab in ("samples", "figures", "runs", "tables"):
        page.click(f'[role="tab"][data-value="{tab}"]')
        until(page, f'document.getElementById("vb-panel-{tab}").innerText !== ""')
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert reader.trouble == []
    reader.context.close()


def test_what_is_missing_on_the_server_is_said(browser: Any, address: str) -> None:
    reader = Visitor(browser, address)
    page = reader.open()
    page.route("**/data/figures.jsonz", lambda route: route.abort())
    page.click('[role="tab"][data-value="figures"]')
    until(page, '!document.getElementById("vb-trouble").hidden')
    assert "This cannot be shown" in page.inner_text("#vb-trouble")
    page.unroute("**/data/figures.jsonz")
    page.click('[role="tab"][data-value="samples"]')
    page.click('[role="tab"][data-value="figures"]')
    page.wait_for_selector("#vb-panel-figures figure")
    assert page.is_hidden("#vb-trouble")
    reader.context.close()


def test_only_our_own_scripts_are_there(bundle: Path) -> None:
    page = (bundle / "index.html").read_text()
    scripts = re.findall(r"<script[^>]*>", page)
    assert scripts
    assert all(" src=" in one for one in scripts)
    policy = re.search(r'Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'; script-src 'self';" in policy[1]
    kinds = {path.suffix for path in bundle.rglob("*") if path.is_file()}
    harmless = {".css", ".jsonz", ".parquet", ".woff2", ".txt", ""}
    assert kinds - harmless == {".html", ".js"}
    for path in [*bundle.glob("*.js"), *bundle.glob("*.html")]:
        room = "demo" if path.name == "app.js" else "bundle"
        shipped = files(f"vlm_boundary.{room}") / "static" / path.name
        assert path.read_bytes() == shipped.read_bytes()
    for path in bundle.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(", path.read_text()
        )


def test_nothing_a_run_holds_runs_or_loads(browser: Any, tmp_path: Path) -> None:
    texts = (*HOSTILE, *MORE_HOSTILE.values(), "z" * 100_000)
    made = make_demo_run(tmp_path / "hostile", problems=len(texts), samples=2, texts=texts)
    with file_server(_exported(made, tmp_path / "bundle")) as address:
        reader = Visitor(browser, address)
        page = reader.open()
        for place in range(len(texts)):
            until(page, f'{TITLE}?.startsWith("p{place}")')
            reader.press("ArrowRight", f'{LEFT}?.includes("#1 ")')
            assert page.query_selector(RUNS_OR_LOADS) is None
            page.keyboard.press("j")
        page.fill("#vb-text-search input", "<script>window.hacked")
        page.press("#vb-text-search input", "Enter")
        page.wait_for_selector(".vb-hit mark")
        assert page.evaluate("window.hacked") is None
        assert reader.outside() == []
        assert reader.trouble == []
        page.click(".vb-hit")
        until(
            page,
            'document.querySelector("#vb-left-pane .vb-text")'
            '.innerText.includes("<script>window.hacked = 1</script>")',
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 1440
        reader.context.close()
