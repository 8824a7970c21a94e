"""Whatever the value: taken back, supposed, denied or hedged it is not right; confirmed it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vlm_boundary.verifier import Gold, Grader, Output

GRADER = Grader(workers=1)  # starts no process: what is drawn here needs none

VALUES = st.one_of(
    st.integers(-999, 99_999).map(str),
    st.tuples(st.integers(1, 99), st.integers(2, 99)).map("{0[0]}/{0[1]}".format),
    st.integers(1, 99).map("{}.5".format),
    st.integers(2, 50).map("{}\\pi".format),
)
MARKED = st.sampled_from(["\\boxed{{{}}}.", "$\\boxed{{{}}}$.", "The answer is {}.", "Answer: {}."])
TAKEN_BACK = st.sampled_from(
    [
        "Wait, that's wrong.",
        "No, that is not right.",
        "Hmm, that can't be right.",
        "But this is too high.",
        "However, this contradicts the figure.",
        "This does not satisfy the condition.",
        "I made a mistake above.",
        "Oops, I forgot a corner.",
        "I miscounted.",
        "Scratch that.",
        "Please ignore the above answer.",
        "Hold on, I should recount.",
        "Wait, let me recheck this.",
        "On second thought, I am not so sure.",
        "Let me reconsider.",
        "不对。",
        "Hmm, let me redo this.",
        "This answer is incorrect.",
        "Not so fast: the angle is obtuse.",
        "Oh, that should have been larger.",
        "I disagree.",
    ]
)
CORRECTED = st.sampled_from(
    [
        "Actually no, it is {}.",
        "No, that should be {}.",
        "Correction: {}",
        "Edit: {}",
        "I mean {}.",
        "Make that {}.",
        "Sorry, it's {}.",
        "Wait, no: {}.",
        "Oops, the answer should be {}.",
        "更正：答案应为{}。",
    ]
)
CONFIRMED = st.sampled_from(
    [
        "Let me double check. Yes, that is correct.",
        "Wait, let me verify this once more. It checks out.",
        "This is not a coincidence.",
        "There is no mistake in the figure.",
        "Note that the figure is not drawn to scale.",
        "Options A and C are incorrect.",
        "Sorry for the long explanation.",
        "A common mistake is to forget the shadow.",
        "Verification: both sides agree. ✓",
        "No further simplification is possible.",
        "让我检查一下，正确。",
    ]
)
SUPPOSED = st.sampled_from(
    [
        "If the answer were {}, the sum would be odd.",
        "Suppose the answer is {}.",
        "One might think the answer is {}.",
        "A student says the answer is {}.",
        "The wrong answer is {}.",
        "It is not true that the answer is {}.",
        "I doubt that the answer is {}.",
        "Is the answer {}? No.",
        "The answer is {}? No.",
        "The answer is not necessarily {}.",
        "The answer is anything but {}.",
        "The answer cannot be {}.",
        "The answer is far from {}.",
        "The answer is nearly {}.",
        "The answer is anything except {}.",
        "It is hard to believe that the answer is {}.",
        "Nobody would say that the answer is {}.",
        "如果答案是{}。",
        "答案不是{}。",
        "If it were \\boxed{{{}}}, the sum would be odd.",
        "Is it \\boxed{{{}}}? No, it is not.",
        "A common incorrect answer is \\boxed{{{}}}.",
    ]
)
CHANGED = st.sampled_from(
    [
        "The answer is half of {}.",
        "The answer is twice {}.",
        "The answer is the square root of {}.",
        "The answer is {} cubed.",
        "The answer is {} divided by 77.",
        "The answer is a multiple of {}.",
        "The answer is {} to the power of 3.",
        "The answer is {} tenths.",
        "The answer is {} out of 1000.",
        "The answer is root {}.",
    ]
)

THINGS = st.sampled_from(["boats", "swans", "keys", "lamps", "towers", "melons", "coins"])
OF_THINGS = st.sampled_from(
    [
        "So there are {} {}.",
        "Therefore, there are {} {} in the picture.",
        "There are {} {}.",
        "Overall, I count {} {}.",
        "Hence we can see {} {}.",
        "So {} {} are visible.",
    ]
)
MEASURES = st.sampled_from(["area", "perimeter", "volume", "radius", "diameter"])
CONDITIONS = st.sampled_from(
    [
        "The answer is {}, if only y were odd.",
        "The answer is {}, provided that y is odd.",
        "The answer is {} unless y is odd.",
        "\\boxed{{{}}} only if y is odd.",
        "\\boxed{{{}}}, assuming y is odd.",
        "The answer should be {}, but it isn't.",
    ]
)
GROUPS = st.sampled_from(["pairs", "decades", "batches", "packs", "percent of x", "% of the price"])


def graded(text: str, gold: str, question: str = "") -> bool | None:
    return GRADER.grade([Output(text, Gold(gold, question=question), "stop")])[0].correct


@settings(max_examples=200, deadline=None)
@given(VALUES, MARKED, TAKEN_BACK, st.sampled_from([" ", "\n\n"]))
def test_what_is_taken_back_is_not_right(value: str, marked: str, back: str, gap: str) -> None:
    assert graded(marked.format(value) + gap + back, value) is not True


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES, MARKED, CORRECTED, st.sampled_from([" ", "\n\n"]))
def test_a_correction_is_the_answer(
    value: str, other: str, marked: str, corrected: str, gap: str
) -> None:
    assume(graded(f"\\boxed{{{other}}}", value) is False)
    text = marked.format(value) + gap + corrected.format(other)
    assert graded(text, value) is not True
    assert graded(text, other) is True


@settings(max_examples=200, deadline=None)
@given(VALUES, MARKED, CONFIRMED, st.sampled_from([" ", "\n\n"]))
def test_what_is_confirmed_stays_right(value: str, marked: str, behind: str, gap: str) -> None:
    assert graded(marked.format(value) + gap + behind, value) is True


@settings(max_examples=200, deadline=None)
@given(VALUES, SUPPOSED)
def test_what_is_supposed_or_denied_is_not_right(value: str, supposed: str) -> None:
    assert graded(supposed.format(value), value) is not True


@settings(max_examples=100, deadline=None)
@given(VALUES, VALUES, SUPPOSED)
def test_an_answer_beside_a_supposition_stands(value: str, other: str, supposed: str) -> None:
    assume(graded(f"\\boxed{{{other}}}", value) is False)
    assert graded(f"The answer is {value}.\n\n{supposed.format(other)}", other) is not True
    assert graded(f"{supposed.format(other)}\n\nThe answer is {value}.", value) is True


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 999).map(str), CHANGED)
def test_a_number_is_not_cut_out_of_a_phrase(value: str, changed: str) -> None:
    assert graded(changed.format(value), value) is not True


@settings(max_examples=100, deadline=None)
@given(VALUES, VALUES, st.sampled_from([" (or {})", ", or {}", " or maybe {}", ", possibly {}"]))
def test_two_answers_are_right_only_where_they_are_one(value: str, other: str, hedge: str) -> None:
    assume(graded(f"\\boxed{{{other}}}", value) is False)
    text = f"The answer is {value}{hedge.format(other)}."
    assert graded(text, value) is not True
    assert graded(text, other) is not True


HOSTILE = [
    "The answer is 4. " + "wait, " * 4000,
    "\\boxed{4} " + "no, " * 5000 + "7",
    "\\boxed{4}" + " -- no wait" * 3000,
    "\\boxed{4}" + "\n" * 20_000 + "that is wrong",
    "if " * 7000 + "the answer is 4",
    "the answer is 4? " * 1200,
    "~~4" * 6000,
    "\\boxed (" * 3000,
    "\\boxed{4} \\boxed{" * 1500,
    '{"answer": ' * 2000,
    "| answer | " * 2000,
    "The answer is 4 or " * 1000,
    "3 out of " * 3000,
    "<think>" * 4000,
    "<|channel|>analysis" * 1500,
    "not " * 6000 + "4",
    "(4" * 9000,
    "4; " * 7000,
    "答案是" * 7000,
    "too high " * 2500,
    "I have, " * 3000 + "4 is wrong",
    "there is 4, and " * 1400,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_lengths_take_linear_time(text: str) -> None:
    def seconds(part: str) -> float:
        start = time.process_time()
        graded(part, "4")
        return time.process_time() - start

    seconds(text[:100])
    whole = min(seconds(text), seconds(text + " "))
    quarter = min(seconds(text[: len(text) // 4]), seconds(text[: len(text) // 4] + " "))
    assert whole < max(0.25, 8 * quarter)


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 99_999).map(str), THINGS, THINGS, OF_THINGS)
def test_a_count_of_another_thing_is_not_right(
    value: str, thing: str, other: str, said: str
) -> None:
    question = f"How many {thing} are there?"
    assert graded(said.format(value, thing), value, question) is True
    if other != thing:
        assert graded(said.format(value, other), value, question) is not True


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 99_999).map(str), MEASURES, MEASURES, st.sampled_from(["So", "Therefore,"]))
def test_another_measure_is_not_right(value: str, asked: str, said: str, so: str) -> None:
    text = f"{so} the {said} is {value}."
    right = graded(text, value, f"What is the {asked} of the figure?")
    assert right is (True if said == asked else None)


@settings(max_examples=100, deadline=None)
@given(VALUES, CONDITIONS)
def test_what_stands_under_a_condition_is_not_right(value: str, said: str) -> None:
    assert graded(said.format(value), value) is not True


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from(["The answer is {} {}.", "\\boxed{{{} \\text{{ {}}}}}"]), GROUPS)
def test_a_group_or_a_share_is_not_right(value: str, said: str, group: str) -> None:
    assert graded(said.format(value, group), value, "How many shoes are there?") is not True


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 999), st.integers(1, 999), MARKED, MEASURES, st.sampled_from([" ", "\n\n"]))
def test_a_conclusion_behind_a_mark_that_says_another_value_leaves_it_undecided(
    value: int, other: int, marked: str, measure: str, gap: str
) -> None:
    question = f"What is the {measure} of the figure?"
    text = marked.format(value) + gap + f"So the {measure} of the figure is {other}."
    close = min(abs(value - other * scale) / max(value, other * scale) for scale in (1, 100, 0.01))
    assume(other == value or close > 0.03)
    assert graded(text, str(value), question) is (True if other == value else None)
