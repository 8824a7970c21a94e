"""The arms of a view against each other: solved sets and pass@k over problems of one content."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.demo.codes import (
    Bit,
    Tallies,
    count,
    counted,
    has,
    pass_at,
    standing,
    ungraded,
    usual_ks,
)
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.listing import matching_notes, solved_names, times
from vlm_boundary.demo.sides import Shown
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.view import View, counts, names_of, shown_on, sides_of

_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 16, 12, 38


@dataclass(frozen=True)
class Curve:
    """Mean pass@k of one side over the problems that every side has in full."""

    side: str
    name: str
    ks: list[int]
    values: list[float]


def compared_page(view: View, run: RunIndex) -> str:
    """Sides, solved sets and curves; what does not match between runs is said first."""
    if not run.problems.get(view.benchmark):
        return '<p class="vb-empty">No problems yet.</p>'
    shown = {side: shown_on(view, run, side) for side in sides_of(view)}
    names = names_of(view, run)
    full = in_full(list(shown.values()))
    curves = [
        curve
        for side, one in shown.items()
        if (curve := _curve(side, names[side], one, full)) is not None
    ]
    known = counts(view, run)
    return (
        f'<p class="vb-quiet">Problems are the same where their content is (question, pictures, '
        f"choices, answer), whatever their id.</p>{matching_notes(view, run)}{_sides(shown, names)}"
        f'<div class="vb-compared"><div>{_solved(view, run, known)}{_pairs(names, known)}</div>'
        f"<div>{curves_chart(curves, int(full.sum()))}</div></div>"
    )


def in_full(sides: Sequence[Shown]) -> NDArray[np.bool_]:
    """Which problems every side has: all samples that its manifest asks for, all of them graded."""
    kept = np.ones(len(sides[0].matching.places), dtype=bool)
    for one in sides:
        codes = one.codes
        kept &= has(codes, Bit.DRAWN).any(axis=1) & ~ungraded(codes).any(axis=1)
        rule = one.run.rule(one.arm, one.condition)
        if rule:
            places = np.flatnonzero(kept)
            kept[places] = [standing(rule, codes[place]).complete for place in places]
        elif asked := one.run.asked(one.arm, one.condition):
            kept &= count(codes, Bit.DRAWN) >= asked
    return kept


def _curve(side: str, name: str, shown: Shown, full: NDArray[np.bool_]) -> Curve | None:
    """By the unbiased estimator, up to the fewest samples per problem (a stopping rule's n)."""
    codes, rule = shown.codes[full], shown.run.rule(shown.arm, shown.condition)
    found = counted(codes, rule) if full.any() else None
    if found is None:
        return None
    ks = usual_ks(rule.n if rule else int(found[1].min()))
    return Curve(side, name, ks, pass_at(ks, *found, rule).mean(axis=0).tolist())


def _sides(shown: dict[str, Shown], names: dict[str, str]) -> str:
    rows = []
    for side, one in shown.items():
        drawn = count(one.codes, Bit.DRAWN)
        there = drawn[drawn > 0]
        many = "none" if not len(there) else f"{int(there.min()):,}"
        if len(there) and there.max() > there.min():
            many += f" to {int(there.max()):,}"
        cells = "".join(
            f"<td>{visible(cell, 80)}</td>"
            for cell in (one.run.name, one.run.model(one.arm), one.matching.benchmark)
        )
        rows.append(
            f'<tr><td class="vb-{side}"><i class="vb-swatch"></i> {visible(names[side], 80)}</td>'
            f'{cells}<td>{visible(one.condition, 30)}</td><td class="vb-num">{len(there):,}</td>'
            f'<td class="vb-num">{many}</td></tr>'
        )
    heads = "".join(f"<th>{name}</th>" for name in ("side", "run", "checkpoint", "benchmark"))
    return (
        '<div class="vb-scroll"><table class="vb-table" data-testid="sides"><thead><tr>'
        f'{heads}<th>condition</th><th class="vb-num">of these problems</th>'
        f'<th class="vb-num">samples each</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'
        "</div>"
    )


def _solved(view: View, run: RunIndex, known: Tallies) -> str:
    """How many problems each combination of the sides solves; a click lists them."""
    names = solved_names(view, run) | {"open": "open: not drawn or not graded by all"}
    rows = "".join(
        f'<tr><td><button class="vb-button" data-do="group" data-value="{name}">{said}</button>'
        f'</td><td class="vb-num">{int(known.group(name).sum()):,}</td></tr>'
        for name, said in names.items()
    )
    return (
        f'<h4>Solved at least {times(view)} by</h4><table class="vb-table" data-testid="solved">'
        f"<tbody>{rows}</tbody></table>"
        '<p class="vb-quiet">More samples solve more problems: sets of sides with different '
        "numbers of samples answer different questions, their curves do not.</p>"
    )


def _pairs(names: dict[str, str], known: Tallies) -> str:
    """Of three sides what each two solve."""
    if len(names) < 3:
        return ""
    told = dict(zip(names, known.arms, strict=True))
    rows = ""
    for one, other in combinations(names, 2):
        pair = Tallies(told[one], told[other], known.at_least)
        cells = "".join(
            f'<td class="vb-num">{int(pair.group(group).sum()):,}</td>'
            for group in ("both", "left", "right", "neither", "open")
        )
        said = f"{visible(names[one], 40)} and {visible(names[other], 40)}"
        rows += f"<tr><td>{said}</td>{cells}</tr>"
    heads = "".join(
        f'<th class="vb-num">{name}</th>'
        for name in ("both", "only the first", "only the second", "neither", "open")
    )
    return (
        '<div class="vb-scroll"><table class="vb-table" data-testid="pairs"><thead><tr><th>two of '
        f"them</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def curves_chart(curves: Sequence[Curve], problems: int) -> str:
    """Mean pass@k of the sides, k on a log2 axis."""
    if not curves:
        return '<p class="vb-empty">No problem that every side has in full, so no curves.</p>'
    span = math.log2(max(curve.ks[-1] for curve in curves)) or 1.0
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    base = _TOP + height
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _TOP + height * (1 - share)
        parts.append(
            f'<line class="vb-axis" x1="{_LEFT}" y1="{y:g}" x2="{_WIDTH - _RIGHT}" y2="{y:g}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:g}" text-anchor="end">{share:.0%}</text>'
        )
    ticks = {1 << power for power in range(int(span) + 1)}
    parts += [
        f'<text x="{_LEFT + width * math.log2(k) / span:.1f}" y="{base + 16}" '
        f'text-anchor="middle">{k}</text>'
        for k in sorted(ticks)
    ]
    for curve in curves:
        points = [
            (_LEFT + width * math.log2(k) / span, _TOP + height * (1 - value))
            for k, value in zip(curve.ks, curve.values, strict=True)
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="vb-line vb-{curve.side}" points="{line}"/>')
        parts += [
            f'<circle class="vb-dot vb-{curve.side}" cx="{x:.1f}" cy="{y:.1f}" r="3">'
            f"<title>{escape(curve.name)}: pass@{k} = {value:.1%}</title></circle>"
            for (x, y), k, value in zip(points, curve.ks, curve.values, strict=True)
        ]
    said = "; ".join(
        f"{curve.name}: pass@1 {curve.values[0]:.1%}, pass@{curve.ks[-1]} {curve.values[-1]:.1%}"
        for curve in curves
    )
    legend = "".join(
        f'<p class="vb-{curve.side}"><i class="vb-swatch"></i> {visible(curve.name, 80)}: '
        f"pass@1 {curve.values[0]:.1%}, pass@{curve.ks[-1]} {curve.values[-1]:.1%}</p>"
        for curve in curves
    )
    return (
        f"<h4>pass@k over the {problems:,} problems that every side has in full</h4>"
        f'<svg class="vb-curves" data-testid="curves" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(said)}">{"".join(parts)}'
        f'<text x="{_LEFT + width / 2:g}" y="{_HEIGHT - 4}" text-anchor="middle">k</text></svg>'
        f"{legend}<p class='vb-quiet'>Means of the unbiased estimator, without intervals: those "
        "are in each run's report.</p>"
    )
