"""What the analysis says of runs whose problems ended early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analysis_runs import BenchmarkRun, Outcome, drawn, make_run
from given import given

from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.left_out import left_out_lines
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.analysis.stopping import stopped_pass_at_k
from vlm_boundary.config import build_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.records.analysis import BenchmarkAnalysis
from vlm_boundary.records.manifest import RunArm
from vlm_boundary.records.problem import Problem
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Partition

RULE = StoppingRule((8, 16, 32), 2)
STOP = {"after": [8, 16], "right": 2}
KEYS = [f"p{i:02}" for i in range(40)]
GOLDS = {key: str(i % 7) for i, key in enumerate(KEYS)}
Answers = Mapping[str, Sequence[Outcome]]


def run_with(path: Path, answers: Mapping[str, Answers], **sampling: Any) -> BenchmarkRun:
    problems = [
        Problem("mine", key, "?", GOLDS[key], answer_type="integer", metadata={"level": i % 3})
        for i, key in enumerate(KEYS)
    ]
    arms = {"base": {"model": "b", "role": "base"}, "rl": {"model": "r", "role": "rl"}}
    settings = {
        "sampling": {"n": 32, "max_tokens": 8, "stop": STOP} | sampling,
        "analysis": {
            "bootstrap_draws": 200,
            "verifier_error": {
                "wrong": 100,
                "wrong_accepted": 1,
                "right": 100,
                "right_rejected": 2,
            },
        },
    }
    run = make_run(path, problems, arms, 32, **{"controls": {}, **settings})
    for arm, outcomes in answers.items():
        run.add_verdicts(arm, outcomes)
        lengths = {key: [5 + i % 3 for i in range(len(of))] for key, of in outcomes.items()}
        run.add_samples(arm, lengths, 0.3)
    return run


def all_answers() -> dict[str, dict[str, list[Outcome]]]:
    rng = np.random.default_rng(0)
    p = rng.beta(0.3, 1.0, len(KEYS))
    accuracy = {"base": p, "rl": np.where(p < 0.1, 0.0, p**0.5)}
    return {
        arm: drawn(dict(zip(KEYS, each, strict=True)), GOLDS, 32, seed)
        for seed, (arm, each) in enumerate(accuracy.items())
    }


def as_stopped(answers: Answers) -> dict[str, list[Outcome]]:
    """Only the samples that the rule asks for."""
    return {key: list(of[: look_of(of)]) for key, of in answers.items()}


def look_of(outcomes: Sequence[Outcome]) -> int:
    right = [correct is True for _, correct in outcomes]
    return RULE.standing(range(len(right)), right).look


def analysed(run: BenchmarkRun) -> BenchmarkAnalysis:
    return analyze(run.directory, run.experiment).benchmarks["mine"]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkAnalysis:
    answers = {arm: as_stopped(of) for arm, of in all_answers().items()}
    return analysed(run_with(tmp_path_factory.mktemp("stopped") / "run", answers))


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkAnalysis:
    """The same samples and all others."""
    return analysed(run_with(tmp_path_factory.mktemp("f") / "run", all_answers(), stop=None))


def test_all_samples_read_by_the_rule_give_the_numbers_of_the_rule(
    stopped: BenchmarkAnalysis, tmp_path: Path
) -> None:
    """As a replayed file has them: what a problem had not needed counts nowhere."""
    found = analysed(run_with(tmp_path / "run", all_answers()))
    assert given(found.arms["base"].stopping).unread > 0
    assert given(stopped.arms["base"].stopping).unread == 0

    def comparable(one: BenchmarkAnalysis) -> dict[str, Any]:
        content = one.as_json()
        for arm in content["arms"].values():
            del arm["stopping"]["unread"]
        return content

    assert comparable(found) == comparable(stopped)


def test_curves_are_the_estimators_own(stopped: BenchmarkAnalysis) -> None:
    ks = np.arange(1, 33)
    values = {}
    for arm, answers in all_answers().items():
        looks = np.array([look_of(answers[key]) for key in KEYS])
        correct = np.array(
            [
                sum(c is True for _, c in answers[key][:look])
                for key, look in zip(KEYS, looks.tolist(), strict=True)
            ]
        )
        values[arm] = stopped_pass_at_k(correct, looks, ks, RULE)
        one = stopped.arms[arm]
        shown = [given(one.pass_at_k[k].estimate) for k in ks.tolist()]
        np.testing.assert_allclose(shown, values[arm].mean(axis=0), atol=1e-12)
        assert {entry.problems for entry in one.pass_at_k.values()} == {len(KEYS)}
        assert one.avg_at_n.estimate == pytest.approx(values[arm][:, 0].mean())
        assert one.samples == looks.sum()
        assert one.problems_with_fewer_than_n == 0
        said = given(one.stopping)
        assert (said.after, said.right, said.n, one.n) == ([8, 16], 2, 32, 32)
        assert said.ended_at == {look: int((looks == look).sum()) for look in RULE.looks}
        assert said.mean_n == pytest.approx(looks.mean())
        assert said.saved == pytest.approx(1 - looks.mean() / 32)
        assert (said.unfinished, said.left_out) == ([], [])
    (pair,) = stopped.pairs
    gaps = [given(pair.difference[k].estimate) for k in ks.tolist()]
    expected = (values["rl"] - values["base"]).mean(axis=0)
    np.testing.assert_allclose(gaps, expected, atol=1e-12)
    assert pair.crossover.up_to == 32  # every problem counts at every k
    assert pair.difference[32].band_low is not None
    assert list(pair.this_benchmark) == list(range(1, 17))
    for shift in pair.this_benchmark.values():
        assert given(shift.low) <= given(shift.estimate) <= given(shift.high)


def test_what_is_no_function_of_pass_at_k_is_of_the_first_look(
    stopped: BenchmarkAnalysis, fixed: BenchmarkAnalysis, tmp_path: Path
) -> None:
    """Which every problem has: it is what a fixed n of that many says, number by number."""
    early = {
        arm: {key: of[:8] for key, of in answers.items()} for arm, answers in all_answers().items()
    }
    first = analysed(run_with(tmp_path / "run", early, n=8, stop=None))
    for arm in first.arms:
        for name in ("pass_hat_k", "maj_at_k", "g_pass_at_k", "mg_pass_at_k", "cover_at_tau"):
            found = getattr(stopped.arms[arm], name)
            assert found == getattr(first.arms[arm], name), name
            assert found != getattr(fixed.arms[arm], name), name
    for section in ("entropy", "verifier_error", "self_test"):
        assert getattr(stopped, section) == getattr(first, section), section
    assert given(stopped.luck).arms == given(first.luck).arms
    assert given(stopped.luck).pairs == given(first.luck).pairs
    assert given(stopped.distributions).arms == given(first.distributions).arms
    assert given(stopped.distributions).strata == given(first.distributions).strata
    assert given(stopped.distributions).slices != given(first.distributions).slices  # pass@k to n
    for arm, cost in given(first.efficiency).arms.items():
        assert given(stopped.efficiency).arms[arm].tokens_per_sample == cost.tokens_per_sample
        assert given(given(stopped.efficiency).arms[arm].tokens) > given(cost.tokens)


def test_which_problems_are_solved_is_what_n_samples_of_each_say(
    stopped: BenchmarkAnalysis, fixed: BenchmarkAnalysis
) -> None:
    (ours,), (theirs,) = stopped.pairs, fixed.pairs
    assert ours.solved == theirs.solved
    assert ours.solved_problems == theirs.solved_problems
    assert ours.mcnemar_p == theirs.mcnemar_p
    assert ours.unsolved_below == theirs.unsolved_below


def test_extrapolations_stand_on_all_problems(
    stopped: BenchmarkAnalysis, fixed: BenchmarkAnalysis
) -> None:
    for arm, ours in given(stopped.beyond_n).arms.items():
        theirs = given(fixed.beyond_n).arms[arm]
        assert (ours.problems, ours.left_out, ours.n) == (len(KEYS), 0, 32)
        assert given(ours.back_test).fitted_on == given(theirs.back_test).fitted_on == 4
        for k, one in ours.models["beta_binomial"].pass_at_k.items():
            other = theirs.models["beta_binomial"].pass_at_k[k]
            assert one.estimate == pytest.approx(other.estimate, abs=0.05)


def test_a_run_stopped_half_way_is_read_as_far_as_all_problems_have_come(tmp_path: Path) -> None:
    """Those that have not ended are the hard ones: without them the others would look easy."""
    answers = {arm: as_stopped(of) for arm, of in all_answers().items()}
    going_on = [key for key, of in answers["base"].items() if len(of) == 32]
    answers["base"][going_on[0]] = answers["base"][going_on[0]][:20]
    run = run_with(tmp_path / "run", answers)
    found = analysed(run)
    assert found.arms["base"].n == 16
    assert given(found.arms["base"].stopping).unfinished == [going_on[0]]
    assert found.arms["rl"].n == 32
    assert {entry.problems for entry in found.arms["base"].pass_at_k.values()} == {len(KEYS)}
    assert found.pairs[0].n == 16
    (line,) = left_out_lines(analyze(run.directory, run.experiment))
    assert "base" in line
    assert going_on[0] in line
    assert "up to k = 16" in line
    # The same as all of it by the rule up to there.
    short = run_with(tmp_path / "short", answers, n=16, stop={"after": [8], "right": 2})
    same = analysed(short).arms["base"]
    for name in ("pass_at_k", "pass_at_k_lenient", "maj_at_k"):
        assert getattr(found.arms["base"], name) == getattr(same, name), name


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ({"n": 16, "stop": {"after": [8], "right": 2}}, True),  # up to a look
        ({"n": 64, "stop": STOP}, True),
        ({"n": 32, "stop": None}, False),
        ({"n": 32, "stop": {"after": [8, 16], "right": 3}}, False),
        ({"n": 32, "stop": {"after": [16], "right": 2}}, False),
        ({"n": 24, "stop": STOP}, True),  # the last look comes sooner
    ],
)
def test_samples_of_a_rule_are_not_read_by_another(
    tmp_path: Path, override: dict[str, Any], read: bool
) -> None:
    answers = {arm: as_stopped(of) for arm, of in all_answers().items()}
    run = run_with(tmp_path / "run", answers)
    manifest = run.directory.read_manifest()
    drawn_by = run.experiment.sampling.model_dump(mode="json")
    arms = {arm: RunArm(sampling=drawn_by) for arm in answers}
    run.directory.write_manifest(manifest.model_copy(update={"arms": arms}))
    sampling = {**drawn_by, **override}
    raw = run.experiment.model_dump(mode="json") | {"sampling": sampling}
    other = build_experiment(raw, (), where="x.yaml")
    if read:
        assert analyze(run.directory, other).benchmarks["mine"].arms["base"].pass_at_k
    else:
        with pytest.raises(UserError, match=r"arm 'base' holds samples drawn with sampling\.stop"):
            analyze(run.directory, other)


def test_before_the_first_look_it_is_a_run_of_few_samples(tmp_path: Path) -> None:
    answers = {arm: as_stopped(of) for arm, of in all_answers().items()}
    answers["base"] |= {KEYS[0]: answers["base"][KEYS[0]][:3]}
    found = analysed(run_with(tmp_path / "run", answers)).arms["base"]
    assert found.n == 8
    assert found.pass_at_k[3].problems == len(KEYS)
    assert found.pass_at_k[8].problems == len(KEYS) - 1
    assert given(found.stopping).unfinished == [KEYS[0]]


def test_a_problem_of_which_a_sample_failed_is_left_out_with_its_name(tmp_path: Path) -> None:
    answers = {arm: as_stopped(of) for arm, of in all_answers().items()}
    hard = next(key for key, of in answers["base"].items() if len(of) == 32)
    run = run_with(tmp_path / "run", answers | {"base": answers["base"] | {hard: []}})
    run.add_verdicts("base", answers["base"] | {hard: answers["base"][hard][:20]})
    run.directory.failures.add(Partition("base", "mine"), [(hard, 20, "too long")])
    found = analyze(run.directory, run.experiment)
    arm = found.benchmarks["mine"].arms["base"]
    assert (arm.n, arm.problems) == (32, len(KEYS) - 1)
    assert (given(arm.stopping).left_out, given(arm.stopping).unfinished) == ([hard], [])
    (line,) = left_out_lines(found)
    assert hard in line
    assert "could not be drawn" in line


def test_verdicts_that_change_afterwards_change_where_problems_end(tmp_path: Path) -> None:
    """Below the rule a problem lacks samples; at an earlier look, later ones are not read."""
    answers = {arm: as_stopped(of) for arm, of in all_answers().items()}
    base = answers["base"]
    fell = next(
        key for key, of in base.items() if len(of) == 8 and sum(c is True for _, c in of) == 2
    )
    rose = next(key for key, of in base.items() if len(of) == 16)
    at = next(i for i, (_, correct) in enumerate(base[fell]) if correct)
    base[fell][at] = (base[fell][at][0], False)
    for index in (0, 1):
        base[rose][index] = (GOLDS[rose], True)
    found = analysed(run_with(tmp_path / "run", answers)).arms["base"]
    assert given(found.stopping).unfinished == [fell]
    assert found.n == 8
    # Topped up it is read to the end again.
    base[fell] += [("-1", False)] * 24
    again = analysed(run_with(tmp_path / "again", answers)).arms["base"]
    assert (again.n, given(again.stopping).unfinished) == (32, [])
    assert given(again.stopping).unread == 8  # of the one that had been through at an earlier look
    assert again.samples == sum(len(of) for of in base.values()) - 8


def test_arms_may_differ_in_their_rule(fixed: BenchmarkAnalysis, tmp_path: Path) -> None:
    answers = all_answers()
    run = run_with(tmp_path / "run", answers)
    arms = dict(run.experiment.arms)
    arms["rl"] = arms["rl"].model_copy(update={"sampling": {"stop": None}})
    experiment = run.experiment.model_copy(update={"arms": arms})
    found = analyze(run.directory, experiment).benchmarks["mine"]
    assert found.arms["rl"] == fixed.arms["rl"]
    assert found.arms["base"].stopping is not None
    assert "stopping" not in found.arms["rl"].as_json()
    assert found.pairs[0].n == 32


def test_the_right_said_outright_are_bounded_beyond_the_first_look(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", {arm: as_stopped(of) for arm, of in all_answers().items()})
    data = run.data
    counts = data.counts("base")
    assert (counts.strict == counts.correct).all()
    found = analysed(run).arms["base"]
    assert found.pass_at_k_strict_upper is None
    assert found.pass_at_k_strict == found.pass_at_k
    few = pass_at_k(counts.correct, counts.samples, np.array([1]))[:, 0].mean()
    assert found.pass_at_k[1].estimate != pytest.approx(few, abs=1e-6)  # c/n would be biased
