"""Hostile mathematics: soon done with in little memory, and refused by the type of error alone."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import suppress

import pytest
from hostile_texts import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st
from mathtext_readings import answer, chain

from vlm_boundary.mathtext.dialects import ANSWER, CHAIN, FORMULA, SENTENCE
from vlm_boundary.mathtext.errors import BeyondLimits, TooLarge, Unsupported
from vlm_boundary.mathtext.evaluate import exactly
from vlm_boundary.mathtext.lexer import raw_tokens, tokenize
from vlm_boundary.mathtext.parser import Parser
from vlm_boundary.verifier.approximate import worked_out

LONG = 100_000
BEYOND = {
    "a tower": "10^10^10",
    "a tower in braces": "9^{9^{9^{9}}}",
    "a power of a power": "((9^9)^9)^9^9",
    "a factorial": "1000000000!",
    "a factorial of a factorial": "(20!)!",
    "a large factorial": "200!",
    "digits": "1" * 250,
    "more digits than a span may have": "1" * LONG,
    "an exponent": "1e999999999",
    "nested brackets": "(" * 100 + "1" + ")" * 100,
    "nested roots": r"\sqrt{" * 40 + "2" + "}" * 40,
    "nested fractions": r"\frac{" * 35 + "1" + "}{2}" * 35,
}
OTHER = {
    "digits of another kind": "②",
    "a superscript alone": "⁵²",
    "a root of no order": r"\sqrt[0]{4}",
    "no base": "0^-1",
    "zeros": r"\frac{0}{0}",
    "an even root of less than nothing": r"\sqrt[4]{-4}",
    "signs": "-" * 200 + "1",
    "open brackets": "(" * 290,
}
LENGTHY = {
    "brackets": "(" * LONG,
    "closed brackets": "(" * (LONG // 2) + "1" + ")" * (LONG // 2),
    "signs": "-" * LONG + "1",
    "a sum": "1+" * (LONG // 2) + "1",
    "a power": "2" + "^2" * (LONG // 2),
    "factorials": "3" + "!" * LONG,
    "squares": "2" + "²" * LONG,
    "fractions": r"\frac{" * (LONG // 6),
    "digits": "7" * LONG,
    "grouped digits": "1" + ",000" * (LONG // 4),
    "other digits": "٣" * LONG,
    "letters": "x" * LONG,
    "names": "x_{a}" * (LONG // 5),
    "labels": r"\text{a}" * (LONG // 8),
    "spaces": "1" + " " * LONG + "+ 1",
}
DIALECTS = {"answer": ANSWER, "sentence": SENTENCE, "formula": FORMULA, "chain": CHAIN}


def tree(text: str, dialect: str) -> None:
    """Reads a text in a dialect without the bounds of the rooms that do."""
    tokens = raw_tokens(text, 0, len(text)) if dialect == "chain" else tokenize(text)
    exactly(Parser(tokens, DIALECTS[dialect]).node())


@pytest.mark.parametrize("kind", BEYOND)
def test_what_is_beyond_bounds_is_told_apart(kind: str) -> None:
    for read_as in (answer, chain):
        with pytest.raises(BeyondLimits):
            read_as(BEYOND[kind])


@pytest.mark.parametrize("text", ["1" * 250, "1" * LONG, "1e999", "1,000" * 1 + ",000" * 60])
def test_a_number_in_too_many_digits_equals_none(text: str) -> None:
    with pytest.raises(TooLarge):
        answer(text)


@pytest.mark.parametrize("kind", OTHER)
def test_what_has_no_value_is_unsupported(kind: str) -> None:
    for read_as in (answer, chain):
        with pytest.raises(Unsupported):
            read_as(OTHER[kind])


def test_a_square_root_of_less_than_nothing_has_a_value_in_answers_alone() -> None:
    assert str(answer("√(-4)").value) == str(answer("√-4").value) == "2i"
    for text in ("√(-4)", "√-4"):
        with pytest.raises(Unsupported):
            chain(text)


@pytest.mark.parametrize("text", [r"1\frac{②}{③}", "1 ②/③", r"1\frac②③"])
def test_digits_of_another_kind_make_no_mixed_number(text: str) -> None:
    with suppress(Unsupported):
        assert answer(text).value.fraction is None
    with pytest.raises(Unsupported):
        chain(text)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("kind", LENGTHY)
def test_a_hundred_kilobytes_take_little_time_and_memory(kind: str, dialect: str) -> None:
    text = LENGTHY[kind]
    before = time.process_time()
    tracemalloc.start()
    with suppress(Unsupported):
        tree(text, dialect)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - before < 8  # tracing costs most of it
    assert peak < 64 * 2**20


PIECES = [
    *"0123456789()[]{}+-*/^!%°²³|_,.;:=xyπ√½¼①②٣３ \n",
    *(r"\frac \sqrt \sqrt[ \text{ \times \ln \log_ \sin^{-1} \left( \pi \boxed{ 99! e9".split()),
    *("10^", "^{", " of ", "cm", "squared", "9999999999999", "\ud800", "\0"),
]


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(PIECES),
        max_size=40,
    )
)
def test_whatever_the_text_only_its_typed_errors_are_raised(pieces: list[str]) -> None:
    text = "".join(pieces)
    for read_as in (answer, chain):
        with suppress(Unsupported):
            read_as(text)
    worked_out(text)
    for dialect in DIALECTS:
        with suppress(Unsupported):
            tree(text, dialect)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_outputs_as_mathematics(kind: str) -> None:
    before = time.process_time()
    for read_as in (answer, chain):
        with suppress(Unsupported):
            read_as(HOSTILE[kind])
    assert time.process_time() - before < 4
