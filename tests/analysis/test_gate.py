"""The gate: GO, NO-GO or INCONCLUSIVE, by the tests that the report's claims stand on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from analysis_runs import BenchmarkRun, Outcome, drawn, make_run, right, wrong
from click.testing import CliRunner, Result
from given import given
from scipy.stats import binom

from vlm_boundary.analysis.gate import gate_run
from vlm_boundary.analysis.intervals import Clustered, intervals_of
from vlm_boundary.analysis.significance import one_sided_p
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.cli import cli
from vlm_boundary.config.gate import GateRules
from vlm_boundary.records.outputs import Gate
from vlm_boundary.records.problem import Problem

REPOSITORY = Path(__file__).parents[2]
N = 64
ARMS: dict[str, dict[str, Any]] = {
    "base": {"model": "org/base", "role": "base"},
    "rl": {"model": "org/rl", "role": "rl"},
    "worse": {"model": "org/worse", "role": "step", "step": 1},
}
LOST = ("p010", "p011", "p012")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkRun:
    """120 problems: `rl` is the base a little better, `worse` a tenth of it and three lost."""
    problems = [Problem("mine", f"p{i:03d}", "How many?", "4") for i in range(120)]
    golds = {problem.problem_id: "4" for problem in problems}
    rng = np.random.default_rng(0)
    base = {key: float(p) for key, p in zip(golds, rng.uniform(0.3, 0.8, 120), strict=True)}
    better = {key: min(p + 0.05, 1.0) for key, p in base.items()}
    worse = {key: 0.0 if key in LOST else p / 10 for key, p in base.items()}
    run = make_run(tmp_path_factory.mktemp("gate") / "run", problems, ARMS, N)
    for seed, (arm, chances) in enumerate({"base": base, "rl": better, "worse": worse}.items()):
        outcomes = drawn(chances, golds, N, seed)
        if arm == "rl":
            outcomes["p000"] = [undecided(), *outcomes["p000"][1:]]
        run.add_verdicts(arm, outcomes)
    return run


def undecided() -> Outcome:
    return "some", None


def asked(made: BenchmarkRun, *rules: dict[str, Any], arm: str = "rl") -> Gate:
    settings = GateRules.model_validate({"arm": arm, "rules": list(rules)})
    return gate_run(made.directory, made.experiment, settings)


def not_lower(k: int | str, points: float) -> dict[str, Any]:
    return {"kind": "not_lower", "k": k, "points": points}


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["gate", *map(str, arguments)])


def test_a_better_arm_passes(made: BenchmarkRun) -> None:
    found = asked(
        made,
        not_lower(1, 2),
        not_lower("n", 5),
        {"kind": "keeps", "problems": list(LOST)},
        {"kind": "below", "share": "undecided", "percent": 1},
        {"kind": "below", "share": "truncated", "percent": 1},
    )
    assert found.decision == "GO"
    assert {rule.standing for rule in found.rules} == {"holds"}
    assert found.tests == 3
    assert found.level == pytest.approx(0.025)


def test_a_worse_arm_does_not(made: BenchmarkRun) -> None:
    found = asked(made, not_lower(1, 2), {"kind": "keeps", "problems": list(LOST)}, arm="worse")
    assert found.decision == "NO-GO"
    first, keeps = found.rules
    assert (first.standing, keeps.standing) == ("violated", "violated")
    assert "p010" in keeps.why
    assert first.p_violated_holm is not None
    assert first.p_violated is not None
    assert first.p_violated <= first.p_violated_holm


def test_what_the_data_leave_open_is_inconclusive(made: BenchmarkRun) -> None:
    """A margin just at the interval's lower end is shown on neither side of it."""
    (rule,) = asked(made, not_lower(N, 1)).rules
    assert rule.low is not None
    above = asked(made, not_lower(N, -100 * rule.low + 0.001))
    below = asked(made, not_lower(N, max(0.0, -100 * rule.low - 0.001)))
    assert above.decision == "GO"
    assert below.decision == "INCONCLUSIVE"


def test_its_intervals_are_those_of_the_report(made: BenchmarkRun) -> None:
    pair = analyze(made.directory, made.experiment).benchmarks["mine"].pairs[0]
    for k in (1, 3, N):
        (rule,) = asked(made, not_lower(k, 2), arm=pair.other).rules
        entry = pair.difference[k]
        assert rule.estimate == pytest.approx(entry.estimate, abs=1e-12)
        # Each end holds by itself: never within the report's interval, and one of them is its own.
        low, high = given(rule.low), given(rule.high)
        assert low <= given(entry.low) + 1e-12
        assert high >= given(entry.high) - 1e-12
        moved = np.abs([low - given(entry.low), high - given(entry.high)])
        assert moved.min() < 1e-12


