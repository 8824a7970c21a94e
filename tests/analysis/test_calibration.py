"""People against checkers: coefficients, and a correction that undoes a checker's partiality."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import HandMadeRun
from given import given
from validity_parts import right_samples, text_hash, write_layer, written_run

from vlm_boundary.analysis.agreement import (
    Tables,
    cohen_kappa,
    gwet_ac1,
    sensitivity,
    specificity,
)
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.reasoning.people.labels import HumanVerdict, Label, SampleKey, add_label
from vlm_boundary.reasoning.people.queue import LabelQueue, make_queue


@pytest.mark.parametrize(
    ("cells", "kappa", "ac1"),
    [
        # p_o = 0.70, p_e = 0.5 · 0.6 + 0.5 · 0.4 = 0.50 (Cohen); π = 0.55, p_e = 0.495 (Gwet).
        ([20, 5, 10, 15], 0.40, (0.70 - 0.495) / 0.505),
        # Nearly all valid: p_o = 0.90, yet kappa is below 0. Rates 0.95: p_e = 0.905 and 0.095.
        ([90, 5, 5, 0], (0.90 - 0.905) / 0.095, (0.90 - 0.095) / 0.905),
        ([10, 0, 0, 10], 1.0, 1.0),
        ([0, 10, 10, 0], -1.0, -1.0),
        ([10, 0, 0, 0], np.nan, 1.0),
    ],
)
def test_coefficients(cells: list[float], kappa: float, ac1: float) -> None:
    table = np.array([cells], dtype=float)
    assert cohen_kappa(table)[0] == pytest.approx(kappa, nan_ok=True)
    assert gwet_ac1(table)[0] == pytest.approx(ac1)


def test_rates() -> None:
    table = np.array([[30.0, 10.0, 5.0, 15.0]])
    assert sensitivity(table)[0] == pytest.approx(0.75)
    assert specificity(table)[0] == pytest.approx(0.75)


def test_weights_and_problems_make_the_tables() -> None:
    tables = Tables.of(
        np.array([True, True, False, False]),
        np.array([True, False, True, False]),
        np.array([1.0, 2.0, 3.0, 4.0]),
        np.array([7, 7, 2, 2]),
    )
    np.testing.assert_array_equal(tables.cells, [[0, 0, 3, 4], [1, 2, 0, 0]])


def test_an_interval_covers_what_is_there() -> None:
    """Of 200 data sets with κ = 0.6 by construction, about 95 % have it in their interval."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        first = rng.random(150) < 0.5
        second = np.where(rng.random(150) < 0.8, first, ~first)
        tables = Tables.of(first, second, np.ones(150), np.repeat(np.arange(50), 3))
        said = tables.estimate(cohen_kappa, 0.95, rng)
        covered += given(said.low) <= 0.6 <= given(said.high)
    assert 176 <= covered <= 199  # 190 less 14 or plus 9: four standard deviations below


N = 40
PROBLEMS = {f"q{i:03}": 1 + i % 2 for i in range(150)}  # all with accuracy of at most 5 %


def really_valid(arm: str, problem_id: str, index: int) -> bool:
    """Half of the right answers in either arm."""
    return int(problem_id[1:]) % 4 < 2


def checker_says(arm: str, problem_id: str, index: int) -> bool:
    """Kinder to rl: passes 60 % of its invalid chains, and 10 % of base's; misses nothing."""
    kindness = {"rl": 6, "base": 1}[arm]
    return really_valid(arm, problem_id, index) or (int(problem_id[1:]) // 4) % 10 < kindness


@pytest.fixture
def run(tmp_path: Path) -> HandMadeRun:
    made = written_run(tmp_path / "run", N, {"base": PROBLEMS, "rl": PROBLEMS})
    for arm in ("base", "rl"):
        write_layer(made, "structure", arm, partial(checker_says, arm))
    return made


def label_all(run: HandMadeRun, queue: LabelQueue, labeller: str = "anna") -> None:
    for item in queue.items:
        key = item.sample
        verdict: HumanVerdict = (
            "valid" if really_valid(key.arm, key.problem_id, key.sample_index) else "invalid"
        )
        label = Label(
            sample=key, text_hash=item.text_hash, verdict=verdict, labeller=labeller, blind=True,
            queue=queue.name, weight=item.weight,
        )  # fmt: skip
        add_label(run.directory, label)


def section(run: HandMadeRun) -> dict[str, Any]:
    content = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]
    found: dict[str, Any] = content["calibration"]
    return found


