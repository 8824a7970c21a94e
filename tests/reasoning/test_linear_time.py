"""Every pattern of the chain checker takes time linear in a text's length, whatever the text is."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator

import pytest

from vlm_boundary import mathtext, reasoning

PIECES = [
    "one two three ", "one hundred and ", "A 4, ", "a ", "Ab ", "the a ", "1", "1, ", "1 and ",
    "1 + ", "(", "\\frac{", "x^2 + ", "2x = ", "is 1 or ", " ", "\n", "-", "a is 1 ",
    "there are 4 dogs and ", "the sum of 1 ", "A is larger than ", "so ", "if ", "could be 4, ",
    "50% of ", "the angles of a triangle ", "AB = ", "x", "because ", "12 ", "1.", "1,000",
    "= 1 ", "\\boxed{1} or ", "the width of the ", "smallest is 4 the ", "and ", "counting the ",
    "how many dogs ", "maybe 4 ",
]  # fmt: skip
LENGTH = 2_000
MOST = 0.5  # seconds; what grows with the square of the length takes several on one of these


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for room in (reasoning, mathtext):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    yield f"{module.name.removeprefix('vlm_boundary.')}.{name}", value


PATTERNS = dict(patterns())


def searched(pattern: re.Pattern[str]) -> str:
    """The piece on which a pattern takes too long, if any."""
    before = time.process_time()
    for piece in PIECES:
        for size in (LENGTH // 20, LENGTH):  # the small one ends what is exponential soon
            text = piece * (size // len(piece)) + "!"
            for _ in pattern.finditer(text):
                pass
            if time.process_time() - before > MOST:
                return piece
    return ""


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_patterns_are_linear(name: str) -> None:
    # Another process may take the time of one search, hardly that of three.
    assert not all(searched(PATTERNS[name]) for _ in range(3)), searched(PATTERNS[name])


def test_every_room_is_searched() -> None:
    rooms = {name.split(".")[1] for name in PATTERNS if name.startswith("reasoning.")}
    assert {"algebra", "contradictions", "lists", "picture", "rules", "support", "text"} <= rooms
    assert len(PATTERNS) > 500
