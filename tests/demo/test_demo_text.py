"""A stranger's text as HTML: nothing runs or loads, nothing is lost, marks stand right."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from demo_parts import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from vlm_boundary.demo.text import LONGEST_SHOWN, Highlight, plain, rendered, visible

_CHARACTERS = "ab*_`#<>[]()!|$\\{}&;\"'-=1. \n\ufdd0\ufdd3\u202e~"
ALLOWED = {
    *("div span mark p br strong em code pre ul ol li h1 h2 h3 h4 h5 h6 hr blockquote".split()),
    *("table thead tbody tr th td b".split()),
}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.marked = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        for name, value in attrs:
            assert name in ("class", "title", "style", "start"), name
            if name == "style":
                assert re.fullmatch(r"text-align:(left|right|center)", value or "")
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "mark" in self.open:
            self.marked += data


def _read(html: str) -> _Tags:
    tags = _Tags()
    tags.feed(html)
    tags.close()
    assert not tags.open
    return tags


@pytest.mark.parametrize("show", [plain, rendered])
@pytest.mark.parametrize("text", HOSTILE)
def test_only_our_own_elements_come_out(show: object, text: str) -> None:
    _read(show(text, [Highlight(0, 5, "answer", '"><script>')]))  # type: ignore[operator]


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.sampled_from(_CHARACTERS), max_size=80),
    st.integers(0, 80),
    st.integers(0, 80),
)
def test_whatever_the_text_is(text: str, start: int, end: int) -> None:
    for show in (plain, rendered):
        _read(
            show(text, [Highlight(start, end, "answer"), Highlight(end // 2, start, "fault", "n")])
        )


def test_text_as_written_is_whole() -> None:
    text = "a <b>&amp; **c**\n\n  d \\boxed{4} $x$"
    assert _read(plain(text)).text == text


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("so \\boxed{42}", (10, 12), "42"),
        ("**bold 7** end", (7, 8), "7"),
        ("one\n\ntwo", (0, 8), "onetwo"),
        ("it is $x = 4$ here", (11, 12), "x = 4"),
        ("😀 is 4", (5, 6), "4"),
        ("- a\n- b 9", (8, 9), "9"),
    ],
)
def test_marks_stand_where_they_belong(text: str, span: tuple[int, int], expected: str) -> None:
    marks = [Highlight(*span, "answer")]
    assert _read(rendered(text, marks)).marked.replace("\n", "") == expected
    assert _read(plain(text, marks)).marked == text[slice(*span)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**a** _b_ `c`", "<strong>a</strong> <em>b</em> <code>c</code>"),
        ("1. x\n2. y", "<ol>"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>1</td>"),
        ("\\(x^2\\)", '<span class="vb-tex">x^2</span>'),
        ("$$\\frac{a_1}{b_1}$$", '<span class="vb-tex vb-display">\\frac{a_1}{b_1}</span>'),
        ("costs $5 and $6", "costs $5 and $6"),
        ("\\boxed{a_b_c}", "\\boxed{a_b_c}"),
        ("[x](https://a.example)", "[x](https://a.example)"),
        ("![x](https://a.example/i.png)", "![x](https://a.example/i.png)"),
    ],
)
def test_markdown_and_formulas(text: str, expected: str) -> None:
    assert expected in rendered(text)


def test_what_cannot_be_seen_is_shown() -> None:
    assert "U+202E" in rendered("4\u202e2")
    assert "U+200B" in visible("4\u200b2")


def test_long_lines_are_shown_as_written_up_to_a_limit() -> None:
    long = "x" * 100_000
    assert long in rendered(long)
    assert "<strong>" not in rendered("**a**" + long)
    cut = plain("y" * (LONGEST_SHOWN + 1))
    assert f"of {LONGEST_SHOWN + 1:,} characters" in unescape(cut)
