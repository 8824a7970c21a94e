"""Two arms at equal cost: as many tokens, and responses up to one length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analysis_runs import BenchmarkRun, drawn, make_run, right, wrong

from vlm_boundary.analysis.budgets import at_cost, shorter
from vlm_boundary.analysis.counts import Floats
from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.intervals import t_intervals
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.records.problem import Problem

ARMS = {"base": {"model": "org/base", "role": "base"}, "rl": {"model": "org/rl", "role": "rl"}}
REPETITIONS = 1000
KEYS = [f"p{i:02d}" for i in range(24)]


def made(path: Path, n: int, **settings: Any) -> BenchmarkRun:
    problems = [Problem("mine", key, "?", "4") for key in KEYS]
    more = {"sampling": {"n": n, "max_tokens": 64} | settings, "analysis": {"bootstrap_draws": 100}}
    return make_run(path, problems, ARMS, n, **more)


def budgets(run: BenchmarkRun) -> dict[str, Any]:
    found = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]
    (pair,) = found["efficiency"]["budgets"]
    return dict(pair)


def test_a_budget_buys_the_curve_at_as_many_samples() -> None:
    rng = np.random.default_rng(0)
    correct, tokens = rng.integers(0, 9, 50), rng.uniform(50, 150, 50)
    curve = pass_at_k(correct, np.full(50, 8), np.arange(1, 9))
    mean = tokens.mean()
    found = at_cost(curve, tokens, np.array([1.0, 2.0, 2.25, 8.0]) * mean).mean(axis=0)
    expected = curve.mean(axis=0)
    between = 0.75 * expected[1] + 0.25 * expected[2]
    assert found == pytest.approx([expected[0], expected[1], between, expected[7]])
    # With one sample each there is nothing to buy more of.
    assert at_cost(curve[:, :1], tokens, np.array([mean]))[:, 0] == pytest.approx(curve[:, 0])


@pytest.mark.parametrize("problems", [30, 100])
def test_its_intervals_hold_though_lengths_are_estimated_too(problems: int) -> None:
    """Hard problems have long responses, whose mean says how many samples a budget buys."""
    rng, n, budgets = np.random.default_rng(1), 32, np.array([1000.0, 3000.0, 12_000.0])

    def population(size: int) -> tuple[Floats, Floats]:
        chance = rng.beta(0.5, 1.0, size)
        return chance, 1000 * (1.2 - chance) * rng.gamma(2.0, 0.5, size)

    chance, length = population(1_000_000)
    truth = []
    for k in budgets / length.mean():
        below = np.floor(k)
        miss = (1 - chance) ** below * (1 - (k - below) * chance)
        truth.append(1 - miss.mean())
    held = []
    for _ in range(REPETITIONS):
        chance, length = population(problems)
        curve = pass_at_k(rng.binomial(n, chance), np.full(problems, n), np.arange(1, n + 1))
        found = t_intervals(at_cost(curve, length, budgets), 0.95, (0, 1))
        held.append((found.low <= truth) & (truth <= found.high))
    shares = 100 * np.mean(held, axis=0)
    print(f"{problems} problems: holds in {shares.round(1)} %")
    assert shares.min() >= 95 - 3 * np.sqrt(95 * 5 / REPETITIONS)


def test_lengths_are_halved_as_far_as_that_cuts_some() -> None:
    lengths = np.array([3.0, 17.0, 90.0])
    assert shorter(256, lengths) == [128, 64, 32, 16, 8, 4]
    assert shorter(64, lengths) == [64, 32, 16, 8, 4]
    assert shorter(128, np.array([40.0, 40.0])) == [64]


def test_a_response_that_is_too_long_is_no_answer(tmp_path: Path) -> None:
    """RL that only learned to stop: as often right, in shorter responses."""
    run = made(tmp_path / "run", 4)
    answers = [right("4"), wrong("5"), right("4"), wrong("5")]
    for arm, lengths in {"base": [30, 30, 50, 50], "rl": [10, 10, 20, 20]}.items():
        run.add_verdicts(arm, dict.fromkeys(KEYS, answers))
        run.add_samples(arm, dict.fromkeys(KEYS, lengths), 0.1)
    found = budgets(run)
    rows = {row["max_tokens"]: row for row in found["by_max_tokens"]}
    assert list(rows) == [64, 32, 16]

    def first(max_tokens: int, of: str) -> float:
        return float(rows[max_tokens][of]["1"]["estimate"])

    assert [first(64, of) for of in ("base_pass_at_k", "difference")] == [0.5, 0.0]
    assert [first(32, of) for of in ("base_pass_at_k", "other_pass_at_k")] == [0.25, 0.5]
    assert first(16, "difference") == 0.25
    assert (rows[32]["base_longer"], rows[32]["other_longer"]) == (0.5, 0.0)
    # And of as many tokens it has more samples.
    at = {round(row["tokens"]): row for row in found["by_tokens"]}
    assert list(at) == [40]
    assert (at[40]["base_k"], at[40]["other_k"]) == pytest.approx((1, 40 / 15))
    assert at[40]["difference"]["estimate"] > 0.3
    # The problems are alike, and one that was not drawn is right always or never.
    unlike, half = 1 - 0.025 ** (1 / len(KEYS)), at[40]["base_pass_at_k"]
    assert half["low"] == pytest.approx(0.5 - 0.5 * unlike)
    assert half["high"] == pytest.approx(0.5 + 0.5 * unlike)
    apart = at[40]["difference"]
    assert apart["low"] == pytest.approx(apart["estimate"] - (1 + apart["estimate"]) * unlike)
    shown = (run.directory.tables / "mine-equal_tokens.md").read_text()
    assert "rl − base, 40 tokens" in shown
    assert "1.0 / 2.7" in shown
    shown = (run.directory.tables / "mine-shorter_responses.md").read_text()
    assert "rl − base, 32 tokens, k = 1" in shown


def test_lengths_are_those_of_the_samples_that_were_judged(tmp_path: Path) -> None:
    """A sample without a verdict, in the middle of the others, shifts nothing."""
    run = made(tmp_path / "run", 3)
    lengths = {key: [10, 30, 20] for key in KEYS}
    for arm in ARMS:
        run.add_samples(arm, lengths, 0.1)
        run.add_verdicts(arm, {key: [right("4"), wrong("5")] for key in KEYS[1:]})
    assert run.data.lengths("base").tolist() == [10.0, 30.0] * (len(KEYS) - 1)


def test_without_lengths_nothing_is_said_of_them(tmp_path: Path) -> None:
    run = made(tmp_path / "run", 2)
    for arm in ARMS:
        run.add_verdicts(arm, {key: [right("4"), wrong("5")] for key in KEYS})
    found = run.data
    assert len(found.lengths("base")) == 2 * len(KEYS)
    pair = budgets(run)
    if np.isnan(found.lengths("base")).any():
        assert (pair["by_tokens"], pair["by_max_tokens"]) == (None, None)
    else:  # written without a single token
        assert pair["by_tokens"] == []


def test_where_problems_ended_early_cuts_are_of_the_first_look(tmp_path: Path) -> None:
    run = made(tmp_path / "run", 8, stop={"after": [4], "right": 2})
    golds = dict.fromkeys(KEYS, "4")
    chances = {key: place / len(KEYS) for place, key in enumerate(KEYS)}
    for seed, arm in enumerate(ARMS):
        run.add_verdicts(arm, drawn(chances, golds, 8, seed))
        run.add_samples(arm, {key: [10, 20, 10, 20, 40, 10, 40, 10] for key in KEYS}, 0.1)
    found = budgets(run)
    assert [row["max_tokens"] for row in found["by_max_tokens"]] == [32, 16]
    assert list(found["by_max_tokens"][0]["difference"]) == ["1", "2", "4"]
    counts = run.data.first_look.counts("base")
    assert found["by_max_tokens"][0]["base_pass_at_k"]["1"]["estimate"] == pytest.approx(
        (counts.correct / 4).mean()
    )
    assert found["by_tokens"][-1]["base_k"] == pytest.approx(8)
