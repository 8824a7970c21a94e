"""Formulas told apart by their values: only where they cannot be equal, and soon."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlm_boundary.verifier import Grader, Output
from vlm_boundary.verifier.approximate import far_apart

APART = [
    (r"\sqrt[3]{2}", r"\sqrt[3]{3}"),
    (r"\frac{5\sqrt{2\pi+1}}{2\pi}", "7.5"),
    (r"2^{\frac{1}{3}}", r"\sqrt{2}"),
    (r"\log_2 5", r"\log_3 5"),
    (r"\ln 5", r"\ln(6)"),
    (r"\sqrt{x+1}", r"\sqrt{x}+1"),
    (r"\sin^2(x)", r"\sin(x)"),
    ("1", r"$\pi-\tan ^{-1}\left(\frac{1}{d}\right)$"),
    (r"$\boxed{\frac{16}{7}}$", "2"),
    (r"-\sqrt[3]{2}", r"\sqrt[3]{2}"),
    (r"\frac{\sqrt[3]{4}}{2}", r"\sqrt[3]{4}"),
    (r"\sqrt{2+\sqrt{3}}", r"\sqrt{2}+\sqrt{3}"),
    (r"\frac12", "9"),
    (r"5!", "9"),
    (r"|x|", "9"),
    (r"x**y", "x*y"),
    (r"3\sqrt{2.}", r"2\sqrt{2}"),
]
NEAR = [
    (r"\sqrt[3]{16}", r"2\sqrt[3]{2}"),
    (r"\sqrt{2+\sqrt{3}}", r"\frac{\sqrt{6}+\sqrt{2}}{2}"),
    (r"\log_2 8", "3"),
    (r"\log_2(8)", "3"),
    (r"\sin(x)\cdot\cos(x)", r"\frac{\sin(2x)}{2}"),
    (r"\sqrt[3]{2}", "1.26"),
    (r"\sin^{-1}(\frac{1}{2})", r"\arcsin\left(\frac{1}{2}\right)"),
    (r"\left(x+1\right)^2", "x^2+2x+1"),
    ("x**3", "x^3"),
]
UNKNOWN = [  # more than one reading, or none
    (r"3\frac{1}{2}", "7"),
    (r"e^2", "5"),
    (r"2i", "5"),
    (r"\log 100", "3"),
    (r"\sin 2x", "9"),
    (r"1,2", "9"),
    (r"x=5", "9"),
    (r"\sqrt{-1}", "9"),
    (r"\frac{1}{0}", "9"),
    (r"9^{9^{9^9}}", "9"),
    (r"5\%", "9"),
    (r"30^\circ", "9"),
    (r"\text{two}", "9"),
    (r"a+b+c", "9"),
    ("", "9"),
    ("(" * 150, "9"),
    (r"\binom{5}{2}", "9"),
]


@pytest.mark.parametrize(("one", "two"), APART)
def test_formulas_that_cannot_be_equal(one: str, two: str) -> None:
    assert far_apart(one, two)
    assert far_apart(two, one)
    assert not far_apart(one, one)


@pytest.mark.parametrize(("one", "two"), NEAR + UNKNOWN)
def test_formulas_that_may_be_equal_or_are_not_understood(one: str, two: str) -> None:
    assert not far_apart(one, two)
    assert not far_apart(two, one)


def test_what_is_far_apart_starts_no_process_and_what_is_near_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, str]] = []

    def ask(task: object, pairs: list[tuple[str, str]]) -> list[tuple[bool, None]]:
        asked.extend(pairs)
        return [(True, None)]

    with Grader(workers=1) as grader:
        monkeypatch.setattr(grader._pool, "ask", ask)
        outputs = [
            Output(f"\\boxed{{{text}}}", r"\sqrt[3]{2+\sqrt{5}}")
            for text in (r"\sqrt[3]{2+\sqrt{8}}", r"\frac{1+\sqrt{5}}{2}", r"\sqrt[5]{7}")
        ]
        verdicts = grader.grade(outputs)
    assert [verdict.correct for verdict in verdicts] == [False, True, False]
    assert verdicts[0].rule == "formula_differs"
    assert asked == [(r"\frac{1+\sqrt{5}}{2}", r"\sqrt[3]{2+\sqrt{5}}")]


PIECES = [*"0123456789.+-*/^(){}[]_ xyπ√|!,=\\", r"\frac", r"\sqrt", r"\log_", r"\sin", r"\ln"]
PIECES += [r"\left(", r"\pi", r"\cdot", "{1}", "{2}", "2", "(", ")"]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_worked_out_soon_or_not_at_all(text: str) -> None:
    before = time.process_time()
    assert far_apart(text, text) is False
    far_apart(text, "2")
    assert time.process_time() - before < 1.0
