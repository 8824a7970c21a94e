"""A tree written in any way that models write it, and read again, has the same value."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mathtext_readings import answer, chain, parsed

from vlm_boundary.mathtext.exact import PI, Exact
from vlm_boundary.mathtext.lexer import VULGAR
from vlm_boundary.mathtext.units import NOUNS, UNITS
from vlm_boundary.verifier.approximate import worked_out

SUM, PRODUCT, POWER, ATOM = range(4)
MOST_BITS = 400
Written = tuple[str, int, Fraction]
"""A text, how tightly its loosest sign binds, and its value."""

DATE = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{4}")
TIMES = [" * ", "*", " × ", "×", " · ", " \\times ", "\\cdot ", " x ", "{\\times}", "\\,\\times\\,"]
OVER = [" / ", "/", " ÷ ", "÷", " \\div "]
ROOTS = ["\\sqrt{{{}}}", "\\sqrt{{ {} }}", "√({})", "√{{{}}}", "sqrt({})", "\\sqrt({})"]


@st.composite
def numbers(draw: st.DrawFn) -> Written:
    value = draw(st.integers(0, 99_999))
    form = draw(st.sampled_from(["plain", "grouped", "decimals", "vulgar", "power of ten"]))
    if form == "grouped":
        return f"{value:,}".replace(",", "{,}"), ATOM, Fraction(value)
    if form == "decimals":
        places = draw(st.integers(1, 4))
        return (
            f"{value}.{value % 10**places:0{places}}",
            ATOM,
            (value + Fraction(value % 10**places, 10**places)),
        )
    if form == "vulgar":
        sign = draw(st.sampled_from(sorted(VULGAR)))
        return sign, ATOM, Fraction(VULGAR[sign])
    if form == "power of ten":
        exponent = draw(st.integers(-4, 4))
        return f"{value}e{exponent}", ATOM, value * Fraction(10) ** exponent
    return str(value), ATOM, Fraction(value)


def bracketed(draw: st.DrawFn, part: Written, least: int) -> str:
    """A part, in brackets where it binds less than it has to, or anyhow."""
    text, binds, _ = part
    if binds >= least and draw(st.integers(0, 4)):
        return text
    left, right = draw(st.sampled_from([("(", ")"), ("( ", " )"), ("\\left(", "\\right)")]))
    return f"{left}{text}{right}"


@st.composite
def joined(draw: st.DrawFn, parts: st.SearchStrategy[Written]) -> Written:
    one, two = draw(parts), draw(parts)
    sign = draw(st.sampled_from("+-*/"))
    if sign in "+-":
        written = draw(st.sampled_from([f" {sign} ", sign, " − " if sign == "-" else " + "]))
        text = bracketed(draw, one, SUM) + written + bracketed(draw, two, PRODUCT)
        return text, SUM, one[2] + two[2] if sign == "+" else one[2] - two[2]
    if sign == "*":
        right = bracketed(draw, two, POWER)
        glued = right[0] in "(√" and draw(st.booleans())
        left = bracketed(draw, one, ATOM if glued else PRODUCT)
        assume(not glued or left[-1] in ")0123456789")
        # Behind decimals a bracket is a period in an answer: 0.0(1) is a ninetieth.
        assume(not (glued and right[0] == "(" and re.search(r"\.[0-9]+$", left)))
        written = "" if glued else draw(st.sampled_from(TIMES))
        if written == " x ":
            # As it is read: behind a raised 2 an x is a letter.
            assume(left[-1].isdecimal() and right[0].isdecimal())
        return left + written + right, PRODUCT, one[2] * two[2]
    assume(two[2] != 0)
    if draw(st.booleans()):
        frac = draw(st.sampled_from(["\\frac", "\\dfrac", "\\tfrac"]))
        return f"{frac}{{{one[0]}}}{{{two[0]}}}", ATOM, one[2] / two[2]
    written = draw(st.sampled_from(OVER))
    return (
        bracketed(draw, one, PRODUCT) + written + bracketed(draw, two, POWER),
        PRODUCT,
        one[2] / two[2],
    )


@st.composite
def changed(draw: st.DrawFn, parts: st.SearchStrategy[Written]) -> Written:
    """A power, a root that comes out even, a factorial, an absolute value, a sign."""
    kind = draw(st.sampled_from(["power", "root", "cube root", "factorial", "size", "sign"]))
    if kind == "root":
        value = draw(st.integers(0, 300))
        return draw(st.sampled_from(ROOTS)).format(value**2), ATOM, Fraction(value)
    if kind == "cube root":
        value = draw(st.integers(0, 40))
        return f"\\sqrt[3]{{{value**3}}}", ATOM, Fraction(value)
    if kind == "factorial":
        value = draw(st.integers(0, 9))
        return f"{value}!", POWER, answer_factorial(value)
    part = draw(parts)
    if kind == "size":
        assume("|" not in part[0])
        return f"|{part[0]}|", ATOM, abs(part[2])
    if kind == "sign":
        return f"(-{bracketed(draw, part, POWER)})", ATOM, -part[2]
    power = draw(st.sampled_from([-2, -1, 2, 3]))
    assume(power > 0 or part[2] != 0)
    raised = [*{2: ["²"], 3: ["³"]}.get(power, []), f"^{power}", f"^{{{power}}}", f"^({power})"]
    base = bracketed(draw, part, ATOM)
    return base + draw(st.sampled_from(raised)), POWER, part[2] ** power


def answer_factorial(value: int) -> Fraction:
    total = 1
    for factor in range(2, value + 1):
        total *= factor
    return Fraction(total)


TREES = st.recursive(numbers(), lambda parts: joined(parts) | changed(parts), max_leaves=6)


def small(value: Fraction) -> bool:
    return max(value.numerator.bit_length(), value.denominator.bit_length()) <= MOST_BITS


@settings(max_examples=1000, deadline=None)
@given(TREES)
def test_a_printed_tree_has_one_value_in_both_dialects(tree: Written) -> None:
    text, _, value = tree
    assume(len(text) <= 280 and small(value))
    assume(DATE.fullmatch(text) is None)  # what the verifier takes for a day is no difference
    assert answer(text).value.fraction == value
    assert "|" in text or chain(text) == value  # bars are columns in a chain


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_a_rough_value_is_near_the_exact_one(tree: Written) -> None:
    text, _, value = tree
    assume(len(text) <= 190 and small(value))
    rough = worked_out(text)
    assert rough is None or rough == pytest.approx(float(value), rel=1e-9)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-40, 40), st.integers(1, 40), st.integers(1, 60), st.booleans()),
        min_size=1,
        max_size=3,
    )
)
def test_a_sum_of_roots_as_we_print_it_is_read_as_itself(
    terms: list[tuple[int, int, int, bool]],
) -> None:
    total = Exact.rational(0)
    for top, bottom, radicand, with_pi in terms:
        term = Exact.rational(Fraction(top, bottom)) * Exact.rational(radicand).root()
        total = total + (term * Exact.variable(PI) if with_pi else term)
    assert answer(str(total)).value == total
    assert float(chain(str(total))) == pytest.approx(total.approximate, rel=1e-9, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(TREES, st.sampled_from(["%", " %", "\\%", " percent", " per cent"]))
def test_per_cent_is_a_share_where_asked(tree: Written, sign: str) -> None:
    text, binds, value = tree
    assume(binds == ATOM and len(text) <= 280 and small(value))
    read = answer(text + sign)
    assert read.percent
    assert read.value.fraction == value
    if "|" not in text:
        assert chain(text + sign) == value
        assert chain(text + sign, percent=True) == value / 100


@settings(max_examples=300, deadline=None)
@given(
    numbers(),
    st.sampled_from(sorted(n for n in UNITS if len(n) > 2 and n.isalpha() and n.isascii())),
)
def test_a_unit_is_none_of_the_value(number: Written, unit: str) -> None:
    text, _, value = number
    read = answer(f"{text} {unit}")
    assert read.value.fraction == value
    assert read.unit == UNITS[unit]
    for written in (f"{text} {unit} + 1", f"{text} \\text{{ {unit}}} + 1"):
        expression = parsed(written)
        assert chain(written) == value + 1
        assert expression.labels & NOUNS
