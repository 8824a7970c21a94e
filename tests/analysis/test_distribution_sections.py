"""Distributions, efficiency and series, as analysis.json has them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analysis_runs import NO_ANSWER, BenchmarkRun, make_run, right, wrong
from scipy.stats import t

from vlm_boundary.analysis.distributions import (
    ACCURACY_BINS,
    STRATA,
    accuracy_histogram,
    difficulty,
    distributions,
)
from vlm_boundary.analysis.efficiency import efficiency, tokens_by_problem
from vlm_boundary.analysis.intervals import mean_interval
from vlm_boundary.analysis.series import series, spread_of_seeds
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem

ARMS = {"base": {"model": "b", "role": "base"}, "rl": {"model": "r", "role": "rl"}}


@pytest.mark.parametrize("n", [1, 3, 10, 20, 128, 1000])
def test_every_count_lies_in_the_bin_that_its_fraction_says(n: int) -> None:
    for c in range(n + 1):
        share = Fraction(c, n)
        found = accuracy_histogram(np.array([c]), np.array([n]))
        assert found.sum() == 1
        place = int(found.argmax())
        if c == 0:
            assert place == 0
        elif c == n:
            assert place == 11
        else:
            assert Fraction(place - 1, 10) < share <= Fraction(place, 10)


def test_problems_without_samples_are_in_no_bin() -> None:
    assert accuracy_histogram(np.array([0]), np.array([0])).sum() == 0
    assert len(ACCURACY_BINS) == 12


@pytest.mark.parametrize(
    ("c", "n", "stratum"),
    [
        (0, 8, "0"),
        (1, 10, "(0, 0.1]"),
        (2, 10, "(0.1, 0.5]"),
        (5, 10, "(0.1, 0.5]"),
        (6, 10, "(0.5, 1)"),
        (9, 10, "(0.5, 1)"),
        (10, 10, "1"),
    ],
)
def test_difficulty(c: int, n: int, stratum: str) -> None:
    (found,) = difficulty(np.array([c]), np.array([n]))
    assert STRATA[found] == stratum


def test_difficulty_is_not_known_without_samples() -> None:
    assert difficulty(np.array([0]), np.array([0])).tolist() == [-1]


@pytest.fixture
def run(tmp_path: Path) -> BenchmarkRun:
    problems = [
        Problem("mine", f"p{i}", "?", "4", metadata={"level": i % 2, "id": f"p{i}", "note": ["x"]})
        for i in range(6)
    ]
    made = make_run(tmp_path / "run", problems, ARMS, n=4)
    # Even samples never right, odd ones always: what judges difficulty is not what is reported.
    lucky = [wrong("5"), right("4"), wrong("5"), right("4")]
    made.add_verdicts("base", {f"p{i}": lucky for i in range(5)} | {"p5": [NO_ANSWER] * 4})
    made.add_verdicts(
        "rl",
        {
            f"p{i}": [right("4")] * (4 if i % 2 else 2) + [wrong("5")] * (0 if i % 2 else 2)
            for i in range(6)
        },
    )
    return made


def test_strata_are_judged_on_one_half_and_measured_on_the_other(run: BenchmarkRun) -> None:
    (found,) = distributions(run.data).as_json()["strata"]
    assert found["judged_on"] == 2
    unsolved = found["strata"][0]
    assert (unsolved["base_accuracy"], unsolved["problems"]) == ("0", 6)
    assert unsolved["base_pass_at_k"]["1"]["estimate"] == pytest.approx(5 / 6)
    assert list(unsolved["base_pass_at_k"]) == ["1", "2"]
    assert [row["problems"] for row in found["strata"]] == [6, 0, 0, 0, 0]


def test_failures_are_told_apart(run: BenchmarkRun) -> None:
    found = distributions(run.data).as_json()["arms"]["base"]
    assert found["accuracy_histogram"] == [1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0]
    every, unsolved = found["outcomes"]["all_problems"], found["outcomes"]["unsolved_problems"]
    assert every["incorrect"]["estimate"] == pytest.approx(5 / 12)
    assert every["no_answer"]["estimate"] == pytest.approx(1 / 6)
    assert unsolved["no_answer"]["estimate"] == 1
    assert unsolved["no_answer"]["problems"] == 1


def test_slices_follow_metadata_and_adjust_for_their_number(run: BenchmarkRun) -> None:
    (found,) = distributions(run.data).as_json()["slices"]
    rows = {(row["field"], row["value"]): row for row in found["slices"]}
    assert {field for field, _ in rows} == {"level", "id"}
    odd = rows["level", "1"]
    assert odd["problems"] == 3
    assert odd["difference"]["1"]["estimate"] == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert found["tests"] == 2 * (2 + 6)
    assert odd["adjusted_p_value"]["1"] >= odd["p_value"]["1"]
    alone = rows["id", "p0"]
    assert alone["p_value"] == {"1": None, "4": None}


def test_a_slices_p_value_is_its_interval_read_the_other_way_round(tmp_path: Path) -> None:
    """Slices in which few problems move: there Student's test alone contradicts the interval."""
    rng = np.random.default_rng(7)
    made = few_move(tmp_path / "run", rng, slices=24, size=8)
    (found,) = distributions(made.data).as_json()["slices"]
    rows = [row for row in found["slices"] if row["field"] == "slice"]
    assert len(rows) == 24
    cells = [(row["difference"][k], row["p_value"][k]) for row in rows for k in ("1", "4")]
    assert any(cell["few"] for cell, _ in cells)
    out = [cell["low"] > 0 or cell["high"] < 0 for cell, _ in cells]
    assert set(out) == {False, True}
    assert [p < 0.05 for _, p in cells] == out


