"""Transitions, paired consistency, and how many answers arms give."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analysis_runs import NO_ANSWER, BenchmarkRun, Outcome, drawn, make_run, right, wrong

from vlm_boundary.analysis.counts import Counts
from vlm_boundary.analysis.differences import transitions
from vlm_boundary.analysis.diversity import answer_entropy, distinct_at_k
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.analysis.verdicts import Verdicts
from vlm_boundary.records.problem import Problem
from vlm_boundary.stopping import StoppingRule

ARMS = {"base": {"model": "org/base", "role": "base"}, "rl": {"model": "org/rl", "role": "rl"}}
KEYS = [f"p{i:02d}" for i in range(40)]


def made(path: Path, n: int, **settings: Any) -> BenchmarkRun:
    problems = [Problem("mine", key, "?", "4") for key in KEYS]
    return make_run(path, problems, ARMS, n, analysis={"bootstrap_draws": 100}, **settings)


def judged(path: Path, samples: list[Outcome]) -> Verdicts:
    """One problem's."""
    run = made(path, len(samples))
    run.add_verdicts("base", {"p00": samples})
    return run.data.verdicts["base"]


SAMPLES = [right("4"), right("4.0"), wrong("5"), wrong("5"), wrong("7"), NO_ANSWER]


def test_distinct_answers_are_those_of_every_choice_of_k(tmp_path: Path) -> None:
    found = distinct_at_k(judged(tmp_path, SAMPLES), np.arange(1, 8))
    said = ["right", "right", "5", "5", "7", None]
    for k in range(1, 7):
        each = [len({*chosen} - {None}) for chosen in combinations(said, k)]
        assert found[0, k - 1] == pytest.approx(np.mean(each))
    assert np.isnan(found[0, 6])


def test_entropy_is_that_of_answers_without_the_bias_of_counting(tmp_path: Path) -> None:
    # Two right, two 5, one 7, one none, of 6: sums of 1/j from m to 5.
    two, one = 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5, 1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5
    expected = 2 * (2 / 6) * two + 2 * (1 / 6) * one
    assert answer_entropy(judged(tmp_path, SAMPLES)) == pytest.approx([expected])


def test_on_average_entropy_is_nearly_the_true_one(tmp_path: Path) -> None:
    rng, chances = np.random.default_rng(0), np.array([0.5, 0.2, 0.1, 0.1, 0.05, 0.05])
    true = -(chances * np.log(chances)).sum()
    run = make_run(tmp_path / "run", [Problem("mine", f"p{i}", "?", "0") for i in range(400)],
                   ARMS, 24)  # fmt: skip
    draws = rng.choice(6, size=(400, 24), p=chances)
    run.add_verdicts(
        "base",
        {f"p{i}": [right("0") if a == 0 else wrong(str(a)) for a in of.tolist()]
         for i, of in enumerate(draws)},
    )  # fmt: skip
    verdicts = run.data.verdicts["base"]
    found = answer_entropy(verdicts)
    error = found.std() / np.sqrt(len(found))
    assert abs(found.mean() - true) < 4 * error + 0.02
    shares = [np.array(list(Counter(of.tolist()).values())) / 24 for of in draws]
    counted = np.mean([-(share * np.log(share)).sum() for share in shares])
    assert abs(found.mean() - true) < 0.3 * abs(counted - true)
    # And the number of answers in few samples is that of the distribution.
    ks = np.array([1, 2, 8])
    expected = (1 - (1 - chances) ** ks[:, None]).sum(axis=1)
    assert distinct_at_k(verdicts, ks).mean(axis=0) == pytest.approx(expected, abs=0.06)


def counts(correct: list[int], samples: list[int], rule: StoppingRule | None = None) -> Counts:
    c = np.array(correct)
    ids = tuple(KEYS[: len(c)])
    return Counts(ids, np.array(samples), c, np.zeros_like(c), c, rule)


def test_transitions_are_the_solved_sets_at_n_and_sum_to_the_difference() -> None:
    base, other = counts([0, 3, 2, 0], [8] * 4), counts([1, 0, 8, 0], [8] * 4)
    ks = np.arange(1, 9)
    gained, lost = transitions(base, other, ks)
    assert gained[:, -1].tolist() == [1, 0, 0, 0]
    assert lost[:, -1].tolist() == [0, 1, 0, 0]
    assert (gained - lost).mean(axis=0)[0] == pytest.approx(9 / 32 - 5 / 32)


@pytest.mark.parametrize("rule", [None, StoppingRule((4, 16), 2)])
def test_transitions_have_no_bias(rule: StoppingRule | None) -> None:
    """One problem, both arms drawn again and again: k samples of the one right, k others not."""
    rng, n, ks, p, q = np.random.default_rng(1), 16, np.array([1, 4, 8]), 0.15, 0.3

    def sampled(chance: float) -> Counts:
        draws = rng.random((4000, n)) < chance
        samples = np.full(4000, n)
        if rule is not None:
            samples = np.where(draws[:, :4].sum(axis=1) >= 2, 4, n)
        right = np.array([of[:size].sum() for of, size in zip(draws, samples, strict=True)])
        return Counts(tuple(map(str, range(4000))), samples, right, 0 * right, right, rule)

    gained, lost = transitions(sampled(p), sampled(q), ks)
    miss_p, miss_q = (1 - p) ** ks, (1 - q) ** ks
    for found, true in ((gained, miss_p * (1 - miss_q)), (lost, (1 - miss_p) * miss_q)):
        error = found.std(axis=0) / np.sqrt(len(found))
        assert (np.abs(found.mean(axis=0) - true) < 4 * error).all()


