"""The prompt beside a problem: what each model was asked, and the size at which it saw pictures."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from demo_parts import make_demo_run

from vlm_boundary.benchmarks import load_benchmark, messages
from vlm_boundary.benchmarks.prompts import resolve_prompt
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.pages import prompt_of
from vlm_boundary.demo.view import View
from vlm_boundary.records.manifest import PictureSizes, RunArm, RunBenchmark
from vlm_boundary.store import RunDirectory

CONFIG = load_benchmark("procedural", None)
# The picture is 90 × 60: at steps of 28 pixels, 84 × 56, which is 3 × 2 tokens.
SIZES = PictureSizes(step=28, min_pixels=4 * 28 * 28, max_pixels=1024 * 28 * 28)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return make_demo_run(tmp_path / "run", problems=1, samples=2)


def shown(run: RunDirectory, condition: str = "full", **sizes: PictureSizes) -> str:
    """The panel of the only problem."""
    manifest = run.read_manifest()
    arms = {arm: RunArm(pictures={"made": sizes[arm]} if arm in sizes else {}) for arm in sizes}
    config = CONFIG.model_dump(mode="json")
    known = {"made": RunBenchmark(config=config)}
    run.write_manifest(manifest.model_copy(update={"benchmarks": known, "arms": arms}))
    index = RunIndex(run.path)
    view = View(run="run", left="base", right="rl", benchmark="made", condition=condition)
    return unescape(prompt_of(view, index, index.problems["made"][0]))


def test_arms_that_were_asked_alike_share_a_prompt_that_holds_every_word(run: RunDirectory) -> None:
    panel = shown(run)
    assert re.findall("<summary>(.*?)</summary>", panel) == ["the prompt as base and rl saw it"]
    problem = RunIndex(run.path).problems["made"][0]
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", "", panel))
    turns = messages(problem, resolve_prompt(CONFIG.prompt), CONFIG.images, "full")
    parts = [part for turn in turns for part in turn["content"] if not isinstance(part, str)]
    words = [turn["content"] for turn in turns if isinstance(turn["content"], str)]
    words += [part["text"] for part in parts if "text" in part]
    assert any("Question 0: how many?" in one for one in words)
    for one in words:
        assert re.sub(r"\s+", " ", one).strip() in text
    assert "picture, 90 × 60 pixels]" in panel


def test_a_picture_is_said_at_the_size_and_tokens_that_each_model_saw(run: RunDirectory) -> None:
    panel = shown(run, base=SIZES, rl=SIZES.model_copy(update={"step": 10}))
    base, rl = panel.split("</details>")[:2]
    assert "as base saw it" in base
    assert "seen at 84 × 56: 6 tokens" in base
    assert "as rl saw it" in rl
    assert "seen at 90 × 60: 54 tokens" in rl


def test_a_control_is_shown_as_it_was_asked(run: RunDirectory) -> None:
    assert "[picture" not in shown(run, "no_image")
    assert "another problem's picture" in shown(run, "shuffled_image")


def test_a_picture_that_is_gone_or_leads_elsewhere_is_said(run: RunDirectory) -> None:
    (stored,) = run.images.iterdir()
    elsewhere = run.path / "elsewhere.png"
    stored.rename(elsewhere)
    assert "picture, which is missing here]" in shown(run)
    stored.symlink_to(elsewhere)
    assert "picture, which is missing here]" in shown(run)


def test_a_run_that_says_nothing_of_its_prompts_shows_none(run: RunDirectory) -> None:
    index = RunIndex(run.path)
    view = View(run="run", left="base", right="rl", benchmark="made")
    assert prompt_of(view, index, index.problems["made"][0]) == ""
