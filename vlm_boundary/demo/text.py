"""A stranger's text as HTML that runs nothing and loads nothing.

Markdown is rendered without raw HTML, links and pictures: what would be one is shown as written.
LaTeX becomes elements that hold its escaped source, which the page's script hands to KaTeX.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST_RENDERED = 20_000
"""Longer texts are shown as written: nobody reads them for their headings."""
LONGEST_SHOWN = 200_000
_LONGEST_TEX = 2_000

MarkKind = Literal["answer", "fault", "hint", "sound"]

# Unicode noncharacters stand for what is put into the text; a text that holds some loses them.
_OPEN, _CLOSE, _MATH, _END = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
_UNFIT = re.compile("[\ufdd0-\ufdef\ud800-\udfff]")
_INSERTED = re.compile(f"([{_OPEN}{_CLOSE}{_MATH}])(\\d+){_END}")
_TAG = re.compile(r"(<[^>]*>)")
# Controls, direction overrides, invisible characters and tags: an answer could hide behind them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\U000e0000-\U000e007f]"
)
_TEX = re.compile(
    r"\$\$(?P<d1>.+?)\$\$|\\\[(?P<d2>.+?)\\\]|\\\((?P<i1>.+?)\\\)"
    r"|(?<![\\$\w])\$(?![\s$])(?P<i2>[^$\n]{1,400}?)(?<![\s\\])\$(?!\d)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Highlight:
    """A stretch of the text (start and end in its characters) that is pointed out."""

    start: int
    end: int
    kind: MarkKind
    note: str = ""


def plain(text: str, marks: Sequence[Highlight] = ()) -> str:
    """The text as written, escaped, line breaks kept, marks in place."""
    shown, left_out = _cut(text)
    body = _finish(escape(_with_marks(shown, marks)), marks, {})
    return f'<div class="vb-plain">{body}</div>{left_out}'


def rendered(text: str, marks: Sequence[Highlight] = ()) -> str:
    """The text with its Markdown and LaTeX rendered, marks in place; very long texts as written."""
    if len(text) > LONGEST_RENDERED:
        return plain(text, marks)
    formulas: dict[int, tuple[str, bool]] = {}

    def keep(match: re.Match[str]) -> str:
        display = match["d1"] or match["d2"]
        source = display or match["i1"] or match["i2"]
        if len(source) > _LONGEST_TEX:
            return match[0]
        formulas[len(formulas)] = (source, bool(display))
        return f"{_MATH}{len(formulas) - 1}{_END}"

    prepared = _TEX.sub(keep, _with_marks(text, marks))
    return (
        f'<div class="vb-rendered">{_finish(_markdown().render(prepared), marks, formulas)}</div>'
    )


def visible(text: str, longest: int = 200) -> str:
    """A short text on one line, escaped, invisible characters made visible."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return _shown(escape(_UNFIT.sub("\ufffd", " ".join(cut.split(" ")))))


def _cut(text: str) -> tuple[str, str]:
    if len(text) <= LONGEST_SHOWN:
        return text, ""
    note = f"the first {LONGEST_SHOWN:,} of {len(text):,} characters are shown"
    return text[:LONGEST_SHOWN], f'<p class="vb-quiet">{note}</p>'


def _with_marks(text: str, marks: Sequence[Highlight]) -> str:
    """The text with a noncharacter where a mark starts or ends."""
    clean = _UNFIT.sub("\ufffd", text)
    events: list[tuple[int, int, int, str]] = []
    for number, mark in enumerate(marks):
        if 0 <= mark.start < mark.end <= len(clean):
            # Ends before starts at one place.
            events.append((mark.start, 1, number, f"{_OPEN}{number}{_END}"))
            events.append((mark.end, 0, number, f"{_CLOSE}{number}{_END}"))
    pieces, last = [], 0
    for place, _, _, inserted in sorted(events):
        pieces += [clean[last:place], inserted]
        last = place
    return "".join([*pieces, clean[last:]])


def _finish(html: str, marks: Sequence[Highlight], formulas: dict[int, tuple[str, bool]]) -> str:
    """Tags in place of what was inserted; a mark never crosses another element's border."""
    active: list[int] = []
    out: list[str] = []
    for place, piece in enumerate(_TAG.split(html)):
        if place % 2:
            out.append(piece)
            continue
        last = 0
        for match in _INSERTED.finditer(piece):
            out.append(_marked(_shown(piece[last : match.start()]), marks, active))
            last = match.end()
            number = int(match[2])
            if match[1] == _OPEN:
                active.append(number)
            elif match[1] == _CLOSE:
                if number in active:
                    active.remove(number)
            elif number in formulas:
                source, display = formulas[number]
                inside = [int(m[2]) for m in _INSERTED.finditer(source) if m[1] == _OPEN]
                closed = {int(m[2]) for m in _INSERTED.finditer(source) if m[1] == _CLOSE}
                tex = escape(_INVISIBLE.sub("\ufffd", _INSERTED.sub("", source)))
                kind = "vb-tex vb-display" if display else "vb-tex"
                element = f'<span class="{kind}">{tex}</span>'
                out.append(_marked(element, marks, [*active, *inside, *(closed - {*active})]))
                active = [a for a in [*active, *inside] if a not in closed]
        out.append(_marked(_shown(piece[last:]), marks, active))
    return "".join(out)


def _marked(html: str, marks: Sequence[Highlight], active: Iterable[int]) -> str:
    if not html.strip():
        return html
    wanted = [marks[number] for number in dict.fromkeys(active) if number < len(marks)]
    if not wanted:
        return html
    kinds = " ".join(f"vb-{kind}" for kind in dict.fromkeys(mark.kind for mark in wanted))
    notes = "; ".join(mark.note for mark in wanted if mark.note)
    return f'<mark class="{kinds}" title="{escape(notes)}">{html}</mark>'


def _shown(escaped: str) -> str:
    return _INVISIBLE.sub(lambda m: f'<span class="vb-chip">U+{ord(m[0]):04X}</span>', escaped)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
    made.disable(["link", "image", "autolink", "html_inline", "html_block", "reference"])
    # As written: a backslash is TeX more often than an escape, and indents are no code.
    made.disable(["escape", "entity", "code", "lheading"])

    def code(renderer: Any, tokens: Any, place: int, options: Any, env: Any) -> str:
        return f"<pre><code>{escape(tokens[place].content)}</code></pre>"

    made.add_render_rule("fence", code)
    made.add_render_rule("code_block", code)
    return made
