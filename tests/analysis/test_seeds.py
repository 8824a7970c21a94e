"""RL as a recipe: training seeds taken as drawn, beside the problems that they share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analysis_runs import drawn, make_run
from given import given
from scipy.stats import t
from seeds_simulation import covered

from vlm_boundary.analysis.seeds import seed_effect, seed_effects, seeds_needed
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.config.experiment import build_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem

ARMS: dict[str, Any] = {
    "base": {"model": "org/base", "role": "base"},
    "one": {"model": "org/one", "role": "rl", "seed": 1},
    "two": {"model": "org/two", "role": "rl", "seed": 2},
    "three": {"model": "org/three", "role": "rl", "seed": 3},
}


def made_up(
    problems: int, seeds: int, rng: np.random.Generator, between: float = 0.05
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Differences around 0.1: of problems, of seeds, of both."""
    shared, own = rng.normal(0, 0.1, (problems, 1)), rng.normal(0, 0.1, (problems, seeds))
    return 0.1 + shared + rng.normal(0, between, seeds) + own


def test_what_seeds_share_is_not_counted_for_each() -> None:
    rng = np.random.default_rng(0)
    differences = made_up(80, 4, rng)
    found = seed_effect("abcd", [differences], [None], 0.95)
    each = differences.mean(axis=0)
    assert list(found.each.values()) == pytest.approx(each)
    assert found.estimate == pytest.approx(each.mean())
    covariance = np.cov(differences, rowvar=False) / 80
    shared = covariance[~np.eye(4, dtype=bool)].mean()
    own = covariance.diagonal().mean() - shared
    assert found.between.estimate == pytest.approx(np.sqrt(each.var(ddof=1) - own))
    mean = differences.mean(axis=1)
    away = mean - mean.mean()
    freedom = min(79, (away**2).sum() ** 2 / (away**4).sum())
    reach = np.hypot(t.ppf(0.975, 3) * each.std(ddof=1) / 2, t.ppf(0.975, freedom) * shared**0.5)
    assert found.low == pytest.approx(each.mean() - reach)
    assert found.high == pytest.approx(each.mean() + reach)
    assert found.another.high == pytest.approx(
        each.mean() + t.ppf(0.975, 3) * each.std(ddof=1) * np.sqrt(1.25)
    )
    # Only problems drawn: the interval of the mean over seeds.
    error = mean.std(ddof=1) / np.sqrt(80)
    assert found.these_checkpoints.low == pytest.approx(each.mean() - t.ppf(0.975, freedom) * error)


def test_seeds_that_are_all_alike_leave_what_problems_say() -> None:
    differences = np.repeat(np.random.default_rng(1).normal(0.1, 0.2, (60, 1)), 3, axis=1)
    found = seed_effect("abc", [differences], [None], 0.95)
    assert found.between.estimate == 0.0
    assert found.low == pytest.approx(found.these_checkpoints.low)
    assert found.another.low == pytest.approx(found.estimate)


def test_several_benchmarks_are_one_mean_over_the_same_seeds() -> None:
    rng = np.random.default_rng(2)
    one, two = made_up(40, 3, rng, 0.0), made_up(80, 3, rng, 0.0)
    training = rng.normal(0, 0.1, 3)
    one, two = one + training, two + training
    found = seed_effect("abc", [one, two], [None, None], 0.95)
    assert found.problems == 120
    assert list(found.each.values()) == pytest.approx((one.mean(axis=0) + two.mean(axis=0)) / 2)
    # What a seed does to both does not average out over them; what problems do does.
    alone = seed_effect("abc", [one], [None], 0.95)
    assert found.between.estimate == pytest.approx(training.std(ddof=1), rel=0.25)
    reach, apart = (given(b.these_checkpoints.high) - given(b.estimate) for b in (found, alone))
    assert reach < apart


def test_variants_of_one_problem_are_no_further_problems() -> None:
    differences = made_up(40, 3, np.random.default_rng(3))
    alone = seed_effect("abc", [differences], [None], 0.95)
    groups = np.repeat(np.arange(40, dtype=np.int32), 5)
    found = seed_effect("abc", [np.repeat(differences, 5, axis=0)], [groups], 0.95)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high))


