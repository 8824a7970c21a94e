"""A run for the demo's tests, and a browser to look at it with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image
from required import chromium, needs

from vlm_boundary.benchmarks.images import store_picture
from vlm_boundary.records.manifest import Manifest, RunBenchmark
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter
from vlm_boundary.verifier import verify

SAMPLES = 24
HOSTILE = (
    "<script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 2">',
    '"><svg onload=window.hacked=3>',
    "[click](javascript:window.hacked=4) ![beacon](https://evil.example/b.png)",
    "<iframe srcdoc='<script>parent.hacked=5</script>'></iframe>",
    "$\\href{javascript:window.hacked=6}{x}$ $\\includegraphics{https://evil.example/t.png}$",
    "${window.hacked=7} {{value}} `${alert(8)}`",
    "<https://evil.example> https://evil.example/auto <a href='https://evil.example'>go</a>",
    "a\u202eb\u0000c\ud800 \ufdd00\ufdd3",
    "<style>*{display:none}</style><form action=https://evil.example><button>x</button></form>",
)


def make_demo_run(
    path: Path,
    *,
    problems: int = 6,
    samples: int = SAMPLES,
    texts: tuple[str, ...] = (),
    checked: bool = True,
) -> RunDirectory:
    """Two graded arms; problem i is solved by both, base, rl or neither as i % 4 says.

    Sample 1 of each solved problem is the only right one, so it is in the paper's queue. With
    `texts`, these stand in front of every answer, in turn, and in every field of the problems.
    """
    run = RunDirectory(path)
    run.images.mkdir(parents=True, exist_ok=True)
    listed = []
    for i in range(problems):
        picture = _picture(run.images, i)
        text = texts[i % len(texts)] if texts else ""
        listed.append(
            Problem(
                "made",
                _clean(f"p{i}{text}"),
                _clean(f"Question {i}: how many? {text}"),
                "4",
                (picture,),
                "integer",
                metadata={"task": f"task {i % 2}", "level": i % 3, "note": _clean(text)},
            )
        )
    run.write_problems("made", tuple(listed))
    experiment = {
        "name": path.name,
        "benchmarks": {"made": None},
        "arms": {
            "base": {"model": "org/base", "role": "base"},
            "rl": {"model": "org/rl", "role": "rl"},
        },
        "sampling": {"n": samples, "max_tokens": 64},
    }
    run.write_manifest(Manifest(experiment=experiment, benchmarks={"made": RunBenchmark()}))
    for arm, solving in (("base", (0, 1)), ("rl", (0, 2))):
        partition = Partition(arm, "made")
        writer = SampleWriter(run.samples, partition)
        for i, problem in enumerate(listed):
            for index in range(samples):
                right = index == 1 and i % 4 in solving
                text = texts[(i + index) % len(texts)] if texts else f"2 + {i} = {i + 2}"
                answer = "4" if right else "5"
                whole = _clean(f"{text} so it is \\boxed{{{answer}}}")
                end = "length" if index == 3 else "stop"
                writer.add(
                    Sample(problem.problem_id, index, 100 + index, [1, 2, 3], whole, end, -1.5)
                )
        writer.flush()
    verify(run)
    if checked:
        for arm in ("base", "rl"):
            _check(run, Partition(arm, "made"))
    return run


def _check(run: RunDirectory, partition: Partition) -> None:
    """What the structure layer might have said: right answers of even problems are valid."""
    rows = []
    for verdict in run.verdicts.read(partition).to_pylist():
        even = verdict["problem_id"][1] in "02468"
        evidence = {"flag": "no_reasoning", "start": 0, "end": 3, "note": "hm", "veto": True}
        rows.append(
            {
                "problem_id": verdict["problem_id"],
                "sample_index": verdict["sample_index"],
                "valid": bool(verdict["correct"] and even),
                "flags": [] if even else ["no_reasoning"],
                "evidence": [] if even else [evidence],
                "checker": "structure/2",
                "text_hash": verdict["text_hash"],
                "basis_hash": "0",
            }
        )
    table = run.validity("structure")
    table.replace(partition, pa.Table.from_pylist(rows, schema=table.schema))


def _clean(text: str) -> str:
    """Parquet holds no lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _picture(folder: Path, number: int) -> str:
    made = folder / f"drawn-{number}.png"
    Image.new("RGB", (90, 60), (40 * number % 256, 120, 200)).save(made)
    name = store_picture(made.read_bytes(), folder)
    made.unlink()
    return name


@contextmanager
def served(*paths: Path, **options: Any) -> Iterator[str]:
    """The demo over these runs, with these settings of `Access`; yields its address."""
    from vlm_boundary.demo.access import Access
    from vlm_boundary.demo.serve import serve

    overrides = options.pop("overrides", ())
    address, close = serve(list(paths), Access(**options), overrides=overrides)
    try:
        yield address
    finally:
        close()


class Reader:
    """A browser with one window; keeps what went wrong and every address that was asked for.

    As a context manager it is closed in the end, and nothing may have gone wrong.
    """

    # What Chromium does on its own: updates, safe browsing, field trials.
    FLAGS = (
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    )

    def __init__(self, browser: Any, address: str, **context: Any) -> None:
        self.address = address
        self.context = browser.new_context(
            **{"viewport": {"width": 1440, "height": 1000}} | context
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(120_000)  # other tests may have the machine busy
        self.requests: list[str] = []
        self.trouble: list[str] = []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("dialog", lambda dialog: self.trouble.append(f"dialog {dialog.message}"))

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self.context.close()
        assert failed or self.trouble == []

    def open(self, query: str = "") -> Any:
        """Open the page and wait until it shows a problem."""
        self.page.goto(self.address + query)
        self.page.wait_for_selector(".vb-problem")
        self.page.wait_for_selector('#vb-list [data-testid="count"]')
        return self.page

    def sign_in(self, name: str, password: str) -> Any:
        """Open the page and give a name and a password."""
        self.page.goto(self.address)
        self.page.get_by_label("username").fill(name)
        self.page.get_by_label("password").fill(password)
        self.page.get_by_role("button", name="Login").click()
        return self.page

    def labels_as(self, name: str) -> Any:
        """Go to the tab Label under a name, and wait for the first sample."""
        self.page.get_by_role("tab", name="Label").click()
        self.page.fill("#vb-labeller input, #vb-labeller textarea", name)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector('[data-testid="to-label"]')
        return self.page

    def press(self, key: str, until: str) -> None:
        """Press a key and wait until a JavaScript condition holds."""
        self.page.keyboard.press(key)
        self.page.wait_for_function(until)

    def outside(self) -> list[str]:
        """Requests that would leave this machine."""
        own = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")
        return [url for url in self.requests if not url.startswith(own)]


@contextmanager
def browsing() -> Iterator[Any]:
    """A Chromium; see `chromium` for when there is none."""
    needs("gradio")
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(Reader.FLAGS))
        try:
            yield browser
        finally:
            browser.close()
