"""What chains state, and what of it is false first, against slips that are known."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from conftest import make_run

from vlm_boundary.benchmarks.procedural import FAMILIES, ProceduralProblem, make_problem
from vlm_boundary.reasoning import Chain
from vlm_boundary.reasoning.stage import check
from vlm_boundary.reasoning.truth.stated import facts_of, read_text, reader_of
from vlm_boundary.records.validity import Stated
from vlm_boundary.store import Partition
from vlm_boundary.tiny.mixture import BROAD, CLEAN, Mixture, Slip, guesses, response
from vlm_boundary.verifier import verify

_BOXED = replace(BROAD, answer_only=0, boxed=1, phrased=0)


def problem_of(family: str, state: str) -> ProceduralProblem:
    """The first test problem whose state begins so."""
    drawn = (make_problem(family, split="test", seed=7, index=index) for index in range(400))
    return next(one for one in drawn if one.state.split(" | ")[1].startswith(state))


def read(problem: ProceduralProblem, text: str) -> Stated:
    end = text.rindex("}")
    answer = text[text.rindex("{") + 1 : end]
    right = answer == problem.answer
    chain = Chain(text, problem.question, "stop", right, answer, (end - len(answer), end), "box")
    return reader_of(problem.problem_id, generated=True)(chain)


def found(mixture: Mixture, family: str, count: int = 40) -> Counter[str | None]:
    problems = [make_problem(family, split="test", seed=7, index=i) for i in range(count)]
    likely, rng = guesses(problems), Random(1)
    kinds = (read(one, response(rng, one, mixture, likely)).first_false for one in problems)
    return Counter(kinds)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("mixture", [CLEAN, replace(_BOXED, slips={})])
def test_nothing_is_false_in_right_chains(family: str, mixture: Mixture) -> None:
    assert set(found(mixture, family)) == {"none"}


@pytest.mark.parametrize("slip", ["misread", "arithmetic"])
def test_slips_are_told_apart_in_all_styles(slip: Slip) -> None:
    """A slip in what is concluded ("sorted [2, 9, 9]") is of neither kind by itself."""
    mixture = replace(_BOXED, slips={slip: 1.0})
    kinds = sum((found(mixture, family) for family in FAMILIES), Counter[str | None]())
    expected = {"misread": "seeing", "arithmetic": "reasoning"}[slip]
    assert kinds[expected] >= 0.9 * kinds.total()
    assert kinds[None] == 0


def test_the_first_false_statement_counts_with_its_place() -> None:
    problem = problem_of("bar_chart", "difference")
    bars = problem.facts["bars"]
    assert isinstance(bars, dict)
    _, a, b = problem.state.split(" | ")[1].split()
    high, low = max(bars[a], bars[b]), min(bars[a], bars[b])
    true = f"{a} {bars[a]}, {b} {bars[b]}, "
    gap = high - low

    misread = f"{a} {bars[a] + 20}, {b} {bars[b]}, {high} - {low} = {gap + 1} \\boxed{{{gap + 1}}}"
    stated = read(problem, misread)
    assert (stated.first_false, stated.place) == ("seeing", [0, len(f"{a} {bars[a] + 20}")])

    wrong = f"{true}{high} - {low} = {gap + 1} \\boxed{{{gap + 1}}}"
    stated = read(problem, wrong)
    assert stated.first_false == "reasoning"
    assert stated.place is not None
    assert wrong[slice(*stated.place)].strip() == f"{high} - {low} = {gap + 1}"

    silent = f"{high + 20} - {low} = {gap + 20} \\boxed{{{gap + 20}}}"  # work alone, misread
    assert read(problem, silent).first_false == "seeing"
    other = f"{true}{high} + {low} = {high + low} \\boxed{{{high + low}}}"  # the wrong plan
    assert read(problem, other).first_false == "reasoning"
    unfit = f"{true}{high} - {low} = {gap} \\boxed{{{gap + 1}}}"
    assert read(problem, unfit).first_false == "answer"
    assert read(problem, f"\\boxed{{{gap + 1}}}").first_false == "answer"
    assert read(problem, f"\\boxed{{{gap}}}").first_false == "none"


def test_a_conclusion_behind_facts_is_reasoned_and_alone_is_seen() -> None:
    problem = problem_of("bar_chart", "tallest")
    bars = problem.facts["bars"]
    assert isinstance(bars, dict)
    other = next(name for name in bars if name != problem.answer)
    facts = ", ".join(f"{name} {value}" for name, value in bars.items())
    stated = read(problem, f"{facts}, tallest: {other} \\boxed{{{other}}}")
    assert stated.first_false == "reasoning"
    assert dict(zip(stated.names, stated.values, strict=True)) == {
        name: str(value) for name, value in bars.items()
    }
    assert read(problem, f"tallest: {other} \\boxed{{{other}}}").first_false == "seeing"


@pytest.mark.parametrize(
    ("clause", "facts"),
    [
        ("red 5", [("red", "5")]),
        ("Red is 5", [("red", "5")]),
        ("A 3 B 4", [("a", "3"), ("b", "4")]),
        ("row 2: 5 ? 7", [("row 2:", "5"), ("row 2: 2", "?"), ("row 2: 3", "7")]),
        ("[3 3 1]", [("1", "3"), ("2", "3"), ("3", "1")]),
        ("[[gc -] [bs rt]]", [("1", "gc"), ("2", "-"), ("3", "bs"), ("4", "rt")]),
        ("The left clock shows 1:15", [("left clock", "1:15")]),
    ],
)
def test_facts_have_a_name_and_a_value(clause: str, facts: list[tuple[str, str]]) -> None:
    assert list(facts_of(clause)) == facts


def test_values_of_one_name_are_numbered_and_steps_are_kept_once() -> None:
    problem = next(
        one
        for index in range(400)
        if (one := make_problem("angles", split="test", seed=7, index=index)).facts["figure"]
        == "straight line"
        and len(one.facts["labels"]) == 3  # type: ignore[arg-type]
    )
    stated = read(problem, "angle 30, angle 40, 30 + 40 = 70, 40 + 30 = 70 \\boxed{70}")
    assert stated.names == ["angle", "angle (2)"]
    assert stated.steps == ["(30+40)"]


def test_in_other_texts_named_values_count_that_are_not_given_or_worked_out() -> None:
    text = "Angle A = 40° and AB = 5. CD = 12. 5 + 4 = 9, so EF = 9. AB = 6. \\boxed{9}"
    stated = read_text(Chain(text, "CD = 12. How long is EF?", "stop"))
    assert list(zip(stated.names, stated.values, strict=True)) == [("angle A", "40°"), ("AB", "5")]
    assert stated.steps == ["(4+5)"]
    assert stated.first_false is None


def test_the_stage_keeps_a_row_a_sample_and_makes_none_twice(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run").directory
    verify(run)
    samples = sum(run.samples.read(one).num_rows for one in run.samples.partitions())
    assert check(run).samples == samples
    kept = {one: run.statements.parts(one) for one in run.statements.partitions()}
    assert check(run).samples == 0
    assert {one: run.statements.parts(one) for one in run.statements.partitions()} == kept
    assert sum(run.statements.read(one).num_rows for one in kept) == samples
    assert Partition("base", "mine") in kept
