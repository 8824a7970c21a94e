"""The same strings as an answer and in a chain: one reader, and what differs does so by intent."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from mathtext_readings import answer, chain

from vlm_boundary.mathtext.errors import BeyondLimits, Unsupported

RATIONAL = {
    "5!": 120,
    "½": Fraction(1, 2),
    "2½": Fraction(5, 2),
    "2 × ½": 1,
    "1e3": 1000,
    "3.14e-5": Fraction(314, 10**7),
    "3 x 4": 12,
    "2² x 3": 12,
    "(1+1) x 3": 6,
    "½ x 3": Fraction(3, 2),
    r"\frac12": Fraction(1, 2),
    "4 + -2": 2,
    "8 - -3": 11,
    r"20\times 150": 3000,
    r"3\cdot \frac{1}{2}": Fraction(3, 2),
    ".5": Fraction(1, 2),
    "1,000": 1000,
    "1{,}200": 1200,
    "50%": 50,
    "180°": 180,
    r"\sqrt[3]{8}": 2,
    "√16 + 1": 5,
    "-3^2": -9,
    "3²": 9,
    "2**3": 8,
    "2^3^2": 512,
    "10^{-3}": Fraction(1, 1000),
    "1.5 × 10^3": 1500,
    "2(3+4)": 14,
    "(1+2)(3+4)": 21,
    "6/2(1+2)": 9,
    "100 / 8 / 2": Fraction(25, 4),
    "|−3|": 3,
    "3!+1": 7,
    "2^3!": 64,
    r"\frac{6!}{3!}": 120,
    r"\frac{3}{4}": Fraction(3, 4),
    r"\dfrac{9}{3}": 3,
    "3 − 5": -2,
    "-5 + 3": -2,
    "7 · 8": 56,
    "4 * 2.5": 10,
    "12 ÷ 4": 3,
    r"5 \times (2 + 1)": 15,
}
IRRATIONAL = {
    "√2": math.sqrt(2),
    r"\sqrt2": math.sqrt(2),
    r"4\sqrt{3}": 4 * math.sqrt(3),
    "2π": 2 * math.pi,
    r"\pi/2": math.pi / 2,
    r"\frac{1}{2}\pi": math.pi / 2,
}
NO_VALUE = [
    "2 3",
    "5 +",
    "(3",
    "1/0",
    "9^9^9^9",
    "",
    "+",
    "2^",
    r"\frac{1}",
    "3 × × 4",
    "- - 3",
    "3 5/4",
]
VARIABLES = {"3x": "3x", "x^2": "x^2", "3ab": "3ab"}
# What an answer is read as and a chain is not, with the reason.
KNOWN_DIFFERENCES = {
    r"2\frac{1}{2}": (Fraction(5, 2), "in a chain also the product of a formula"),
    "1 3/4": (Fraction(7, 4), "in a chain also a number and, behind it, a fraction"),
    "3 4/5": (Fraction(19, 5), "in a chain also a number and, behind it, a fraction"),
    "5 000": (5000, "in a chain also two numbers, a space apart"),
}


@pytest.mark.parametrize(("text", "expected"), RATIONAL.items())
def test_one_value_in_both(text: str, expected: Fraction | int) -> None:
    assert answer(text).value.fraction == expected
    assert chain(text) == expected


@pytest.mark.parametrize(("text", "expected"), IRRATIONAL.items())
def test_one_irrational_value_in_both(text: str, expected: float) -> None:
    assert answer(text).value.approximate == pytest.approx(expected, rel=1e-12)
    assert chain(text) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("text", NO_VALUE)
def test_no_value_in_either(text: str) -> None:
    for read_as in (answer, chain):
        with pytest.raises(Unsupported):
            read_as(text)


def test_what_is_beyond_bounds_says_so_by_its_type() -> None:
    for read_as in (answer, chain):
        with pytest.raises(BeyondLimits):
            read_as("9^9^9^9")


@pytest.mark.parametrize(("text", "expected"), VARIABLES.items())
def test_variables_are_for_answers(text: str, expected: str) -> None:
    assert str(answer(text).value) == expected
    with pytest.raises(Unsupported):
        chain(text)


@pytest.mark.parametrize("text", KNOWN_DIFFERENCES)
def test_a_chain_leaves_unread_what_may_be_two_things(text: str) -> None:
    expected, reason = KNOWN_DIFFERENCES[text]
    assert answer(text).value.fraction == expected
    with pytest.raises(Unsupported):
        raise AssertionError(f"{chain(text)}: {reason}")
