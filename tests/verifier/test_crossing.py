"""Answers crossed with gold answers: as comparing each pair gives it, without making them all."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.verifier import Gold, Tolerance, cross
from vlm_boundary.verifier.compare import target_of
from vlm_boundary.verifier.reader import read

GOLDS = [
    Gold("4"),
    Gold("4", answer_type="integer"),
    Gold("0"),
    Gold("0.5", answer_type="float", precision=1),
    Gold("1.23", answer_type="float", precision=2),
    Gold("\\frac{1}{3}"),
    Gold("2\\sqrt{3}"),
    Gold("\\pi"),
    Gold("1000000"),
    Gold("7000000", question="How many million people live there?"),
    Gold("50%"),
    Gold("12", unit="cm"),
    Gold("200", tolerance=Tolerance("relative", 0.05)),
    Gold("200", tolerance=Tolerance("absolute", 30)),
    Gold("1.2", tolerance=Tolerance("decimals", 1)),
    Gold("[3, 15]", answer_type="list"),
    Gold("(3,-4)"),
    Gold("yes", answer_type="text"),
    Gold("C"),
    Gold("blue", choices=("red", "blue", "4")),
    Gold("A,C", letter_set=True),
    Gold("x+1", answer_type="expression"),
    Gold("4", alternatives=("5", "[1, 2]")),
    Gold("1e-9"),
]
ANSWERS = [
    *("4", "4.0", "4.00", "four", "5", "-4", "0", "0.0", ".5", "0.50", "0.46", "50%", "50", "1/2"),
    *("1.23", "1.2", "1.228", "0.333", "0.33", "1/3", "3.46", "3.464", "2\\sqrt{3}", "\\sqrt{12}"),
    *("3.14", "3.142", "\\pi", "1,000,000", "1 million", "7", "7 million", "12 cm", "120 mm"),
    *("12", "12 kg", "190", "209.9", "211", "229", "[3, 15]", "(3, 15)", "3, 15", "(3,-4)"),
    *("yes", "Yes.", "no", "C", "(C)", "A,C", "C and A", "blue", "B", "x+1", "1+x", "x=4", "4=x"),
    *("\\sqrt2 \\approx 1.41", "the answer", "", "1e-9", "9" * 400, "\\int_0^1 x dx"),
]  # fmt: skip


def one_by_one(answers: list[str], golds: list[Gold]) -> list[list[bool]]:
    def right(answer: str, gold: Gold) -> bool:
        for each in gold.each():
            target = target_of(each)
            try:
                value = read(answer, listed=target.listed)
                if target.compare(answer, value).correct is True:
                    return True
            except Unsupported:
                continue
        return False

    return [[right(answer, gold) for gold in golds] for answer in answers]


def test_it_agrees_with_a_comparison_of_every_pair() -> None:
    found = cross(ANSWERS, GOLDS)
    expected = np.array(one_by_one(ANSWERS, GOLDS))
    wrong = [(ANSWERS[i], GOLDS[j].answer) for i, j in np.argwhere(found != expected)]
    assert wrong == []
    assert expected.any(axis=0).all(), "every gold answer is met by one of the answers"


numbers = st.one_of(
    st.integers(-1200, 1200).map(str),
    st.decimals(-1200, 1200, places=2).map(str),
    st.decimals(-2, 2, places=4).map(str),
    st.fractions(-20, 20, max_denominator=40).map(str),
)
tolerances = st.sampled_from(
    [None, Tolerance("absolute", 0.5), Tolerance("relative", 0.1), Tolerance("decimals", 1)]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=30), st.lists(numbers, min_size=1), tolerances)
def test_numbers_that_lie_too_far_apart_to_be_compared_are_never_equal(
    answers: list[str], golds: list[str], tolerance: Tolerance | None
) -> None:
    targets = [Gold(gold, tolerance=tolerance) for gold in golds]
    assert cross(answers, targets).tolist() == one_by_one(answers, targets)


def test_shapes_without_answers_or_golds() -> None:
    assert cross([], GOLDS).shape == (0, len(GOLDS))
    assert cross(["4"], []).shape == (1, 0)
