"""The evaluator against exact arithmetic, and what is not read rather than guessed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vlm_boundary.mathtext.dialects import CHAIN
from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.evaluate import numeric
from vlm_boundary.mathtext.lexer import raw_tokens
from vlm_boundary.mathtext.parser import Parser
from vlm_boundary.reasoning import Chain, Evidence, check_arithmetic
from vlm_boundary.reasoning.text.equations import equations

NUMBERS = st.integers(0, 9_999)
SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}


def value(text: str) -> object:
    parser = Parser(raw_tokens(text, 0, len(text)), CHAIN)
    node = parser.expression().node
    if parser.rest:
        raise Unsupported
    return numeric(node)


def found(text: str) -> tuple[Evidence, ...]:
    return check_arithmetic(Chain(text))


@st.composite
def sums(draw: st.DrawFn) -> tuple[str, Fraction]:
    """An expression in one of several notations, and its value."""
    first = draw(NUMBERS)
    text, total = str(first), Fraction(first)
    for _ in range(draw(st.integers(1, 4))):
        sign, number = draw(st.sampled_from("+-*")), draw(NUMBERS)
        written = draw(st.sampled_from([sign, SIGNS[sign]]))
        text = f"({text}) {written} {number}"
        total = {"+": total + number, "-": total - number, "*": total * number}[sign]
    return text, total


@settings(max_examples=300, deadline=None)
@given(sums(), st.integers(1, 500))
@example(("656 * 760 * 1622 * 3254 * 3423", Fraction(9007260625789440)), 1)  # past 2^53
def test_a_true_equation_is_never_flagged_and_a_false_one_always(
    expression: tuple[str, Fraction], off: int
) -> None:
    text, total = expression
    assert not found(f"So {text} = {total}.")
    evidence = found(f"So {text} = {total + off}.")
    assert [item.veto for item in evidence] == [True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 × 4", 14),
        ("(2 + 3) × 4", 20),
        ("2 ** 3", 8),
        ("-3^2", -9),
        ("2^{10}", 1024),
        ("3²", 9),
        ("\\frac{1}{2} + \\frac{1}{3}", Fraction(5, 6)),
        ("\\sqrt{16} \\cdot 3", 12),
        ("√(9 + 16)", 5),
        ("3(4 + 1)", 15),
        ("1,200 \\div 4", 300),
        ("1{,}200 + 1", 1201),
        ("8 divided by 2", 4),
        ("\\left(2 + 3\\right) \\times 2", 10),
        ("$0.45 + $0.45", Fraction(9, 10)),
        ("5 cm × 4", 20),
        ("180^\\circ - 36^{\\circ}", 144),
    ],
)
def test_notations(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "10**10**10",
        "9^9^9^9",
        "1/0",
        "2^" + "9" * 30,
        "1" * 60,
        "(" * 40 + "1" + ")" * 40,
        "√(1 - 5)",
    ],
)
def test_beyond_the_bounds_is_not_read(text: str) -> None:
    with pytest.raises(Unsupported):
        value(text)


@pytest.mark.parametrize(
    "text",
    [
        "x + 3 = 9",
        "2x = 14 + 1",
        "AB = 5",
        "f(2) = 5",
        "angle 1 = 180 - 30",
        "17 mod 5 = 3 + 1",
        "7 + ? = 10",
        "10:35 - 7:55 = 2:40",
        "120:4 = 30:1",
        "2 m + 50 cm = 250 cm",
        "3 + 4 ≠ 8",
        "3 + 4 >= 8",
        "x == 3 + 4",
        "\\frac{1}{2}bh = 24",
        "6 / 2 = \\frac12 x",
        "6 / 2 = \\frac12 x + 1",
        "6 / 2 = \\frac12 AB",
        "\\frac12 x = 3 + 4",
        "3 + \\frac12 AB = 7 + 1",
        "\\frac{1}{2} BC = 3",
        "2\\frac{1}{2} = 5 / 2",
        "1.98 trillion + 247.4 billion = 2.2274 trillion",
        "the sum of 3 and 4 = 8",
        "3 + 4 = 8?",
        "3 + 4 = 8, no, that is wrong: 3 + 4 = 7",
    ],
)
def test_what_is_no_whole_equation_of_numbers_is_no_veto(text: str) -> None:
    assert not any(item.veto for item in found(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/3 = 0.33", True),
        ("2/3 = 0.66", True),
        ("2/3 = 0.67", True),
        ("2/3 = 0.7", True),
        ("2/3 = 0.65", False),
        ("130 / 4 = 32", True),
        ("130 / 4 = 33", True),
        ("130 / 4 = 31", False),
        ("4 + 4 = 9", False),
        ("6 × 6.93 ≈ 41.57", True),
        ("6 × 6.93 ≈ 42.57", False),
        ("30/70 = 43%", True),
        ("25% of 1200 = 300", True),
        ("25% of 1200 = 301", False),
        ("20% + 30% = 50%", True),
        ("π × 2² ≈ 12.56", True),
        ("π × 2² ≈ 12.66", False),
        ("0.45 + 0.45 = 0.80", False),
    ],
)
def test_digits_shown(text: str, expected: bool) -> None:
    assert (not found(text)) is expected


def test_spans_are_those_of_the_equation() -> None:
    text = "Left are 10 - 2 = 7 of them."
    (item,) = found(text)
    assert text[item.start : item.end] == "10 - 2 = 7"
    assert item.note == "the left side is 8, the right side 7"


def test_chains_are_checked_pair_by_pair() -> None:
    text = "16 / 2 × 4 = 8 × 4 = 31 = 31"
    assert [text[e.left.start : e.right.end] for e in equations(text, 0, len(text))] == [
        "16 / 2 × 4 = 8 × 4",
        "8 × 4 = 31",
    ]
    assert [text[item.start : item.end] for item in found(text)] == ["8 × 4 = 31"]
