"""One model on one problem as HTML: counts, one sample in full, answers, pass@k."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape

import numpy as np

from vlm_boundary.demo.codes import (
    SHOWN,
    Bit,
    Codes,
    answer_name,
    ended_line,
    has,
    invalid,
    kind,
    pass_at,
    standing,
    ungraded,
    usual_ks,
    valid,
)
from vlm_boundary.demo.drawn import ProblemSamples
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.parts import button
from vlm_boundary.demo.shown_sample import checks, numbers_line, sample_body, verdict_line
from vlm_boundary.demo.sides import Shown, label
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.view import View, current_sample, of_side, shown_on, shown_samples
from vlm_boundary.records.problem import Problem
from vlm_boundary.stopping import StoppingRule

_KEYS = {"left": ("q", "w"), "right": ("o", "p"), "third": ("", "")}
_CELLS = (
    "A cell a sample. Green: right; strong where its reasoning was found valid. Ochre: right, with "
    "invalid reasoning. Red and low: wrong. Outlined: undecided. Grey: not graded yet. Dark foot: "
    "ended at the token limit."
)


def arm_pane(view: View, run: RunIndex, side: str) -> str:
    """One arm on the problem: counts, one sample in full, its answers and its pass@k."""
    if not of_side(view, side).arm:
        return ""
    shown = shown_on(view, run, side)
    name = label(of_side(view, side).arm, run, view.condition)
    role, model = shown.run.role(shown.arm), shown.run.model(shown.arm)
    head = (
        f'<h3 class="vb-{side}"><i class="vb-swatch"></i>{visible(name, 80)}</h3>'
        f'<span class="vb-quiet">{visible(role, 30)} · {visible(model, 60)}</span>'
    )
    place = run.place(view.benchmark, view.problem)
    problem = None if place is None else shown.problem(place)
    if place is None or problem is None or not has(shown.codes[place], Bit.DRAWN).any():
        return (
            f'<section class="vb-pane"><header>{head}</header>'
            f'<p class="vb-empty">{_why_empty(view, shown, problem)}</p></section>'
        )
    codes = shown.codes[place]
    samples = shown.load(problem)
    index = current_sample(view, run, side)
    wanted = of_side(view, side).answer
    there = "" if problem.problem_id == view.problem else _other_id(shown, problem)
    return (
        f'<section class="vb-pane" data-side="{side}"><header>{head}'
        f'<span class="vb-rate">{rate_line(codes)}</span></header>{there}'
        f"{_shown_kinds(view, codes, side)}{_strip(view, run, codes, side, index)}"
        f"{_sample(view, run, samples, side, index)}"
        f"{spread(shown.run, shown.arm, shown.condition, codes, samples, side, wanted)}</section>"
    )


def _why_empty(view: View, shown: Shown, problem: Problem | None) -> str:
    """Why a side has nothing to show of the view's problem."""
    if problem is not None or not shown.foreign:
        return "No samples yet."
    run, benchmark = visible(shown.run.name, 60), shown.matching.benchmark
    if view.problem in shown.run.places.get(benchmark, {}):
        return (
            f"The problem of this id in {run} has another content (question, pictures, choices or "
            "answer), so its samples are not shown beside these."
        )
    return f"{run} has no problem with this content."


def _other_id(shown: Shown, problem: Problem) -> str:
    name, run = visible(problem.problem_id, 60), visible(shown.run.name, 60)
    return f'<p class="vb-quiet">The same problem is called {name} in {run}.</p>'


def rate_line(codes: Codes) -> str:
    """How many are right, of those that have a verdict."""
    right, graded = int(has(codes, Bit.CORRECT).sum()), int(has(codes, Bit.GRADED).sum())
    waiting = int(ungraded(codes).sum())
    open_ones = f" · {waiting} not graded yet" if waiting else ""
    if not graded:
        return f'<b>{waiting} samples</b> <span class="vb-quiet">not graded yet</span>'
    sound, faulty = int(valid(codes).sum()), int(invalid(codes).sum())
    checked = f" · {sound} valid, {faulty} invalid reasoning" if sound or faulty else ""
    of = f"{graded} graded" if waiting else f"{graded}"
    return (
        f'<b>{right} of {of}</b> right <span class="vb-quiet">({right / graded:.1%})'
        f"{open_ones}{checked}</span>"
    )


