"""What the report drew, and several runs beside each other."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from vlm_boundary.config import FULL
from vlm_boundary.demo.codes import Bit, count, counted, pass_at, ungraded
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.lean_gradio import gr
from vlm_boundary.demo.pictures import is_own
from vlm_boundary.demo.text import visible
from vlm_boundary.errors import UserError
from vlm_boundary.records.outputs import read_contents

_LARGEST = 8 << 20
_KINDS = {".svg": "image/svg+xml", ".png": "image/png"}


def figures_page(run: RunIndex) -> str:
    """What the run's report shows, drawn anew; its pictures alone where there are no statistics."""
    try:
        reported = run.reported()
    except UserError as error:
        return f'{pictures_page(run)}<p class="vb-quiet">{visible(str(error), 500)}</p>'
    from vlm_boundary.demo.report_tab import report_page

    return report_page(reported, run.name)


def drawing(sent: bool) -> tuple[Any, bool]:
    """What draws the figures; large, and sent once to those who open them."""
    from vlm_boundary.demo.report_tab import drawing_script

    return (gr.skip() if sent else drawing_script()), True


def pictures_page(run: RunIndex) -> str:
    """Every figure of the run's report, vectors where there are some.

    An SVG shown as an image runs no script and loads nothing.
    """
    folder = run.directory.report
    found = {
        path.stem: path
        for suffix in (".png", ".svg")
        for path in sorted([*folder.glob(f"*{suffix}"), *folder.glob(f"figures/*{suffix}")])
        if _readable(path, run)
    }
    if not found:
        return (
            '<p class="vb-empty">This run has no figures yet: '
            "<code>vlm-boundary report RUN</code> draws them.</p>"
        )
    made = []
    contents = folder / "contents.json"
    drawn = read_contents(contents).figures if _readable(contents, run) else []
    known = {figure.name: figure for figure in drawn}
    for name in [*(name for name in known if name in found), *sorted({*found} - {*known})]:
        path, figure = found[name], known.get(name)
        title, caption = (figure.title, figure.caption) if figure else ("", "")
        data = base64.b64encode(path.read_bytes()).decode()
        made.append(
            f'<figure class="vb-figure"><img src="data:{_KINDS[path.suffix]};base64,{data}" '
            f'alt="{escape(title or name)}"><figcaption><b>{visible(title, 200)}</b> '
            f'{visible(caption, 2000)} <span class="vb-quiet">{visible(name)}</span>'
            "</figcaption></figure>"
        )
    return "".join(made)


def _readable(path: Path, run: RunIndex) -> bool:
    """Whether it is a file of the run itself, of a size to be shown."""
    return is_own(path, run.directory.path) and path.stat().st_size <= _LARGEST


def runs_page(runs: Mapping[str, RunIndex]) -> str:
    """A row for each arm of each run on each benchmark: what was sampled and what it solved."""
    rows: list[str] = []
    content: dict[str, set[str]] = {}
    for run in runs.values():
        for benchmark in run.benchmarks:
            known = run.manifest.benchmarks[benchmark].content
            content.setdefault(benchmark, set()).add(known)
            rows += [_row(run, arm, benchmark) for arm in run.arms]
    notes = "".join(
        f'<p class="vb-warn">{visible(name)}: these runs hold different problems under this name; '
        "their numbers are not comparable.</p>"
        for name, hashes in content.items()
        if len(hashes) > 1
    )
    words = ("run", "benchmark", "model", "checkpoint")
    numbers = ("problems", "n", "pass@1", "pass@n", "solved")
    head = "".join(f"<th>{name}</th>" for name in words)
    head += "".join(f"<th class=vb-num>{name}</th>" for name in numbers)
    return (
        f'{notes}<div class="vb-scroll"><table class="vb-table" data-testid="runs"><thead><tr>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        '<p class="vb-quiet">Means of the unbiased estimator over the problems with n samples; n '
        "is the largest that every sampled problem has. Intervals are in the report.</p>"
    )


def _row(run: RunIndex, arm: str, benchmark: str) -> str:
    codes = run.codes(arm, benchmark, FULL)
    there = count(codes, Bit.DRAWN) > 0
    names = (run.name, 60), (benchmark, 60), (arm, 60), (run.model(arm), 80)
    cells = "".join(f"<td>{visible(name, longest)}</td>" for name, longest in names)
    sampled = int(there.sum())
    codes = codes[there]
    rule = run.rule(arm, FULL)
    found = counted(codes, rule)
    state = ""
    if not sampled:
        state = "not sampled yet"
    elif ungraded(codes).any():
        state = "not graded yet"
    elif found is None:
        state = "its problems have not all ended yet"
    if state or found is None:
        return f'<tr>{cells}<td class="vb-num">{sampled}</td><td colspan="4">{state}</td></tr>'
    n = rule.n if rule else int(found[1].min())
    once, often = pass_at((1, n), *found, rule).mean(axis=0)
    said = f"{n} at most, {found[1].mean():.0f} on average" if rule else f"{n}"
    solved = int((count(codes, Bit.CORRECT) > 0).sum())
    numbers = sampled, said, f"{once:.1%}", f"{often:.1%}", solved
    return f"<tr>{cells}{''.join(f'<td class=vb-num>{number}</td>' for number in numbers)}</tr>"
