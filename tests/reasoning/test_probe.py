"""Spoilt chains: exactly one thing is wrong, always the same, and never where it cannot be."""

from __future__ import annotations

import re

import pytest

from vlm_boundary.reasoning.judge.probe import CHAIN_EDITS, ChainEdit, spoil

TEXT = "The bars are 12 and 3.5 high. 12 + 3.5 = 15.5, so both make \\boxed{15.5} together."
ANSWER = (TEXT.index("\\boxed"), TEXT.index(" together"))


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", text)


def differences(text: str) -> list[int]:
    return [i for i, (a, b) in enumerate(zip(numbers(TEXT), numbers(text), strict=True)) if a != b]


@pytest.mark.parametrize("edit", CHAIN_EDITS)
def test_each_edit_is_made_and_said_and_always_the_same(edit: ChainEdit) -> None:
    spoilt = spoil(TEXT, ANSWER, edit)
    assert spoilt is not None
    assert spoilt.text != TEXT
    assert spoilt.edit
    assert spoil(TEXT, ANSWER, edit) == spoilt


def test_what_is_changed() -> None:
    edited = {edit: spoil(TEXT, ANSWER, edit) for edit in CHAIN_EDITS}
    texts = {edit: spoilt.text for edit, spoilt in edited.items() if spoilt}
    (intermediate,) = differences(texts["intermediate_number"])
    assert intermediate < 5
    assert differences(texts["answer"]) == [5]
    assert differences(texts["both"]) == [intermediate, 5]
    assert len(texts["dropped_quarter"]) == len(TEXT) - len(TEXT) // 4
    assert texts["dropped_quarter"].endswith("\\boxed{15.5} together.")


@pytest.mark.parametrize(
    ("text", "answer", "edit"),
    [
        ("\\boxed{7}", (0, 9), "intermediate_number"),
        ("It is 5. \\boxed{B}", (9, 18), "answer"),
        ("It is 5. \\boxed{B}", (9, 18), "both"),
        ("So \\boxed{7}", (3, 12), "dropped_quarter"),
        ("No answer, only 5.", None, "intermediate_number"),
        ("", (0, 0), "answer"),
    ],
)
def test_edits_that_cannot_be_made(
    text: str, answer: tuple[int, int] | None, edit: ChainEdit
) -> None:
    assert spoil(text, answer, edit) is None


@pytest.mark.parametrize("number", ["0", "9", "007", "99", "0.05", "123456789", "1.999999"])
def test_a_changed_number_is_another_of_the_same_kind(number: str) -> None:
    text = f"I see {number} of them."
    spoilt = spoil(text + " \\boxed{1}", (len(text), len(text) + 10), "intermediate_number")
    assert spoilt is not None
    (new, _) = numbers(spoilt.text)
    assert float(new) > float(number)
    assert ("." in new) == ("." in number)
