"""Written cases, in tables by flag: valid chains that nothing may veto, and faults to be raised."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from vlm_boundary.reasoning import Evidence, validity
from vlm_boundary.reasoning.files import check_output
from vlm_boundary.verifier import Gold, Grader, Output, Verdict

CASES = Path(__file__).parent / "cases"
_TIMES = re.compile(r"×(\d+)\{([^{}]*)\}")


def lines() -> list[tuple[str, int, str]]:
    return [
        (path.stem, number, line)
        for path in sorted(CASES.glob("*.txt"))
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1)
        if line.strip() and not line.startswith("#")
    ]


def read_case(line: str) -> tuple[set[str], set[str], Output]:
    """The flags that must veto, those known to be missed, and the output."""
    flags, gold, finish, question, text = (part.strip() for part in line.split("|", 4))
    named = [] if flags == "-" else [flag.strip() for flag in flags.split(",")]
    text = _TIMES.sub(lambda match: match[2] * int(match[1]), text).replace("⏎", "\n")
    missed = {flag[1:] for flag in named if flag.startswith("~")}
    return (
        {flag for flag in named if not flag.startswith("~")},
        missed,
        Output(text, Gold(gold, question=question), finish),
    )


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(workers=1, deadline=20.0) as open_grader:
        yield open_grader


def judge(grader: Grader, output: Output) -> tuple[Verdict, tuple[Evidence, ...]]:
    verdict = grader.grade([output])[0]
    return verdict, check_output(output, verdict)


@pytest.mark.parametrize(
    "line", [line for _, _, line in lines()], ids=[f"{kind}-{n}" for kind, n, _ in lines()]
)
def test_case(grader: Grader, line: str) -> None:
    expected, _, output = read_case(line)
    verdict, evidence = judge(grader, output)
    assert {item.flag for item in evidence if item.veto} == expected, evidence
    if not expected:
        return
    assert validity(verdict.correct, evidence) is not True
    for item in evidence:
        assert 0 <= item.start < item.end <= len(output.text)


@pytest.mark.parametrize("line", [line for kind, _, line in lines() if kind == "valid"], ids=str)
def test_valid_chains_are_right_and_valid(grader: Grader, line: str) -> None:
    verdict, evidence = judge(grader, read_case(line)[2])
    assert verdict.correct is True, verdict
    assert validity(verdict.correct, evidence) is True


def test_recall_is_what_the_documentation_states() -> None:
    found: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for _, _, line in lines():
        raised, not_raised, _ = read_case(line)
        found.update(raised)
        missed.update(not_raised)
    page = (Path(__file__).parents[2] / "docs" / "reasoning.md").read_text(encoding="utf-8")
    for flag in found:
        assert f"| {flag} | {found[flag]} of {found[flag] + missed[flag]} |" in page


def test_there_are_enough_cases() -> None:
    assert len(lines()) >= 200
