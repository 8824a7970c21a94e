"""Arms that are not asked alike are not compared unawares."""

from __future__ import annotations

from typing import Any

import pytest

from vlm_boundary.config import ExperimentConfig, build_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Identity, PictureSizes, RunArm
from vlm_boundary.sampling.asked import Asked, apart, refuse_apart
from vlm_boundary.sampling.identity import arm_identity, resolve_source


def experiment(base: dict[str, Any] | None = None, **changes: Any) -> ExperimentConfig:
    arms = {
        "base": {"model": "tiny:untrained-1", "role": "base", **(base or {})},
        "rl": {"model": "tiny:untrained-1", "role": "rl"},
    }
    raw = {"name": "t", "benchmarks": {"procedural": None}, "arms": arms} | changes
    return build_experiment(raw, (), where="t.yaml")


def arm(opened: bool | None = False, most: int = 280, **told: Any) -> RunArm:
    return RunArm(
        identity=Identity(weights="w", chat_template="0" * 64, chat_template_args=told or None),
        thinking_open=opened,
        pictures={"b": PictureSizes(processor="P", most_tokens=most)},
    )


@pytest.mark.parametrize(
    ("base", "other", "setting", "words"),
    [
        (
            arm(),
            arm(enable_thinking=True),
            "allow_different_thoughts",
            "chat_template_args (no arguments, and enable_thinking: True)",
        ),
        (arm(False), arm(True), "allow_different_thoughts", "the prompt opens a thought"),
        (arm(), arm(most=70), "allow_different_pictures", "at most 70 tokens (P)"),
    ],
)
def test_a_pair_that_is_not_asked_alike_is_refused_unless_that_is_allowed(
    base: RunArm, other: RunArm, setting: str, words: str
) -> None:
    arms = {"base": base, "rl": other}
    with pytest.raises(UserError) as raised:
        refuse_apart(experiment(), arms)
    for part in ("'base'", "'rl'", words, f"{setting}: true"):
        assert part in str(raised.value)
    assert "\n" not in str(raised.value)
    settings: dict[str, Any] = {setting: True}
    allowing = experiment(**settings)
    refuse_apart(allowing, arms)
    assert [one.setting for one in apart(allowing, arms)] == [setting]


def test_what_is_not_known_of_an_arm_is_not_held_against_it() -> None:
    refuse_apart(experiment(), {"base": arm(True), "rl": RunArm()})


def test_what_is_said_to_be_nothing_is_what_is_not_said() -> None:
    """An engine without settings of its own is no other engine than one that has none to give."""
    said = arm()
    said.pictures["b"] = said.pictures["b"].model_copy(update={"engine": {}, "alone": False})
    refuse_apart(experiment(), {"base": said, "rl": arm()})
    said.pictures["b"] = said.pictures["b"].model_copy(update={"alone": True})
    with pytest.raises(UserError, match="each as if alone"):
        refuse_apart(experiment(), {"base": said, "rl": arm()})


def test_arguments_are_of_the_experiment_and_of_the_arm_and_in_its_identity() -> None:
    config = experiment(
        {"chat_template_args": {"enable_thinking": None, "reasoning_effort": "low"}},
        chat_template_args={"enable_thinking": False},
    )
    assert config.arm_chat_template_args("base") == {"reasoning_effort": "low"}
    assert config.arm_chat_template_args("rl") == {"enable_thinking": False}
    source = resolve_source(config.arms["rl"], config.arm_engine("rl"))
    assert arm_identity(Asked.of(config, "rl"), source).chat_template_args == {
        "enable_thinking": False
    }
    # A run from before there were any goes on.
    assert arm_identity(Asked.of(experiment(), "rl"), source).chat_template_args is None


@pytest.mark.parametrize("name", ["messages", "add_generation_prompt", "tools", "chat_template"])
def test_what_follows_from_the_prompt_is_no_argument(name: str) -> None:
    with pytest.raises(UserError, match=rf"{name} is not to be set: it follows from the prompt"):
        experiment(chat_template_args={name: 1})


def test_arguments_without_effect_are_refused() -> None:
    replay = {"kind": "replay", "path": "a.jsonl"}
    with pytest.raises(UserError, match=r"arms\.base\.chat_template_args has no effect"):
        experiment({"engine": replay, "chat_template_args": {"enable_thinking": True}})
