"""A judge's words: a verdict where there is one, else an abstention, never a guess."""

from __future__ import annotations

import pytest

from vlm_boundary.reasoning.judge.verdict import Bands, bands, read_verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Step 1 holds.\nVerdict: valid", True),
        ("Step 2 fails.\nVerdict: invalid", False),
        ("verdict: VALID.", True),
        ("**Verdict:** invalid", False),
        ("**Verdict: valid**\n\n", True),
        ("### Verdict: valid", True),
        ("Final verdict: invalid.", False),
        ("Verdict: \\boxed{valid}", True),
        ("Verdict: $\\boxed{\\text{invalid}}$", False),
        ("<think>Verdict: invalid? No.</think>\nVerdict: valid", True),
        ("I agree.\nVerdict: valid\nVerdict: valid", True),
    ],
)
def test_verdicts(text: str, verdict: bool) -> None:
    assert read_verdict(text, "stop") is verdict


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes",
        "The reasoning is valid.",
        "Verdict: valid or invalid",
        "Verdict: not valid",
        "Verdict: validated",
        "Verdict:",
        "Verdict: valid\nbecause step 1 holds",
        "Verdict: invalid\nVerdict: valid",
        "The solution says\n> Verdict: valid\nbut step 2 fails.",
        "<think>It holds.\nVerdict: valid",
    ],
)
def test_abstentions(text: str) -> None:
    assert read_verdict(text, "stop") is None


@pytest.mark.parametrize("reason", ["length", "repetition", "abort", "content_filter"])
def test_what_was_cut_off_is_an_abstention(reason: str) -> None:
    assert read_verdict("Verdict: invalid", reason) is None


def test_a_thought_that_the_prompt_opened_gives_no_verdict_before_it_closes() -> None:
    said = "Step 1 holds.\nVerdict: valid"
    assert read_verdict(said, "stop", thinking_open=True) is None
    closed = f"Verdict: invalid?</think>{said}"
    assert read_verdict(closed, "stop", thinking_open=True) is True


@pytest.mark.parametrize("text", ["verdict:" * 50_000, "*" * 100_000, "\n" * 100_000 + "Verdict"])
def test_hostile_output_costs_no_time(text: str) -> None:
    assert read_verdict(text, "stop") is None


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([True, True, True], Bands(True, True, True)),
        ([True, True, False], Bands(True, True, False)),
        ([True, False, False], Bands(True, False, False)),
        ([True, False], Bands(True, False, False)),
        ([False, False, None], Bands(False, False, False)),
        ([True, None, None], Bands(True, True, False)),
        ([None, None, None], Bands(None, None, None)),
        ([], Bands(None, None, None)),
    ],
)
def test_bands(votes: list[bool | None], expected: Bands) -> None:
    assert bands(votes) == expected