def test_intervals_of_rare_transitions_hold() -> None:
    """Of a hundred problems three are lost on average: binomial counts, few of them."""
    from vlm_boundary.analysis.intervals import t_intervals

    rng, held = np.random.default_rng(2), []
    for _ in range(1000):
        lost = (rng.random((100, 1)) < 0.03).astype(float)
        found = t_intervals(lost, 0.95, (0, 1))
        held.append(found.low[0] <= 0.03 <= found.high[0])
    assert 100 * np.mean(held) >= 95 - 3 * 0.69


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = made(tmp_path_factory.mktemp("both") / "run", 16)
    golds = dict.fromkeys(KEYS, "4")
    for seed, arm in enumerate(ARMS):
        chances = {key: (place / 40) ** (1 + seed) for place, key in enumerate(KEYS)}
        run.add_verdicts(arm, drawn(chances, golds, 16, seed))
    found = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]
    return {"found": found, "tables": run.directory.tables}


def test_paired_differences_are_those_of_the_arms(analysed: dict[str, Any]) -> None:
    found = analysed["found"]
    (pair,) = found["consistency"]
    base, rl = (found["arms"][arm] for arm in ("base", "rl"))

    def gap(of: Any, *keys: str) -> float:
        one, two = rl, base
        for key in (of, *keys):
            one, two = one[key], two[key]
        return float(one["estimate"] - two["estimate"])

    for k in ("1", "4", "16"):
        assert pair["maj_at_k"][k]["estimate"] == pytest.approx(gap("maj_at_k", k))
        assert pair["pass_hat_k"][k]["estimate"] == pytest.approx(gap("pass_hat_k", k))
        assert pair["g_pass_at_k"]["0.5"][k]["estimate"] == pytest.approx(
            gap("g_pass_at_k", "0.5", k)
        )
    assert pair["cover_at_tau"]["0.5"]["estimate"] == pytest.approx(gap("cover_at_tau", "0.5"))
    alone = base["cover_at_tau"]["0.5"]
    paired = pair["cover_at_tau"]["0.5"]
    assert paired["high"] - paired["low"] < 1.3 * (alone["high"] - alone["low"])
    shown = (analysed["tables"] / "mine-consistency.md").read_text()
    assert "rl − base, maj@16" in shown
    assert "rl − base, Cover@0.5" in shown


def test_the_run_has_transitions_by_difficulty_and_diversity(analysed: dict[str, Any]) -> None:
    found = analysed["found"]
    (pair,) = found["pairs"]
    for k in ("1", "16"):
        net = pair["gained"][k]["estimate"] - pair["lost"][k]["estimate"]
        assert net == pytest.approx(pair["difference"][k]["estimate"])
    assert pair["lost"]["16"]["estimate"] * 40 == pytest.approx(pair["solved"]["base_only"])
    strata = found["distributions"]["strata"][0]["strata"]
    for one in strata:
        if one["problems"]:
            assert set(one["gained"]) == {"1", "8"}
            net = one["gained"]["8"]["estimate"] - one["lost"]["8"]["estimate"]
            assert net == pytest.approx(one["difference"]["8"]["estimate"])
    diversity = found["diversity"]
    arms = diversity["arms"]
    assert arms["base"]["distinct_at_k"]["1"]["estimate"] == pytest.approx(1.0)
    for k in ("1", "16"):
        gap = (arms["rl"]["distinct_at_k"][k]["estimate"]
               - arms["base"]["distinct_at_k"][k]["estimate"])  # fmt: skip
        assert diversity["pairs"][0]["distinct_at_k"][k]["estimate"] == pytest.approx(gap)
    for name in ("transitions", "diversity", "strata"):
        assert (analysed["tables"] / f"mine-{name}.md").exists()


def test_arms_of_unequal_n_are_compared_at_the_smaller(tmp_path: Path) -> None:
    arms: dict[str, dict[str, Any]] = {
        "base": ARMS["base"],
        "rl": ARMS["rl"] | {"sampling": {"n": 4}},
    }
    run = make_run(tmp_path / "run", [Problem("mine", key, "?", "4") for key in KEYS], arms, 16,
                   analysis={"bootstrap_draws": 100, "ks": [1, 4]})  # fmt: skip
    # The first four are as often right in both; later ones of the base always are.
    first = [right("4"), wrong("5"), wrong("6"), wrong("5")]
    run.add_verdicts("base", {key: [*first, *[right("4")] * 12] for key in KEYS})
    run.add_verdicts("rl", {key: list(first) for key in KEYS})
    found = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]
    (pair,) = found["consistency"]
    assert pair["n"] == 4
    assert {entry["estimate"] for entry in pair["cover_at_tau"].values()} == {0.0}
    assert {entry["estimate"] for entry in pair["maj_at_k"].values()} == {0.0}
    (gap,) = found["diversity"]["pairs"]
    assert (gap["n"], gap["entropy"]["estimate"]) == (4, 0.0)


def test_where_problems_ended_early_they_are_of_the_first_look(tmp_path: Path) -> None:
    run = made(tmp_path / "run", 8, sampling={"n": 8, "stop": {"after": [4], "right": 2}})
    golds = dict.fromkeys(KEYS, "4")
    chances = {key: place / 40 for place, key in enumerate(KEYS)}
    for seed, arm in enumerate(ARMS):
        run.add_verdicts(arm, drawn(chances, golds, 8, seed))
    found = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]
    assert found["consistency"][0]["n"] == 4
    assert found["diversity"]["arms"]["base"]["n"] == 4
    assert set(found["pairs"][0]["gained"]) == {"1", "2", "4", "8"}  # pass@k's estimates
    assert found["pairs"][0]["gained"]["8"]["problems"] == 40
