"""A stranger's text as HTML that runs nothing and loads nothing.

Markdown is rendered without raw HTML, links and pictures: what would be one is shown as written.
LaTeX becomes elements that hold its escaped source, which the page's script hands to KaTeX. A text
of which rendering would lose a character is shown as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST_RENDERED = 20_000
"""Longer texts are shown as written: nobody reads them for their headings."""
LONGEST_SHOWN = 200_000
_LONGEST_TEX = 2_000
_MOST_CELLS = 5_000

MarkKind = Literal["answer", "fault", "hint", "sound", "found"]

# Unicode noncharacters stand for what is put into the text; a text that holds some loses them.
_OPEN, _CLOSE, _MATH, _END, _STAR = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3", "\ufdd4"
_UNFIT = re.compile("[\ufdd0-\ufdef\ud800-\udfff]")
_INSERTED = re.compile(f"([{_OPEN}{_CLOSE}{_MATH}])(\\d+){_END}")
_TAG = re.compile(r"(<[^>]*>)")
# Controls, direction overrides, invisible characters and tags: an answer could hide behind them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\U000e0000-\U000e007f]"
)
_OPENER = re.compile(r"\$\$|\\\[|\\\(|\$")
_CLOSERS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}
_LONGEST_INLINE = 400  # between single dollars, which are prices as often
# What would hide some of a formula, or lay it over the rest: shown as written.
_HIDES = re.compile(
    r"(?<!\\)%|\\\\%|\\(?:[hv]?phantom|(?:text|f)?color(?:box)?|[egx]?def|let|futurelet|global|long"
    r"|(?:re|provide)?newcommand|newcommand|providecommand|math[rlc]lap|[rlc]lap|smash|raisebox"
    r"|m?kern|[hm]skip|[hm]space\*?|mathchoice|tag|label|html[A-Za-z]+|href|url|includegraphics"
    r"|rule|char)(?![A-Za-z])"
)
# A product, as in 2*3*4, is no emphasis.
_PRODUCT = re.compile(r"(?<=[\w)\]}])\*{1,3}(?=[\w(\[\\{])")
# Rendering takes these away, where it makes something of them; of rules and the second lines of
# tables also the dashes.
_MARKUP = frozenset("*_`#|~")
_RULED = re.compile(r"[\s|:*_-]+")


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
    clean = _UNFIT.sub("\ufffd", shown)
    body = _finish(escape(_with_marks(clean, marks)), marks, ())
    return f'<div class="vb-plain">{body}</div>{left_out}'


def rendered(text: str, marks: Sequence[Highlight] = ()) -> str:
    """The text with its Markdown and LaTeX rendered, marks in place.

    As written where it is very long, or where rendering would lose some of it.
    """
    if len(text) > LONGEST_RENDERED or _table_cells(text) > _MOST_CELLS:
        return plain(text, marks)
    formulas: list[tuple[str, bool]] = []
    products = _PRODUCT.sub(lambda found: _STAR * len(found[0]), _UNFIT.sub("\ufffd", text))
    prepared = _without_formulas(_with_marks(products, marks), formulas)
    html = _markdown().render(prepared)
    if not _holds(html, prepared):
        return plain(text, marks)
    return f'<div class="vb-rendered">{_finish(html, marks, formulas)}</div>'


def _table_cells(text: str) -> int:
    """At most so many cells a table can get: Markdown fills up rows that are short."""
    bars = [bars for line in text.split("\n") if (bars := line.count("|"))]
    return (max(bars) + 1) * len(bars) if bars else 0


def _holds(html: str, source: str) -> bool:
    """Whether HTML shows every character of what it was made from, in order, except markup."""
    shown = "".join(unescape(_TAG.sub("", html)).split())
    place = 0
    for line in source.split("\n"):
        characters = "".join(line.split())
        if shown.startswith(characters, place):
            place += len(characters)
        elif not _RULED.fullmatch(line):
            for character in characters:
                if shown.startswith(character, place):
                    place += 1
                elif character not in _MARKUP:
                    return False
    return place == len(shown)


def _hides(formula: str) -> bool:
    """Whether it would hide some of itself, or holds characters that show as nothing."""
    if _INVISIBLE.search(formula.replace("\r\n", "\n")):
        return True
    return _HIDES.search(_INSERTED.sub("", formula)) is not None


def _without_formulas(text: str, formulas: list[tuple[str, bool]]) -> str:
    """The text with a mark in place of each formula; `formulas` takes its source, and if displayed.

    Closers are looked for once each, so that openers without one cost no more.
    """
    ends = dict.fromkeys(_CLOSERS, -1)
    pieces, last, place = [], 0, 0
    while match := _OPENER.search(text, place):
        opener, start = match[0], match.end()
        closer = _CLOSERS[opener]
        if ends[opener] < start:
            found = text.find(closer, start)
            ends[opener] = len(text) if found < 0 else found
        end = ends[opener]
        fits = start < end < len(text) and end - start <= _LONGEST_TEX
        if fits and opener == "$":
            fits = _is_inline(text, match.start(), end)
        if not fits or _hides(text[start:end]):
            place = start
            continue
        pieces += [text[last : match.start()], f"{_MATH}{len(formulas)}{_END}"]
        formulas.append((text[start:end].replace("\r\n", "\n"), opener in ("$$", "\\[")))
        last = place = end + len(closer)
    return "".join([*pieces, text[last:]])


def _is_inline(text: str, opener: int, closer: int) -> bool:
    """Whether what stands between two single dollars is a formula, not a price and the next."""
    before, inside, after = (
        text[opener - 1 : opener],
        text[opener + 1 : closer],
        text[closer + 1 : closer + 2],
    )
    return not (
        len(inside) > _LONGEST_INLINE
        or before.isalnum()
        or before in ("\\", "_")
        or "\n" in inside
        or inside[0].isspace()
        or inside[-1].isspace()
        or inside[-1] == "\\"
        or after.isdigit()
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
    events: list[tuple[int, int, int, str]] = []
    for number, mark in enumerate(marks):
        if 0 <= mark.start < mark.end <= len(text):
            # Ends before starts at one place.
            events.append((mark.start, 1, number, f"{_OPEN}{number}{_END}"))
            events.append((mark.end, 0, number, f"{_CLOSE}{number}{_END}"))
    pieces, last = [], 0
    for place, _, _, inserted in sorted(events):
        pieces += [text[last:place], inserted]
        last = place
    return "".join([*pieces, text[last:]])


def _finish(html: str, marks: Sequence[Highlight], formulas: Sequence[tuple[str, bool]]) -> str:
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
            elif number < len(formulas):
                source, display = formulas[number]
                inside = [int(m[2]) for m in _INSERTED.finditer(source) if m[1] == _OPEN]
                closed = {int(m[2]) for m in _INSERTED.finditer(source) if m[1] == _CLOSE}
                tex = escape(_INVISIBLE.sub("\ufffd", _INSERTED.sub("", source)))
                tex = tex.replace(_STAR, "*")
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
    named = _INVISIBLE.sub(lambda m: f'<span class="vb-chip">U+{ord(m[0]):04X}</span>', escaped)
    return named.replace(_STAR, "*")


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
    made.disable(["link", "image", "autolink", "html_inline", "html_block", "reference"])
    # As written: a backslash is TeX more often than an escape, and indents are no code.
    # A line that begins with > compares more often than it quotes.
    made.disable(["escape", "entity", "code", "lheading", "blockquote"])
    made.add_render_rule("fence", _fence)
    made.add_render_rule("list_item_open", _list_item)
    return made


def _fence(renderer: Any, tokens: Any, place: int, options: Any, env: Any) -> str:
    """A block of code, with the language that it names."""
    token = tokens[place]
    info = f'<span class="vb-info">{escape(token.info)}</span>' if token.info.strip() else ""
    return f"<pre>{info}<code>{escape(token.content)}</code></pre>"


def _list_item(renderer: Any, tokens: Any, place: int, options: Any, env: Any) -> str:
    """With its mark as written: 7) is an answer as often as an item, and + 3 a sum."""
    marker = f"{tokens[place].info}{tokens[place].markup}"
    return f'<li><span class="vb-marker">{escape(marker)}</span> '