@pytest.mark.parametrize("few", [True, False])
def test_a_test_at_a_margin_is_the_interval_read_the_other_way_round(few: bool) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(-0.02, 0.05, 80) if not few else np.where(np.arange(80) < 2, -0.4, 0.0)
    sums = Clustered.of(values[:, None])
    found = intervals_of(sums, 0.95, (-1, 1), each_end=True)
    assert found.few[0] == few
    for margin, end in ((found.low[0], 0), (found.high[0], 1)):
        inside, outside = (margin + side * 1e-4 for side in ((1, -1) if end == 0 else (-1, 1)))
        assert one_sided_p(sums, inside, (-1, 1))[end] > 0.025
        assert one_sided_p(sums, outside, (-1, 1))[end] <= 0.025


@pytest.mark.parametrize("margin", [0.05, 0.1])
@pytest.mark.parametrize("problems", [114, 460, 1000])
def test_problems_lost_altogether_are_let_through_no_more_often_than_stated(
    problems: int, margin: float
) -> None:
    """Exactly, over how many of them there may be; Student's test alone let through 4.5 %."""
    lost = np.arange(problems + 1)
    sums = Clustered.of(-(np.arange(problems)[:, None] < lost).astype(float))
    chance = binom.pmf(lost, problems, margin)
    above, below = one_sided_p(sums, -margin, (-1, 1))
    assert chance[above <= 0.025].sum() < 0.03  # whole problems: now above, now below
    assert chance[below <= 0.025].sum() < 0.026


def test_one_problem_bears_no_test() -> None:
    alone = Clustered.of(np.array([[-0.5]]))
    together = Clustered.of(np.full((4, 1), -0.5), np.zeros(4, dtype=np.int32))
    for sums in (alone, together):
        assert np.isnan(one_sided_p(sums, -0.1, (-1, 1))).all()


def test_a_problem_lost_by_luck_is_left_open(tmp_path: Path) -> None:
    """One right of 64 is lost as often as not by the same model; forty of 64 are not."""
    problems = [Problem("mine", key, "How many?", "4") for key in ("rare", "often", "both")]
    run = make_run(tmp_path / "run", problems, {name: ARMS[name] for name in ("base", "rl")}, N)
    some = [wrong("5")] * N
    base = {"rare": [right("4"), *some[1:]], "often": [right("4")] * 40 + some[40:], "both": some}
    run.add_verdicts("base", base | {"both": [right("4")] * N})
    run.add_verdicts("rl", dict.fromkeys(("rare", "often"), some) | {"both": [right("4")] * N})
    rare, often, both = (
        asked(run, {"kind": "keeps", "problems": [key]}).decision
        for key in ("rare", "often", "both")
    )
    assert (rare, often, both) == ("INCONCLUSIVE", "NO-GO", "GO")
    flips = asked(run, not_lower(1, 1)).flips
    assert [(flip.problem_id, flip.solved_by) for flip in flips] == [
        ("often", "base"),
        ("rare", "base"),
    ]
    assert flips[1].p == pytest.approx(0.5)


def test_no_go_allows_for_all_rules(made: BenchmarkRun) -> None:
    one = asked(made, not_lower(1, 2), arm="worse").rules[0]
    four = asked(made, *[not_lower(k, 2) for k in (1, 2, 3, 4)], arm="worse").rules[0]
    assert one.p_violated_holm == one.p_violated
    assert one.p_violated is not None
    assert four.p_violated_holm is not None
    assert four.p_violated_holm > one.p_violated


def test_exit_codes_json_and_junit(made: BenchmarkRun, tmp_path: Path) -> None:
    path, rules = made.directory.path, tmp_path / "rules.yaml"
    codes = {}
    for arm, k in (("rl", 1), ("worse", 1), ("rl", "n")):
        rules.write_text(f"arm: {arm}\nrules: [{{kind: not_lower, k: {k}, points: 2}}]\n")
        out = tmp_path / f"{arm}{k}"
        done = call(path, "--rule", rules, "--json", f"{out}.json", "--junit", f"{out}.xml")
        codes[arm, k] = done.exit_code
        said = Gate.model_validate_json(Path(f"{out}.json").read_text())
        assert done.output.startswith(f"{said.decision}: 1 rule, ")
        suite = ElementTree.parse(f"{out}.xml").getroot()
        broken = int(suite.get("failures", "")) + int(suite.get("errors", ""))
        assert broken == (said.decision != "GO")
    # At k = 64 both solve everything, of which 120 problems bound others to 3 points.
    assert codes == {("rl", 1): 0, ("worse", 1): 1, ("rl", "n"): 3}


