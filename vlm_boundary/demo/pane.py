"""One model on one problem as HTML: counts, one sample in full, answers, pass@k."""

from __future__ import annotations

import numpy as np

from vlm_boundary.demo.charts import answer_bars, pass_at_k_chart
from vlm_boundary.demo.codes import SHOWN, Bit, Codes, has, invalid, kind, ungraded, valid
from vlm_boundary.demo.drawn import ProblemSamples
from vlm_boundary.demo.ended import ended_line, rule_of, standing
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.parts import button
from vlm_boundary.demo.shown_sample import checks, numbers_line, sample_body, verdict_line
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.view import View, current_sample, of_side, shown_samples

_CELLS = (
    "A cell a sample. Green: right; strong where its reasoning was found valid. Ochre: right, with "
    "invalid reasoning. Red and low: wrong. Outlined: undecided. Grey: not graded yet. Dark foot: "
    "ended at the token limit."
)


def arm_pane(view: View, run: RunIndex, side: str) -> str:
    """One arm on the problem: counts, one sample in full, its answers and its pass@k."""
    half = of_side(view, side)
    arm = half.arm
    head = (
        f'<h3 class="vb-{side}"><i class="vb-swatch"></i>{visible(arm, 60)}</h3>'
        f'<span class="vb-quiet">{visible(run.role(arm), 30)} · {visible(run.model(arm), 60)}'
        "</span>"
    )
    place = run.places.get(view.benchmark, {}).get(view.problem)
    partition = run.partition(arm, view.benchmark, view.condition)
    if place is None or partition is None or not has(partition.codes[place], Bit.DRAWN).any():
        return (
            f'<section class="vb-pane"><header>{head}</header>'
            '<p class="vb-empty">No samples yet.</p></section>'
        )
    codes = partition.codes[place]
    samples = run.load(arm, view.benchmark, view.condition, view.problem)
    index = current_sample(view, run, side)
    return (
        f'<section class="vb-pane" data-side="{side}"><header>{head}'
        f'<span class="vb-rate">{rate_line(codes)}</span></header>'
        f"{_shown_kinds(view, codes, side)}{_strip(view, run, codes, side, index)}"
        f"{_sample(view, run, samples, side, index)}"
        f"{spread(run, arm, view.condition, codes, samples, side, half.answer)}</section>"
    )


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
    rule = rule_of(run, arm, condition)
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
    keys = ("q", "w") if side == "left" else ("o", "p")
    indices = shown_samples(view, run, side).tolist()
    nth = indices.index(index) + 1
    arm = visible(of_side(view, side).arm, 60)
    return (
        f'<div class="vb-sample-head">{button("◀", f"sample_{side}", "-1", keys[0])}'
        f'<span data-testid="{side}-index">sample #{index} '
        f'<span class="vb-quiet">({nth} of {len(indices)})</span></span>'
        f"{button('▶', f'sample_{side}', '1', keys[1])}"
        f'<span class="vb-grow"></span>'
        f'<button class="vb-button" data-do="whole">whole text</button>'
        f'<button class="vb-button" data-do="label" data-value="{side}">label…</button></div>'
        f"{verdict_line(drawn)}"
        f'<div class="vb-text" data-testid="{side}-text" tabindex="0" role="region" '
        f'aria-label="{arm}, sample {index}">'
        f'<div class="vb-as-rendered">{sample_body(drawn, found=view.text)}</div>'
        f'<div class="vb-as-written" hidden>{sample_body(drawn, raw=True, found=view.text)}</div>'
        f"</div>{numbers_line(drawn.response)}{checks(drawn)}"
    )
