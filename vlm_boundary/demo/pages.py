"""The problem and the run as HTML. Whatever a run holds is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.parts import button, fresh_button
from vlm_boundary.demo.pictures import picture
from vlm_boundary.demo.prompt import prompt_of
from vlm_boundary.demo.sides import label, shown_arm
from vlm_boundary.demo.text import rendered, visible
from vlm_boundary.demo.view import View, listed_problems, of_side, sides_of
from vlm_boundary.records.problem import Problem


def problem_card(view: View, run: RunIndex) -> str:
    """Picture, question, choices, gold answer and what the data set says of a problem."""
    if not run.problems:
        return _empty_run()
    problem = _problem(view, run)
    if problem is None:
        return '<p class="vb-empty">Pick a problem from the list.</p>'
    listed = listed_problems(view, run)
    found = np.flatnonzero(listed == run.places[view.benchmark][view.problem])
    place = f"{int(found[0]) + 1:,} of {len(listed):,}" if len(found) else "not in the list"
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
    return (
        f"{rendered(problem.question)}{_choices(problem)}"
        f'<p class="vb-gold"><span class="vb-quiet">gold answer</span> '
        f"<b>{visible(problem.answer)}</b>{_unit(problem)}</p>{_facts(problem)}"
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


def _empty_run() -> str:
    return (
        '<p class="vb-empty" data-testid="empty">This run holds no problems yet. It begins with '
        "<code>vlm-boundary sample</code>, and this page follows it.</p>"
    )


def _problem(view: View, run: RunIndex) -> Any:
    place = run.places.get(view.benchmark, {}).get(view.problem)
    return None if place is None else run.problems[view.benchmark][place]


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


def _choices(problem: Any) -> str:
    if not problem.choices:
        return ""
    items = "".join(
        f"<li><b>{chr(ord('A') + place)}</b> {visible(choice, 400)}</li>"
        for place, choice in enumerate(problem.choices[:26])
    )
    return f'<ul class="vb-choices">{items}</ul>'


def _unit(problem: Any) -> str:
    unit = f" {visible(problem.unit, 40)}" if problem.unit else ""
    return f"{unit} <span class='vb-quiet'>{visible(problem.answer_type or '', 20)}</span>"


def _facts(problem: Any) -> str:
    facts = [
        f"{visible(str(key).removeprefix('metadata.'), 40)}: {visible(str(value), 80)}"
        for key, value in list(problem.metadata.items())[:12]
    ]
    return f'<p class="vb-quiet">{" · ".join(facts)}</p>' if facts else ""


def _trouble(view: View, run: RunIndex, problem: Any) -> str:
    reasons = [problem.error] if problem.error else []
    place = run.places[view.benchmark][problem.problem_id]
    for text in dict.fromkeys(of_side(view, side).arm for side in sides_of(view)):
        shown = shown_arm(text, run, view.benchmark, view.condition)
        partition, there = shown.partition, shown.problem(place)
        if partition is not None and there is not None:
            name = label(text, run, view.condition)
            reasons += [f"{name}: {reason}" for reason in partition.failures(there.problem_id)]
    return "".join(
        f'<p class="vb-warn">could not be sampled: {visible(r, 300)}</p>' for r in reasons
    )