def few_move(path: Path, rng: np.random.Generator, slices: int, size: int) -> BenchmarkRun:
    """The base solves nothing; of each slice the other solves some problems, often just a few."""
    keys = [f"p{i:03d}" for i in range(slices * size)]
    problems = [
        Problem("mine", key, "?", "4", metadata={"slice": f"s{place // size:02d}"})
        for place, key in enumerate(keys)
    ]
    made = make_run(path, problems, ARMS, n=4)
    moves = rng.random(len(keys)) < np.repeat(rng.random(slices), size)
    made.add_verdicts("base", {key: [wrong("5")] * 4 for key in keys})
    made.add_verdicts(
        "rl",
        {
            key: [right("4")] * (n := int(rng.integers(2, 5)) * int(yes)) + [wrong("5")] * (4 - n)
            for key, yes in zip(keys, moves, strict=True)
        },
    )
    return made


def test_a_fields_values_are_fixed_or_drawn(run: BenchmarkRun) -> None:
    """Two values of three problems each: as clusters they are two means."""
    (found,) = distributions(run.data).as_json()["slices"]
    level, single = found["sampled"]
    assert (level["field"], level["values"], single["values"]) == ("level", 2, 6)
    drawn, fixed = level["difference"]["1"], single["difference"]["1"]
    assert drawn["estimate"] == pytest.approx(fixed["estimate"])
    means = [row["difference"]["1"]["estimate"] for row in found["slices"][:2]]
    expected = mean_interval(np.array(means), 0.95, (-1, 1))
    assert (drawn["low"], drawn["high"]) == pytest.approx((expected.low, expected.high))


def test_only_fields_that_exist_can_be_asked_for(run: BenchmarkRun) -> None:
    raw = run.experiment.model_dump(mode="json")
    raw["analysis"]["slices"] = ["level"]
    asked = BenchmarkRun(run.directory, type(run.experiment).model_validate(raw))
    (found,) = distributions(asked.data).as_json()["slices"]
    assert {row["field"] for row in found["slices"]} == {"level"}
    raw["analysis"]["slices"] = ["subject"]
    asked = BenchmarkRun(run.directory, type(run.experiment).model_validate(raw))
    with pytest.raises(UserError, match=r"no field 'subject'; it has: id, level"):
        distributions(asked.data).as_json()


def test_tokens_are_counted_by_problem() -> None:
    found = tokens_by_problem(np.array([0, 0, 2, 3]), np.array([2.0, 4.0, 7.0, np.nan]), 4)
    np.testing.assert_array_equal(found, [3.0, np.nan, 7.0, np.nan])


