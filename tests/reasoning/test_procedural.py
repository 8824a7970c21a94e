"""Exact truth: the generator's own chains are valid, and what departs from the picture is not."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from vlm_boundary.benchmarks.procedural import FAMILIES, ProceduralProblem, caption, make_problem
from vlm_boundary.reasoning import Chain, check_arithmetic, check_structure
from vlm_boundary.reasoning.truth.procedural import Truth, truth_of
from vlm_boundary.tiny.mixture import BROAD, CLEAN, guesses, response


def chain_of(text: str, problem: ProceduralProblem) -> Chain:
    """The chain of a text that ends in its boxed answer."""
    end = text.rindex("}")
    return Chain(
        text,
        problem.question,
        "stop",
        True,
        problem.answer,
        (end - len(problem.answer), end),
        "box",
    )


def drawn(family: str, count: int = 60) -> list[ProceduralProblem]:
    return [make_problem(family, split="train", seed=5, index=index) for index in range(count)]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_generators_chains_are_valid_and_never_vetoed(family: str) -> None:
    for problem in drawn(family):
        truth = Truth(problem)
        for steps in problem.chains:
            if all(step.kind == "read" for step in steps) and len(steps) == 1:
                continue  # the answer with a word before it
            work = " ".join(step.text for step in steps).rstrip(",.")
            chain = chain_of(f"{work} \\boxed{{{problem.answer}}}", problem)
            assert truth.check(chain) == (), (chain.text, truth.ways)
            assert not any(item.veto for item in check_structure(chain)), chain.text
            assert not any(item.veto for item in check_arithmetic(chain)), chain.text


@pytest.mark.parametrize("family", FAMILIES)
def test_described_pictures_are_valid_and_never_vetoed(family: str) -> None:
    rng = Random(3)
    for problem in drawn(family):
        if problem.choices:
            continue
        chain = chain_of(response(rng, problem, CLEAN, {}), problem)
        assert Truth(problem).check(chain) == (), chain.text
        assert not any(item.veto for item in check_structure(chain) + check_arithmetic(chain))


def test_every_slip_is_seen_unless_it_changes_nothing() -> None:
    """A response without evidence is one of the right ones: its steps are the generator's."""
    rng = Random(4)
    problems = [p for family in FAMILIES for p in drawn(family) if not p.choices]
    likely = guesses(problems)
    seen: Counter[str] = Counter()
    for problem in problems:
        text = response(rng, problem, BROAD, likely)
        if "\\boxed" in text:
            chain = chain_of(text, problem)
            flags: set[str] = {item.flag for item in Truth(problem).check(chain)}
            seen.update(flags or {"valid"})
    assert {"valid", "wrong_fact", "wrong_step", "underived", "no_reasoning"} <= set(seen)


def line_chart() -> ProceduralProblem:
    problem = make_problem("line_chart", split="test", seed=0, index=6)
    assert caption(problem) == "A 7 B 8 C 6 D 7 E 9 F 9"
    assert problem.answer == "4"
    return problem


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("A 7 B 8 C 6 D 7 E 9 F 9, 8 - 7 = 1, 7 - 6 = 1, 9 - 7 = 2, 1 + 1 + 2 = 4", set()),
        ("A 7 B 8 C 6 D 7 E 9 F 9, 8 - 7 = 1, 9 - 6 = 3, 1 + 3 = 4", set()),  # two rises at once
        ("8 - 7 = 1, 9 - 6 = 3, 3 + 1 = 4", set()),
        ("A 7 B 8 C 6 D 8 E 9 F 9, 8 - 7 = 1, 9 - 6 = 3, 1 + 3 = 4", {"wrong_fact"}),
        ("A 7 B 8 C 6 D 7 E 9 F 9, 8 - 7 = 1, 9 - 6 = 2, 2 + 2 = 4", {"wrong_step"}),
        ("A 7 B 8 C 6 D 7 E 9 F 9, 8 - 6 = 2, 9 - 7 = 2, 2 + 2 = 4", {"wrong_step"}),
        ("A 7 B 8 C 6 D 7 E 9 F 9, 8 - 7 = 1, 9 - 6 = 3", {"underived"}),
        ("A 7 B 8 C 6 D 7 E 9 F 9", {"underived"}),
        ("", {"no_reasoning"}),
    ],
)
def test_one_problem_in_many_ways(text: str, flags: set[str]) -> None:
    problem = line_chart()
    chain = chain_of(f"{text} \\boxed{{4}}", problem)
    assert {item.flag for item in Truth(problem).check(chain)} == flags


def test_evidence_points_at_the_wrong_word() -> None:
    text = "A 7 B 8 C 6 D 8 E 9 F 9, 8 - 7 = 1, 9 - 6 = 3, 1 + 3 = 4 \\boxed{4}"
    (item,) = Truth(line_chart()).check(chain_of(text, line_chart()))
    assert (text[: item.start][-2:], text[item.start : item.end]) == ("D ", "8")
    assert item.note == "the picture shows 7"


def test_only_generated_problems_have_a_truth() -> None:
    assert truth_of("line_chart-test-0-6") is not None
    for other in ("17", "line_chart-test-0", "sphere-test-0-6", "clock-test-0-x", "clock-dev-0-1"):
        assert truth_of(other) is None
