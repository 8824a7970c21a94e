"""Luck, controls, the guess filter and the verifier's error, as analysis.json has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from analysis_runs import NO_ANSWER, BenchmarkRun, make_run, right, wrong
from given import given

from vlm_boundary.analysis.controls import controls, guess_filter
from vlm_boundary.analysis.luck import luck
from vlm_boundary.analysis.verifier_error import verifier_error
from vlm_boundary.config import build_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Grading, Problem

ARMS = {
    "base": {"model": "org/base", "role": "base"},
    "rl": {"model": "org/rl", "role": "rl"},
}
GOLDS = {"a": "4", "b": "4.0", "c": "7", "d": "blue"}
TYPES = {"a": "integer", "b": "integer", "c": "integer", "d": "text"}
PROBLEMS = [Problem("mine", key, "How many?", GOLDS[key], answer_type=TYPES[key]) for key in GOLDS]  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> BenchmarkRun:
    made = make_run(tmp_path / "run", PROBLEMS, ARMS, n=4)
    made.add_verdicts(
        "base",
        {
            "a": [right("4"), right("4.00"), wrong("7"), NO_ANSWER],
            "b": [wrong("7"), wrong("9"), right("4"), wrong("9")],
            "c": [wrong("1"), wrong("2"), wrong("3"), wrong("4")],
            "d": [right("blue"), wrong("red"), wrong("4"), wrong("red")],
        },
    )
    made.add_verdicts("rl", {key: [right(gold)] * 4 for key, gold in GOLDS.items()})
    return made


def test_the_guesser_draws_from_the_other_problems_gold_answers(run: BenchmarkRun) -> None:
    found = given(luck(with_settings(run, guess_smoothing=0).data)).as_json()["guesser"]
    assert (found["prior"], found["answers"]) == ("leave_one_out", 3)
    assert found["pass_at_k"]["1"]["estimate"] == pytest.approx((1 / 3 + 1 / 3 + 0 + 0) / 4)
    assert found["pass_at_k"]["4"]["estimate"] == pytest.approx(2 * (1 - (2 / 3) ** 4) / 4)


def test_smoothing_adds_whole_numbers_that_nobody_gave(run: BenchmarkRun) -> None:
    found = given(luck(with_settings(run, guess_smoothing=2).data)).as_json()["guesser"]
    number = 2 / 101  # two answers spread over 0 to 100, of which one is right
    chances = [(1 + number) / 5, (1 + number) / 5, number / 5, 0]
    assert found["pass_at_k"]["1"]["estimate"] == pytest.approx(sum(chances) / 4)


def test_a_held_out_prior_comes_from_a_file(run: BenchmarkRun, tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps({"answer": a}) + "\n" for a in ("7", "7", 4, "green", "9")))
    changed = with_settings(run, guess_priors={"mine": str(path)}, guess_smoothing=0)
    found = given(luck(changed.data)).as_json()["guesser"]
    assert (found["prior"], found["answers"], len(found["sha256"])) == (str(path), 5, 64)
    assert found["pass_at_k"]["1"]["estimate"] == pytest.approx((1 + 1 + 2 + 0) / 5 / 4)


@pytest.mark.parametrize(
    ("content", "says"),
    [('{"gold": "4"}\n', "it has no 'answer'"), ("", "there is no answer in it")],
)
def test_a_prior_without_answers_is_refused(
    run: BenchmarkRun, tmp_path: Path, content: str, says: str
) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(content)
    with pytest.raises(UserError, match=says):
        given(luck(with_settings(run, guess_priors={"mine": str(path)}).data)).as_json()


def test_a_declared_chance_stands_in_place_of_the_prior(tmp_path: Path) -> None:
    problems = [
        Problem("mine", "a", "Which?", "A", choices=("x", "y"), grading=Grading(chance=0.5)),
        Problem("mine", "b", "Which?", "B", choices=("x", "y"), grading=Grading(chance=0.25)),
    ]
    made = make_run(tmp_path / "run", problems, {"base": ARMS["base"]}, n=2)
    made.add_verdicts("base", {"a": [right("A"), wrong("B")], "b": [wrong("A"), right("B")]})
    found = given(luck(made.data)).as_json()["guesser"]
    assert found["declared_chances"] == 2
    assert found["pass_at_k"]["2"]["estimate"] == pytest.approx((0.75 + 1 - 0.75**2) / 2)


def test_each_arm_has_a_floor_of_its_own(run: BenchmarkRun) -> None:
    """By hand: a is hit by 1 of b's and 1 of c's four answers, c by 1 of a's and 1 of b's."""
    found = given(luck(run.data)).as_json()["arms"]
    base, rl = found["base"], found["rl"]
    assert base["problems"]["a"]["chance"] == pytest.approx(2 / 8)
    assert base["problems"]["b"]["chance"] == pytest.approx(3 / 8)
    assert base["problems"]["c"]["chance"] == pytest.approx(2 / 8)
    assert base["problems"]["d"] == {
        "chance": None, "lists": 0, "p_value": None, "above_floor": None,
    }  # fmt: skip
    # a's gold answer is b's, so that only c's list may stand for theirs.
    assert [base["problems"][key]["lists"] for key in "abc"] == [1, 1, 2]
    assert base["floor_pass_at_k"]["1"]["estimate"] == pytest.approx(7 / 24)
    # At k = 4 a set of answers hits or does not: a and c are hit by both others' answers, b too.
    assert base["floor_pass_at_k"]["4"]["estimate"] == pytest.approx(1)
    # One answer again and again hits as often at any k: a by b's answers, b by a's, c by none.
    for k in ("1", "4"):
        assert rl["floor_pass_at_k"][k]["estimate"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert (rl["tested"], found["base"]["above_floor"]) == (0, 0), "too few lists of the type"
    luck_of_rl = {"problems": 3, "solved": 3, "expected": 0.0, "low": 0, "high": 0}
    assert {key: rl["by_luck"][key] for key in luck_of_rl} == luck_of_rl
    assert rl["floor_pass_at_k"]["4"]["problems"] == 3


def test_a_pair_is_compared_problem_by_problem(tmp_path: Path) -> None:
    golds = {f"p{i:02}": str(100 + i) for i in range(24)}
    problems = [
        Problem("mine", key, "?", gold, answer_type="integer") for key, gold in golds.items()
    ]
    made = make_run(tmp_path / "run", problems, ARMS, n=32)
    known = {"base": {"p00", "p01", "p02"}, "rl": {"p02", "p03"}}
    for arm, solved in known.items():
        made.add_verdicts(
            arm,
            {k: [right(g) if k in solved else wrong("5")] * 32 for k, g in golds.items()},
        )
    found = given(luck(made.data)).as_json()
    assert [found["arms"][arm]["above_floor"] for arm in ("base", "rl")] == [3, 2]
    (pair,) = found["pairs"]
    assert pair["base_only_ids"] == ["p00", "p01"]
    assert pair["other_only_ids"] == ["p03"]
    assert (pair["both"], pair["neither"], pair["tested"]) == (1, 20, 24)
    assert pair["mcnemar_p_value"] == pytest.approx(1.0)


def test_one_lucky_hit_is_not_above_the_floor(tmp_path: Path) -> None:
    """An answer that is common elsewhere, and right here once, is what guessing gives."""
    golds = {f"p{i:02}": str(i) for i in range(20)}
    problems = [
        Problem("mine", key, "?", gold, answer_type="integer") for key, gold in golds.items()
    ]
    made = make_run(tmp_path / "run", problems, {"base": ARMS["base"]}, n=20)
    said = [(str(i), f"p{i:02}") for i in range(20)]
    made.add_verdicts(
        "base",
        {key: [right(a) if owner == key else wrong(a) for a, owner in said] for key in golds},
    )
    found = given(luck(made.data)).as_json()["arms"]["base"]
    assert (found["solved"], found["above_floor"]) == (20, 0)
    assert found["floor_pass_at_k"]["20"]["estimate"] == pytest.approx(1)


def test_controls_are_compared_with_the_full_problem(run: BenchmarkRun) -> None:
    assert controls(run.data) is None
    changed = with_controls(run, {"no_image": {"n": 2}, "shuffled_image": {"n": 2}})
    changed.add_verdicts(
        "base",
        {"a": [right("4"), wrong("5")], "b": [wrong("5"), wrong("5")]},
        "no_image",
    )
    found = controls(changed.data)
    assert found is not None
    assert set(found) == {"no_image"}
    base = found["no_image"]["base"].as_json()
    assert (base["n"], base["problems"]) == (2, 2)
    assert base["pass_at_k"]["1"]["estimate"] == pytest.approx(0.25)
    # a: 2 of 4 against 1 of 2, b: 1 of 4 against none
    assert base["full_minus_control"]["1"]["estimate"] == pytest.approx((0 + 0.25) / 2)


def hits(count: int, draws: int) -> list[tuple[str | None, bool | None]]:
    return [right("4")] * count + [wrong("5")] * (draws - count)


def test_problems_that_either_model_guesses_are_left_out(run: BenchmarkRun) -> None:
    assert guess_filter(run.data) is None
    changed = with_controls(run, {"direct_answer": {"n": 64}})
    changed.add_verdicts(
        "base", {"a": hits(1, 64), "b": hits(0, 64), "c": hits(40, 64)}, "direct_answer"
    )
    changed.add_verdicts(
        "rl", {"a": hits(0, 64), "b": hits(3, 64), "c": hits(64, 64)}, "direct_answer"
    )
    (left,) = guess_filter(changed.data) or []
    found = left.as_json()
    assert found["guessable"] == {"base": ["a"], "rl": ["b"]}
    assert (found["surviving"], found["unknown"]) == (1, 1)
    assert found["difference"]["1"]["estimate"] == pytest.approx(1.0)  # c: RL always, base never
    third = with_settings(changed, guess_filter={"arm": "base"})
    (left,) = guess_filter(third.data) or []
    assert (left.judged_by, left.surviving) == (["base"], 2)


def test_too_few_direct_answers_filter_nothing_and_say_so(run: BenchmarkRun) -> None:
    changed = with_controls(run, {"direct_answer": {"n": 16}})
    (found,) = guess_filter(changed.data) or []
    assert (found.surviving, found.draws, found.draws_needed) == (None, 16, 21)


def test_a_measured_error_corrects_what_is_linear(run: BenchmarkRun) -> None:
    assert verifier_error(run.data) is None
    measured = {"wrong": 100, "wrong_accepted": 2, "right": 50, "right_rejected": 5}
    section = verifier_error(with_settings(run, verifier_error=measured).data)
    assert section is not None
    found = section.as_json()
    assert found["false_positive"]["estimate"] == pytest.approx(0.02)
    assert found["false_negative"]["low"] < 0.1 < found["false_negative"]["high"]
    base = found["arms"]["base"]
    assert base["pass_at_1"]["estimate"] == pytest.approx((4 / 16 - 0.02) / 0.88)
    (pair,) = found["pairs"]
    assert pair["difference_at_1"]["estimate"] == pytest.approx((1 - 4 / 16) / 0.88)
    assert pair["difference_at_1"]["high"] <= 1
    spread = base["pass_at_k_range"]["4"]
    assert spread["low"] < 3 / 4 < spread["high"]


def test_an_arm_whose_own_verdicts_were_checked_has_its_own_rates(run: BenchmarkRun) -> None:
    checked = {"wrong": 100, "wrong_accepted": 2, "right": 50, "right_rejected": 5}
    own = {"wrong": 200, "wrong_accepted": 20, "right": 50, "right_rejected": 0}
    alike, apart = (
        verifier_error(with_settings(run, verifier_error=checked | {"arms": arms}).data)
        for arms in ({}, {"base": own})
    )
    assert alike is not None
    assert apart is not None
    assert apart.arms["rl"] == alike.arms["rl"]
    base = apart.as_json()["arms"]["base"]
    assert base["false_positive"]["estimate"] == pytest.approx(0.1)
    assert base["pass_at_1"]["estimate"] == pytest.approx((4 / 16 - 0.1) / 0.9)
    gap, before = apart.pairs[0].difference_at_1, alike.pairs[0].difference_at_1
    assert gap.estimate == pytest.approx((1 - 0.02) / 0.88 - (4 / 16 - 0.1) / 0.9)
    assert gap.estimate != pytest.approx(before.estimate)
    # Of the same verdicts checked for both each is uncertain by itself.
    both, one = (
        verifier_error(with_settings(run, verifier_error=checked | {"arms": arms}).data)
        for arms in ({"base": checked, "rl": checked}, {})
    )
    assert both is not None
    assert one is not None
    wide, narrow = both.pairs[0].difference_at_1, one.pairs[0].difference_at_1
    assert wide.estimate == pytest.approx(narrow.estimate)
    assert given(wide.low) <= given(narrow.low)


def test_rates_of_an_arm_that_there_is_not_are_refused() -> None:
    checked = {"wrong": 9, "wrong_accepted": 1, "right": 9, "right_rejected": 1}
    raw = {
        "name": "x", "benchmarks": {"b": None}, "arms": {"base": {"model": "m", "role": "base"}},
        "analysis": {"verifier_error": checked | {"arms": {"rl": checked}}},
    }  # fmt: skip
    with pytest.raises(UserError, match="there is no arm 'rl'; there are base"):
        build_experiment(raw, (), where="x.yaml")


def with_settings(run: BenchmarkRun, **settings: object) -> BenchmarkRun:
    raw = run.experiment.model_dump(mode="json")
    raw["analysis"] |= settings
    return BenchmarkRun(run.directory, type(run.experiment).model_validate(raw))


def with_controls(run: BenchmarkRun, conditions: dict[str, dict[str, int]]) -> BenchmarkRun:
    raw = run.experiment.model_dump(mode="json") | {"controls": conditions}
    return BenchmarkRun(run.directory, type(run.experiment).model_validate(raw))
