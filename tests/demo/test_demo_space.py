"""The demo as a Space shows it: no arguments, 0.0.0.0, behind TLS, in a frame of another site."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from demo_parts import HOSTILE, Reader, make_demo_run
from hostile_texts import HOSTILE as HOSTILE_TEXTS
from required import chromium, needs
from space_parts import HOST, SITE, container, https_front, site

Opened = Callable[..., Reader]
DEMO = Path(__file__).parents[2] / "demo"
RIGHT = 'document.querySelector("[data-testid=right-index]")?.innerText'

needs("gradio")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The folder as it is pushed, in another place, started as its container does."""
    chromium()
    folder = tmp_path_factory.mktemp("space")
    shutil.copytree(DEMO, folder / "app")
    with container(folder / "app" / "app.py", folder) as port:
        yield port


def test_the_space_is_read_inside_the_sites_frame(space: int, tmp_path: Path) -> None:
    with https_front(space, tmp_path) as port, site(port) as opened:
        page = opened(SITE)
        trouble: list[str] = []
        page.on("pageerror", lambda error: trouble.append(str(error)))
        frame = page.frame_locator("iframe")
        frame.locator(".vb-problem").wait_for()
        assert "embedded" in frame.locator('[data-testid="status"]').inner_text()
        assert frame.locator("#vb-left-arm input").input_value() == "base"
        inner = page.frame(url=lambda url: HOST in url)
        first = inner.inner_text(".vb-problem h2")
        frame.locator('[data-do="problem_step"][data-value="1"]').click()
        inner.wait_for_function(f'document.querySelector(".vb-problem h2").innerText != "{first}"')
        # Nothing may be copied from a frame: the link is shown.
        frame.locator('[data-do="copy"]').click()
        assert frame.locator("#vb-link input").input_value().startswith(f"https://{HOST}/?")
        frame.locator("#vb-link button").click()
        # Nobody keeps labels there.
        names = [one.inner_text() for one in frame.get_by_role("tab").all()]
        assert names == ["Samples", "Compare", "Live", "Figures", "Runs"]
        assert frame.locator('[data-do="label"]:visible').count() == 0
        frame.get_by_role("tab", name="Compare").click()
        frame.locator('[data-testid="curves"]').wait_for()
        assert trouble == []


def test_no_other_site_frames_it_or_sends_to_it(space: int, tmp_path: Path) -> None:
    with https_front(space, tmp_path) as port, site(port) as opened:
        page = opened("https://evil.example/page")
        page.wait_for_timeout(3000)
        assert page.frame_locator("iframe").locator(".vb-problem").count() == 0
    local = f"http://127.0.0.1:{space}/"
    asked = urllib.request.Request(local, headers={"Host": HOST})
    with urllib.request.urlopen(asked) as answer:
        policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://huggingface.co" in policy.split("; ")
    for origin, refused in (("https://evil.example", True), (f"https://{HOST}", False)):
        # As behind a proxy that asks under another name than the reader did.
        headers = {"Origin": origin, "Host": "10.0.0.7:7860", "Content-Type": "application/json"}
        sent = urllib.request.Request(f"{local}gradio_api/reset", b'{"event_id": "x"}', headers)
        assert (_status(sent) == 403) is refused, origin


