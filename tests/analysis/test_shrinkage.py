"""Accuracies drawn towards what other problems have, beside the unbiased ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analysis_runs import BenchmarkRun, drawn, make_run
from scipy.integrate import quad
from scipy.stats import beta, binom

from vlm_boundary.analysis.beyond_n import fitted, shrunk_pass_at_k
from vlm_boundary.analysis.counts import Counts, Floats
from vlm_boundary.analysis.extrapolation import Fit
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.records.problem import Problem
from vlm_boundary.stopping import StoppingRule

ARMS = {"base": {"model": "org/base", "role": "base"}, "rl": {"model": "org/rl", "role": "rl"}}


def counts(correct: Any, samples: Any, rule: StoppingRule | None = None) -> Counts:
    c, n = np.asarray(correct), np.asarray(samples)
    return Counts(tuple(f"p{i:03d}" for i in range(len(c))), n, c, 0 * c, c, rule)


@pytest.mark.parametrize("c", [0, 1, 4])
def test_it_is_the_expectation_after_the_samples(c: int) -> None:
    a, b, never, n, k = 0.6, 1.3, 0.2, 4, 3
    fit = Fit(np.array([a]), np.array([b]), np.array([never]))

    def weighed(of: Any) -> float:
        value, _ = quad(lambda p: of(p) * binom.pmf(c, n, p) * beta.pdf(p, a, b), 0, 1)
        return float(value)

    seen = (1 - never) * weighed(lambda p: 1.0) + (never if c == 0 else 0.0)
    expected = (1 - never) * weighed(lambda p: 1 - (1 - p) ** k) / seen
    found = shrunk_pass_at_k(np.array([c]), np.array([n]), np.array([k]), fit)
    assert found[0, 0] == pytest.approx(expected, rel=1e-6)


def population(size: int, rng: np.random.Generator) -> Floats:
    return np.where(rng.random(size) < 0.15, 0.0, rng.beta(0.7, 1.2, size))


@pytest.mark.parametrize("rule", [None, StoppingRule((4, 8), 2)])
def test_few_samples_say_more_of_a_problem_with_the_others_beside_it(
    rule: StoppingRule | None,
) -> None:
    rng, n = np.random.default_rng(0), 8
    gains, bias = [], []
    for _ in range(40):
        p = population(200, rng)
        draws = rng.random((200, n)) < p[:, None]
        samples = np.full(200, n)
        if rule is not None:
            samples = np.where(draws[:, :4].sum(axis=1) >= 2, 4, n)
        c = np.array([of[:m].sum() for of, m in zip(draws, samples, strict=True)])
        one = counts(c, samples, rule)
        shrunk = shrunk_pass_at_k(c, samples, np.array([1]), fitted(one))[:, 0]
        gains.append(((c / samples - p) ** 2).mean() - ((shrunk - p) ** 2).mean())
        bias.append((shrunk - p).mean())
    assert np.mean(gains) > 5 * np.std(gains) / np.sqrt(40)
    assert abs(np.mean(bias)) < 4 * np.std(bias) / np.sqrt(40) + 0.005


def run_of(path: Path, n: int, chances: Floats, **sampling: Any) -> BenchmarkRun:
    keys = [f"p{i:03d}" for i in range(len(chances))]
    run = make_run(path, [Problem("mine", key, "?", "4") for key in keys], ARMS, n,
                   analysis={"bootstrap_draws": 100},
                   sampling={"n": n, "max_tokens": 8} | sampling)  # fmt: skip
    golds = dict.fromkeys(keys, "4")
    for seed, arm in enumerate(ARMS):
        run.add_verdicts(arm, drawn(dict(zip(keys, chances, strict=True)), golds, n, seed))
    return run


def test_it_stands_beside_the_unbiased_estimates_with_its_back_test(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", 8, population(150, np.random.default_rng(1)))
    found = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]
    one = found["shrinkage"]["base"]
    assert list(one["pass_at_k"]) == ["1", "2", "4", "8"]
    plain = found["arms"]["base"]["pass_at_k"]
    assert one["pass_at_k"]["1"] == pytest.approx(plain["1"]["estimate"], abs=0.02)
    assert one["pass_at_k"]["1"] == pytest.approx(np.mean(list(one["accuracies"].values())))
    tested = one["back_test"]
    assert tested["fitted_on"] == 4
    assert tested["gain"]["low"] > 0
    assert tested["gain"]["estimate"] == pytest.approx(tested["unbiased"] - tested["shrunk"])
    shown = (run.directory.tables / "mine-shrinkage.md").read_text()
    assert "base, k = 8" in shown


def test_nothing_is_said_where_nothing_can_be_fitted(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", 4, np.ones(20))
    found = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]
    assert "shrinkage" not in found


def test_where_problems_ended_early_all_of_them_are_in_it(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", 16, population(100, np.random.default_rng(2)),
                 stop={"after": [8], "right": 2})  # fmt: skip
    found = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]
    one = found["shrinkage"]["base"]
    assert (one["n"], len(one["accuracies"])) == (16, 100)
    assert one["back_test"]["fitted_on"] == 4  # half of the first look
