"""A table of text, the formats that it is written in, and how numbers stand in it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from vlm_boundary.analysis.findings import Part
from vlm_boundary.records.record import ArmPair, Interval

_SPECIAL = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
# What pdflatex does not know by itself, of the signs that tables use.
_SIGNS = {"−": "$-$", "–": "--", "×": "$\\times$", "τ": "$\\tau$", "≥": "$\\geq$", "…": "\\ldots{}"}
T = TypeVar("T")


def markdown(names: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """A table in GitHub's Markdown.

    Args:
        align: l or r for each column; by default all are l.
    """
    rule = ["---:" if side == "r" else "---" for side in align or "l" * len(names)]
    lines = ["| " + " | ".join(map(_cell, names)) + " |", "|" + "|".join(rule) + "|"]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def latex(names: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """A tabular for the booktabs package; arguments as of `markdown`."""
    lines = [f"\\begin{{tabular}}{{{align or 'l' * len(names)}}}", "\\toprule"]
    lines += [" & ".join(map(_escaped, names)) + " \\\\", "\\midrule"]
    lines += [" & ".join(map(_escaped, row)) + " \\\\" for row in rows]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def _escaped(text: str) -> str:
    text = re.sub(r"[\\~^&%$#_{}]", lambda found: _SPECIAL.get(found[0], "\\" + found[0]), text)
    return re.sub("|".join(_SIGNS), lambda found: _SIGNS[found[0]], text)


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
        return f"### {self.title}\n\n{markdown(self.header, self.rows, self.align)}"

    def latex(self) -> str:
        """A tabular for the booktabs package, its title as a comment."""
        return f"% {self.title}\n{latex(self.header, self.rows, self.align)}"

    def csv(self) -> str:
        """Comma-separated; no cell is a formula to a spreadsheet."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([_inert(cell) for cell in self.header])
        writer.writerows([_inert(cell) for cell in row] for row in self.rows)
        return text.getvalue()


def table(
    part: Part[Any], title: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> TextTable:
    """A table of what was found on one benchmark; one without rows is not shown."""
    return TextTable(f"{part.name}: {title}", tuple(header), tuple(map(tuple, rows)))


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