def test_junit_holds_names_that_xml_does_not(tmp_path: Path) -> None:
    key = 'a<b>&"\x0b]]>'
    run = make_run(tmp_path / "run", [Problem("mine", key, "?", "4")], ARMS, 4)
    run.add_verdicts("base", {key: [right("4")] * 4})
    run.add_verdicts("rl", {key: [wrong("5")] * 4})
    rules = tmp_path / "rules.yaml"
    rules.write_text(json.dumps({"arm": "rl", "rules": [{"kind": "keeps", "problems": [key]}]}))
    done = call(run.directory.path, "--rule", rules, "--junit", tmp_path / "out.xml")
    assert done.exit_code in (1, 3), done.output
    (case,) = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert 'a<b>&"' in next(child for child in case if child.get("message")).get("message", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rule: []", "unknown key 'rule'; did you mean 'rules'?"),
        ("rules: [{kind: not_lower, k: 1, point: 2}]", "did you mean 'points'?"),
        ("rules: [{kind: lower, k: 1, points: 2}]", "'lower' is none of"),
        ("rules: []", "at least 1 entry"),
        ("rules: [{kind: keeps}]", "either problems or file"),
        ("rules: [{kind: keeps, file: nowhere.txt}]", "nowhere.txt"),
        ("rules: [{kind: keeps, problems: [p001x]}]", "did you mean 'p001'"),
        ("arm: rll\nrules: [{kind: not_lower, k: 1, points: 2}]", "did you mean 'rl'?"),
        ("base: rl\nrules: [{kind: not_lower, k: 1, points: 2}]", "no pair"),
        ("benchmarks: [mein]\nrules: [{kind: not_lower, k: 1, points: 2}]", "'mine'"),
        ("rules: [{kind: not_lower, k: 65, points: 2}]", "64 samples a problem"),
        ("rules: [{kind: not_lower, k: 0, points: 2}]", "rules[0].k"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    made: BenchmarkRun, tmp_path: Path, text: str, says: str
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(text + "\n")
    done = call(made.directory.path, "--rule", rules)
    assert done.exit_code == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert says in line


def test_a_table_that_passk_reads(tmp_path: Path) -> None:
    rows = ["model,problem_id,n,c"]
    rows += [f"{m},q{i},32,{20 + (i + 2 * (m == 'b')) % 5}" for m in "ab" for i in range(60)]
    table, rules = tmp_path / "v.csv", tmp_path / "rules.yaml"
    table.write_text("\n".join(rows) + "\n")
    some = "rules: [{kind: not_lower, k: 1, points: 5}, {kind: below, share: undecided, percent: 1}"
    rules.write_text(f"base: a\narm: b\n{some}]\n")
    assert call(table, "--rule", rules).exit_code == 0
    rules.write_text(f"{some}]\n")
    assert "must name two models" in call(table, "--rule", rules).stderr
    rules.write_text(f"base: a\narm: b\n{some}, {{kind: below, share: truncated, percent: 1}}]\n")
    assert "which samples are truncated" in call(table, "--rule", rules).stderr


def test_the_worked_rules_of_the_document(made: BenchmarkRun, tmp_path: Path) -> None:
    """By the command itself, as a build server calls it."""
    document = (REPOSITORY / "docs" / "gate.md").read_text(encoding="utf-8")
    worked = re.findall(r"```yaml\n(# .*?)```\n\n`(GO|NO-GO|INCONCLUSIVE)`", document, re.DOTALL)
    assert [decision for _, decision in worked] == ["GO", "NO-GO", "INCONCLUSIVE"]
    (tmp_path / "must-solve.txt").write_text("\n".join(LOST) + "\n")
    for text, decision in worked:
        rules = tmp_path / "rules.yaml"
        rules.write_text(text)
        code = "from vlm_boundary.cli import main; main()"
        command = [
            sys.executable,
            "-c",
            code,
            "gate",
            str(made.directory.path),
            "--rule",
            str(rules),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.stdout.startswith(f"{decision}: "), done.stdout + done.stderr
        assert done.returncode == {"GO": 0, "NO-GO": 1, "INCONCLUSIVE": 3}[decision]
