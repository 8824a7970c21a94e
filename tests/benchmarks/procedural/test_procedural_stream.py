"""The stream is deterministic, held out by content and in MathVista's form."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import defaultdict
from typing import Literal

import pytest

from vlm_boundary.benchmarks import procedural
from vlm_boundary.benchmarks.procedural import (
    ALL_FAMILIES,
    FAMILIES,
    ProceduralProblem,
    make_problem,
    problems,
)


def content(problem: ProceduralProblem) -> str:
    """Hash what a model gets to see: the pixels and the wording."""
    return hashlib.sha256(problem.draw().tobytes() + problem.question.encode()).hexdigest()


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_the_same_arguments_make_the_same_problem(family: str) -> None:
    for index in range(20):
        first, again = (make_problem(family, split="test", seed=3, index=index) for _ in range(2))
        assert first == again
        assert hash(first) == hash(again)
        assert first.draw().tobytes() == again.draw().tobytes()
        assert first.problem_id == f"{family}-test-3-{index}"


def test_different_indices_and_seeds_differ() -> None:
    states = {
        make_problem(family, split="train", seed=seed, index=index).state
        for family in FAMILIES
        for seed in (0, 1)
        for index in (0, 1)
    }
    assert len(states) == 4 * len(FAMILIES)


GOLDEN_STATES = {
    "bar_chart": "01e8af5e673d42ed",
    "line_chart": "7bfb9ffacf3c0c40",
    "angles": "15b31b9d43b95b6a",
    "counting": "d6741d96c868c808",
    "table": "d82f162cbaff6322",
    "clock": "9bcb181f2cc16752",
    "grid_shape": "339e1bfc70a2d71d",
    "number_grid": "fbae3e517826c6f2",
    "maze": "8bd12c8a442a0051",
}


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_states_stay_what_they_were(family: str) -> None:
    """A change here changes the benchmark: published results would no longer compare."""
    states = [make_problem(family, split="test", seed=0, index=i).state for i in range(20)]
    digest = hashlib.sha256("\n".join(states).encode()).hexdigest()[:16]
    assert digest == GOLDEN_STATES[family]


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_no_training_problem_has_the_content_of_a_test_problem(family: str) -> None:
    states: dict[str, set[str]] = defaultdict(set)  # by content
    seen: dict[str, set[str]] = {"train": set(), "test": set()}  # content and states by split
    counts: dict[Literal["train", "test"], int] = {"train": 600, "test": 80}
    for split, count in counts.items():
        for seed, index in itertools.product((0, 1), range(count)):
            problem = make_problem(family, split=split, seed=seed, index=index)
            shown = content(problem)
            states[shown].add(problem.state)
            seen[split] |= {shown, problem.state}
    assert not seen["train"] & seen["test"]
    # One picture with one question has one state, so no content can lie in both splits.
    assert all(len(same) == 1 for same in states.values())


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_the_test_split_has_enough_distinct_problems(family: str) -> None:
    states = [p.state for p in problems(split="test", seed=0, count=100, families=[family])]
    assert len(set(states)) == 100


def test_families_drawn_by_name_change_nothing_of_the_others() -> None:
    """The shipped benchmark's problems, texts and pictures are what they were, to the byte."""
    assert tuple(family for family in GOLDEN_STATES if family != "maze") == FAMILIES
    digest = hashlib.sha256()
    for problem in problems(split="test", seed=0, count=120):
        digest.update(json.dumps(problem.record(), sort_keys=True).encode())
        digest.update(problem.draw().tobytes())
    assert digest.hexdigest()[:16] == "59cb31b537b7ff35"


def test_problems_go_round_the_families_and_can_be_made_again() -> None:
    made = list(problems(split="test", seed=4, count=100))
    assert [problem.family for problem in made] == [FAMILIES[i % len(FAMILIES)] for i in range(100)]
    assert len({problem.state for problem in made}) == len({p.problem_id for p in made}) == 100
    for problem in made:
        assert problem == make_problem(problem.family, split="test", seed=4, index=problem.index)


def test_a_used_up_family_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedural, "_PATIENCE", 1)
    with pytest.raises(ValueError, match="clock ran out of distinct test problems"):
        list(problems(split="test", seed=0, count=500, families=["clock"]))


def test_wrong_names_are_refused() -> None:
    with pytest.raises(ValueError, match="no procedural family 'pie'; there are bar_chart"):
        make_problem("pie", split="test", seed=0, index=0)
    with pytest.raises(ValueError, match="'train' or 'test'"):
        make_problem("clock", split="val", seed=0, index=0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no families"):
        list(problems(split="test", seed=0, count=1, families=[]))


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_records_have_mathvistas_form(family: str) -> None:
    for index in range(100):
        problem = make_problem(family, split="test", seed=1, index=index)
        record = json.loads(json.dumps(problem.record()))
        assert record == problem.record()
        assert set(record) == {
            "pid", "question", "answer", "question_type", "answer_type", "unit", "precision",
            "choices", "metadata",
        }  # fmt: skip
        assert record["metadata"]["source"] == "procedural"
        assert record["metadata"]["task"] == family
        assert record["metadata"]["level"] in (range(1, 6) if family == "maze" else range(1, 4))
        assert (record["precision"] is not None) == (record["answer_type"] == "float")
        assert (record["choices"] is not None) == (record["question_type"] == "multi_choice")
        assert len(record["question"]) <= 100


def test_choices_hold_the_answer_once() -> None:
    made = list(problems(split="train", seed=8, count=1200))
    offered = [problem for problem in made if problem.choices]
    assert 0.1 < len(offered) / len(made) < 0.2
    for problem in offered:
        assert problem.question_type == "multi_choice"
        assert problem.answer_type == "text"
        assert len(problem.choices) == len(set(problem.choices)) == 4
        assert problem.choices.count(problem.answer) == 1
    places = [problem.choices.index(problem.answer) for problem in offered]
    assert all(places.count(place) > len(places) / 8 for place in range(4))


def test_all_levels_and_answer_types_occur() -> None:
    made = list(problems(split="test", seed=0, count=320))
    assert {(p.family, p.level) for p in made} == {(f, n) for f in FAMILIES for n in (1, 2, 3)}
    assert {p.answer_type for p in made} == {"integer", "float", "list", "text"}


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_the_wording_does_not_give_the_answer_away(family: str) -> None:
    """A question asked often enough has several answers, none of them nearly always right."""
    answers = defaultdict(list)
    for index in range(800):
        problem = make_problem(family, split="train", seed=7, index=index)
        answers[problem.question].append(problem.answer)
    often = [given for given in answers.values() if len(given) >= 20]
    assert often
    for given in often:
        assert len(set(given)) >= 3
        assert max(map(given.count, set(given))) <= 0.67 * len(given)
