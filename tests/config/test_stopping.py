"""A stopping rule as an experiment's file says it."""

from __future__ import annotations

from typing import Any

import pytest

from vlm_boundary.config import ExperimentConfig, build_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.stopping import StoppingRule

STOP = {"after": [32, 64, 128], "right": 4}


def experiment(sampling: dict[str, Any], **arms: dict[str, Any]) -> ExperimentConfig:
    raw = {
        "name": "t",
        "benchmarks": {"procedural": None},
        "arms": {
            "base": {"model": "m", "role": "base"},
            **{name: {"model": "m", "role": "rl", "sampling": one} for name, one in arms.items()},
        },
        "sampling": sampling,
        "analysis": {"ks": [1]},
    }
    return build_experiment(raw, (), where="t.yaml")


def test_it_is_off_unless_asked_for() -> None:
    assert experiment({"n": 256}).arm_sampling("base").rule is None


def test_it_holds_for_all_arms_or_for_one() -> None:
    found = experiment(
        {"n": 256, "stop": STOP},
        fixed={"stop": None},
        other={"stop": {"after": [16]}},
        short={"n": 64},
        single={"n": 1},
    )
    rules = {arm: found.arm_sampling(arm).rule for arm in found.arms}
    assert rules == {
        "base": StoppingRule((32, 64, 128, 256), 4),
        "fixed": None,
        "other": StoppingRule((16, 256), 4),
        "short": StoppingRule((32, 64), 4),
        "single": None,
    }


@pytest.mark.parametrize(
    ("sampling", "complaint"),
    [
        ({"n": 128, "stop": STOP}, "ends at n = 128, so that 128 is too late"),
        ({"n": 256, "stop": {"after": [64, 32]}}, "must ascend"),
        ({"n": 256, "stop": {"after": [32, 32]}}, "must ascend"),
        ({"n": 256, "stop": {"after": []}}, "after"),
        ({"n": 256, "stop": {"after": [0, 32]}}, "after"),
        ({"n": 256, "stop": {"after": [32], "right": 0}}, "right"),
        ({"n": 256, "stop": {"after": [8], "right": 9}}, "9 samples cannot be right after 8"),
        ({"n": 256, "stop": {"looks": [32]}}, "looks"),
        ({"n": 256, "stop": {"right": 4}}, "after"),
        ({"n": 1, "temperature": 0, "stop": STOP}, "too late"),
    ],
)
def test_what_cannot_be_is_one_line(sampling: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as refused:
        experiment(sampling)
    assert str(refused.value).startswith("t.yaml")


def test_an_arms_own_rule_must_fit_its_own_n() -> None:
    with pytest.raises(UserError, match=r"arms\.short\.sampling.*too late"):
        experiment({"n": 256}, short={"n": 64, "stop": STOP})


def test_the_self_test_stops_by_the_same_looks() -> None:
    found = experiment({"n": 256, "stop": STOP}).with_self_test()
    assert found.arm_sampling("base-again").rule == StoppingRule((32, 64), 4)
    assert found.repeats("base-again", "base")


def test_judges_give_all_their_votes() -> None:
    raw = {
        "name": "t",
        "benchmarks": {"procedural": None},
        "arms": {"base": {"model": "m", "role": "base"}},
        "judge": {
            "name": "j",
            "model": "m",
            "sampling": {"n": 3, "stop": {"after": [2], "right": 1}},
        },
    }
    with pytest.raises(UserError, match="a judge gives all of its votes"):
        build_experiment(raw, (), where="t.yaml")
