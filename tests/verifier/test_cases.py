"""Written cases, in tables by kind: what each output is worth, and the conventions behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vlm_boundary.verifier import Gold, Grader, Output, Tolerance

CASES = Path(__file__).parent / "cases"
VERDICTS: dict[str, tuple[bool | None, ...]] = {
    "+": (True,),
    "-": (False,),
    "?": (None,),
    "!": (False, None),
}
THINKING = {"open": True, "closed": False}


def read_case(line: str) -> tuple[tuple[bool | None, ...], Output]:
    verdict, gold, kind, output = (part.strip(" ") for part in line.split("|", 3))
    answer_type, *attributes = kind.split()
    known = dict(attribute.split("=", 1) for attribute in attributes)
    tolerances = [Tolerance(kind, known[kind]) for kind in Tolerance.KINDS if kind in known]
    target = Gold(
        gold,
        None if answer_type == "any" else answer_type,
        unit=known.get("unit"),
        precision=int(known["precision"]) if "precision" in known else None,
        choices=tuple(known["choices"].replace("_", " ").split(";")) if "choices" in known else (),
        question=known.get("asked", "").replace("_", " "),
        tolerance=tolerances[0] if tolerances else None,
    )
    text = output.replace("⏎", "\n")
    thinking_open = THINKING[known["thinking"]] if "thinking" in known else None
    finish = known.get("finish", "stop")
    return VERDICTS[verdict], Output(text, target, finish, thinking_open=thinking_open)


def lines() -> list[tuple[str, int, str]]:
    return [
        (path.stem, number, line)
        for path in sorted(CASES.glob("*.txt"))
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1)
        if line.strip() and not line.startswith("#")
    ]


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    # Generous: what is tested here is the verdict, on however busy a machine.
    with Grader(workers=1, deadline=20.0) as open_grader:
        yield open_grader


@pytest.mark.parametrize(
    "line", [line for _, _, line in lines()], ids=[f"{kind}-{n}" for kind, n, _ in lines()]
)
def test_case(grader: Grader, line: str) -> None:
    expected, output = read_case(line)
    verdict = grader.grade([output])[0]
    assert verdict.correct in expected, verdict


def test_there_are_enough_cases() -> None:
    assert len(lines()) >= 400


def test_no_case_is_written_twice() -> None:
    written = [line for _, _, line in lines()]
    assert len(set(written)) == len(written)


def test_every_verdict_says_where_its_answer_stands(grader: Grader) -> None:
    outputs = [read_case(line)[1] for _, _, line in lines()]
    for output, verdict in zip(outputs, grader.grade(outputs), strict=True):
        if verdict.extracted is not None and output.text.isascii():
            assert verdict.span is not None
            start, end = verdict.span
            said = output.text[start:end].replace("\n", " ")  # where a line is broken within it
            assert said == verdict.extracted.replace("\n", " ")