def _status(asked: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(asked) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.engine
def test_the_space_samples_on_its_cpu(space: int, tmp_path: Path) -> None:
    needs("torch")
    needs("transformers")
    with https_front(space, tmp_path) as port, site(port) as opened:
        page = opened(f"{SITE}?live")
        frame = page.frame_locator("iframe")
        frame.locator(".vb-problem").wait_for()
        frame.get_by_role("tab", name="Live").click()
        frame.locator("#vb-live-take").click()
        frame.locator("#vb-live-image img").wait_for()
        frame.locator("#vb-live-go").click()
        for side in ("left", "right"):
            frame.locator(f"#vb-live-{side} .vb-text").first.wait_for(timeout=300_000)


def test_every_run_of_the_folder_is_opened(tmp_path: Path) -> None:
    chromium()
    for name in ("one", "two"):
        make_demo_run(tmp_path / "runs" / name, problems=1, samples=2)
    with container(DEMO / "app.py", tmp_path, RUNS_DIR=str(tmp_path / "runs")):
        said = (tmp_path / "said.txt").read_text()
    assert said.startswith(f"Opening {tmp_path}/runs/one, {tmp_path}/runs/two")


def test_three_arms_of_two_runs_on_one_problem(opened: Opened, tmp_path: Path) -> None:
    paths = [make_demo_run(tmp_path / name, problems=4, samples=6).path for name in ("one", "two")]
    reader = opened(*paths)
    page = reader.open("?run=one&problem=p2")
    assert page.locator("#vb-third-column").is_hidden()
    for side, choice in (("right", "rl (two)"), ("third", "base (two)")):
        page.click(f"#vb-{side}-arm input")
        page.get_by_role("option", name=choice, exact=True).click()
        page.wait_for_function(
            f'document.querySelector("#vb-{side}-pane h3")?.innerText.trim() === "{choice}"'
        )
    panes = [page.locator(f"#vb-{side}-pane") for side in ("left", "right", "third")]
    assert ["2 + 2 = 4" in pane.locator(".vb-text").inner_text() for pane in panes] == [True] * 3
    boxes = [pane.bounding_box() for pane in panes]
    assert len({round(box["y"]) for box in boxes}) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        'document.querySelector("[data-testid=third-index]")?.innerText.includes("#1 ")'
    )
    page.click('#vb-third-pane [data-do="show_third"][data-value="wrong"]')
    page.wait_for_selector('#vb-third-pane [data-value="wrong"][aria-pressed="true"]')
    page.click('#vb-third-pane .vb-strip [data-s="4"]')
    page.wait_for_function(
        'document.querySelector("[data-testid=third-index]")?.innerText.includes("#4 ")'
    )
    page.wait_for_function('location.search.includes("third=base%3A%3Atwo")')
    # Labels go to the run that is read: not to another one's samples.
    assert page.locator('[data-do="label"]:visible').count() == 1
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector('[data-testid="curves"]')
    assert "over the 4 problems" in page.inner_text("#vb-compare")
    # What is picked above the tab is what it compares.
    page.click("#vb-right-arm input")
    page.get_by_role("option", name="base", exact=True).click()
    page.wait_for_function(
        'document.querySelectorAll("[data-testid=sides] tbody tr")[1].innerText.includes("one")'
    )
    page.click("#vb-right-arm input")
    page.get_by_role("option", name="rl (two)", exact=True).click()
    page.wait_for_function(
        'document.querySelectorAll("[data-testid=sides] tbody tr")[1].innerText.includes("two")'
    )
    page.click('#vb-compare [data-do="group"][data-value="010"]')
    page.wait_for_selector('#vb-list [data-value="010"][aria-pressed="true"]')
    assert page.inner_text('[data-testid="count"]').startswith("1 of 4")
    opened(page.url).open().wait_for_selector("#vb-third-pane h3 >> text=base (two)")


def test_nothing_hostile_runs_on_any_side(opened: Opened, tmp_path: Path) -> None:
    texts = (*HOSTILE, *(text[:2000] for text in HOSTILE_TEXTS.values()))
    paths = [
        make_demo_run(tmp_path / name, problems=len(HOSTILE), samples=2, texts=texts).path
        for name in ("<img src=x onerror=window.hacked=9>", "two")
    ]
    reader = opened(*paths)
    asked = {"run": paths[0].name, "right": "rl::two", "third": "base:full:two"}
    page = reader.open(f"?{urlencode(asked)}")
    for place in range(len(HOSTILE)):
        title = 'document.querySelector(".vb-problem h2").innerText'
        page.wait_for_function(f'{title}.startsWith("p{place}")')
        page.keyboard.press("ArrowRight")
        page.keyboard.press("j")
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector('[data-testid="solved"]')
    page.click("#vb-third-arm input")
    page.get_by_role("option", name="rl (two)", exact=True).wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.query_selector(".vb a, .vb iframe, .vb script, .vb form, .vb [onerror]") is None
    assert [url for url in reader.outside() if "evil" in url or url.startswith("http")] == []
