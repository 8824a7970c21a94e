"""The verifier: verdicts by kind of output, deadlines that kill, nothing executed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vlm_boundary.verifier import Grader, Output, Verdict
from vlm_boundary.verifier.boxed import last_boxed
from vlm_boundary.verifier.scope import answer_scope


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(workers=1, deadline=3.0) as pool:
        yield pool


def verdict(grader: Grader, text: str, gold: str, **known: str) -> Verdict:
    return grader.grade([Output(text, gold, **known)])[0]


RIGHT = [
    ("The bars are 3 and 5. 3 + 5 = 8\n\\boxed{8}", "8"),
    ("<think>maybe 7</think> \\boxed{8}", "8"),
    ("The answer is 2.50.", "2.5"),
    ("\\boxed{\\frac{1}{2}}", "0.5"),
    ("\\boxed{(3,-4)}", "(3,-4)"),
    ("\\boxed{[3,5, 2]}", "[3, 5, 2]"),
    ("first \\boxed{4}, no: \\boxed{5}", "5"),
]
WRONG = [
    ("\\boxed{7}", "8"),
    ("first \\boxed{5}, no: \\boxed{4}", "5"),
    ("<think>8</think> I give up", "8"),
    ("\\boxed{[3, 5, 4]}", "[3, 5, 2]"),
]


@pytest.mark.parametrize(("text", "gold"), RIGHT)
def test_right_answers(grader: Grader, text: str, gold: str) -> None:
    assert verdict(grader, text, gold).status == "correct"


@pytest.mark.parametrize(("text", "gold"), WRONG)
def test_wrong_answers(grader: Grader, text: str, gold: str) -> None:
    found = verdict(grader, text, gold)
    assert found.correct is False
    assert found.status in ("incorrect", "no_answer")


@pytest.mark.parametrize(
    ("text", "gold", "correct"),
    [
        ("\\boxed{red}", "red", True),
        ("\\boxed{\\text{Red}}", "red", True),
        ("Red.", "red", True),
        ("\\boxed{der}", "red", False),  # equal to red as a product of letters
        ("\\boxed{male}", "female", False),
        ("not red", "red", False),
    ],
)
def test_words_are_compared_as_words(grader: Grader, text: str, gold: str, correct: bool) -> None:
    assert verdict(grader, text, gold, answer_type="text").correct is correct


@pytest.mark.parametrize(
    ("text", "finish_reason", "status"),
    [
        ("", "stop", "no_answer"),
        ("no idea", "stop", "no_answer"),
        ("<think>it must be 8", "stop", "no_answer"),
        ("<think>it must be 8", "length", "truncated"),
        ("so far 3 + 5 = 8 and", "length", "truncated"),
        ("\\boxed{8} and then, and then", "length", "correct"),
        ("\\boxed{8}<|im_end|>\n<|im_start|>user\n\\boxed{9}", "length", "correct"),
    ],
)
def test_how_an_output_ended_counts(
    grader: Grader, text: str, finish_reason: str, status: str
) -> None:
    assert verdict(grader, text, "8", finish_reason=finish_reason).status == status


def test_equal_outputs_get_equal_verdicts_in_order(grader: Grader) -> None:
    outputs = [Output("it is 4", "4"), Output("it is 5", "4"), Output("it is 4", "4")] * 50
    found = grader.grade(outputs)
    assert [v.correct for v in found] == [True, False, True] * 50


HOSTILE = [
    "\\boxed{10**10**10}",
    "\\boxed{9^{9^{9^{9}}}}",
    "\\boxed{10^{9}!}",
    "\\boxed{__import__('os').system('touch {marker}')}",
    "().__class__.__bases__[0].__subclasses__()",
    "(" * 2000 + "1" + ")" * 2000,
    "\\boxed{" * 5000 + "1" + "}" * 5000,
    "\\boxed{" * 20_000,
    "1" * 100_000,
    " " * 100_000 + "5.",
    "\\frac{" * 300 + "1" + "}{2}" * 300,
    "\0\u202e\\boxed{5\0}",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_outputs_end_and_do_nothing(grader: Grader, text: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    found = verdict(grader, text.replace("{marker}", str(marker)), "7.25")
    assert found.correct is not True
    assert not marker.exists()


def test_a_comparison_past_its_deadline_is_undecided_and_the_pool_goes_on() -> None:
    with Grader(workers=1, deadline=1e-4) as impatient:
        slow, fast = impatient.grade([Output("it is 1/3", "0.5"), Output("\\boxed{4}", "4")])
    assert (slow.correct, slow.status, slow.rule) == (None, "undecided", "deadline")
    assert fast.correct is True


def test_no_process_is_left_behind() -> None:
    before = _children()
    with Grader(workers=2) as pool:
        pool.grade([Output("it is 4", "4")])
    # What multiprocessing keeps for the whole interpreter, its fork server and its resource
    # tracker, may stay.
    assert len(_children() - before) <= 2


def _children() -> set[str]:
    """Ids of this process's children that are alive."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):  # ended while we looked
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
            if int(fields["PPid"]) == os.getpid() and not fields["State"].startswith("Z"):
                found.add(fields["Pid"])
    return found


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("\\boxed{a{b}c} \\boxed{d", "a{b}c"),
        ("\\boxed {5}", "5"),
        ("\\boxed{}", ""),
        ("none", None),
    ],
)
def test_the_last_complete_box_is_found(text: str, inner: str | None) -> None:
    assert last_boxed(text) == inner


def test_the_scope_is_after_the_last_thought() -> None:
    assert answer_scope("<think>a</think>b<think>c</think> d<|im_start|>e") == " d"
    assert answer_scope("<think>never ends") is None
