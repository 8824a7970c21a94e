"""Entropy of what was sampled, the temperature at which two are equal, and the arm it becomes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analysis_runs import make_run, right
from click.testing import CliRunner

from vlm_boundary.analysis import probes
from vlm_boundary.analysis.likelihood import entropy, matched_temperature, surprisal_per_token
from vlm_boundary.cli import cli
from vlm_boundary.config import ExperimentConfig, load_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.face.stages import Sampled
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter

COMMAND = import_module("vlm_boundary.cli.match_entropy")  # not the command of that name
YAML = """\
# which arms
name: t
benchmarks: {procedural: {procedural: {count: 8}}}
arms:
  base: {model: tiny:untrained-1, role: base}   # the one before
  rl:
    model: tiny:untrained-2
    role: rl
    sampling: {top_p: 0.9}
sampling: {n: 4, temperature: 0.6, max_tokens: 8}
controls:
  no_image: {n: 2}
"""


def test_surprisal_is_weighed_by_tokens() -> None:
    found = surprisal_per_token(
        np.array([0, 0, 1, 2]),
        np.array([2.0, 6.0, 5.0, np.nan]),
        np.array([-4.0, -4.0, np.nan, -1.0]),
        3,
    )
    np.testing.assert_array_equal(found, [1.0, np.nan, np.nan])


def test_surprisal_of_what_was_sampled_estimates_the_entropy() -> None:
    """Twelve equal tokens have log 12 nats each; a biased coin has its entropy on average."""
    q = np.array([0.7, 0.2, 0.1])
    drawn = np.random.default_rng(0).choice(3, 200_000, p=q)
    found = surprisal_per_token(np.zeros(200_000, int), np.ones(200_000), np.log(q)[drawn], 1)
    assert found[0] == pytest.approx(-(q * np.log(q)).sum(), abs=0.01)


TRIED = np.array([0.6, 0.8, 1.0])


@pytest.mark.parametrize(
    ("entropies", "target", "expected"),
    [
        ([0.2, 0.4, 0.8], 0.3, 0.7),
        ([0.2, 0.4, 0.8], 0.8, 1.0),
        ([0.2, 0.4, 0.8], 0.9, None),
        ([0.2, 0.4, 0.8], 0.1, None),
        ([0.3, 0.1, 0.8], 0.5, 0.9),  # noise is levelled to 0.2, 0.2, 0.8
        ([0.2, 0.2, 0.8], 0.2, 0.7),  # anywhere on the level stretch: its middle
    ],
)
def test_the_matched_temperature(
    entropies: list[float], target: float, expected: float | None
) -> None:
    found = matched_temperature(TRIED, np.array(entropies), target)
    assert found == (None if expected is None else pytest.approx(expected))


def test_a_match_has_an_interval_over_problems() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.02, (4, 50))
    values = np.array([0.5, 0.2, 0.4, 0.8])[:, None] + noise
    found = probes.match(TRIED, values)
    assert found.temperature == pytest.approx(0.85, abs=0.02)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.temperature < found.high  # type: ignore[operator]
    assert found.problems == 50


def test_the_section_names_a_cross_entropy_by_its_name(tmp_path: Path) -> None:
    arms: dict[str, dict[str, Any]] = {
        "base": {"model": "b", "role": "base"},
        "own": {"model": "b", "role": "base", "sampling": {"temperature": 1.0, "top_p": 1.0}},
        "silent": {"model": "b", "role": "base"},
    }
    made = make_run(tmp_path / "run", [Problem("mine", "a", "?", "4")], arms, n=2)
    for arm in arms:
        made.add_verdicts(arm, {"a": [right("4")] * 2})
    made.add_samples("base", {"a": [3, 5]}, 0.25)
    made.add_samples("own", {"a": [3, 5]}, 0.5)
    found = entropy(made.data)
    assert found is not None
    assert set(found) == {"base", "own"}
    assert found["base"].cross_entropy.estimate == pytest.approx(0.25)
    assert (found["base"].is_entropy, found["own"].is_entropy) == (False, True)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "t.yaml"
    file.write_text(YAML)
    return file


def test_probes_ask_for_what_is_really_sampled(path: Path) -> None:
    experiment = load_experiment(path)
    made = probes.probe_experiment(experiment, "base", "rl", [0.8, 1.25], 3)
    assert list(made.arms) == ["base", "rl-T0.8", "rl-T1.25"]
    assert made.run_path == Path("runs/t/entropy-probes")
    assert made.controls == {}
    hot = made.arm_sampling("rl-T1.25")
    assert (hot.n, hot.temperature, hot.top_p, hot.logprob_sum) == (3, 1.25, 0.9, True)
    assert made.arm_sampling("base").temperature == 0.6
    for arm in made.arms:
        engine = made.arm_engine(arm).model_dump()
        assert engine["processed_logprobs"] is True


def test_probes_need_an_engine_that_can_say_it(path: Path) -> None:
    other = load_experiment(path, ("arms.rl.engine={kind: transformers}",))
    with pytest.raises(UserError, match="match-entropy needs kind vllm"):
        probes.probe_experiment(other, "base", "rl", [0.8, 1.0], 3)
    with pytest.raises(UserError, match="no arm 'sft'; the experiment's arms are: base, rl"):
        probes.probe_experiment(other, "base", "sft", [0.8, 1.0], 3)


def fake_draw(run: RunDirectory, experiment: ExperimentConfig, *_: object) -> Sampled:
    """Samples whose entropy a token is the temperature, and 0.9 for the base."""
    for arm in experiment.arms:
        value = 0.9 if arm == "base" else experiment.arm_sampling(arm).temperature
        writer = SampleWriter(run.samples, Partition(arm, "procedural"))
        for problem in ("p1", "p2"):
            for index in range(experiment.arm_sampling(arm).n):
                writer.add(Sample(problem, index, 0, [1, 2], "", "stop", -2 * value))
        writer.flush()
    return Sampled(0)


def test_the_command_adds_the_arm_to_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(COMMAND, "draw_samples", fake_draw)
    arguments = ["match-entropy", str(path), "--base", "base", "--rl", "rl"]
    tried = CliRunner().invoke(cli, [*arguments, "--dry-run"])
    assert tried.exit_code == 0, tried.output
    assert path.read_text() == YAML
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "base: 0.9000 nats per token, over 2 problems" in done.output
    assert "Equal at temperature 0.9 [0.900, 0.900]." in done.output
    text = path.read_text()
    for kept in ("# which arms", "# the one before", "benchmarks: {procedural: {procedural:"):
        assert kept in text
    found = load_experiment(path)
    assert list(found.arms) == ["base", "rl", "rl-matched"]
    matched = found.arm_sampling("rl-matched")
    assert (matched.temperature, matched.top_p) == pytest.approx((0.9, 0.9))
    assert found.arms["rl"].sampling == {"top_p": 0.9}
    assert found.arms["rl-matched"].role == "rl"
    again = CliRunner().invoke(cli, arguments)
    assert again.exit_code == 2
    assert "there is an arm 'rl-matched' already" in again.output


@pytest.mark.parametrize(
    ("temperatures", "says"),
    [
        ("0.95,1.2", "none of the temperatures tried brackets"),
        ("0.8", "give at least two"),
        ("0.8,hot", "give numbers"),
    ],
)
def test_what_cannot_be_matched_is_one_line(
    path: Path, monkeypatch: pytest.MonkeyPatch, temperatures: str, says: str
) -> None:
    monkeypatch.setattr(COMMAND, "draw_samples", fake_draw)
    arguments = ["match-entropy", str(path), "--base", "base", "--rl", "rl"]
    done = CliRunner().invoke(cli, [*arguments, "--temperatures", temperatures])
    assert done.exit_code == 2
    assert says in done.output
    assert path.read_text() == YAML
