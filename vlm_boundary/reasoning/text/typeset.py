"""Formulas in LaTeX and in plain characters, in one way of writing."""

from __future__ import annotations

import re

_FRACTION = re.compile(r"\\[dt]?frac ?\{([^{}]{1,20})\} ?\{([^{}]{1,20})\}")
_SHORT_FRACTION = re.compile(r"\\[dt]?frac ?(\d) ?(\d)")
_LATEX = tuple(
    (old, new)
    for new, spelled in (
        (" ", ("\\boxed",)),
        ("", ("\\left", "\\right", "^\\circ", "^{\\circ}", "\\text", "\\mathrm", "\\,")),
        ("√", ("\\sqrt",)), ("π", ("\\pi",)), ("·", ("\\cdot",)), ("×", ("\\times",)),
        ("÷", ("\\div",)), ("≈", ("\\approx",)), ("∥", ("\\parallel",)),
    )
    for old in spelled
)  # fmt: skip
_POWERS = (("^2", "²"), ("^{2}", "²"), ("^3", "³"), ("^{3}", "³"))
_TYPESET = re.compile(r"[$*{}\\°#`&]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def plain(text: str) -> str:
    """A text with its formulas in plain characters, without marks of typesetting and of degrees."""
    if "\\" in text:
        if "frac" in text:
            text = _SHORT_FRACTION.sub(r"\1/\2", _FRACTION.sub(r"\1/\2", text))
        for old, new in _LATEX:
            if old in text:
                text = text.replace(old, new)
    if "sqrt" in text:
        text = text.replace("sqrt", "√")
    if "^" in text:
        for old, new in _POWERS:
            text = text.replace(old, new)
    text = _TYPESET.sub("", text)
    if not text.isascii():
        text = text.replace("−", "-").replace("–", "-")
    return _THOUSANDS.sub("", text) if "," in text else text
