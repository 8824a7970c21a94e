"""Pictures of the report and the demo for the documentation.

    python docs/screenshots.py RUN [--into docs/images]

Needs Chromium and playwright (`make test` installs both where it may).
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.demo.access import usual_access
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.serve import serve
from vlm_boundary.errors import UserError
from vlm_boundary.reasoning.people.labels import Label, add_label
from vlm_boundary.reasoning.people.queue import make_queue, read_queue
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.store import RunDirectory

SITE = "http://site.example"


def main() -> None:
    """Take every picture of a copy of the run, so that nothing is written into it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--into", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / options.run.resolve().name
        shutil.copytree(options.run, copy)
        _queue(RunDirectory(copy))
        empty = RunDirectory(Path(folder) / "begun")
        empty.write_manifest(Manifest(experiment=RunDirectory(copy).read_manifest().experiment))
        beside = Path(__file__).parents[1] / "demo" / "runs" / "embedded"
        address, close = serve([copy])
        try:
            with sync_playwright() as playwright:
                path = os.environ.get("VLM_BOUNDARY_CHROMIUM") or shutil.which("chromium")
                # A page of another name may frame what this machine serves.
                flags = ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"]
                browser = playwright.chromium.launch(executable_path=path, args=flags)
                _report(browser, copy / "report" / "index.html", options.into)
                _pictures(browser, address, options.into)
                close()
                address, close = serve([copy, beside])
                _sides(browser, address, copy.name, options.into)
                close()
                access = replace(usual_access({"SPACE_ID": "me/demo"}), port=None)
                address, close = serve([beside], replace(access, frames=(SITE,)))
                _framed(browser, address, options.into)
                close()
                address, close = serve([empty.path])
                page = browser.new_page(viewport={"width": 1280, "height": 500})
                page.goto(address)
                page.wait_for_selector('[data-testid="empty"]')
                page.screenshot(path=options.into / "demo-empty.png")
                browser.close()
        finally:
            close()


def _queue(run: RunDirectory) -> None:
    """The paper's queue, some of it labelled as exact checks say: an agreement to show."""
    experiment = ExperimentConfig.model_validate(run.read_manifest().experiment)
    try:
        queue = make_queue(run, experiment)
    except UserError as error:
        print(error)
        return
    opened = RunIndex(run.path)
    for item in read_queue(run, queue.name).items[:12]:
        key = item.sample
        samples = opened.load(key.arm, key.benchmark, key.condition, key.problem_id)
        drawn = samples.sample(key.sample_index)
        exact = drawn.checks.get("procedural") if drawn else None
        add_label(
            run,
            Label(
                sample=item.sample,
                text_hash=item.text_hash,
                verdict="valid" if exact and exact.valid else "invalid",
                labeller="example",
                blind=True,
                queue=queue.name,
                weight=item.weight,
            ),
        )


def _report(browser: Any, page_file: Path, into: Path) -> None:
    """The report's first screen, light, dark and narrow."""
    if not page_file.is_file():
        print(f"{page_file}: there is no report yet; 'vlm-boundary report' writes it")
        return
    for name, settings in (
        ("report", {"viewport": {"width": 1440, "height": 900}}),
        ("report-dark", {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"}),
        ("report-narrow", {"viewport": {"width": 400, "height": 1600}}),
    ):
        page = browser.new_page(**settings)
        page.set_default_timeout(120_000)
        page.goto(page_file.resolve().as_uri())
        page.wait_for_selector("[data-panel][data-drawn]")
        page.screenshot(path=into / f"{name}.png")
        page.close()


def _pictures(browser: Any, address: str, into: Path) -> None:
    query = "?group=left&sort=gap&show_left=correct"
    page = _open(browser, address + query, 1440, 1000)
    page.screenshot(path=into / "demo.png")
    page.keyboard.press("?")
    page.wait_for_selector("#vb-help")
    page.screenshot(path=into / "demo-keys.png")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Label").click()
    page.locator("#vb-labeller input, #vb-labeller textarea").press_sequentially("example")
    page.keyboard.press("Enter")
    page.wait_for_selector('[data-testid="to-label"]')
    page.wait_for_timeout(500)
    page.screenshot(path=into / "demo-label.png")
    for name, waited in (
        ("Live", "#vb-live-go"),
        ("Figures", "#vb-figures [data-drawn]"),
        ("Runs", "#vb-runs table"),
    ):
        page.get_by_role("tab", name=name).click()
        page.wait_for_selector(waited)
        if name == "Figures":
            page.locator("[data-drawn]").first.scroll_into_view_if_needed()
        if name == "Live":
            page.click("#vb-live-take")
            page.wait_for_selector("#vb-live-image img")
        page.wait_for_timeout(500)
        page.screenshot(path=into / f"demo-{name.lower()}.png")
    page.close()
    page = _open(browser, f"{address}{query}&__theme=dark", 1440, 1000)
    page.screenshot(path=into / "demo-dark.png")
    page.close()
    page = _open(browser, address + query, 400, 1600)
    page.screenshot(path=into / "demo-narrow.png", full_page=True)
    page.close()


def _sides(browser: Any, address: str, run: str, into: Path) -> None:
    """Three arms of two runs on a problem that both have, and the same arms compared."""
    right = "".join(f"&show_{side}=correct" for side in ("left", "right", "third"))
    query = f"?run={run}&left=base&right=rl&third=rl::embedded&group=111&sort=gap{right}"
    page = browser.new_page(viewport={"width": 1640, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(address + query)
    page.wait_for_selector("#vb-third-pane .vb-text")
    page.wait_for_timeout(800)
    page.screenshot(path=into / "demo-three.png")
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector('[data-testid="curves"]')
    page.wait_for_timeout(500)
    page.screenshot(path=into / "demo-compare.png")
    page.close()


def _framed(browser: Any, address: str, into: Path) -> None:
    """The page as a Space serves it, inside another site's page."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    frame = (
        '<body style="margin:0;font:16px system-ui"><p style="margin:14px 20px">A page of another '
        f'site</p><iframe src="{address}" style="width:100%;height:840px;border:0"></iframe>'
    )
    page.route(SITE, lambda route: route.fulfill(body=frame, content_type="text/html"))
    page.goto(SITE)
    page.frame_locator("iframe").locator(".vb-problem").wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=into / "demo-space.png")
    page.close()


def _open(browser: Any, address: str, width: int, height: int) -> Any:
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(60_000)
    page.goto(address)
    page.wait_for_selector(".vb-problem", state="attached")
    page.wait_for_selector('[data-value="left"][aria-pressed="true"]')
    page.wait_for_timeout(800)
    return page


if __name__ == "__main__":
    main()
