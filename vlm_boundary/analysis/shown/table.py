"""A table of text, the formats that it is written in, and how numbers stand in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from vlm_boundary.analysis.shown import formats
from vlm_boundary.records.record import ArmPair, Interval

T = TypeVar("T")


@dataclass(frozen=True)
class TextTable:
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
        return f"### {self.title}\n\n{formats.markdown(self.header, self.rows, self.align)}"

    def latex(self) -> str:
        """A tabular for the booktabs package, its title as a comment."""
        return f"% {self.title}\n{formats.latex(self.header, self.rows, self.align)}"

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


def percent(value: Interval | None) -> str:
    """A share as percent, with its interval."""
    return interval(value, "{:.1f}")


def points(value: Interval | None) -> str:
    """A difference in points, with its interval."""
    return interval(value, "{:+.1f}")


def points_of(value: float | None) -> str:
    """A share as points, with its sign."""
    return "–" if value is None else f"{100 * value:+.1f}"


def share(value: float | None) -> str:
    """A share to two digits."""
    return "–" if value is None else f"{value:.2f}"


def p_value(value: float | None) -> str:
    """A p-value to two digits."""
    return "–" if value is None else f"{value:.2g}"


def minus(pair: ArmPair) -> str:
    """The difference that is said something of."""
    return f"{pair.other} − {pair.base}"


def at(curve: Mapping[int, T], ks: Iterable[int]) -> list[tuple[int, T]]:
    """The entries of a curve at these k, of those that there are."""
    return [(k, curve[k]) for k in ks if k in curve]


def interval(value: Interval | None, form: str, scale: float = 100) -> str:
    """An estimate with its interval."""
    if value is None or value.estimate is None:
        return "–"
    estimate = form.format(scale * value.estimate)
    return estimate if value.low is None else f"{estimate} {ends(value, form, scale)}"


def ends(value: Interval, form: str, scale: float = 100) -> str:
    """An interval without its estimate."""
    if value.low is None or value.high is None:
        return "–"
    return f"[{form.format(scale * value.low)}, {form.format(scale * value.high)}]"
