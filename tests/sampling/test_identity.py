"""What an arm's samples are said to come from, and which arms may not be compared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vlm_boundary.config import ExperimentConfig, SamplingConfig, build_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import RunArm
from vlm_boundary.sampling.asked import Asked, refuse_apart
from vlm_boundary.sampling.identity import (
    ArmSource,
    arm_identity,
    refuse_other_rule,
    resolve_source,
)


def experiment(**changes: Any) -> ExperimentConfig:
    server = {"kind": "openai", "base_url": ["http://a:1/v1", "http://b:1/v1/"]}
    raw: dict[str, Any] = {
        "name": "t",
        "benchmarks": {"procedural": None},
        "arms": {
            "base": {"model": "MODEL", "role": "base"},
            "rl": {"model": "MODEL", "role": "rl"},
            "there": {"model": "served", "role": "rl", "engine": server},
        },
    }
    return build_experiment(raw | changes, (), where="t.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = tmp_path / "model"
    model.mkdir()
    for name, content in (
        ("config.json", "{}"),
        ("model.safetensors", "w"),
        ("tokenizer_config.json", json.dumps({"chat_template": "{{ one }}"})),
    ):
        (model / name).write_text(content)
    return model


def sources(config: ExperimentConfig, folder: Path, *templates: str) -> dict[str, ArmSource]:
    found = {}
    for (name, arm), template in zip(config.arms.items(), (*templates, ""), strict=False):
        if arm.model == "MODEL":
            source = resolve_source(
                arm.model_copy(update={"model": str(folder)}), config.arm_engine(name)
            )
            assert source.checkpoint is not None
            changed = replace(source.checkpoint, chat_template=template)
            found[name] = replace(source, checkpoint=changed)
        else:
            found[name] = resolve_source(arm, config.arm_engine(name))
    return found


def test_arms_that_would_see_different_prompts_are_not_compared(folder: Path) -> None:
    config = experiment()

    def arms(*templates: str) -> dict[str, RunArm]:
        found = sources(config, folder, *templates)
        return {
            arm: RunArm(identity=arm_identity(Asked.of(config, arm), of))
            for arm, of in found.items()
        }

    refuse_apart(config, arms("{{ one }}", "{{ one }}"))
    differing = arms("{{ one }}", "{{ two }}")
    with pytest.raises(UserError) as raised:
        refuse_apart(config, differing)
    for part in ("'base'", "'rl'", "arms.NAME.chat_template", "allow_different_chat_templates"):
        assert part in str(raised.value)
    allowing = experiment(allow_different_chat_templates=True)
    refuse_apart(allowing, differing)


def test_what_is_served_is_known_by_name_and_address_or_by_what_the_user_says() -> None:
    config = experiment()
    there = config.arms["there"]
    engine = config.arm_engine("there")
    assert resolve_source(there, engine).weights == "served @ http://a:1/v1, http://b:1/v1"
    said = there.model_copy(update={"revision": "step 300"})
    assert resolve_source(said, engine).weights == "served @ step 300"
    identity = arm_identity(Asked.of(config, "there"), resolve_source(there, engine))
    assert identity.chat_template is None
    assert identity.engine == {"kind": "openai"}


def test_replayed_samples_owe_nothing_to_our_settings(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}")
    replay = {"kind": "replay", "path": str(tmp_path / "a.jsonl")}
    arms = {"then": {"model": "m", "role": "base", "engine": replay}}
    found = []
    for seed, temperature in ((0, 0.6), (1, 1.0)):
        config = experiment(arms=arms, seed=seed, sampling={"temperature": temperature})
        source = resolve_source(config.arms["then"], config.arm_engine("then"))
        found.append(arm_identity(Asked.of(config, "then"), source))
    assert found[0] == found[1]
    assert len(found[0].weights) == 64


def test_only_what_changes_the_texts_is_in_the_identity() -> None:
    fast = {"max_num_seqs": 64, "dtype": "float32"}
    config = experiment(engine={"args": fast}, sampling={"args": {"min_tokens": 2}})
    identity = arm_identity(Asked.of(config, "base"), ArmSource(None, "w", None))
    masked = {"mask_picture_tokens": True}
    assert identity.engine == {"kind": "vllm", "dtype": "float32", **masked}
    assert identity.sampling["args"] == {"min_tokens": 2}
    assert "n" not in identity.sampling


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"n": 9}, True),
        ({"token_logprobs": 3}, True),
        ({"logprob_sum": False}, True),
        ({"temperature": 0.9}, False),
    ],
)
def test_what_is_kept_of_samples_is_no_part_of_what_they_are(
    change: dict[str, float], same: bool
) -> None:
    source = ArmSource(None, "w", None)
    first = arm_identity(Asked.of(experiment(), "base"), source)
    assert (arm_identity(Asked.of(experiment(sampling=change), "base"), source) == first) is same


def test_another_stopping_rule_is_refused_with_the_difference_named() -> None:
    def sampling(n: int, *after: int, right: int = 4) -> SamplingConfig:
        stop = {"after": after, "right": right} if after else None
        return SamplingConfig.model_validate({"n": n, "stop": stop})

    def check(before: SamplingConfig, now: SamplingConfig) -> None:
        refuse_other_rule(before.model_dump(mode="json"), now, where="run: arm 'base'")

    old = sampling(256, 32, 64)
    for now in (old, sampling(1024, 32, 64), sampling(1024, 32, 64, 256)):
        check(old, now)
    for now, named in (
        (sampling(256, 32, 64, right=2), r"right: 2} \(n = 256\)"),
        (sampling(256, 16, 64), r"after: \[16, 64\]"),
        (sampling(256), r"now it is nothing \(n = 256\)"),
    ):
        with pytest.raises(UserError, match=named) as refused:
            check(old, now)
        assert "after: [32, 64], right: 4" in str(refused.value)
    # A manifest of an older version says nothing of rules: its n was fixed.
    with pytest.raises(UserError, match=r"drawn with sampling\.stop = nothing"):
        refuse_other_rule({"n": 64}, sampling(64, 32), where="run")
    refuse_other_rule({"n": 64}, sampling(256, 64), where="run")
    refuse_other_rule({}, old, where="run")


def test_a_stopping_rule_does_not_change_whose_samples_they_are(folder: Path) -> None:
    """So that parts which were written before looks were added are still the arm's."""
    found = []
    for stop in (None, {"after": [32]}):
        config = experiment(sampling={"n": 128, "stop": stop})
        (source, *_) = sources(config, folder, "t", "t").values()
        found.append(arm_identity(Asked.of(config, "base"), source))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", ["vllm", "transformers"])
def test_masking_is_in_the_identity_and_runs_from_before_it_go_on_without(kind: str) -> None:
    source = ArmSource(None, "w", None)
    masked = arm_identity(Asked.of(experiment(engine={"kind": kind}), "base"), source)
    assert masked.engine["mask_picture_tokens"] is True
    engine = {"kind": kind, "mask_picture_tokens": False}
    unmasked = arm_identity(Asked.of(experiment(engine=engine), "base"), source)
    assert "mask_picture_tokens" not in unmasked.engine
