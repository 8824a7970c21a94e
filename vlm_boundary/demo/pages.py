"""The parts of the page as HTML: list, problem, samples. Whatever a run holds is escaped here."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from vlm_boundary.demo.charts import answer_bars, pass_at_k_chart
from vlm_boundary.demo.codes import SHOWN, Bit, has, invalid, kind, valid
from vlm_boundary.demo.ended import ended_line, rule_of, standing
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.pictures import picture, thumbnail
from vlm_boundary.demo.shown_sample import checks, numbers_line, sample_body, verdict_line
from vlm_boundary.demo.text import rendered, visible
from vlm_boundary.demo.view import (
    PAGE,
    SOLVED,
    Tallies,
    View,
    counts,
    current_sample,
    listed_problems,
    shown_samples,
)

_CELLS = (
    "A cell a sample. Green: right; strong where its reasoning was found valid. Ochre: right, with "
    "invalid reasoning. Red and low: wrong. Outlined: undecided. Grey: not graded yet. Dark foot: "
    "ended at the token limit."
)


def problem_list(view: View, run: RunIndex, page: int | None = None) -> str:
    """The groups with their counts, and a page of the problems that pass the filters.

    Args:
        page: which; by default the one with the view's problem.
    """
    if not run.problems.get(view.benchmark):
        return '<p class="vb-empty">No problems yet.</p>'
    known = counts(view, run)
    listed = listed_problems(view, run)
    here = run.places[view.benchmark].get(view.problem, -1)
    found = np.flatnonzero(listed == here)
    pages = max(1, -(-len(listed) // PAGE))
    if page is None:
        page = int(found[0]) // PAGE if len(found) else 0
    page = min(max(page, 0), pages - 1)
    rows = [
        _list_row(view, run, known, int(place)) for place in listed[page * PAGE : (page + 1) * PAGE]
    ]
    total = len(run.problems[view.benchmark])
    body = "".join(rows) or (
        '<p class="vb-empty">No problem passes these filters. '
        f"{_button('all problems', 'group', 'all')}</p>"
    )
    return (
        f"{_groups(view, run, known)}"
        f'<p class="vb-count"><span data-testid="count">{len(listed):,} of {total:,} problems'
        f"</span><span class='vb-grow'></span>{_legend(view)}</p>"
        f'<div class="vb-rows">{body}</div>{_pages(page, pages)}'
    )


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
        f"{_button('◀ previous', 'problem_step', '-1', 'k')}"
        f"{_button('next ▶', 'problem_step', '1', 'j')}"
        f'<button class="vb-button" data-do="copy">copy link <kbd>y</kbd></button></header>'
        f'<div class="vb-asked">{_pictures(run, problem)}'
        f'<div class="vb-words">{rendered(problem.question)}{_choices(problem)}'
        f'<p class="vb-gold"><span class="vb-quiet">gold answer</span> '
        f"<b>{visible(problem.answer)}</b>{_unit(problem)}</p>{_facts(problem)}"
        f"{_trouble(view, run, problem)}</div></div></section>"
    )


def place_of(view: View) -> str:
    """Where the reader is, for the page's script: it keeps the address, and so the link."""
    return (
        f'<span class="vb-here" data-query="{escape(view.query())}" '
        f'data-problem="{escape(view.problem)}"></span>'
    )


def arm_pane(view: View, run: RunIndex, side: str) -> str:
    """One arm on the problem: counts, answers, pass@k, and one sample in full."""
    arm = view.left if side == "left" else view.right
    head = (
        f'<header><h3 class="vb-{side}"><i class="vb-swatch"></i>{visible(arm, 60)}</h3>'
        f'<span class="vb-quiet">{visible(run.role(arm), 30)} · {visible(run.model(arm), 60)}'
        "</span></header>"
    )
    place = run.places.get(view.benchmark, {}).get(view.problem)
    partition = run.partition(arm, view.benchmark, view.condition)
    if place is None or partition is None or not has(partition.codes[place], Bit.DRAWN).any():
        return f'<section class="vb-pane">{head}<p class="vb-empty">No samples yet.</p></section>'
    codes = partition.codes[place]
    drawn, right = int(has(codes, Bit.DRAWN).sum()), int(has(codes, Bit.CORRECT).sum())
    samples = run.load(arm, view.benchmark, view.condition, view.problem)
    graded = bool(has(codes, Bit.GRADED).any())
    rate = f"{right / drawn:.1%}" if graded else "not graded yet"
    sound, faulty = int(valid(codes).sum()), int(invalid(codes).sum())
    checked = f" · {sound} valid, {faulty} invalid reasoning" if sound or faulty else ""
    index = current_sample(view, run, side)
    chart, ended = pass_at_k_chart(right, drawn, side) if graded else "", ""
    if graded and (rule := rule_of(run, arm, view.condition)):
        end = standing(rule, codes)
        ended = f'<p class="vb-quiet" data-testid="ended-{side}">{ended_line(rule, end)}</p>'
        chart = pass_at_k_chart(end.right, end.look, side, rule) if end.complete else ""
    return (
        f'<section class="vb-pane" data-side="{side}">{head}'
        f'<p class="vb-rate"><b>{right} of {drawn}</b> right <span class="vb-quiet">({rate})'
        f"{checked}</span></p>{ended}"
        f'<div class="vb-charts"><div>{answer_bars(samples.answers())}</div>'
        f"<div>{chart}</div></div>"
        f"{_shown_kinds(view, codes, side)}{_strip(view, run, codes, side, index)}"
        f"{_sample(view, run, side, index)}</section>"
    )


