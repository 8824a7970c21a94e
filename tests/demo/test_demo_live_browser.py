"""The Live tab in a browser, with the embedded pair behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from demo_parts import Reader
from PIL import Image

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.demo.live import STARTING
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.store import RunDirectory

pytestmark = pytest.mark.engine
STATES = "[...document.querySelectorAll('[data-testid=live-state]')].map((one) => one.innerText)"


@pytest.fixture
def reader(opened: Callable[..., Reader], tmp_path: Path) -> Iterator[Reader]:
    experiment = ExperimentConfig.model_validate(
        {
            "name": "live",
            "benchmarks": {"procedural": {"procedural": {"count": 2, "seed": 3}}},
            "arms": {
                "base": {"model": "tiny:base", "role": "base"},
                "rl": {"model": "tiny:rl", "role": "rl"},
            },
            "sampling": {"n": 4, "max_tokens": 96},
            "engine": {"args": {"max_model_len": 1024, "max_num_seqs": 8}},
        }
    )
    run = RunDirectory(tmp_path / "live")
    prepare(run, experiment)
    made = opened(run.path)
    made.page.set_default_timeout(400_000)  # two engines start, one after the other
    yield made
    assert made.outside() == []


def test_a_question_is_put_to_the_embedded_pair(reader: Reader, tmp_path: Path) -> None:
    page = reader.page
    page.goto(f"{reader.address}?tab=live")
    page.wait_for_selector("#vb-live-go")
    # A file that is no picture is refused in words, and the form stays usable.
    broken = tmp_path / "named.png"
    broken.write_bytes(b"only words")
    page.set_input_files('#vb-live-image input[type="file"]', str(broken))
    page.wait_for_function(
        "document.querySelector('#vb-live-refused').innerText.includes('not a picture')"
    )
    page.click("#vb-live-take")
    page.wait_for_function("document.querySelector('#vb-live-question textarea').value !== ''")
    assert page.input_value("#vb-live-gold input, #vb-live-gold textarea") != ""
    page.click("#vb-live-go")
    # While engines start, the page says what it waits for, and for how long it has.
    page.wait_for_function(f"{STATES}.some((one) => /[1-9][0-9]* s so far/.test(one))")
    waits = " ".join(page.evaluate(STATES))
    assert STARTING in waits
    first = int(re.findall(r"(\d+) s so far", waits)[0])
    page.wait_for_function(
        f"{STATES}.some((one) => Number(one.match(/([0-9]+) s so far/)?.[1] ?? 0) > {first})"
        f" || {STATES}.every((one) => one.includes('done'))"
    )
    page.wait_for_function(
        f"{STATES}.length === 2 && {STATES}.every((one) => one.includes('4 samples · done'))"
    )
    for side in ("left", "right"):
        assert page.locator(f"#vb-live-{side} header").get_by_text("of 4 right").is_visible()
        assert page.locator(f"#vb-live-{side} .vb-text").count() == 4


def test_stop_says_that_the_engines_have_ended(reader: Reader, tmp_path: Path) -> None:
    page = reader.page
    page.goto(f"{reader.address}?tab=live")
    page.wait_for_selector("#vb-live-go")
    picture = tmp_path / "drawn.png"
    Image.new("RGB", (60, 40), (200, 30, 30)).save(picture)
    page.set_input_files('#vb-live-image input[type="file"]', str(picture))
    page.wait_for_selector("#vb-live-image img")
    page.fill("#vb-live-question textarea", "How many circles are there?")
    page.click("#vb-live-go")
    page.wait_for_function(f"{STATES}.some((one) => one.includes('s so far'))")
    page.click("#vb-live-stop")
    page.wait_for_selector('#vb-live-left [data-testid="stopped"]')
    assert "Stopped; the engines have ended." in page.inner_text("#vb-live-right")
    page.wait_for_timeout(3000)  # and nothing that was under way writes over it
    assert "Stopped; the engines have ended." in page.inner_text("#vb-live-left")