def spread(
    run: RunIndex,
    arm: str,
    condition: str,
    codes: Codes,
    samples: ProblemSamples,
    side: str,
    wanted: str = "",
) -> str:
    """How far a problem was sampled, how its answers are spread, and pass@k.

    Args:
        wanted: the answer that samples are filtered by, as `codes.answer_name` names it.
    """
    right, graded = int(has(codes, Bit.CORRECT).sum()), int(has(codes, Bit.GRADED).sum())
    chart = pass_at_k_chart(right, graded, side)
    rule = run.rule(arm, condition)
    if rule:
        end = standing(rule, codes)
        ended = ended_line(rule, end)
        chart = pass_at_k_chart(end.right, end.look, side, rule) if end.complete else ""
    else:
        drawn, asked = int(has(codes, Bit.DRAWN).sum()), run.asked(arm, condition)
        ended = f"{drawn} samples"
        if asked is not None:
            ended = f"all {asked} samples" if drawn >= asked else f"{drawn} of {asked} samples"
    return (
        f'<p class="vb-quiet" data-testid="ended-{side}">sampled: {ended}</p>'
        f'<div class="vb-charts"><div>{answer_bars(samples.answers(), side, wanted)}</div>'
        f"<div>{chart}</div></div>"
    )


def _shown_kinds(view: View, codes: Codes, side: str) -> str:
    wanted, answer = of_side(view, side).show, of_side(view, side).answer
    made = []
    for name in SHOWN:
        count = int(kind(codes, name).sum())
        if count or name in ("all", "correct", "wrong") or name == wanted:
            label = f"{name} <b>{count}</b>"
            made.append(button(label, f"show_{side}", name, on=name == wanted))
    if answer:
        shown = "no answer" if answer == "none" else visible(answer[1:], 30)
        made.append(button(f"answer {shown} ✕", f"answer_{side}", "", on=True))
    return f'<div class="vb-kinds" data-roving>{"".join(made)}</div>'


def _strip(view: View, run: RunIndex, codes: Codes, side: str, index: int | None) -> str:
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
    return (
        f'<div class="vb-strip" data-side="{side}" title="{_CELLS}" role="img" '
        f'aria-label="{len(cells)} samples, a cell each">{"".join(cells)}</div>'
    )


def _sample(
    view: View, run: RunIndex, samples: ProblemSamples, side: str, index: int | None
) -> str:
    if index is None:
        return '<p class="vb-empty">No sample of this kind.</p>'
    drawn = samples.sample(index)
    if drawn is None:
        return '<p class="vb-empty">This sample is being written; it appears in a moment.</p>'
    keys = _KEYS[side]
    indices = shown_samples(view, run, side).tolist()
    nth = indices.index(index) + 1
    arm = visible(label(of_side(view, side).arm, run, view.condition), 80)
    own = not shown_on(view, run, side).foreign
    to_label = (
        f'<button class="vb-button" data-do="label" data-value="{side}">label…</button>'
        if own
        else ""
    )
    return (
        f'<div class="vb-sample-head">{button("◀", f"sample_{side}", "-1", keys[0])}'
        f'<span data-testid="{side}-index">sample #{index} '
        f'<span class="vb-quiet">({nth} of {len(indices)})</span></span>'
        f"{button('▶', f'sample_{side}', '1', keys[1])}"
        f'<span class="vb-grow"></span>'
        f'<button class="vb-button" data-do="whole">whole text</button>'
        f"{to_label}</div>"
        f"{verdict_line(drawn)}"
        f'<div class="vb-text" data-testid="{side}-text" tabindex="0" role="region" '
        f'aria-label="{arm}, sample {index}">'
        f'<div class="vb-as-rendered">{sample_body(drawn, found=view.text)}</div>'
        f'<div class="vb-as-written" hidden>{sample_body(drawn, raw=True, found=view.text)}</div>'
        f"</div>{numbers_line(drawn.response)}{checks(drawn)}"
    )


