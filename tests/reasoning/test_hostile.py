"""Hostile texts: soon done with, nothing executed, every span inside the text."""

from __future__ import annotations

import time

import pytest
from hostile_texts import HOSTILE

from vlm_boundary.reasoning import Chain, check_arithmetic, check_structure

MORE = {
    "equal signs": "=" * 100_000,
    "long chain of equations": "1 + 1 = 2, " * 10_000,
    "a gap in an equation": "1 + 1 =" + " " * 100_000 + "2",
    "spoken equations": "1 is " * 25_000,
    "assignments": "".join(f"A{chr(65 + i % 26)} = {i}. " for i in range(20_000)),
    "a gap behind a value": "AB = 5" + " " * 100_000,
    "named values": "A 4 " * 25_000 + "highest: D",
    "claims of a list": "The values are 3, 1 and 5. The largest is 3, their mean is 2. " * 4_000,
    "one_list": "The values are " + "7, " * 60_000 + "and 8. The largest is 7.",
    "rows": "- Ann: 5\n" * 20_000 + "There are 3 below 9. " * 5_000,
    "angles": "The angles of a triangle " * 8_000 + "add up to 90. ",
    "rewritten": "Expanding, y = x^2 + 3 " * 8_000,
    "claims": "highest: D " * 9_000 + "A 4 B 5 C 6. " * 3_000,
    "digits of another kind": "6 + 8 = ３4, 2 + 1 = 2٣. The values are ٣, 8 and ３. " * 1_000,
    "squares": "2" + "²" * 50_000 + " = 4",
    "signs": "1 + " + "-" * 50_000 + "1 = 2",
    "open brackets": "(" * 50_000 + "1 + 1 = 2",
    "a sum of many": "1 + " * 25_000 + "1 = 3",
    "a tower": "2" + "^2" * 20_000 + " = 4",
    "powers": "9^9^9^9 + 1 = 2, 10**10**10 = 3, 10^{64} * 10^{64} * 10^{64} * 10^{64} = 4",
    "a long number": "9" * 5_000 + " + 1 = 2",
    "one sentence": "We see the shape. " * 6_000,
    "a long period": ("a" * 50 + "b") * 2_000,
    "either": "is 1 or " * 12_000,
    "retractions": "1 + 1 = 3 wait " * 6_000,
    "number words": "one hundred and " * 6_000,
    "number words in a row": "one two three " * 5_000,
    "numbers in words that add up": "one two three " * 2_000 + "add up to 4",
    "open labels": "\\text{" * 20_000 + "1 + 1 = 3",
    "equations by lines": "\n= 1" * 25_000,
    "open fractions": "\\frac{" * 10_000 + "1 = 2",
    "percentages": "5% of " * 15_000 + "3 = 4",
    "lists": "[a " * 30_000,
    "boxes in equations": "2 + 4 = \\boxed{" * 7_000,
    "boxes": "\\boxed{1} or " * 8_000,
    "bullets": "\n" * 50_000 + "- a" * 10_000,
    "suppositions": "if 1 + 1 = 3 then " * 6_000,
    "numbers of thousands": "1,000," * 6_000,
    "numbers with words": "7of," * 8_000,
    "one word": "and " * 10_000,
    "halves": "half of " * 5_000,
    "divisions": "1 / 0 = 1, 0^-1 = 0, 5 % 0 = 1, \\frac{1}{0} = 0, √-4 = 2",
}


PICTURED = "[Bar chart: A 4, B 5, C 6, D 9.] How many are above 4?"
QUESTIONS = {
    "open brackets": "[" * 40_000,
    "many names": "[" + ", ".join(f"Name{i} {i}" for i in range(3_000)) + "] How many?",
    "many numbers": "[" + "7, " * 10_000 + "8] How many?",
}


@pytest.mark.parametrize("kind", [*HOSTILE, *MORE])
@pytest.mark.parametrize("question", ["What is it?", PICTURED])
@pytest.mark.parametrize("at_end", [True, False])
def test_hostile_outputs_end_soon(kind: str, question: str, at_end: bool) -> None:
    text = (HOSTILE | MORE)[kind]
    place = max(0, len(text) - 2) if at_end else 0
    soon(Chain(text, question, "stop", True, "5", (place, place + 1), "box"))


@pytest.mark.parametrize("kind", QUESTIONS)
def test_hostile_questions_end_soon(kind: str) -> None:
    text = "Name7 has 8 and Name9 has 4, so 8 + 4 = 13. It is 12."
    soon(Chain(text, QUESTIONS[kind], "stop", True, "12", (len(text) - 3, len(text) - 1), "box"))


@pytest.mark.parametrize("question", ["What is it?", PICTURED])
@pytest.mark.parametrize(
    "answer",
    [
        "1e99999999",
        "39999e99999999",
        "1/0",
        "55/0",
        "\\frac{1}{0}",
        "9" * 5_000,
        "3_9",
        "٣",
        "1." * 99,
    ],
)
def test_hostile_answers_end_soon(answer: str, question: str) -> None:
    text = f"A is 4 and B is 5, so 4 + 5 = 9. The answer is {answer}"
    soon(
        Chain(text, question, "stop", True, answer, (len(text) - len(answer), len(text)), "stated")
    )


def soon(chain: Chain) -> None:
    """Checks a chain, which raises nothing and does not take long."""
    before = time.process_time()
    evidence = check_structure(chain) + check_arithmetic(chain)
    # Far above what it takes (the longest texts have 700,000 characters), far below what work that
    # grows with the square of the length would.
    assert time.process_time() - before < 4
    for item in evidence:
        assert 0 <= item.start <= item.end <= len(chain.text)
