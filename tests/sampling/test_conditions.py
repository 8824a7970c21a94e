"""The control conditions: what of a problem they show, and of which they are sampled."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest

from vlm_boundary.config import ExperimentConfig, build_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.conditions import Rules, first_half, shown_under

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


def test_words_take_the_pictures_place_only_where_there_are_both() -> None:
    said = replace(PROBLEMS[0], description="a bar of 3")
    text = Problem("b", "text", "?", "1", description="none to see")
    for condition in ("described", "described_with_image"):
        shown = shown_under([said, PROBLEMS[1], text], condition, seed=0)
        assert shown[0] == said
        assert [one.error for one in shown[1:]] == [
            "no description of its picture",
            "no picture to describe",
        ]


def test_a_misleading_description_is_another_problems_of_the_same_family() -> None:
    problems = [
        replace(one, description=f"shows {place % 7}", metadata={"kind": "ab"[place % 2]})
        for place, one in enumerate(PROBLEMS)
    ]
    kinds = {one.description: set[str]() for one in problems}
    for one in problems:
        kinds[one.description].add(one.metadata["kind"])
    shown = shown_under(problems, "misleading_caption", 0, Rules(family="kind"))
    for before, after in zip(problems, shown, strict=True):
        assert after == replace(before, description=after.description)
        assert after.description != before.description
        assert before.metadata["kind"] in kinds[after.description]
    alone = [problems[0], replace(problems[1], description=None)]
    assert [one.error for one in shown_under(alone, "misleading_caption", 0)] == [
        "no other problem of its kind has another description",
        "no description of its picture",
    ]


def test_a_donor_is_the_next_around_the_ring_that_has_something_else() -> None:
    draw = random.Random(0)
    for size in (1, 2, 3, 8, 21):
        for kinds in (1, 2, 5):
            said = [str(draw.randrange(kinds)) for _ in range(size)]
            problems = [
                replace(PROBLEMS[0], problem_id=f"p{i}", description=of_it)
                for i, of_it in enumerate(said)
            ]
            ring = sorted(
                problems, key=lambda p: hashlib.blake2b(f"7\0{p.problem_id}".encode()).digest()
            )
            for one in shown_under(problems, "misleading_caption", 7):
                place = next(i for i, p in enumerate(ring) if p.problem_id == one.problem_id)
                others = [
                    p.description
                    for p in (*ring[place:], *ring[:place])
                    if p.description != ring[place].description
                ]
                assert (one.error is None) == bool(others)
                assert one.description == (others[0] if others else ring[place].description)


def test_many_problems_of_one_description_take_no_time_each() -> None:
    compared = 0

    class Said(str):
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

        def __ne__(self, other: object) -> bool:
            return not self == other

        __hash__ = str.__hash__

    problems = [
        replace(PROBLEMS[0], problem_id=f"p{i}", description=Said("a chart")) for i in range(500)
    ]
    shown_under(problems, "misleading_caption", 0)
    assert 0 < compared <= 4 * len(problems)


def test_half_a_question_is_cut_behind_a_word_without_its_marks() -> None:
    assert first_half("What is  the area of it?") == "What is  the"
    assert first_half("<image> What is x?", "<image>") == "What"
    assert first_half("求 x 的值。") == "求 x"
    assert first_half("Why?") is None
    one = replace(PROBLEMS[0], question="<image>Why?")
    (shown,) = shown_under([one], "half_question", 0, Rules(placeholder="<image>"))
    assert shown.error == "a question of fewer than two words has no half"


def test_altered_pictures_have_other_names_and_a_beginning_is_needed() -> None:
    rules = Rules(strength=0.1, prefixes={"p0": "First, 3 + 4 = 8."})
    blurred = shown_under(PROBLEMS[:2], "blurred", 0, rules)
    names = {name for one in (*blurred, *PROBLEMS[:2]) for name in one.pictures}
    assert len(names) == 4
    text = Problem("b", "text", "?", "1")
    assert shown_under([text], "rotated", 0, rules)[0].error == "no picture to alter"
    begun = shown_under(PROBLEMS[:2], "wrong_prefix", 0, rules)
    assert begun[0] == replace(PROBLEMS[0], prefix="First, 3 + 4 = 8.")
    assert begun[1].error == "no wrong sample with a step to begin with"


def test_a_strength_is_of_pictures_and_between_its_bounds() -> None:
    raw = {
        "name": "x",
        "benchmarks": {"b": None},
        "arms": {"base": {"model": "m", "role": "base"}},
        "analysis": {"ks": [1]},
    }

    def of(**controls: dict[str, float]) -> ExperimentConfig:
        return build_experiment(raw | {"controls": controls}, (), where="x.yaml")

    assert of(rotated={}).strength("rotated") == 90
    assert of(cropped={"strength": 0.25}).strength("cropped") == 0.25
    assert of(described={}).strength("described") is None
    with pytest.raises(UserError, match=r"controls\.described has no strength"):
        of(described={"strength": 0.5})
    with pytest.raises(UserError, match=r"controls\.cropped\.strength 1 is not between 0 and 1"):
        of(cropped={"strength": 1.0})
