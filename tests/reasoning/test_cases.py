"""Written cases, in tables by flag: valid chains that nothing may veto, and faults to be raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from written_chains import CASES, judge, read_case

from vlm_boundary.reasoning import validity
from vlm_boundary.verifier import Grader


def lines() -> list[tuple[str, int, str]]:
    return [
        (path.stem, number, line)
        for path in sorted(CASES.glob("*.txt"))
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1)
        if line.strip() and not line.startswith("#")
    ]


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(workers=1, deadline=20.0) as open_grader:
        yield open_grader


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