def status_line(run: RunIndex) -> str:
    """What the run holds so far."""
    total, graded = 0, 0
    for benchmark in run.benchmarks:
        for condition in run.conditions:
            for arm in run.arms:
                codes = run.codes(arm, benchmark, condition)
                total += int(has(codes, Bit.DRAWN).sum())
                graded += int(has(codes, Bit.GRADED).sum())
    notes = "".join(f' · <b class="vb-warn">{escape(note)}</b>' for note in run.notices())
    return (
        f'<p class="vb-status" data-testid="status"><b>{visible(run.name, 80)}</b> · '
        f"{total:,} samples, {graded:,} graded{notes}</p>"
    )


def _empty_run() -> str:
    return (
        '<p class="vb-empty" data-testid="empty">This run holds no problems yet. It begins with '
        "<code>vlm-boundary sample</code>, and this page follows it.</p>"
    )


def _problem(view: View, run: RunIndex) -> Any:
    place = run.places.get(view.benchmark, {}).get(view.problem)
    return None if place is None else run.problems[view.benchmark][place]


def _button(label: str, do: str, value: str, key: str = "", *, on: bool = False) -> str:
    shown = f" <kbd>{key}</kbd>" if key else ""
    pressed = ' aria-pressed="true"' if on else ""
    return (
        f'<button class="vb-button" data-do="{escape(do)}" data-value="{escape(value)}"{pressed}>'
        f"{label}{shown}</button>"
    )


def _groups(view: View, run: RunIndex, known: Tallies) -> str:
    left, right = visible(view.left, 24), visible(view.right, 24)
    names = {
        "all": "all problems",
        "both": "both",
        "left": f"only {left}",
        "right": f"only {right}",
        "neither": "neither",
        "luck": "by luck only",
        "disputed": "disputed",
        "undecided": "undecided",
    }
    notes = {
        "both": "at least one right answer from each",
        "luck": "right answers of one arm, every one checked, and none with valid reasoning",
        "disputed": "an official rule or math-verify judges a sample otherwise than the verifier",
        "undecided": "the verifier could not tell of some sample",
    }
    made = {}
    for name, label in names.items():
        count = int(known.group(name).sum())
        on = ' aria-pressed="true"' if view.group == name else ""
        note = escape(notes.get(name, ""))
        made[name] = (
            f'<button class="vb-group" data-do="group" data-value="{name}"{on} '
            f'title="{note}"><span>{label}</span><b>{count:,}</b></button>'
        )
    solved = "".join(made[name] for name in SOLVED)
    others = "".join(button for name, button in made.items() if name not in SOLVED)
    return (
        f'<div data-testid="groups"><div class="vb-groups">{others}</div>'
        f'<p class="vb-quiet vb-solved">solved at least once by</p>'
        f'<div class="vb-groups">{solved}</div></div>'
    )


def _legend(view: View) -> str:
    return "".join(
        f'<span class="vb-legend vb-{side}"><i class="vb-swatch"></i>{visible(arm, 16)}</span>'
        for side, arm in (("left", view.left), ("right", view.right))
    )


def _list_row(view: View, run: RunIndex, known: Tallies, place: int) -> str:
    problem = run.problems[view.benchmark][place]
    picture_uri = thumbnail(run.directory.images, problem.pictures[0]) if problem.pictures else None
    image = f'<img src="{picture_uri}" alt="">' if picture_uri else '<i class="vb-no-picture"></i>'
    rates = "".join(
        _rate(codes[place], side) for side, codes in (("left", known.left), ("right", known.right))
    )
    on = ' aria-current="true"' if problem.problem_id == view.problem else ""
    return (
        f'<button class="vb-row" data-do="problem" data-value="{escape(problem.problem_id)}"{on}>'
        f'{image}<span class="vb-row-words"><span class="vb-row-id">'
        f"{visible(problem.problem_id, 60)}</span>"
        f'<span class="vb-row-question">{visible(problem.question, 90)}</span></span>'
        f'<span class="vb-rates">{rates}</span></button>'
    )