def test_one_seed_says_nothing_of_others() -> None:
    with pytest.raises(ValueError, match="single seed"):
        seed_effect("a", [np.zeros((5, 1))], [None], 0.95)
    single = seed_effect("ab", [np.zeros((1, 2))], [None], 0.95)
    assert single.these_checkpoints.low is None
    assert single.low is None


def test_how_many_seeds_it_takes() -> None:
    few = seeds_needed(0.1, 0.02**2, 0.005**2, 0.01, 0.95)
    assert few is not None
    assert 2 < few < 10
    more = seeds_needed(0.03, 0.02**2, 0.005**2, 0.01, 0.95)
    assert more is not None
    assert more > few
    # It takes more problems.
    assert seeds_needed(0.01, 0.02**2, 0.005**2, 0.01, 0.95) is None


def test_no_number_of_seeds_makes_up_for_few_problems() -> None:
    """Thirty problems that all gain 11 points: the interval of any number of seeds holds zero."""
    rng = np.random.default_rng(5)
    few = 0.11 + np.repeat(rng.normal(0, 0.005, (30, 1)), 3, axis=1) + rng.normal(0, 0.005, 3)
    found = seed_effect("abc", [few], [None], 0.95)
    assert given(found.low) < 0
    assert found.seeds_needed is None
    more = seed_effect("abc", [np.repeat(few, 2, axis=0)], [None], 0.95)
    assert more.seeds_needed is not None


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("between", [0.0, 0.06])
def test_its_interval_holds_recipe_and_next_seed(seeds: int, between: float) -> None:
    found = covered(seeds, 60, 32, between, 400, np.random.default_rng(4))
    least = 95 - 3 * 100 * np.sqrt(0.05 * 0.95 / 400)
    assert found.recipe >= least
    assert found.another >= least
    if between:
        assert found.these < 80  # of these checkpoints alone


def test_checkpoints_of_a_run_are_put_together_by_their_seeds(tmp_path: Path) -> None:
    problems = [Problem("mine", f"p{i:02d}", "?", str(i)) for i in range(40)]
    arms = ARMS | {
        "other": {"model": "org/x", "role": "rl", "seed": 1, "recipe": "dapo"},
        "alone": {"model": "org/y", "role": "rl"},
    }
    made = make_run(tmp_path / "run", problems, arms, 8, analysis={"bootstrap_draws": 100})
    golds = {problem.problem_id: problem.answer for problem in problems}
    for place, arm in enumerate(arms):
        made.add_verdicts(arm, drawn(dict.fromkeys(golds, 0.2 + 0.1 * place), golds, 8, place))
    found = analyze(made.directory, made.experiment).as_json()
    (effect,) = found["seeds"]
    assert effect["base"] == "base"
    assert effect["seeds"] == {"one": 1, "two": 2, "three": 3}
    assert list(effect["benchmarks"]["mine"]) == ["1", "8"]
    assert "together" not in effect
    at_1 = effect["benchmarks"]["mine"]["1"]
    pairs = {pair["other"]: pair for pair in found["benchmarks"]["mine"]["pairs"]}
    assert at_1["each"] == pytest.approx(
        {arm: pairs[arm]["difference"]["1"]["estimate"] for arm in ("one", "two", "three")}
    )
    again = replace(made.data, benchmark="again")
    (both,) = seed_effects([made.data, again]) or []
    assert set(both.benchmarks) == {"mine", "again"}
    assert both.together is not None
    assert both.together[8].estimate == pytest.approx(both.benchmarks["mine"][8].estimate)
    assert both.together[8].problems == 80
    shown = (made.directory.tables / "seeds.md").read_text()
    assert "one, two, three" in shown
    assert "base, k = 8 |" in shown
    assert "two seeds" not in shown


@pytest.mark.parametrize(
    ("arm", "more", "said"),
    [
        ("two", {"seed": 1}, "arms.two.seed 1 is that of one too"),
        ("base", {"seed": 1}, "arms.base.seed is of role rl, and this is base"),
        ("two", {"seed": None, "recipe": "grpo"}, "arms.two.recipe says what it is a seed of"),
    ],
)
def test_seeds_that_contradict_each_other_are_refused(
    arm: str, more: dict[str, Any], said: str
) -> None:
    raw = {"name": "x", "benchmarks": {"b": None}, "arms": ARMS | {arm: ARMS[arm] | more}}
    with pytest.raises(UserError, match=said):
        build_experiment(raw, (), where="x.yaml")
