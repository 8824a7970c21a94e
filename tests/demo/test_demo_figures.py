"""The Figures tab in a browser: drawn from the analysis, and its numbers open their problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import HandMadeRun, make_run
from demo_parts import Reader, served
from required import needs

from vlm_boundary.analysis.stage import analyze
from vlm_boundary.verifier import verify

HOSTILE = "</pre></script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
Opened = Callable[..., Reader]
ALL_DRAWN = "[...document.querySelectorAll('[data-spec]')].every((one) => one.dataset.drawn)"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> HandMadeRun:
    made = make_run(tmp_path_factory.mktemp("drawn") / "run", note=HOSTILE)
    problems = [
        replace(problem, metadata={"topic": f"{HOSTILE}{place % 2}"})
        for place, problem in enumerate(made.directory.read_problems("mine"))
    ]
    made.directory.write_problems("mine", tuple(problems))
    verify(made.directory)
    analyze(made.directory, made.experiment)
    return made


@pytest.fixture(scope="module")
def address(browser: Any, run: HandMadeRun) -> Iterator[str]:
    with served(run.directory.path) as found:
        yield found


def _drawn(page: Any) -> int:
    """Every panel, once all were scrolled to; returns how many there are."""
    page.wait_for_selector("[data-spec]")
    panels = page.locator("[data-spec]")
    for place in range(panels.count()):
        panels.nth(place).scroll_into_view_if_needed()
    page.wait_for_function(ALL_DRAWN)
    return int(panels.count())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_are_drawn_with_captions_and_tables_in_the_readers_theme(
    opened: Opened, address: str, theme: str
) -> None:
    needs("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    reader = opened(address)
    page = reader.page
    page.goto(f"{address}?__theme={theme}&tab=figures")
    assert _drawn(page) > 5
    ink = page.evaluate("getComputedStyle(document.querySelector('[data-spec] .xtick text')).fill")
    assert ink == ("rgb(230, 233, 237)" if theme == "dark" else "rgb(26, 29, 33)")
    captions = page.locator("#vb-figures figcaption").all_inner_texts()
    assert len(captions) > 3
    assert all(captions)
    assert page.locator("#vb-figures details table").count() > 5
    assert HOSTILE in page.inner_html("#vb-figures").replace("&lt;", "<").replace("&gt;", ">")
    assert page.evaluate("window.hacked") is None
    found = Axe().run(page).response["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] == []
    assert reader.outside() == []


def test_a_number_opens_the_problems_that_it_counts(opened: Opened, address: str) -> None:
    page = opened(address).page
    page.goto(f"{address}?tab=figures")
    number = page.locator(".vb-said [data-do=among_link]").first
    count = int(number.inner_text())
    number.click()
    page.wait_for_selector('#vb-list [data-testid="among"]')
    assert page.inner_text('[data-testid="count"]') == f"{count} of 4 problems"
    page.wait_for_function('location.search.includes("among=solved")')
    # The link brings a colleague to the same list; the chip takes the filter away.
    there = opened(page.url).open()
    assert there.inner_text('[data-testid="count"]') == f"{count} of 4 problems"
    there.click('[data-testid="among"] button')
    there.wait_for_function(
        "document.querySelector('[data-testid=count]').innerText === '4 of 4 problems'"
    )


def test_what_draws_is_sent_to_those_who_open_the_tab(opened: Opened, address: str) -> None:
    page = opened(address).open()
    assert page.query_selector("#vb-plotly") is None
    page.get_by_role("tab", name="Figures").click()
    page.wait_for_selector("#vb-plotly", state="attached")


def test_an_analysis_of_another_version_leaves_the_pictures(
    opened: Opened, run: HandMadeRun, tmp_path: Path
) -> None:
    from shutil import copytree

    copied = tmp_path / "old"
    copytree(run.directory.path, copied)
    (copied / "analysis.json").write_text('{"schema_version": 0}')
    (copied / "report").mkdir(exist_ok=True)
    (copied / "report" / "pass_at_k.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    reader = opened(copied)
    page = reader.page
    page.goto(f"{reader.address}?tab=figures&among=gone")
    page.wait_for_selector("#vb-figures img")
    assert "not an analysis of version" in page.inner_text("#vb-figures")
    assert "a number of the report that is not here" in page.inner_text('[data-testid="status"]')
