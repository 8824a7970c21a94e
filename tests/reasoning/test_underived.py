"""Answers beside a described picture: derived from its data, or only claimed; values drawn."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vlm_boundary.reasoning import Chain, check_structure

FEW = settings(max_examples=60, deadline=None)
BARS = st.lists(st.integers(11, 89), min_size=4, max_size=4, unique=True)
MONTHS = ("Jan", "Feb", "Mar", "Apr")
REMARKS = (
    "The bars have different heights. The total is {}.",
    "Let me look at the chart. It shows four months, and April is not like January. All of them "
    "together come to {}.",
    "**Step 1:** Read the chart.\n**Step 2:** Combine the months.\n**Step 3:** The total is {}.",
    "By eye, all bars together reach {}.",
    "The total is {} because that is what the months come to.",
    "It could be 700, {} or 900. I'll go with {}.",
)
DERIVED = (
    "{} and {} are {}, with {} it is {}, and {} makes it {}.",
    "I add {}, {}, {} and {}.",
)


def flags(question: str, working: str, answer: str) -> list[str]:
    text = f"{working}\n\\boxed{{{answer}}}"
    span = len(text) - 1 - len(answer), len(text) - 1
    found = check_structure(Chain(text, question, "stop", True, answer, span, "box"))
    return [item.flag for item in found if item.veto]


def described(bars: list[int]) -> str:
    shown = ", ".join(f"{month} {bar}" for month, bar in zip(MONTHS, bars, strict=True))
    return f"[Bar chart: sales. {shown}.] What is the total of the four months?"


@pytest.mark.parametrize("remark", REMARKS)
@FEW
@given(bars=BARS)
def test_a_remark_derives_no_total(remark: str, bars: list[int]) -> None:
    total = sum(bars)
    assume(total not in (700, 900))
    found = flags(described(bars), remark.replace("{}", str(total)), str(total))
    assert set(found) & {"no_reasoning", "hedging"}


@FEW
@given(bars=BARS)
def test_a_total_of_values_that_are_read_is_derived(bars: list[int]) -> None:
    a, b, c, d = bars
    asked, total = described(bars), str(sum(bars))
    in_steps = f"{a} and {b} are {a + b}, with {c} it is {a + b + c}, and {d} makes it {total}."
    assert flags(asked, in_steps, total) == []
    assert flags(asked, f"I add {a}, {b}, {c} and {d}. The total is {total}.", total) == []
    assert flags(asked, f"{a} + {b} + {c} + {d} = {total}", total) == []


@FEW
@given(bars=BARS, place=st.integers(0, 3))
def test_a_value_of_the_description_is_read(bars: list[int], place: int) -> None:
    shown = described(bars).partition("]")[0]
    question = f"{shown}] What were the sales of {MONTHS[place]}?"
    said = f"The bar of {MONTHS[place]} reaches up to {bars[place]}."
    assert flags(question, said, str(bars[place])) == []


@FEW
@given(apex=st.integers(11, 79).map(lambda half: 2 * half))
def test_the_angles_of_a_triangle(apex: int) -> None:
    base = (180 - apex) // 2
    assume(base not in (30, 45, 60, apex))
    asked = f"[Figure: isosceles triangle, apex angle {apex}°.] Find a base angle in degrees."
    bare = f"The triangle has two equal sides. So a base angle measures {base}°."
    assert flags(asked, bare, str(base)) == ["no_reasoning"]
    derived = f"The apex takes {apex}° of the 180° of a triangle. Each base angle is {base}°."
    assert flags(asked, derived, str(base)) == []


@pytest.mark.parametrize(
    "question",
    ["What is the total? \\[ x \\in [0, 100] \\]", "What is the total on [0, 100]?", "The total?"],
)
def test_nothing_has_to_be_derived_where_nothing_is_described(question: str) -> None:
    said = "The chart shows several bars of different heights, and together they reach 57 on it."
    assert flags(question, said, "57") == []
