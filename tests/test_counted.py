from __future__ import annotations

import pytest

from vlm_boundary.counted import counted


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 problems"), (1, "1 problem"), (2, "2 problems"), (7680, "7,680 problems")],
)
def test_a_noun_follows_its_number(number: int, said: str) -> None:
    assert counted(number, "problem") == said


def test_a_noun_of_its_own_kind() -> None:
    assert [counted(n, "entry", several="entries") for n in (1, 2)] == ["1 entry", "2 entries"]
