"""One HTML file that needs nothing but itself, and that runs nothing but its own two scripts."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from vlm_boundary.pages import page_template
from vlm_boundary.report.behind import DEMO, Cell, ProblemSet, by_cell
from vlm_boundary.report.chart import NEUTRAL, PALETTE, Figure
from vlm_boundary.report.interactive import specs

# Plotly draws; the rest says how, and on this page what, when and in which colours.
PLOTLY, PANELS, _PAGE = "plotly-basic.min.js", "panels.js", "page.js"
_MOST_IDS = 500  # of one set, on the page
# The same hues as on paper, bright enough for a dark ground.
_DARK = ("#4C9BE8", "#FF8A4C", "#2BC99A", "#E39BC4", "#F2B84B", "#A6DAFB")
PALETTES = {
    "light": {"series": PALETTE, "neutral": NEUTRAL, "ink": "#1a1d21", "ground": "#ffffff",
              "grid": "#e8ebef", "line": "#9aa1ab"},
    "dark": {"series": _DARK, "neutral": "#9aa4b1", "ink": "#e6e9ed", "ground": "#14171b",
             "grid": "#2a3038", "line": "#6b7480"},
}  # fmt: skip


def page(
    *,
    headline: Figure,
    figures: list[Figure],
    picture: bytes,
    sets: list[ProblemSet],
    asked: Mapping[Cell, str],
    **content: Any,
) -> str:
    """The page's HTML.

    Args:
        headline: the figure of the first screen.
        figures: all others that the page shows.
        picture: the headline as PNG, for readers who let no script run.
        sets, asked: the problems behind its numbers, and what the demo is asked for behind others.
        content: what the template shows, as text.
    """
    by_panel = {
        f"{figure.name}-{place}": spec
        for figure in (headline, *figures)
        for place, spec in enumerate(specs(figure))
    }
    data = {"palettes": PALETTES, "panels": by_panel}
    scripts = [static(PLOTLY), static(PANELS) + static(_PAGE)]
    return str(
        page_template("vlm_boundary.report", "static/page.html.j2").render(
            headline=_shown(headline, by_panel),
            picture=base64.b64encode(picture).decode(),
            style=Markup(static("page.css")),
            figures=Markup(_inert_json(data)),
            sets=sets,
            behind=by_cell(sets),
            asked=asked,
            demo=DEMO,
            most=_MOST_IDS,
            scripts=[Markup(script) for script in scripts],
            script_hashes=Markup(" ".join(map(_hash, scripts))),
            **content
            | {
                "sections": [
                    vars(one) | {"figures": [_shown(figure, by_panel) for figure in one.figures]}
                    for one in content["sections"]
                ]
            },
        )
    )


def _shown(figure: Figure, by_panel: dict[str, Any]) -> dict[str, Any]:
    names = [f"{figure.name}-{place}" for place in range(len(figure.panels))]
    return {"name": figure.name, "caption": figure.caption, "panels": [by_panel[n] for n in names]}


def _inert_json(data: Any) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _hash(script: str) -> str:
    """What a content security policy allows a script by: nothing else on the page can run."""
    return f"'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'"


def static(name: str) -> str:
    """A file of the page, as browsers read it."""
    text = files("vlm_boundary.report").joinpath("static", name).read_text(encoding="utf-8")
    # Browsers hash what they have parsed, in which every line ends alike.
    return text.replace("\r\n", "\n")
