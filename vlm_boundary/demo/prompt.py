"""What a model was asked: the turns as they were worded, and the size at which it saw pictures."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from vlm_boundary.benchmarks import BenchmarkConfig, messages
from vlm_boundary.benchmarks.images import PictureError, PixelBudget, fitted_size, open_rgb
from vlm_boundary.config import Condition, ExperimentConfig
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.own import is_own
from vlm_boundary.demo.sides import Shown, label, shown_arm
from vlm_boundary.demo.text import plain, visible
from vlm_boundary.demo.view import View, of_side, sides_of
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import PictureSizes
from vlm_boundary.records.problem import Problem

_OTHER_PICTURE = "shuffled_image"


def prompt_of(view: View, run: RunIndex, problem: Problem) -> str:
    """The prompt of each arm, folded; arms that were asked alike share one."""
    said: dict[str, list[str]] = {}
    place = run.places[view.benchmark][problem.problem_id]
    for text in dict.fromkeys(of_side(view, side).arm for side in sides_of(view)):
        shown = shown_arm(text, run, view.benchmark, view.condition)
        there = shown.problem(place)
        asked = "" if there is None else _asked(shown, there)
        said.setdefault(asked, []).append(label(text, run, view.condition))
    return "".join(
        '<details class="vb-prompt"><summary>the prompt as '
        f"{visible(' and '.join(arms), 300)} saw it</summary>{html}</details>"
        for html, arms in said.items()
        if html
    )


def _asked(shown: Shown, problem: Problem) -> str:
    run, arm, benchmark = shown.run, shown.arm, shown.matching.benchmark
    known = run.manifest.benchmarks.get(benchmark)
    if known is None or not known.config:
        return ""
    condition = cast(Condition, shown.condition)
    try:
        config = BenchmarkConfig.model_validate(known.config)
        experiment = ExperimentConfig.model_validate(run.manifest.experiment)
        prompt = config.worded(experiment.prompt(arm, condition))
        turns = messages(problem, prompt, config.images, condition)
    except (UserError, ValueError) as error:
        return f'<p class="vb-quiet">It cannot be worded anew: {visible(str(error), 300)}</p>'
    sizes = run.manifest.arms[arm].pictures.get(benchmark) if arm in run.manifest.arms else None
    said = "".join(_turn(run, turn, sizes, shown.condition) for turn in turns)
    return (
        f'{said}<p class="vb-quiet">Before the checkpoint\'s chat template. '
        f"{f'Pictures: {visible(sizes.said, 300)}.' if sizes else ''}</p>"
    )


def _turn(run: RunIndex, turn: Any, sizes: PictureSizes | None, condition: str) -> str:
    content = turn["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    made = []
    for part in parts:
        if "text" in part:
            made.append(plain(str(part["text"])))
        else:
            name = str(part.get("image", ""))
            size = _size(run, Path(name).name, sizes)
            which = "another problem's picture" if condition == _OTHER_PICTURE else "picture"
            made.append(f'<p class="vb-quiet">[{which}{size}]</p>')
    return f"<p><b>{visible(str(turn['role']), 20)}</b></p>{''.join(made)}"


def _size(run: RunIndex, name: str, sizes: PictureSizes | None) -> str:
    stored = _stored_size(run.directory.images / name, run.directory.path)
    if stored is None:
        return ", which is missing here"
    said = f", {stored[0]} × {stored[1]} pixels"
    if sizes is None or not (sizes.step and sizes.min_pixels and sizes.max_pixels):
        return said
    budget = PixelBudget(sizes.step, sizes.min_pixels, sizes.max_pixels)
    try:
        width, height = fitted_size(*stored, budget)
    except PictureError:
        return said
    tokens = (width // sizes.step) * (height // sizes.step)
    return f"{said}, seen at {width} × {height}: {tokens:,} tokens"


@lru_cache(maxsize=256)
def _stored_size(path: Path, run: Path) -> tuple[int, int] | None:
    if not is_own(path, run):
        return None
    try:
        return open_rgb(path).size
    except PictureError:
        return None
