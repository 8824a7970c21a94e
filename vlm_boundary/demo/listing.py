"""The list of problems: as HTML, with groups and their counts, and as a table to go on with."""

from __future__ import annotations

import base64
import io
from html import escape

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from vlm_boundary.demo.codes import (
    SOLVED_BY_THREE,
    Bit,
    Codes,
    Tallies,
    has,
    invalid,
    ungraded,
    valid,
)
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.parts import button, held
from vlm_boundary.demo.pictures import thumbnail
from vlm_boundary.demo.sides import matching_line
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.view import (
    PAGE,
    View,
    counts,
    listed_problems,
    names_of,
    nth_of,
    of_side,
    shown_on,
    sides_of,
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def problem_list(view: View, run: RunIndex, page: int | None = None) -> str:
    """The groups with their counts, and a page of the problems that pass the filters.

    Args:
        page: which; by default the one with the view's problem.
    """
    if not run.problems.get(view.benchmark):
        return '<p class="vb-empty">No problems yet.</p>'
    known = counts(view, run)
    listed = listed_problems(view, run)
    pages = max(1, -(-len(listed) // PAGE))
    if page is None:
        page = (nth_of(view, run, listed) or 0) // PAGE
    page = min(max(page, 0), pages - 1)
    rows = [
        _list_row(view, run, known, int(place)) for place in listed[page * PAGE : (page + 1) * PAGE]
    ]
    total = len(run.problems[view.benchmark])
    body = "".join(rows) or (
        '<p class="vb-empty">No problem passes these filters. '
        f"{button('all problems', 'group', 'all')}</p>"
    )
    return (
        f"{_groups(view, run, known)}{_among(view, run)}"
        f'<p class="vb-count"><span data-testid="count" {held(run)}>'
        f"{len(listed):,} of {total:,} problems"
        f"</span><span class='vb-grow'></span>{_legend(view, run)}</p>"
        f'<div class="vb-rows" data-roving="column">{body}</div>{_pages(page, pages)}'
    )


def _groups(view: View, run: RunIndex, known: Tallies) -> str:
    solving = solved_names(view, run)
    names = {
        "all": "all problems",
        **solving,
        "open": "open",
        "luck": "by luck only",
        "disputed": "disputed",
        "undecided": "undecided",
    }
    notes = {
        "both": "solved by each of the two",
        "neither": "every sample of both is graded, and too few are right",
        "000": "every sample of the three is graded, and too few are right",
        "open": "no samples, or not all graded yet: a right one may still come",
        "luck": "right answers of one arm, every one checked, and none with valid reasoning",
        "disputed": "an official rule or math-verify judges a sample otherwise than the verifier",
        "undecided": "the verifier could not tell of some sample",
    }
    made = {}
    for name, said in names.items():
        count = int(known.group(name).sum())
        on = ' aria-pressed="true"' if view.group == name else ""
        note = escape(notes.get(name, ""))
        made[name] = (
            f'<button class="vb-group" data-do="group" data-value="{name}"{on} '
            f'title="{note}"><span>{said}</span><b>{count:,}</b></button>'
        )
    waiting = ["open"] if known.group("open").any() or view.group == "open" else []
    solved = "".join(made[name] for name in (*solving, *waiting))
    others = "".join(made[name] for name in made if name not in (*solving, "open"))
    less, more = str(view.at_least - 1), str(view.at_least + 1)
    return (
        f'<div data-testid="groups"><div class="vb-groups" data-roving>{others}</div>'
        f'<p class="vb-quiet vb-solved"><span data-testid="at-least">solved at least '
        f"{times(view)} by</span><span class='vb-grow'></span>{button('−', 'at_least', less)}"
        f"{button('+', 'at_least', more)}</p>"
        f'<div class="vb-groups" data-roving>{solved}</div>{matching_notes(view, run)}</div>'
    )


def times(view: View) -> str:
    """How often a problem is to be solved, in words."""
    return "once" if view.at_least == 1 else f"{view.at_least} times"


def matching_notes(view: View, run: RunIndex) -> str:
    """What the sides' runs do not have of the view's problems, each line once."""
    lines = dict.fromkeys(matching_line(shown_on(view, run, side)) for side in sides_of(view))
    return "".join(
        f'<p class="vb-warn" data-testid="matching">{visible(line, 300)}</p>'
        for line in lines
        if line
    )


def solved_names(view: View, run: RunIndex) -> dict[str, str]:
    """The groups of problems that the view's arms solve, in words, as HTML."""
    left, right, *third = (visible(name, 24) for name in names_of(view, run).values())
    if not third:
        return {
            "both": "both",
            "left": f"only {left}",
            "right": f"only {right}",
            "neither": "neither",
        }
    said = {}
    for pattern in SOLVED_BY_THREE:
        arms = [
            arm for arm, sign in zip((left, right, *third), pattern, strict=True) if sign == "1"
        ]
        one = f"only {arms[0]}" if len(arms) == 1 else " + ".join(arms)
        said[pattern] = {"111": "all three", "000": "none"}.get(pattern, one)
    return said


def _among(view: View, run: RunIndex) -> str:
    """Which number of the report the list is of, and the way back to all problems."""
    behind = run.problem_set(view.among, view.benchmark) if view.among else None
    if behind is None:
        return ""
    words = f"{visible(behind.title, 300)} ✕"
    return f'<p data-testid="among">{button(words, "among", "", on=True)}</p>'


def _legend(view: View, run: RunIndex) -> str:
    return "".join(
        f'<span class="vb-legend vb-{side}"><i class="vb-swatch"></i>{visible(name, 24)}</span>'
        for side, name in names_of(view, run).items()
    )


def _list_row(view: View, run: RunIndex, known: Tallies, place: int) -> str:
    problem = run.problems[view.benchmark][place]
    picture_uri = thumbnail(run.directory.images, problem.pictures[0]) if problem.pictures else None
    image = f'<img src="{picture_uri}" alt="">' if picture_uri else '<i class="vb-no-picture"></i>'
    rates = "".join(
        _rate(codes[place], side) for side, codes in zip(sides_of(view), known.arms, strict=True)
    )
    on = ' aria-current="true"' if problem.problem_id == view.problem else ""
    return (
        f'<button class="vb-row" data-do="problem" data-value="{escape(problem.problem_id)}"{on}>'
        f'{image}<span class="vb-row-words"><span class="vb-row-id">'
        f"{visible(problem.problem_id, 60)}</span>"
        f'<span class="vb-row-question">{visible(problem.question, 90)}</span></span>'
        f'<span class="vb-rates">{rates}</span></button>'
    )


def _rate(codes: Codes, side: str) -> str:
    """The right share of what is graded; a number in brackets stands on some samples alone."""
    right, graded = int(has(codes, Bit.CORRECT).sum()), int(has(codes, Bit.GRADED).sum())
    waiting = int(ungraded(codes).sum())
    if not graded:
        said = f"{waiting} samples, not graded yet" if waiting else "no samples"
        return f'<span class="vb-r vb-{side}" title="{said}">{"…" if waiting else "–"}</span>'
    share = right / graded
    said = f"{right} of {graded} right" + (f", {waiting} not graded yet" if waiting else "")
    shown = f"({share:.0%})" if waiting else f"{share:.0%}"
    return (
        f'<span class="vb-r vb-{side}" title="{said}">'
        f'<i style="width:{share:.0%}"></i><b>{shown}</b></span>'
    )


def _pages(page: int, pages: int) -> str:
    if pages == 1:
        return ""
    return (
        f'<p class="vb-pages">{button("◀", "page", str(page - 1))} page {page + 1} of {pages} '
        f"{button('▶', 'page', str(page + 1))}</p>"
    )


def listed_table(view: View, run: RunIndex) -> pa.Table:
    """A row for each problem that passes the view's filters, in its order.

    Columns: benchmark, condition, problem_id, answer, and for each arm (as links name it)
    ARM_samples, _graded, _right, _valid, _invalid, _undecided, _truncated, _ungraded.
    """
    places = listed_problems(view, run)
    problems = [run.problems[view.benchmark][place] for place in places]
    known = counts(view, run)
    columns: dict[str, pa.Array] = {
        "benchmark": pa.array([view.benchmark] * len(problems), pa.string()),
        "condition": pa.array([view.condition] * len(problems), pa.string()),
        "problem_id": pa.array([one.problem_id for one in problems], pa.string()),
        "answer": pa.array([one.answer for one in problems], pa.string()),
    }
    for side, codes in zip(sides_of(view), known.arms, strict=True):
        for name, values in tallies(codes[places]).items():
            columns[f"{of_side(view, side).arm}_{name}"] = values
    return pa.table(columns)


def export_page(view: View, run: RunIndex) -> str:
    """Links that hold the table themselves, so that no file has to be served."""
    table = listed_table(view, run)
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in f"{run.name}-{view.benchmark}")
    parquet, csv = io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet)
    pa_csv.write_csv(_harmless(table), csv)
    links = "".join(
        f'<a class="vb-button" download="{name}.{suffix}" '
        f'href="data:{kind};base64,{base64.b64encode(file.getvalue()).decode()}">{suffix}</a> '
        for suffix, kind, file in (
            ("parquet", "application/vnd.apache.parquet", parquet),
            ("csv", "text/csv", csv),
        )
    )
    line = f'import pandas; problems = pandas.read_parquet("{name}.parquet")'
    return (
        f'<p data-testid="export">{table.num_rows:,} problems: {links}</p>'
        f'<pre tabindex="0">{escape(line)}</pre>'
    )


def tallies(codes: Codes) -> dict[str, pa.Array]:
    """How many of each problem's samples are of each kind; arrays of (problems,)."""
    found = {
        "samples": has(codes, Bit.DRAWN),
        "graded": has(codes, Bit.GRADED),
        "right": has(codes, Bit.CORRECT),
        "valid": valid(codes),
        "invalid": invalid(codes),
        "undecided": has(codes, Bit.UNDECIDED),
        "truncated": has(codes, Bit.TRUNCATED),
        "ungraded": ungraded(codes),
    }
    return {name: pa.array(which.sum(axis=1)) for name, which in found.items()}


def _harmless(table: pa.Table) -> pa.Table:
    """With an apostrophe before what a spreadsheet would take for a formula."""
    for place, name in enumerate(table.column_names):
        if pa.types.is_string(table.schema.field(name).type):
            cells = table[name].to_pylist()
            safe = [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
            table = table.set_column(place, name, pa.array(safe, pa.string()))
    return table
