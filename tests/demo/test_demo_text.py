"""A stranger's text as HTML: nothing runs or loads, nothing is lost, marks stand right."""

from __future__ import annotations

import re
import time
from html import unescape
from html.parser import HTMLParser

import pytest
from demo_parts import HOSTILE
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vlm_boundary.demo.text import (
    LONGEST_RENDERED,
    LONGEST_SHOWN,
    Highlight,
    plain,
    rendered,
    visible,
)

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


def _seen(text: str) -> str:
    """What must not be lost: all but space and the marks of Markdown and LaTeX."""
    return re.sub(r"[\s*_`#|~:$\\()\[\]-]", "", text)


_PIECES = (
    *(
        "- ",
        "* ",
        "+ ",
        "1. ",
        "7) ",
        "03. ",
        "  ",
        "    ",
        "\n",
        "\n\n",
        "> ",
        "# ",
        "|",
        "|-|-|\n",
    ),
    *(
        "```",
        "```python\n",
        "~~~",
        "`",
        "**",
        "*",
        "_",
        "2*3*4",
        "$",
        "$$",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
    ),
    *(
        "\\phantom{9}",
        "\\color{white}",
        "%",
        "\\\\",
        "&lt;",
        "<b>",
        "\u00a0",
        "\x00",
        "\r\n",
        "\t",
        "---\n",
    ),
    *("42", "x", "é", "😀", " is ", "[a](b)", "\ufdd2", "\ufdd4", "\\|", "=", "==="),
)


@example("$\x00$")
@example("\\(\r\n\\)")
@example("\ufdd2\r\n\x00")
@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_no_character_is_lost(text: str) -> None:
    shown = _read(rendered(text)).text
    fit = re.sub("[\ufdd0-\ufdef]", "\ufffd", text)
    control = re.sub(r"U\+0000", "\x00", shown)
    assert _seen(control.replace("U+000D", "")) == _seen(fit.replace("\r", ""))


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{'  ' * depth}- step {depth}\n" for depth in range(14)) + "so 42",
        "".join(f"{'  ' * depth}- a\n" for depth in range(40)) + f"{'  ' * 40}- the answer is 42",
        "> " * 60 + "42",
        "**" * 50 + "42" + "**" * 50,
        "| a |\n|---|\n| 1 | the answer is 42 |",
        "```the answer is 42\nx\n```",
        "$50% of 84$ is 42",
        "\\(\\phantom{42}\\) and $\\color{white}{42}$",
        "3. so\n42. is it",
    ],
)
def test_what_rendering_would_lose_is_shown(text: str) -> None:
    html = rendered(text)
    assert "42" in _read(html).text
    assert not re.search(r"vb-tex[^<]*(?:42|84)", html)


@pytest.mark.parametrize("text", ["2*3*4 = 24", "2**3**4", "(a)*(b)*(c)", "x*y*z"])
def test_a_product_is_no_emphasis(text: str) -> None:
    assert _read(rendered(text)).text.strip() == text


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "\\(",
            "\\[",
            "$",
            "$a ",
            "$$ ",
            "\\(%\\)",
            "\\$",
            "*",
            "**a ",
            "*_",
            "_a ",
            "a**b",
            "***a ",
        ),
        *("[", "![", "[a](", "](", "`", "`a ", "``a`", "```\n", "~~a", "> ", "- ", "- a\n", "\t- "),
        *(
            "1. ",
            "1. a\n",
            "|",
            "|a|\n|-|\n|b|\n",
            "|a|b|c|\n",
            "<",
            "<a ",
            "<!--",
            "&",
            "\\",
            "# ",
        ),
        *(" ", "\n", '"', "\u202e", "\x00", "\\phantom"),
    ],
)
def test_time_grows_with_length_alone(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            rendered(text)
            best = min(best, time.process_time() - start)
        return best

    # Eight times the length: 64 times as long where it is quadratic.
    short, long = seconds(LONGEST_RENDERED // 8), seconds(LONGEST_RENDERED)
    assert long < max(24 * short, 0.1)
    assert long < 2


def test_a_wide_table_of_short_rows_is_not_filled_up() -> None:
    text = "|a" * 140 + "|\n" + "|-" * 140 + "|\n" + "|\n" * 9000
    start = time.process_time()
    rendered(text)
    assert time.process_time() - start < 0.5


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
