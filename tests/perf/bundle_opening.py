"""How long a bundle takes to be written and to open, and what it moves.

    python tests/perf/bundle_opening.py [--samples 600000] [--characters 300] [--repeat 5]

Makes the compacted run of `demo_opening.py` in a temporary folder, exports it by the command,
serves the folder by `python -m http.server` and opens it in a Chromium whose cache is empty each
time. Printed are seconds of the export and the folder's size; until the first problem's samples
are shown (median, and the slowest), with bytes moved and files asked for; until a problem from the
middle of the list is shown after it; and, of a search for a text that one late response of each
arm holds, seconds and bytes until every response is searched. Bytes are bodies as the server sends
them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from demo_opening import ARMS, PER_PROBLEM, write_run

sys.path.insert(0, str(Path(__file__).parents[1]))
from bundle_parts import SHOWS, file_server, until
from demo_parts import browsing


class Visit:
    """One reader whose browser knows nothing of the bundle."""

    def __init__(self, browser: Any, address: str) -> None:
        self._context = browser.new_context(viewport={"width": 1440, "height": 1000})
        self.page = self._context.new_page()
        self._responses: list[Any] = []
        self.page.on("response", lambda response: self._responses.append(response))
        self._address = address

    def open(self) -> float:
        """Seconds until the first problem's samples are shown."""
        start = time.perf_counter()
        self.page.goto(self._address)
        until(self.page, SHOWS)
        return time.perf_counter() - start

    def moved(self) -> tuple[int, int]:
        """Bytes of bodies, and files, since the last time."""
        bodies = [len(one.body()) for one in self._responses if one.url.startswith("http")]
        self._responses.clear()
        return sum(bodies), len(bodies)

    def close(self) -> None:
        """Forget everything."""
        self._context.close()


@contextmanager
def visiting(browser: Any, address: str) -> Iterator[Visit]:
    """A reader, who leaves."""
    visit = Visit(browser, address)
    try:
        yield visit
    finally:
        visit.close()


def measure(browser: Any, address: str, problems: int, repeat: int) -> None:
    """Open, walk and search; print a line each."""
    seconds, moved = [], (0, 0)
    for _ in range(repeat):
        with visiting(browser, address) as visit:
            seconds.append(visit.open())
            visit.page.wait_for_load_state("networkidle")
            moved = visit.moved()
    print(
        f"open: first problem after {np.median(seconds):.2f} s (slowest {max(seconds):.2f} s), "
        f"{moved[0] / 1e6:.2f} MB in {moved[1]} files",
        flush=True,
    )
    with visiting(browser, address) as visit:
        visit.open()
        visit.page.wait_for_load_state("networkidle")
        visit.moved()
        wanted = f"p{problems // 2:05d}"
        start = time.perf_counter()
        visit.page.evaluate("(id) => vbSend({ action: 'problem', value: id })", wanted)
        until(visit.page, f'document.querySelector(".vb-problem h2")?.innerText === "{wanted}"')
        took = time.perf_counter() - start
        visit.page.wait_for_load_state("networkidle")
        body, count = visit.moved()
        print(f"another problem: {took:.2f} s, {body / 1e6:.2f} MB in {count} files", flush=True)
        text = f" {problems * PER_PROBLEM - 7}"
        visit.page.fill("#vb-text-search input", text)
        start = time.perf_counter()
        visit.page.press("#vb-text-search input", "Enter")
        visit.page.wait_for_selector(".vb-hit", timeout=600_000)
        first = time.perf_counter() - start
        said = '[data-testid="hits"]'
        until(visit.page, f"document.querySelector('{said}').innerText.endsWith('read')", 600)
        took = time.perf_counter() - start
        print(
            f"search: first hit after {first:.1f} s, all after {took:.1f} s; the page says: "
            f"{visit.page.inner_text(said)}",
            flush=True,
        )


def main() -> None:
    """Write, export, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=600_000)
    parser.add_argument("--characters", type=int, default=300)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run, bundle = Path(folder) / "run", Path(folder) / "bundle"
        write_run(run, options.samples, options.characters, 8, finished=True)
        start = time.perf_counter()
        command = ["demo", str(run), "--export", str(bundle)]
        subprocess.run([sys.executable, "-m", "vlm_boundary", *command], check=True)
        took = time.perf_counter() - start
        sizes = [path.stat().st_size for path in bundle.rglob("*") if path.is_file()]
        tables = sum(path.stat().st_size for path in (bundle / "tables").rglob("*.parquet"))
        print(
            f"export: {took:.0f} s, {sum(sizes) / 1e6:.0f} MB in {len(sizes):,} files, of them "
            f"{tables / 1e6:.0f} MB as Parquet",
            flush=True,
        )
        with file_server(bundle) as address, browsing() as browser:
            problems = max(1, options.samples // (len(ARMS) * PER_PROBLEM))
            measure(browser, address, problems, options.repeat)


if __name__ == "__main__":
    main()
