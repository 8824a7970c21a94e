"""The marks of thoughts, as the verifier, the judge and prompts have them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlm_boundary.errors import UserError
from vlm_boundary.reasoning.judge.verdict import read_verdict
from vlm_boundary.verifier import Gold, Grader, Output
from vlm_boundary.verifier.files import output_records
from vlm_boundary.verifier.thoughts import after_thoughts, ends_in_thought

OPENED_AND_CLOSED = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<think:opensource>", "</think:opensource>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("◁think▷", "◁/think▷"),
    ("<|channel>thought\n", "<channel|>"),
    ("[THINK]", "[/THINK]"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    ("Here is my thought process:", "\nHere is my response:"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<seed:think>", "</seed:think>"),
    ("<|plamo:begin_think:plamo|>", "<|plamo:end_think:plamo|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
]


@pytest.mark.parametrize(("opens", "closes"), OPENED_AND_CLOSED)
def test_what_stands_behind_a_thought(opens: str, closes: str) -> None:
    text = f"{opens}it is 3{closes}it is 4"
    found = after_thoughts(text)
    assert found is not None
    assert text[found.start : found.end] == "it is 4"
    assert after_thoughts(f"{opens}it is 3") is None
    closed = after_thoughts(f"it is 3{closes}it is 4", thinking_open=True)
    assert closed is not None
    assert after_thoughts("it is 3", thinking_open=True) is None
    assert after_thoughts("it is 3") is not None


@pytest.mark.parametrize(("opens", "closes"), OPENED_AND_CLOSED)
def test_prompts_that_end_in_a_thought(opens: str, closes: str) -> None:
    assert ends_in_thought(
        f"<|im_start|>user\nhow many?<|im_end|>\n<|im_start|>assistant\n{opens}\n"
    )
    assert not ends_in_thought(f"<|im_start|>assistant\n{opens}\n\n{closes}\n\n")
    assert not ends_in_thought(f"Think between {opens} and {closes}.\nassistant\n")
    assert not ends_in_thought(f"Begin with {opens} always.<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize("finish", ["length", "stop", None])
def test_an_open_thought_has_no_answer(finish: str | None) -> None:
    gold = Gold("42", "integer")
    with Grader(workers=1) as grader:
        # Equal texts in one call: what the prompt opened is part of what is remembered.
        read, opened, unopened = grader.grade(
            [
                Output("so \\boxed{42}", gold, finish),
                Output("so \\boxed{42}", gold, finish, thinking_open=True),
                Output("so \\boxed{42}", gold, finish, thinking_open=False),
            ]
        )
    assert read.correct is True
    assert unopened.correct is True
    assert opened.correct is False
    assert opened.rule == "open_think"
    assert opened.status == ("truncated" if finish == "length" else "no_answer")


def test_a_judge_that_still_thinks_abstains_whatever_its_marks() -> None:
    for opens, closes in OPENED_AND_CLOSED:
        assert read_verdict(f"{opens}\nVerdict: valid", "stop") is None
        assert read_verdict(f"{opens}Verdict: valid{closes}\nVerdict: invalid", "stop") is False


def write(folder: Path, **fields: object) -> Path:
    path = folder / "outputs.jsonl"
    path.write_text(json.dumps({"output": "\\boxed{5}", "answer": "5"} | fields), encoding="utf-8")
    return path


@pytest.mark.parametrize("value", [True, False, None])
def test_a_file_says_whether_the_prompt_opened_a_thought(tmp_path: Path, value: object) -> None:
    (line,) = output_records(write(tmp_path, thinking_open=value))
    assert line.output.thinking_open is value


@pytest.mark.parametrize("value", ["yes", 1, 0, [], {}])
def test_any_other_value_is_a_user_error(tmp_path: Path, value: object) -> None:
    with pytest.raises(
        UserError, match=r"outputs\.jsonl:1: thinking_open must be true, false or null"
    ):
        list(output_records(write(tmp_path, thinking_open=value)))
