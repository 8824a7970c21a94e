"""Rows of text as Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
# What pdflatex does not know by itself, of the signs that tables use.
_SIGNS = {"−": "$-$", "–": "--", "×": "$\\times$", "τ": "$\\tau$", "≥": "$\\geq$", "…": "\\ldots{}"}


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