def _rate(codes: Any, side: str) -> str:
    drawn, right = int(has(codes, Bit.DRAWN).sum()), int(has(codes, Bit.CORRECT).sum())
    if not drawn:
        return f'<span class="vb-r vb-{side}" title="no samples">–</span>'
    share = right / drawn
    return (
        f'<span class="vb-r vb-{side}" title="{right} of {drawn} right">'
        f'<i style="width:{share:.0%}"></i><b>{share:.0%}</b></span>'
    )


def _pages(page: int, pages: int) -> str:
    if pages == 1:
        return ""
    return (
        f'<p class="vb-pages">{_button("◀", "page", str(page - 1))} page {page + 1} of {pages} '
        f"{_button('▶', 'page', str(page + 1))}</p>"
    )


def _pictures(run: RunIndex, problem: Any) -> str:
    made = []
    for name in problem.pictures:
        uri = picture(run.directory.images, name)
        if uri:
            made.append(
                f'<button class="vb-zoom" data-do="zoom" title="enlarge (z)">'
                f'<img src="{uri}" alt="the problem\'s picture"></button>'
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
    for arm in dict.fromkeys((view.left, view.right)):
        partition = run.partition(arm, view.benchmark, view.condition)
        if partition is not None:
            reasons += [f"{arm}: {reason}" for reason in partition.failures(view.problem)]
    return "".join(
        f'<p class="vb-warn">could not be sampled: {visible(r, 300)}</p>' for r in reasons
    )


def _shown_kinds(view: View, codes: Any, side: str) -> str:
    wanted = view.show_left if side == "left" else view.show_right
    made = []
    for name in SHOWN:
        count = int(kind(codes, name).sum())
        if count or name in ("all", "correct", "wrong") or name == wanted:
            made.append(_button(f"{name} <b>{count}</b>", f"show_{side}", name, on=name == wanted))
    return f'<div class="vb-kinds">{"".join(made)}</div>'


def _strip(view: View, run: RunIndex, codes: Any, side: str, index: int | None) -> str:
    """A cell a sample, to see and to click."""
    letters = np.full(len(codes), "w", dtype="<U1")
    letters[~has(codes, Bit.GRADED)] = "n"
    letters[has(codes, Bit.UNDECIDED)] = "u"
    letters[has(codes, Bit.CORRECT)] = "c"
    letters[valid(codes)] = "v"
    letters[invalid(codes)] = "l"
    cells = []
    for place in shown_samples(view, run, side):
        cut = " t" if codes[place] & Bit.TRUNCATED else ""
        on = " on" if place == index else ""
        cells.append(f'<i class="{letters[place]}{cut}{on}" data-s="{place}"></i>')
    return f'<div class="vb-strip" data-side="{side}" title="{_CELLS}">{"".join(cells)}</div>'


def _sample(view: View, run: RunIndex, side: str, index: int | None) -> str:
    if index is None:
        return '<p class="vb-empty">No sample of this kind.</p>'
    arm = view.left if side == "left" else view.right
    drawn = run.load(arm, view.benchmark, view.condition, view.problem).sample(index)
    if drawn is None:
        return '<p class="vb-empty">This sample is being written; it appears in a moment.</p>'
    keys = ("q", "w") if side == "left" else ("o", "p")
    indices = shown_samples(view, run, side)
    nth = int(np.searchsorted(indices, index)) + 1
    return (
        f'<div class="vb-sample-head">{_button("◀", f"sample_{side}", "-1", keys[0])}'
        f'<span data-testid="{side}-index">sample #{index} '
        f'<span class="vb-quiet">({nth} of {len(indices)})</span></span>'
        f"{_button('▶', f'sample_{side}', '1', keys[1])}"
        f'<span class="vb-grow"></span><button class="vb-button" data-do="label" '
        f'data-value="{side}">label…</button></div>'
        f"{verdict_line(drawn)}"
        f'<div class="vb-text" data-testid="{side}-text">'
        f'<div class="vb-as-rendered">{sample_body(drawn)}</div>'
        f'<div class="vb-as-written" hidden>{sample_body(drawn, raw=True)}</div></div>'
        f"{numbers_line(drawn.response)}{checks(drawn)}"
    )
