"""What a chain says otherwise than its question, or than itself, with drawn values."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vlm_boundary.reasoning import Chain, check_structure
from vlm_boundary.reasoning.picture.told import told

MANY = settings(max_examples=60, deadline=None)
VALUES = st.lists(st.integers(10, 99), min_size=4, max_size=4, unique=True)
MONTHS = ("Jan", "Feb", "Mar", "Apr")
FULL = ("January", "February", "March", "April")
STATED = (
    "In {name} the value is {value}.",
    "{name} has {value} units.",
    "In {name}, {value} units were sold.",
    "The bar for {name} shows {value}.",
    "- {name}: {value}",
    "| {name} | {value} |",
    "Of these, {name} contributes {value} units.",
)


def contradictions(question: str, text: str, answer: str) -> list[str]:
    chain = Chain(text, question, answer=answer)
    return [item.note for item in check_structure(chain) if item.flag == "contradiction"]


def chart(values: list[int]) -> str:
    shown = ", ".join(f"{name} {value}" for name, value in zip(MONTHS, values, strict=True))
    return f"[Bar chart: sales in units. {shown}.] How many units were sold in all?"


@given(VALUES, st.integers(0, 3), st.integers(10, 99), st.sampled_from(STATED), st.booleans())
@MANY
def test_a_value_said_otherwise_than_in_the_question_is_seen(
    values: list[int], place: int, other: int, stated: str, in_full: bool
) -> None:
    total = sum(values)
    assume(other not in (*values, total))
    name = (FULL if in_full else MONTHS)[place]
    sums = " + ".join(map(str, values))
    for value, seen in ((values[place], False), (other, True)):
        text = f"{stated.format(name=name, value=value)}\nThe total is {sums} = {total}."
        assert bool(contradictions(chart(values), text, str(total))) is seen, text


@given(VALUES, st.integers(0, 3), st.integers(1, 60))
@MANY
def test_a_running_total_is_no_other_value(values: list[int], place: int, more: int) -> None:
    sums = [sum(values[: end + 1]) for end in range(4)]
    lines = "\n".join(f"{name}: {so_far}" for name, so_far in zip(MONTHS, sums, strict=True))
    assert not contradictions(chart(values), f"Adding up:\n{lines}", str(sums[-1]))
    larger = f"{MONTHS[place]} is {more} more than planned. So it is {sums[-1]}."
    assert not contradictions(chart(values), larger, str(sums[-1]))


@given(st.permutations(["red", "blue", "green"]), VALUES)
@MANY
def test_things_with_another_colour_are_seen(colours: list[str], values: list[int]) -> None:
    things = ("cubes", "spheres", "cylinders")
    pairs = list(zip(values, colours, things, strict=False))
    scene = ", ".join(f"{count} {colour} {thing}" for count, colour, thing in pairs)
    question = f"[Scene: {scene}.] How many objects are there?"
    total = sum(values[:3])
    for colour, seen in ((colours[0], False), (colours[1], True)):
        text = f"Counting the {colour} cubes and the others gives {total} objects."
        assert bool(contradictions(question, text, str(total))) is seen, text


@pytest.mark.parametrize(
    ("question", "named"),
    [
        (
            "[Figure: circle with centre O and radius 5.] Find its area.",
            {("radius",), ("r",), ("diameter",)},
        ),
        ("[Figure: triangle with angles 40°, 60° and x.] Find x.", set()),
        ("[Shops. P: Q1 18, Q2 22; R: Q1 25, Q2 17.] How much is P's Q2?", set()),
        ("What is 3 + 4?", set()),
        ("In triangle ABC, AB = 5 and ∠C = 90°. Find BC.", {("AB",), ("angle", "C")}),
        ("[Timetable: departure 9:40, arrival 11:15.] How long?", set()),
    ],
)
def test_names_and_values_of_a_question(question: str, named: set[tuple[str, ...]]) -> None:
    assert set(told(question).named) == named
