"""How many problems and samples it takes to find a gap, against simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vlm_boundary.analysis.counts import Counts
from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.power import smallest_gap
from vlm_boundary.analysis.stopping import stopped_pass_at_k
from vlm_boundary.cli import cli
from vlm_boundary.planning.design import Accuracies, designs, endings
from vlm_boundary.stopping import StoppingRule

RULE = StoppingRule((8, 16, 32), 2)


def test_a_problem_ends_somewhere_and_estimates_have_no_bias() -> None:
    p = np.array([0.0, 0.01, 0.2, 0.7, 1.0])
    mean, total = np.zeros(len(p)), np.zeros(len(p))
    for look, correct, chances in endings(RULE, p):
        values = stopped_pass_at_k(correct, np.full(len(correct), look), np.array([20]), RULE)
        mean += chances @ values[:, 0]
        total += chances.sum(axis=1)
    np.testing.assert_allclose(total, 1, atol=1e-12)
    np.testing.assert_allclose(mean, 1 - (1 - p) ** 20, atol=1e-12)


@pytest.mark.parametrize("k", [8, 32])
def test_variance_and_samples_are_those_of_a_simulation(k: int) -> None:
    rng = np.random.default_rng(0)
    base = np.where(rng.random(4000) < 0.2, 0.0, rng.beta(0.5, 1.0, 4000))
    other = base**0.8
    for design in designs(Accuracies(base, other), 0.05, k, 0.95, 0.8):
        values, drawn = [], []
        for p in (base, other):
            blocks = np.diff([0, *design.rule.looks])
            right = rng.binomial(blocks, p[:, None]).cumsum(axis=1)
            met = [*(right[:, :-1] >= design.rule.right).T, np.ones(len(p), bool)]
            place = np.array(met).argmax(axis=0)
            looks = np.array(design.rule.looks)[place]
            there = right[np.arange(len(p)), place]
            values.append(stopped_pass_at_k(there, looks, np.array([k]), design.rule)[:, 0])
            drawn.append(looks.mean())
        assert design.samples == pytest.approx(drawn, rel=0.05)
        assert design.variance == pytest.approx(np.var(values[1] - values[0]), rel=0.12)
        assert 0 < design.from_problems <= 1
        # The number of problems is the one at which the smallest gap found is the one asked for.
        found = smallest_gap(design.problems, design.variance, 0.95)
        assert found == pytest.approx(0.05, rel=0.02)


def test_models_that_differ_alike_everywhere_take_more_than_a_few_problems() -> None:
    """All solved, none solved: without any spread, those not drawn decide what is found."""
    certain = Accuracies(np.zeros(10), np.ones(10))
    for gap in (0.3, 0.12):
        found = designs(certain, gap, 8, 0.95, 0.8)[0].problems
        assert 0.025 ** (-1 / found) - 1 <= gap < 0.025 ** (-1 / (found - 1)) - 1


def test_stopping_is_cheaper_and_listed_first() -> None:
    stated = Accuracies.of_prior(0.12, 0.6, 0.8, np.random.default_rng(1))
    found = designs(stated, 0.05, 128, 0.95, 0.8)
    totals = [one.total for one in found]
    assert totals == sorted(totals)
    fixed = min(one.total for one in found if len(one.rule.looks) == 1)
    assert totals[0] < 0.6 * fixed


def test_a_pilot_says_about_what_the_truth_would() -> None:
    rng = np.random.default_rng(2)
    base = np.where(rng.random(500) < 0.15, 0.0, rng.beta(0.6, 0.8, 500))
    truth = Accuracies(base, base**0.7)
    counts = []
    for p in (truth.base, truth.other):
        c = rng.binomial(64, p)
        ids = tuple(f"p{i}" for i in range(500))
        counts.append(Counts(ids, np.full(500, 64), c, np.zeros_like(c), c))
    pilot = Accuracies.of_pilot(counts[0], counts[1], rng)
    for drawn, p in ((pilot.base, truth.base), (pilot.other, truth.other)):
        curve = [1 - (1 - drawn) ** k for k in (1, 16, 64)]
        expected = pass_at_k(rng.binomial(4096, p), np.full(500, 4096), np.array([1, 16, 64]))
        found = [float(one.mean()) for one in curve]
        assert found == pytest.approx(expected.mean(axis=0).tolist(), abs=0.02)


YAML = """\
name: planned
benchmarks: {procedural: {procedural: {count: 60, seed: 0}}}
arms:
  base: {model: b, role: base, engine: {kind: replay, path: b.jsonl}}
  rl: {model: r, role: rl, engine: {kind: replay, path: r.jsonl}}
sampling: {n: 64}
"""


def test_the_command_prints_designs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("planned.yaml").write_text(YAML)

    def call(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["plan", "planned.yaml", *arguments])
        return done.exit_code, done.output

    asked = ("--at-k", "32", "--prior", "0.12,0.6,0.8")
    code, said = call("--detect", "20", *asked, "--response-tokens", "100")
    assert code == 0, said
    assert "To find a gap of 20 points in pass@32 80% of the time" in said
    assert "of 51 problems, n = 32" in said
    assert "fixed" in said  # to be compared with
    assert "tokens" in said
    code, said = call("--detect", "1", *asked)
    assert code == 0, said
    assert "not with its 51 problems, whatever n" in said
    for arguments, complaint in (
        (("--detect", "5"), "no pair of arms has verdicts yet"),
        (("--at-k", "32"), "give it too"),
        (("--prior", "0.12,0.6,0.8"), "there is neither"),
        (("--detect", "5", "--prior", "0.1,0.5"), "write three numbers"),
        (("--detect", "5", "--prior", "1.5,1,1"), "a share below 1"),
    ):
        code, said = call(*arguments)
        assert code == 2, said
        assert complaint in said


def test_the_plan_says_what_a_rule_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("planned.yaml").write_text(YAML)
    rule = ("-o", "sampling.stop={after: [8, 16, 32], right: 4}")
    arguments = ["plan", "planned.yaml", *rule]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "base on procedural: its rule asks for at most 64 samples per problem; to" in done.output
    done = CliRunner().invoke(cli, [*arguments, "--prior", "0,2000,2000"])
    # Half of the samples are right: of the first eight at least four, in 163 of 256 problems.
    line = next(line for line in done.output.splitlines() if line.startswith("rl on procedural"))
    rates = np.array([0.5])
    expected = sum(
        look * float(chances.sum())
        for look, _, chances in endings(StoppingRule((8, 16, 32, 64), 4), rates)
    )
    assert f"{expected:.0f} on average, {51 * expected:,.0f} in all" in line
    assert line.endswith("by the stated prior")
