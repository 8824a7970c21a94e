"""The report as the Figures tab shows it: drawn by plotly, its numbers open their problems."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape

from vlm_boundary.analysis.shown import TextTable
from vlm_boundary.demo.parts import button
from vlm_boundary.demo.reported import Reported
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.view import View
from vlm_boundary.report.behind import Cell, ProblemSet, by_cell
from vlm_boundary.report.chart import Figure
from vlm_boundary.report.figures.curves import pass_at_k
from vlm_boundary.report.interactive import specs
from vlm_boundary.report.page import PALETTES, PANELS, PLOTLY, static
from vlm_boundary.report.sections import Section, sections
from vlm_boundary.report.verdict import statements


def drawing_script() -> str:
    """What draws, to be run by the page's script once the tab is opened; it is no markup."""
    source = static(PLOTLY) + static(PANELS) + "window.vbDrawPanel = drawPanel;"
    return f'<pre id="vb-plotly" hidden>{escape(source)}</pre>'


def report_page(reported: Reported, run: str) -> str:
    """Verdicts, every figure with its caption, and every table.

    Args:
        run: its name, for links to problems.
    """
    shown = _Shown(reported, run)
    found = reported.found
    return (
        f'<div class="vb-report" data-palettes="{escape(json.dumps(PALETTES))}">'
        f"{shown.verdicts()}{shown.figure(pass_at_k(found), 2)}"
        f"{''.join(shown.section(one) for one in sections(found))}</div>"
    )


class _Shown:
    """The parts of the page; sets of problems are opened in the list of `run`."""

    def __init__(self, reported: Reported, run: str) -> None:
        self._found = reported.found
        self._sets = list(reported.sets.values())
        self._behind: Mapping[Cell, ProblemSet] = by_cell(self._sets)
        self._run = run

    def verdicts(self) -> str:
        """A sentence for each pair, and into which parts it divides the problems."""
        made = []
        for one in statements(self._found):
            parts = [
                f"{visible(part.headline, 80)} {self._link(part, str(len(part.problem_ids)))}"
                for part in self._sets
                if part.headline and (part.benchmark, part.arms) == (one.benchmark, one.arms)
            ]
            solved = (
                f"<p>Solved at least once in all samples: {' · '.join(parts)}</p>" if parts else ""
            )
            notes = "".join(f"<li>{visible(note, 2000)}</li>" for note in one.notes)
            said = "".join(
                f"{before}<span{'' if claim.resolved else ' class=vb-open'}>"
                f"{visible(claim.text, 4000)}</span>"
                for before, claim in one.parts
            )
            made.append(
                f'<section class="vb-said"><p class="vb-quiet">{visible(one.benchmark, 80)}</p>'
                f"<p>{said}</p>{solved}"
                f'<ul class="vb-quiet">{notes}</ul></section>'
            )
        return "".join(made)

    def section(self, section: Section) -> str:
        """A heading with its figures and, folded, its tables."""
        return (
            f"<section><h2>{visible(section.title, 200)}</h2>"
            f'<p class="vb-quiet">{visible(section.text, 2000)}</p>'
            f"{''.join(self.figure(one) for one in section.figures)}"
            f"{''.join(self._table(name, table) for name, table in section.tables)}</section>"
        )

    def figure(self, figure: Figure, level: int = 3) -> str:
        """Panels that the page's script draws when they come into view, under a heading each."""
        panels = "".join(
            f'<div class="vb-panel"><h{level}>{visible(spec["title"], 200)}</h{level}><div '
            f'data-spec="{escape(json.dumps(spec))}" role="group" tabindex="0" '
            f'aria-label="{escape(figure.title)}: {escape(spec["title"])}" '
            f'style="min-height:{spec["height"]}px"></div></div>'
            for spec in specs(figure)
        )
        return (
            f'<figure class="vb-figure"><div class="vb-panels">{panels}</div>'
            f"<figcaption>{visible(figure.caption, 2000)}</figcaption></figure>"
        )

    def _table(self, name: str, table: TextTable) -> str:
        head = "".join(f"<th>{visible(cell, 200)}</th>" for cell in table.header)
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td>{self._cell((name, row, column), cell)}</td>"
                for column, cell in enumerate(cells)
            )
            + "</tr>"
            for row, cells in enumerate(table.rows)
        )
        return (
            f"<details><summary>{visible(table.title, 400)}</summary>"
            f'<div class="vb-scroll" tabindex="0"><table class="vb-table"><thead><tr>{head}</tr>'
            f"</thead><tbody>{rows}</tbody></table></div></details>"
        )

    def _cell(self, place: Cell, text: str) -> str:
        behind = self._behind.get(place)
        return self._link(behind, text) if behind else visible(text, 400)

    def _link(self, behind: ProblemSet, text: str) -> str:
        """A number that opens the list of its problems, its arms beside each other."""
        left, right = behind.arms if len(behind.arms) == 2 else (behind.arms[0], "")
        view = View(self._run, left, right, behind.benchmark, among=behind.key)
        return button(visible(text, 400), "among_link", view.query())
