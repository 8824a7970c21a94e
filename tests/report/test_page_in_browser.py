"""The page in a real browser, opened from disk: it draws, asks for nothing, runs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import make_run
from required import chromium, needs

from vlm_boundary.analysis.stage import analyze
from vlm_boundary.report import report
from vlm_boundary.verifier import verify

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
        found = playwright.chromium.launch(executable_path=path, args=flags)
        yield found
        found.close()


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_run(tmp_path_factory.mktemp("run") / "run", note=HOSTILE)
    problems = [
        replace(problem, metadata={"topic": f"{HOSTILE}{place % 2}"})
        for place, problem in enumerate(made.directory.read_problems("mine"))
    ]
    problems[-1] = replace(problems[-1], error=HOSTILE)
    made.directory.write_problems("mine", tuple(problems))
    verify(made.directory)
    analyze(made.directory, made.experiment)
    return report(made.directory, made.experiment)


@pytest.mark.parametrize("settings", [
    {"viewport": {"width": 1440, "height": 900}},
    {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    {"viewport": {"width": 400, "height": 800}},
], ids=["light", "dark", "narrow"])  # fmt: skip
def test_it_draws_everything_and_asks_for_nothing(
    browser: Any, page_path: Path, settings: dict[str, Any]
) -> None:
    context = browser.new_context(offline=True, **settings)
    asked: list[str] = []
    trouble: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda line: trouble.append(line.text) if line.type == "error" else None)
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.goto(page_path.as_uri())
    places = page.locator("[data-panel]")
    for place in range(places.count()):
        places.nth(place).scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('[data-panel]')].every((one) => one.dataset.drawn)"
    )
    assert page.locator("svg.main-svg").count() >= places.count()
    assert trouble == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert HOSTILE in page.inner_text("body")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (settings.get("color_scheme") == "dark")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_everyone_can_read_and_reach_it(
    browser: Any, page_path: Path, width: int, scheme: str
) -> None:
    needs("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(
        offline=True, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    page.goto(page_path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    places = page.locator("[data-panel]")
    for place in range(places.count()):
        places.nth(place).scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('[data-panel]')].every((one) => one.dataset.drawn)"
    )
    found = Axe().run(page).response["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] == []
    context.close()


def test_what_is_folded_is_printed(browser: Any, page_path: Path) -> None:
    context = browser.new_context(offline=True, color_scheme="dark")
    page = context.new_page()
    page.goto(page_path.as_uri())
    page.emulate_media(media="print")
    assert page.locator("details:not([open])").count() > 3
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("[data-panel]:not([data-drawn])").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 3
    context.close()


def test_on_paper_nothing_is_cut_and_no_heading_stands_alone(browser: Any, page_path: Path) -> None:
    paper = {"width": 688, "height": 1000}  # A4 within the page's margins
    context = browser.new_context(offline=True, viewport=paper)
    page = context.new_page()
    page.goto(page_path.as_uri())
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    # Of a drawing its frame counts: what it holds beyond that is not shown on a screen either.
    wider = page.evaluate(
        "[...document.querySelectorAll('body *:not(svg *)')].filter((one) => "
        "one.getBoundingClientRect().right > innerWidth + 1 || (one.scrollWidth > one.clientWidth"
        " + 1 && getComputedStyle(one).overflowX !== 'visible')).map((one) => one.outerHTML)"
    )
    assert wider == []

    def styles(what: str, which: str) -> set[str]:
        found = page.locator(what)
        assert found.count() > 0
        return set(found.evaluate_all(f"(all) => all.map((one) => getComputedStyle(one).{which})"))

    assert styles("h2, h3, summary, section > h2 + p", "breakAfter") == {"avoid"}
    assert styles(".panel, tr, summary, section > h2 + p", "breakInside") == {"avoid"}
    assert styles("figcaption, .wide + .quiet", "breakBefore") == {"avoid"}
    tallest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('section')].map((one) => {"
        " const first = one.querySelector('.panel, tr');"
        " const bottom = first?.getBoundingClientRect().bottom ?? 0;"
        " return bottom - one.getBoundingClientRect().top; }))"
    )
    assert tallest < paper["height"]  # so that what is kept together has room on a page
    context.close()


def test_a_number_leads_to_the_problems_that_it_counts(browser: Any, page_path: Path) -> None:
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(page_path.as_uri())
    numbers = page.locator(".verdict .parts a")
    counted = [int(one) for one in numbers.all_inner_texts()]
    assert sum(counted) == 3
    for place, count in enumerate(counted):
        numbers.nth(place).click()
        shown = page.locator("#problems details[open] .ids").nth(place)
        shown.wait_for(state="visible")
        assert shown.locator("code").count() == count
        assert shown.evaluate("(one) => document.getElementById(one.id) === one")
    page.emulate_media(media="print")
    assert page.locator("#problems details[open]").count() == len(counted)
    context.close()
