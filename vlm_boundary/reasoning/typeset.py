"""Formulas in LaTeX and in plain characters, in one way of writing."""

from __future__ import annotations

import re

_FRACTION = re.compile(r"\\[dt]?frac ?\{([^{}]{1,20})\} ?\{([^{}]{1,20})\}")
_SHORT_FRACTION = re.compile(r"\\[dt]?frac ?(\d) ?(\d)")
_SPELLED = tuple(
    (old, new)
    for new, spelled in (
        (" ", ("\\boxed",)),
        ("", ("\\left", "\\right", "^\\circ", "^{\\circ}", "\\text", "\\mathrm", "\\,")),
        ("√", ("\\sqrt", "sqrt")), ("π", ("\\pi",)), ("·", ("\\cdot",)), ("×", ("\\times",)),
        ("÷", ("\\div",)), ("≈", ("\\approx",)), ("²", ("^2", "^{2}")), ("³", ("^3", "^{3}")),
        ("-", ("−", "–")), ("∥", ("\\parallel",)),
    )
    for old in spelled
)  # fmt: skip
_TYPESET = str.maketrans(dict.fromkeys("$*{}\\°#`&", ""))
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def plain(text: str) -> str:
    """A text with its formulas in plain characters, without marks of typesetting and of degrees."""
    if "frac" in text:
        text = _SHORT_FRACTION.sub(r"\1/\2", _FRACTION.sub(r"\1/\2", text))
    for old, new in _SPELLED:
        if old in text:
            text = text.replace(old, new)
    return _THOUSANDS.sub("", text.translate(_TYPESET))
