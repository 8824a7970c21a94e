"""A table of text, the formats that it is written in, and how numbers stand in it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from vlm_boundary.analysis import text_tables


@dataclass(frozen=True)
class Table:
    """A titled table; the first column is a label, the others are right-aligned."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def align(self) -> str:
        """The side of each column."""
        return "l" + "r" * (len(self.header) - 1)

    def markdown(self) -> str:
        """With its title, in GitHub's Markdown."""
        return f"### {self.title}\n\n{text_tables.markdown(self.header, self.rows, self.align)}"

    def latex(self) -> str:
        """A tabular for the booktabs package, its title as a comment."""
        return f"% {self.title}\n{text_tables.latex(self.header, self.rows, self.align)}"

    def csv(self) -> str:
        """Comma-separated; no cell is a formula to a spreadsheet."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([_inert(cell) for cell in self.header])
        writer.writerows([_inert(cell) for cell in row] for row in self.rows)
        return text.getvalue()


def _inert(cell: str) -> str:
    numeric = cell[1:2].isdigit() or cell[1:2] == "."
    if cell.startswith(("=", "@", "\t", "\r")) or (cell.startswith(("+", "-")) and not numeric):
        return "'" + cell
    return cell


def percent(value: dict[str, Any] | None) -> str:
    """An entry of analysis.json as percent, with its interval."""
    return interval(value, "{:.1f}")


def points(value: dict[str, Any] | None) -> str:
    """A difference in points, with its interval."""
    return interval(value, "{:+.1f}")


def points_of(value: float | None) -> str:
    """A share as points, with its sign."""
    return "–" if value is None else f"{100 * value:+.1f}"


def share(value: float | None) -> str:
    """A share to two digits."""
    return "–" if value is None else f"{value:.2f}"


def at(curve: dict[str, Any], ks: list[int]) -> list[tuple[str, Any]]:
    """The entries of a curve at these k, of those that there are."""
    return [(str(k), curve[str(k)]) for k in ks if str(k) in curve]


def interval(value: dict[str, Any] | None, form: str, scale: float = 100, *, side: str = "") -> str:
    """An estimate with its interval; of another `side` than the headline's the interval alone."""
    if value is None or value["estimate"] is None:
        return "–"
    estimate = "" if side else form.format(scale * value["estimate"])
    if value.get(f"{side}low") is None:
        return estimate or "–"
    low, high = (form.format(scale * value[f"{side}{end}"]) for end in ("low", "high"))
    return f"{estimate} [{low}, {high}]".strip()
