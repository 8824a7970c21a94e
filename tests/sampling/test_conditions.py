"""The control conditions: what of a problem they show, and of which they are sampled."""

from __future__ import annotations

from dataclasses import replace

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.conditions import shown_under

PROBLEMS = [Problem("b", f"p{i}", "?", "1", pictures=(f"{i}.png",)) for i in range(20)]
TWO = [Problem("b", f"t{i}", "?", "1", pictures=(f"{i}a.png", f"{i}b.png")) for i in range(3)]


def test_every_problem_gets_the_pictures_of_another_one_with_as_many() -> None:
    shuffled = shown_under([*PROBLEMS, *TWO], "shuffled_image", seed=1)
    for before, after in zip([*PROBLEMS, *TWO], shuffled, strict=True):
        assert after == replace(before, pictures=after.pictures)
        assert after.pictures != before.pictures
        assert len(after.pictures) == len(before.pictures)
    given = sorted(problem.pictures for problem in shuffled)
    assert given == sorted(problem.pictures for problem in [*PROBLEMS, *TWO])


def test_the_order_of_problems_changes_nothing_and_the_seed_does() -> None:
    there = {p.problem_id: p.pictures for p in shown_under(PROBLEMS, "shuffled_image", seed=1)}
    back = {p.problem_id: p.pictures for p in shown_under(PROBLEMS[::-1], "shuffled_image", seed=1)}
    other = {p.problem_id: p.pictures for p in shown_under(PROBLEMS, "shuffled_image", seed=2)}
    assert there == back
    assert there != other


def test_two_problems_about_one_picture_do_not_get_it_again() -> None:
    same = [replace(p, pictures=("x.png",)) for p in PROBLEMS[:3]] + PROBLEMS[3:5]
    for before, after in zip(same, shown_under(same, "shuffled_image", seed=0), strict=True):
        assert after.pictures != before.pictures


def test_what_a_condition_cannot_show_says_so() -> None:
    text = Problem("b", "text", "?", "1")
    assert shown_under([text], "no_image", seed=0)[0].error == "no picture to leave out"
    alone = [PROBLEMS[0], text]
    errors = [problem.error for problem in shown_under(alone, "shuffled_image", seed=0)]
    assert errors == ["no other problem with as many pictures"] * 2
    broken = replace(PROBLEMS[0], error="cannot be decoded")
    assert shown_under([broken, PROBLEMS[1]], "shuffled_image", seed=0)[0] == broken
    assert shown_under(PROBLEMS, "direct_answer", seed=0) == PROBLEMS


def test_controls_are_sampled_for_every_arm_beside_the_experiment() -> None:
    experiment = ExperimentConfig.model_validate(
        {
            "name": "x",
            "benchmarks": {"b": None},
            "arms": {
                "base": {"model": "m", "role": "base"},
                "greedy": {
                    "model": "m",
                    "role": "base",
                    "sampling": {"temperature": 0.0, "n": 1},
                },
            },
            "sampling": {"n": 64},
            "controls": {"no_image": {"n": 8}, "direct_answer": {"prompt": "boxed"}},
        }
    )
    assert experiment.targets() == [
        ("base", "b", "full", 64),
        ("base", "b", "no_image", 8),
        ("base", "b", "direct_answer", 16),
        ("greedy", "b", "full", 1),
        ("greedy", "b", "no_image", 1),
        ("greedy", "b", "direct_answer", 1),
    ]
    assert experiment.prompt("base", "direct_answer") == "boxed"
    assert experiment.prompt("base", "no_image") is None