def test_tokens_buy_coverage(run: BenchmarkRun) -> None:
    run.add_samples("base", {f"p{i}": [10, 10, 10, 30] for i in range(6)}, 1.0)
    found = efficiency(run.data).as_json()
    base = found["arms"]["base"]
    assert base["tokens"] == 360
    assert base["tokens_per_solved_problem"] == pytest.approx(360 / 5)
    assert base["tokens_per_correct_sample"] == pytest.approx(360 / 10)
    first, *_, last = base["coverage"]
    assert (first["k"], first["tokens_per_problem"]) == (1, pytest.approx(15))
    assert (last["k"], last["tokens_per_problem"]) == (4, pytest.approx(60))
    assert last["pass_at_k"]["estimate"] == pytest.approx(5 / 6)
    (pair,) = found["pairs"]
    assert pair["k"] == 4
    gap = pair["sampling_efficiency_gap"]["estimate"]
    assert gap == pytest.approx(5 / 6 - (0.5 * 3 + 1 * 3) / 6)


def test_lengths_that_are_not_known_are_null(run: BenchmarkRun) -> None:
    """As with replayed texts, which have no tokens."""
    run.add_samples("base", {"p0": [0, 5]}, 0.0)
    found = efficiency(run.data).as_json()["arms"]
    for arm in ("base", "rl"):
        assert found[arm]["tokens"] is None
        assert found[arm]["tokens_per_solved_problem"] is None
        assert found[arm]["coverage"][0]["tokens_per_problem"] is None
        assert found[arm]["coverage"][0]["pass_at_k"]["estimate"] is not None


def test_no_series_without_arms_for_one(run: BenchmarkRun) -> None:
    assert series(run.data) is None


def test_the_mean_over_seeds_is_as_sure_as_the_seeds_are_alike() -> None:
    """Three training runs are no three problems: Student's t on two degrees of freedom."""
    found = spread_of_seeds(np.array([0.50, 0.51, 0.52]), 0.95)
    reach = t.ppf(0.975, 2) * 0.01 / np.sqrt(3)
    assert (found.low, found.high) == pytest.approx((0.51 - reach, 0.51 + reach))
    cut = spread_of_seeds(np.array([0.98, 1.0]), 0.95)
    assert (cut.checkpoints, cut.high) == (2, 1.0)
    alike = spread_of_seeds(np.array([0.7, 0.7]), 0.95)
    assert (alike.estimate, alike.low, alike.high) == (0.7, None, None)


def test_series_along_training_temperature_and_seeds(tmp_path: Path) -> None:
    arms: dict[str, dict[str, Any]] = {
        "base": {"model": "b", "role": "base"},
        "rl": {"model": "r1", "role": "rl", "seed": 1},
        "rl2": {"model": "r2", "role": "rl", "seed": 2},
        "late": {"model": "s80", "role": "step", "step": 80},
        "early": {"model": "s40", "role": "step", "step": 40},
        "hot": {"model": "r1", "role": "rl", "sampling": {"temperature": 1.2}},
        "greedy": {"model": "r1", "role": "rl", "sampling": {"temperature": 0, "n": 1}},
    }
    problems = [Problem("mine", key, "?", "4") for key in "ab"]
    made = make_run(tmp_path / "run", problems, arms, n=2)
    both, none, one = [right("4")] * 2, [wrong("5")] * 2, [right("4"), wrong("5")]
    table = {"base": none, "rl": both, "rl2": one, "late": both, "early": one, "hot": one}
    for arm, outcomes in table.items():
        made.add_verdicts(arm, {"a": outcomes, "b": one})
    made.add_verdicts("greedy", {"a": [right("4")], "b": [wrong("5")]})
    section = series(made.data)
    assert section is not None
    found = section.as_json()
    steps = found["training"]["arms"]
    assert [(row["arm"], row["step"]) for row in steps] == [
        ("base", None),
        ("early", 40),
        ("late", 80),
    ]
    assert [row["pass_at_k"]["1"]["estimate"] for row in steps] == [0.25, 0.5, 0.75]
    (sweep,) = found["temperature"]
    assert [row["temperature"] for row in sweep["arms"]] == [0, 0.6, 1.2]
    assert list(sweep["arms"][0]["pass_at_k"]) == ["1"]
    (seeds,) = found["seeds"]
    assert seeds["arms"] == ["rl", "rl2"]
    assert seeds["pass_at_k"]["1"]["estimate"] == pytest.approx((0.75 + 0.5) / 2)
    assert seeds["pass_at_k"]["1"]["standard_deviation"] == pytest.approx(
        np.std([0.75, 0.5], ddof=1)
    )
