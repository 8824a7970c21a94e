"""No difference of more than a margin, claimed: two one-sided tests, among all claims."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analysis_runs import BenchmarkRun, drawn, make_run
from claims_simulation import equivalent
from scipy.stats import ttest_1samp

from vlm_boundary.analysis.intervals import Clustered, intervals_of
from vlm_boundary.analysis.significance import equivalence_p, in_turn
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem

ARMS = {"base": {"model": "org/base", "role": "base"}, "rl": {"model": "org/rl", "role": "rl"}}


def test_it_is_two_one_sided_t_tests_where_the_interval_is_students() -> None:
    # Two values, equally often: all carry the spread alike, and freedom is N - 1.
    values = np.tile([[0.11], [-0.09]], (100, 1))
    above = ttest_1samp(values, -0.03, alternative="greater").pvalue
    below = ttest_1samp(values, 0.03, alternative="less").pvalue
    found = equivalence_p(Clustered.of(values), 0.03, (-1, 1))
    assert found == pytest.approx(np.maximum(above, below))


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_it_is_below_a_level_just_where_the_interval_lies_within(level: float) -> None:
    rng = np.random.default_rng(1)
    # Few problems carry the spread of most columns: all others are alike.
    values = (rng.random((80, 60)) < np.linspace(0.0, 0.3, 60)).astype(float)
    values[:, ::2] -= rng.random((80, 30)) < 0.04
    sums = Clustered.of(values)
    found = intervals_of(sums, 2 * level - 1, (-1, 1), each_end=True)
    assert found.few.any()
    assert not found.few.all()
    margin = 0.12
    inside = (found.low > -margin) & (found.high < margin)
    assert inside.any()
    np.testing.assert_array_equal(equivalence_p(sums, margin, (-1, 1)) <= 1 - level, inside)


def test_a_mean_outside_the_margin_is_never_within_it() -> None:
    values = np.random.default_rng(2).normal(0.05, 0.1, (50, 1)).clip(-1, 1)
    assert equivalence_p(Clustered.of(values), 0.01, (-1, 1)) == [1.0]


def test_problems_that_are_all_alike_show_it_by_their_number() -> None:
    """Of thirty problems without any difference others may still differ: one in ten, say."""
    few, more = (equivalence_p(Clustered.of(np.zeros((n, 1))), 0.02, (-1, 1))[0] for n in (30, 500))
    assert more < 0.01
    assert few > 0.05
    assert np.isnan(equivalence_p(Clustered.of(np.zeros((1, 1))), 0.02, (-1, 1)))[0]


def test_variants_of_one_problem_are_no_further_problems() -> None:
    values = np.random.default_rng(3).normal(0.0, 0.1, 40).clip(-1, 1)
    alone = equivalence_p(Clustered.of(values[:, None]), 0.03, (-1, 1))[0]
    variants, groups = np.repeat(values, 10)[:, None], np.repeat(np.arange(40), 10)
    assert equivalence_p(Clustered.of(variants, groups), 0.03, (-1, 1))[0] == pytest.approx(alone)
    assert equivalence_p(Clustered.of(variants), 0.03, (-1, 1))[0] < alone / 10


@pytest.mark.parametrize("truth", ["shifted at k = 1", "gained at k = n"])
@pytest.mark.parametrize("problems", [30, 200])
def test_a_difference_as_large_as_the_margin_is_rarely_called_smaller(
    truth: str, problems: int
) -> None:
    assert equivalent(truth, problems, 64, 0.05, 0.05, 1000) <= 100 * (0.05 + 3 * 0.0069)


def test_none_is_called_small_where_there_is_enough_to_see_it() -> None:
    assert equivalent("shifted at k = 1", 400, 64, 0.03, 0.0, 200) > 95
    assert equivalent("shifted at k = 1", 30, 8, 0.01, 0.0, 200) < 5


def test_tests_that_exclude_each_other_count_once() -> None:
    p, none = np.array([0.001, 0.9, 0.02, 0.03]), [()] * 4
    assert in_turn(p, none, ["a", "a", "b", "b"]) == pytest.approx([0.002, 0.9, 0.04, 0.06])
    # Without the first: its group is open still, for the second of it may be wrong.
    assert in_turn(p, none) == pytest.approx([0.004, 0.9, 0.06, 0.06])


def made(path: Path, chances: tuple[float, float], **settings: Any) -> BenchmarkRun:
    """Two hundred problems, sixteen answers each."""
    problems = [
        Problem("mine", f"p{place:03d}", "How many?", str(place), answer_type="integer")
        for place in range(200)
    ]
    run = make_run(path, problems, ARMS, 16, analysis=settings)
    golds = {problem.problem_id: problem.answer for problem in problems}
    for seed, (arm, chance) in enumerate(zip(ARMS, chances, strict=True)):
        run.add_verdicts(arm, drawn(dict.fromkeys(golds, chance), golds, 16, seed))
    return run


def test_a_report_claims_it_only_where_a_margin_is_stated(tmp_path: Path) -> None:
    run = made(tmp_path / "plain", (0.5, 0.5))
    plain = analyze(run.directory, run.experiment).as_json()
    assert "margin" not in plain["multiplicity"]
    assert "equivalence" not in plain["benchmarks"]["mine"]["pairs"][0]
    assert {test["claim"] for test in plain["multiplicity"]["tests"]} == {
        "first", "last", "no_crossover",
    }  # fmt: skip
    run = made(tmp_path / "stated", (0.5, 0.5), equivalence_margin=5)
    stated = analyze(run.directory, run.experiment).as_json()
    (pair,) = stated["benchmarks"]["mine"]["pairs"]
    found = pair["equivalence"]
    assert (found["margin"], found["level"]) == (0.05, 0.9)
    assert list(found["at"]) == ["1", "16"]
    entry = pair["difference"]["1"]
    assert entry["low"] < found["at"]["1"]["low"] < found["at"]["1"]["high"] < entry["high"]
    tests = {test["claim"]: test for test in stated["multiplicity"]["tests"]}
    assert tests["within_first"]["p"] == found["at"]["1"]["p_value"]
    assert tests["within_first"]["p_holm"] <= 0.05
    assert tests["within_last"]["p_holm"] <= 0.05  # both solve every problem
    # Whether they differ and whether they are alike count as one: three, where there are five.
    least = min(test["p"] for test in tests.values())
    assert min(test["p_holm"] for test in tests.values()) == pytest.approx(3 * least)
    shown = (run.directory.tables / "mine-equivalence.md").read_text()
    assert "±5" in shown
    assert "less than 5 points at k = 1 |" in (run.directory.tables / "family.md").read_text()


def test_a_margin_takes_a_level_above_one_half(tmp_path: Path) -> None:
    with pytest.raises((UserError, ValueError), match="confidence above"):
        made(tmp_path, (0.5, 0.5), equivalence_margin=5, confidence=0.4)


def test_passk_says_it_of_anyones_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    chances = rng.beta(2, 2, 300)
    rows = [
        {"model": model, "problem_id": place, "n": 32, "c": int(right)}
        for model in ("a", "b")
        for place, right in enumerate(rng.binomial(32, chances))
    ]
    path, out = tmp_path / "t.jsonl", tmp_path / "out.json"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def passk(*more: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "vlm_boundary", "passk", path, "--base", "a", "--rl", "b"]
        return subprocess.run(
            [*map(str, command), *map(str, more)], capture_output=True, text=True, check=False
        )

    assert "points apart" not in passk().stdout
    done = passk("--equivalence-margin", "3", "--json", out)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())["equivalence"]
    assert found["margin"] == 0.03
    assert "Less than 3 points apart at k = 1: yes (90% interval [" in done.stdout
    assert "for both k)" in done.stdout
    assert (
        "Less than 0.2 points apart at k = 1: not shown"
        in passk("--equivalence-margin", "0.2").stdout
    )
    refused = passk("--equivalence-margin", "0")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