def test_a_partial_checker_makes_a_finding_and_people_undo_it(run: HandMadeRun) -> None:
    queue = make_queue(run.directory, run.experiment, max_accuracy=0.06, per_arm=120)
    label_all(run, queue)
    arms = section(run)["groups"]["paper"]["arms"]
    rates = {}
    for arm in ("base", "rl"):
        found = arms[arm]["readings"]["structural"]
        samples = right_samples(run, arm)
        truth = np.mean([really_valid(arm, p, i) for p, i in samples])
        rates[arm] = found["p_valid_given_right"]
        assert found["sensitivity"]["estimate"] == 1.0
        corrected = rates[arm]["prediction_powered"]
        assert corrected["low"] <= truth <= corrected["high"]
        assert rates[arm]["rogan_gladen"] == pytest.approx(truth, abs=0.1)
        assert sum(found["confusion"].values()) == 120
    assert rates["rl"]["checker"] - rates["base"]["checker"] > 0.2
    gap = (
        rates["rl"]["prediction_powered"]["estimate"]
        - rates["base"]["prediction_powered"]["estimate"]
    )
    assert abs(gap) < 0.1


def test_a_checker_that_tells_nothing_is_not_inverted(run: HandMadeRun) -> None:
    write_layer(run, "structure", "rl", lambda problem_id, index: True)
    label_all(run, make_queue(run.directory, run.experiment, max_accuracy=0.06))
    found = section(run)["groups"]["paper"]["arms"]["rl"]["readings"]["structural"]
    assert found["p_valid_given_right"]["rogan_gladen"] is None
    assert found["kappa"]["estimate"] == pytest.approx(0.0, abs=1e-9)


def test_labels_picked_by_hand_show_agreement_alone(run: HandMadeRun) -> None:
    problem_id, index = right_samples(run, "rl")[0]
    key = SampleKey(arm="rl", benchmark="mine", problem_id=problem_id, sample_index=index)
    add_label(
        run.directory,
        Label(sample=key, text_hash=text_hash("rl", problem_id, index), verdict="valid",
              labeller="anna", blind=False),
    )  # fmt: skip
    (group,) = section(run)["groups"].items()
    assert group[0] == "picked by hand"
    assert "p_valid_given_right" not in group[1]["arms"]["rl"]["readings"]["structural"]


def test_labels_of_another_text_or_a_wrong_answer_are_stale(run: HandMadeRun) -> None:
    problem_id, index = right_samples(run, "rl")[0]
    for at, digest in ((index, "of another text"), (index + 1, text_hash("rl", "q000", index + 1))):
        key = SampleKey(arm="rl", benchmark="mine", problem_id=problem_id, sample_index=at)
        add_label(
            run.directory,
            Label(sample=key, text_hash=digest, verdict="valid", labeller="anna", blind=True),
        )
    found = section(run)
    assert (found["labels"], found["stale"]) == (0, 2)


def test_two_people_are_compared_and_disputes_left_out(run: HandMadeRun) -> None:
    queue = make_queue(run.directory, run.experiment, max_accuracy=0.06, per_arm=30)
    label_all(run, queue)
    label_all(run, queue, "bert")
    first = queue.items[0]
    other: HumanVerdict = (
        "invalid" if really_valid(first.sample.arm, first.sample.problem_id, 0) else "valid"
    )
    add_label(
        run.directory,
        Label(sample=first.sample, text_hash=first.text_hash, verdict=other, labeller="bert",
              blind=True, queue=queue.name, weight=first.weight),
    )  # fmt: skip
    found = section(run)
    (pair,) = found["people"]
    assert (pair["labellers"], pair["samples"]) == (["anna", "bert"], 60)
    assert 0.9 < pair["kappa"]["estimate"] < 1.0
    arm = found["groups"]["paper"]["arms"][first.sample.arm]
    assert arm["disputed"] == 1
    assert arm["valid"] + arm["invalid"] == 29
