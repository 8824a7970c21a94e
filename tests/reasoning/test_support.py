"""An answer that the chain states as a fraction is supported; one that it never comes to is not."""

from __future__ import annotations

import pytest

from vlm_boundary.reasoning import Chain, check_structure


def flags(working: str, answer: str) -> list[str]:
    text = f"{working}\n\n\\boxed{{{answer}}}"
    span = len(text) - 1 - len(answer), len(text) - 1
    found = check_structure(Chain(text, "What share is it?", "stop", True, answer, span, "box"))
    return [item.flag for item in found]


@pytest.mark.parametrize(
    "said",
    ["1/4", "\\frac{1}{4}", "$\\dfrac{1}{4}$", "2/8", "0.25", "25%", "\\frac{2}{8}"],
)
@pytest.mark.parametrize("answer", ["\\frac{1}{4}", "1/4", "0.25"])
def test_a_share_is_stated_as_any_fraction(said: str, answer: str) -> None:
    assert (
        flags(f"The triangle: 1 x 2 / 2 = 1. The square: 2 x 2 = 4. Its share is {said}.", answer)
        == []
    )


@pytest.mark.parametrize(
    "said", ["1/5", "\\frac{3}{4}", "1/4 + 2", "3 × 1/4", "1/40", "11/4", "1/0"]
)
def test_another_fraction_or_an_operand_supports_nothing(said: str) -> None:
    # No fraction of numbers that the chain comes to, which a reader may form.
    working = f"The triangle: 3 x 2 / 2 = 3. The square: 3 x 3 = 9. Take {said}."
    assert flags(working, "\\frac{1}{4}") == ["answer_unsupported"]