_WIDTH, _HEIGHT = 300, 128
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 16, 10, 36
_ANSWERS = 5


def pass_at_k_chart(correct: int, drawn: int, side: str, rule: StoppingRule | None = None) -> str:
    """One problem's pass@k by one arm, k on a log2 axis; empty without samples."""
    if drawn < 1:
        return ""
    ks = usual_ks(rule.n if rule else drawn)
    values = pass_at(ks, np.array([correct]), np.array([drawn]), rule)[0].tolist()
    span = math.log2(ks[-1]) or 1.0
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    points = [
        (_LEFT + width * math.log2(k) / span, _TOP + height * (1 - value))
        for k, value in zip(ks, values, strict=True)
    ]
    base = _TOP + height
    parts = [
        f'<line class="vb-axis" x1="{_LEFT}" y1="{y:g}" x2="{_WIDTH - _RIGHT}" y2="{y:g}"/>'
        for y in (_TOP, _TOP + height / 2, base)
    ]
    parts += [
        f'<text x="{_LEFT - 5}" y="{y + 3:g}" text-anchor="end">{name}</text>'
        for name, y in (("100%", _TOP), ("50%", _TOP + height / 2), ("0", base))
    ]
    step = max(1, len(ks) // 6)
    labelled = [*range(0, len(ks) - 1, step), len(ks) - 1]
    if len(labelled) > 1 and points[labelled[-1]][0] - points[labelled[-2]][0] < 26:
        del labelled[-2]
    parts += [
        f'<text x="{points[i][0]:.1f}" y="{base + 15}" text-anchor="middle">{ks[i]}</text>'
        for i in labelled
    ]
    parts.append(f'<text x="{_LEFT + width / 2:g}" y="{_HEIGHT - 4}" text-anchor="middle">k</text>')
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts.append(f'<polyline class="vb-line vb-{side}" points="{line}"/>')
    parts += [
        f'<circle class="vb-dot vb-{side}" cx="{x:.1f}" cy="{y:.1f}" r="2.5">'
        f"<title>pass@{k} = {value:.1%}</title></circle>"
        for (x, y), k, value in zip(points, ks, values, strict=True)
    ]
    said = f"pass@1 {values[0]:.1%}, pass@{ks[-1]} {values[-1]:.1%}"
    return (
        f'<svg class="vb-chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(said)}">{"".join(parts)}</svg>'
    )


def answer_bars(
    answers: Sequence[tuple[str | None, bool | None]], side: str, chosen: str = ""
) -> str:
    """The most frequent answers as bars that can be clicked, right ones by colour and a tick.

    Args:
        chosen: the answer that samples are filtered by, as `index.answer_name` names it.
    """
    if not answers:
        return '<p class="vb-quiet">No verdicts yet.</p>'
    tally: Counter[tuple[str | None, bool | None]] = Counter(answers)
    most = tally.most_common(_ANSWERS)
    rest = len(answers) - sum(count for _, count in most)
    largest = max(count for _, count in most)
    rows = []
    for (answer, correct), count in most:
        kind = {True: "right", False: "wrong", None: "undecided"}[correct]
        sign = {True: "✓", False: "✗", None: "?"}[correct]
        shown = "no answer" if answer is None else visible(answer, 40)
        name = answer_name(answer)
        pressed = "true" if name == chosen else "false"
        more = (
            f' data-do="answer_{side}" data-value="{escape(name)}" aria-pressed="{pressed}" '
            'title="only the samples that say so"'
        )
        rows.append(_bar("button", shown, f"{sign} {count}", count / largest, kind, more))
    if rest:
        others = len(tally) - len(most)
        rows.append(_bar("div", f"{others} more", str(rest), min(1.0, rest / largest), "rest"))
    return f'<div class="vb-bars" data-roving>{"".join(rows)}</div>'


def _bar(element: str, name: str, value: str, share: float, kind: str, more: str = "") -> str:
    return (
        f'<{element} class="vb-bar vb-is-{kind}"{more}><span class="vb-bar-name">{name}</span>'
        f'<span class="vb-bar-track"><i style="width:{share:.1%}"></i></span>'
        f'<span class="vb-bar-value">{value}</span></{element}>'
    )
