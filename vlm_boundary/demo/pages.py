"""The problem, what models were asked, and the run as HTML. What a run holds is escaped here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, cast

from vlm_boundary.benchmarks import BenchmarkConfig, messages
from vlm_boundary.benchmarks.images import PictureError, PixelBudget, fitted_size, open_rgb
from vlm_boundary.config import Condition, ExperimentConfig
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.parts import button, fresh_button
from vlm_boundary.demo.pictures import is_own, picture
from vlm_boundary.demo.sides import Shown, label, shown_arm
from vlm_boundary.demo.text import plain, rendered, visible
from vlm_boundary.demo.view import View, listed_problems, nth_of, of_side, sides_of
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import PictureSizes
from vlm_boundary.records.problem import Problem


def problem_card(view: View, run: RunIndex) -> str:
    """Picture, question, choices, gold answer and what the data set says of a problem."""
    if not run.problems:
        return (
            '<p class="vb-empty" data-testid="empty">This run holds no problems yet. It begins '
            "with <code>vlm-boundary sample</code>, and this page follows it.</p>"
        )
    problem = run.problem(view.benchmark, view.problem)
    if problem is None:
        return '<p class="vb-empty">Pick a problem from the list.</p>'
    listed = listed_problems(view, run)
    nth = nth_of(view, run, listed)
    place = "not in the list" if nth is None else f"{nth + 1:,} of {len(listed):,}"
    return (
        f'<section class="vb-problem">'
        f'<header><h2>{visible(problem.problem_id)}</h2><span class="vb-quiet">problem {place}'
        f'</span><span class="vb-grow"></span>'
        f"{button('◀ previous', 'problem_step', '-1', 'k')}"
        f"{button('next ▶', 'problem_step', '1', 'j')}"
        f'<button class="vb-button" data-do="copy">copy link <kbd>y</kbd></button></header>'
        f'<div class="vb-asked">{pictures(run, problem)}<div class="vb-words">{words(problem)}'
        f"{_trouble(view, run, problem)}{prompt_of(view, run, problem)}</div></div></section>"
    )


def words(problem: Problem) -> str:
    """Question, choices, gold answer and what the data set says of a problem."""
    unit = f" {visible(problem.unit, 40)}" if problem.unit else ""
    return (
        f"{rendered(problem.question)}{_choices(problem)}"
        f'<p class="vb-gold"><span class="vb-quiet">gold answer</span> '
        f"<b>{visible(problem.answer)}</b>{unit} <span class='vb-quiet'>"
        f"{visible(problem.answer_type or '', 20)}</span></p>{_facts(problem)}"
    )


def place_of(view: View) -> str:
    """Where the reader is, for the page's script: it keeps the address, and so the link."""
    return (
        f'<span class="vb-here" data-query="{escape(view.query())}" '
        f'data-problem="{escape(view.problem)}"></span>'
    )


def status_line(run: RunIndex, notices: Sequence[str] = (), *, grows: bool = True) -> str:
    """What the run holds so far, and what a reader should know of it.

    Args:
        notices: of the reader's link, beside the run's own.
        grows: whether what comes meanwhile is offered.
    """
    total, graded = run.totals()
    notes = "".join(
        f' · <b class="vb-warn">{visible(note, 300)}</b>' for note in (*notices, *run.notices())
    )
    return (
        '<h1>vlm_boundary</h1><p class="vb-status" data-testid="status">'
        f"<b>{visible(run.name, 80)}</b> · {total:,} samples, {graded:,} graded{notes} "
        f"{fresh_button(run) if grows else ''}</p>"
    )


def pictures(run: RunIndex, problem: Problem) -> str:
    """A problem's pictures, each a button that enlarges it."""
    made = []
    for place, name in enumerate(problem.pictures):
        uri = picture(run.directory.images, name)
        if uri:
            made.append(
                f'<button class="vb-zoom" data-do="zoom" title="enlarge (z)">'
                f'<img src="{uri}" alt="picture {place + 1} of the problem"></button>'
            )
        else:
            made.append('<p class="vb-empty">The picture is missing or cannot be decoded.</p>')
    return f'<div class="vb-pictures">{"".join(made)}</div>' if made else ""


def _choices(problem: Problem) -> str:
    items = "".join(
        f"<li><b>{chr(ord('A') + place)}</b> {visible(choice, 400)}</li>"
        for place, choice in enumerate(problem.choices[:26])
    )
    return f'<ul class="vb-choices">{items}</ul>' if items else ""


def _facts(problem: Problem) -> str:
    facts = [
        f"{visible(str(key).removeprefix('metadata.'), 40)}: {visible(str(value), 80)}"
        for key, value in list(problem.metadata.items())[:12]
    ]
    return f'<p class="vb-quiet">{" · ".join(facts)}</p>' if facts else ""


def _trouble(view: View, run: RunIndex, problem: Problem) -> str:
    reasons = [problem.error] if problem.error else []
    for name, shown, there in _arms(view, run, problem):
        if shown.partition is not None and there is not None:
            failed = shown.partition.failures(there.problem_id)
            reasons += [f"{name}: {reason}" for reason in failed]
    return "".join(
        f'<p class="vb-warn">could not be sampled: {visible(r, 300)}</p>' for r in reasons
    )


def _arms(
    view: View, run: RunIndex, problem: Problem
) -> Iterator[tuple[str, Shown, Problem | None]]:
    """Each arm of a view once, with its name, and the problem as its run has it."""
    place = run.places[view.benchmark][problem.problem_id]
    for text in dict.fromkeys(of_side(view, side).arm for side in sides_of(view)):
        shown = shown_arm(text, run, view.benchmark, view.condition)
        yield label(text, run, view.condition), shown, shown.problem(place)


def prompt_of(view: View, run: RunIndex, problem: Problem) -> str:
    """The prompt of each arm, folded; arms that were asked alike share one."""
    said: dict[str, list[str]] = {}
    for name, shown, there in _arms(view, run, problem):
        said.setdefault("" if there is None else _asked(shown, there), []).append(name)
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
            which = "another problem's picture" if condition == "shuffled_image" else "picture"
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
