"""A final answer beside what the separate thought before it concludes."""

from __future__ import annotations

import pytest

from vlm_boundary.reasoning.files import check_output
from vlm_boundary.reasoning.thought import AGREES, DIFFERS
from vlm_boundary.verifier import Gold, Output, grade

WORK = "5² + 12² = 25 + 144 = 169"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"<think>{WORK}, so AB = 13.</think>The answer is \\boxed{{13}}.", AGREES),
        (f"<think>{WORK}. The answer is 13.</think>\\boxed{{13.0}}", AGREES),
        ("<think>3/6 are red. So it is \\boxed{1/2}.</think>\\boxed{0.5}", AGREES),
        (f"{WORK}, so AB = 13.</think>\\boxed{{13}}", AGREES),  # its template opened the thought
        (f"<think>{WORK}, so AB = 13.</think>The answer is \\boxed{{17}}.", DIFFERS),
        ("<think>3 + 4 = 7. The answer is 7.</think>\\boxed{8}", DIFFERS),
        ("◁think▷3 + 4 = 7. The answer is 7.◁/think▷\\boxed{8}", DIFFERS),
        ("<think>I look at the picture. Maybe I should count.</think>\\boxed{4}", None),
        ("3 + 4 = 7. The answer is 7.\n\\boxed{8}", None),  # no thought of its own
        ("<think>3 + 4 = 7. The answer is 7.", None),
    ],
)
def test_what_a_thought_concludes(text: str, said: str | None) -> None:
    output = Output(text, Gold("13"), "stop")
    found = [e for e in check_output(output, grade(output)) if e.flag in (AGREES, DIFFERS)]
    assert [item.flag for item in found] == ([said] if said else [])
    for item in found:
        assert not item.veto
        assert item.end <= text.index("think", 9)
