"""Small pieces of HTML that several parts of the page are made of."""

from __future__ import annotations

from html import escape

from vlm_boundary.demo.index import RunIndex


def button(label: str, do: str, value: str, key: str = "", *, on: bool = False) -> str:
    """A button whose click the page's script sends as an action with a value.

    Args:
        label: HTML.
        key: that does the same.
        on: it is pressed.
    """
    shown = f" <kbd>{key}</kbd>" if key else ""
    pressed = ' aria-pressed="true"' if on else ""
    return (
        f'<button class="vb-button" data-do="{escape(do)}" data-value="{escape(value)}"{pressed}>'
        f"{label}{shown}</button>"
    )


def held(run: RunIndex) -> str:
    """What a part of the page was made of, as attributes: the page's script sees what has come."""
    samples, verdicts = run.totals()
    return f'data-of="{escape(run.name)}" data-samples="{samples}" data-verdicts="{verdicts}"'


def fresh_button(run: RunIndex) -> str:
    """Shows what has come since the list was made; hidden by the page's script until something has.

    The reader's place stays until then: nothing moves under what is being read.
    """
    return f'<button class="vb-button vb-fresh" data-do="fresh" hidden {held(run)}></button>'
