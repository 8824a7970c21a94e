"""What a user's mistake in a YAML file or an override looks like: one line, with what is valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlm_boundary.config import (
    ExperimentConfig,
    OpenAIConfig,
    RayConfig,
    build_experiment,
    load_experiment,
)
from vlm_boundary.errors import UserError
from vlm_boundary.settings import apply_overrides, load_yaml

MINIMAL = {
    "name": "t",
    "benchmarks": {"procedural": None},
    "arms": {"base": {"model": "tiny:untrained-1", "role": "base"}},
}


def build(*overrides: str) -> ExperimentConfig:
    return build_experiment(MINIMAL, overrides, where="t.yaml")


@pytest.mark.parametrize(
    ("override", "says"),
    [
        (
            "sampling.temprature=1",
            ["'sampling.temprature'", "'temperature'", "top_p", "max_tokens"],
        ),
        ("smapling.n=1", ["'smapling'", "'sampling'", "benchmarks", "arms"]),
        ("arms.base.modle=x", ["'arms.base.modle'", "'model'", "role"]),
        ("arms.base.sampling.nn=3", ["'nn'", "arms.base.sampling", "temperature"]),
        ("arms.rl.model=x", ["'arms.rl.role'", "missing"]),
        ("arms.base.role=teacher", ["arms.base.role", "'base'", "'rl'", "'distilled'"]),
        ("sampling.n=none", ["sampling.n: expected a whole number (given: 'none')"]),
        ("sampling.n=0", ["sampling.n: expected a number of at least 1 (given: 0)"]),
        ("sampling.temperature=0", ["temperature 0", "set n to 1"]),
        ("name=a/b", ["name", "letters"]),
        ("analysis.ks=[1,256]", ["n = 128", "pass@256"]),
        ("engine.kind=mystery", ["engine.kind", "'vllm'", "'openai'", "'replay'"]),
        ("engine.argz={}", ["'engine.argz'", "'args'", "in_process"]),
        ("engine={kind: replay, path: x, args: {}}", ["'engine.args'", "belongs to kind vllm"]),
        ("engine={kind: openai}", ["'engine.base_url'", "missing"]),
        ("engine={kind: openai, base_url: here}", ["engine.base_url", "http://HOST:PORT/v1"]),
        (
            "arms.base.engine={kind: openai, base_ur: x}",
            ["'arms.base.engine.base_ur'", "'base_url'"],
        ),
        ("arms.vllm={model: x, rolee: base}", ["'arms.vllm.rolee'", "'role'"]),
        ("sampling.temperature=0.001", ["0.01", "0 (greedy)"]),
        ("engine.args.max_model_len=16384", ["max_model_len 16384", "max_tokens 16384", "'base'"]),
        (
            "arms.base={model: x, role: base, base: y, engine: {kind: replay, path: z}}",
            ["arms.base.base has no effect", "replay"],
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_be_valid(override: str, says: list[str]) -> None:
    with pytest.raises(UserError) as raised:
        build(override)
    message = str(raised.value)
    assert "\n" not in message
    for part in says:
        assert part in message


@pytest.mark.parametrize("override", ["sampling.n", "=3", "sampling..n=3", "name.deep=1"])
def test_an_override_that_cannot_be_applied_is_refused(override: str) -> None:
    with pytest.raises(UserError, match="-o "):
        build(override)


def test_an_engine_is_vllm_unless_said_and_survives_the_manifest() -> None:
    config = build(
        "engine.args={max_model_len: 20000}",
        "sampling.args={logit_bias: {258: -1}}",
        "arms.there={model: m, role: rl, engine: {kind: openai, base_url: 'http://h:1/v1/'}}",
        "arms.then={model: m, role: rl, engine: {kind: replay, path: a, fields: {text: t}}}",
        "arms.slow={model: m, role: rl, engine: {kind: transformers}}",
    )
    kinds = [config.arm_engine(arm).kind for arm in config.arms]
    assert kinds == ["vllm", "openai", "replay", "transformers"]
    there = config.arm_engine("there")
    assert isinstance(there, OpenAIConfig)
    assert there.base_urls == ("http://h:1/v1",)
    again = ExperimentConfig.model_validate(json.loads(config.model_dump_json()))
    assert again == config  # text as keys in JSON, and so from the start


def test_overrides_are_read_as_yaml_and_leave_the_original_alone() -> None:
    raw = {"sampling": {"n": 1}}
    changed = apply_overrides(raw, ["sampling.n=64", "engine.args.dtype=float32", "seed=0x10"])
    assert changed == {"sampling": {"n": 64}, "engine": {"args": {"dtype": "float32"}}, "seed": 16}
    assert raw == {"sampling": {"n": 1}}


def test_ks_are_powers_of_two_and_n() -> None:
    assert build("sampling.n=100").ks(100) == (1, 2, 4, 8, 16, 32, 64, 100)
    assert build().ks(128)[-2:] == (64, 128)
    assert build("sampling.n=1").ks(1) == (1,)


def test_an_arm_changes_only_the_sampling_it_names() -> None:
    config = build("arms.base.sampling.temperature=0.2", "sampling.n=8")
    assert config.arm_sampling("base").temperature == 0.2
    assert config.arm_sampling("base").n == 8


def test_a_greedy_arm_beside_sampled_ones_needs_no_curve() -> None:
    config = build("arms.base.sampling={n: 1, temperature: 0}", "analysis.ks=[1, 8]")
    assert config.arm_sampling("base").n == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\na: 2\n", "duplicate key"),
        ("a: [1\n", "line 2"),
        ("a: !!python/object/apply:os.system ['true']\n", "python/object"),
        ("- 1\n", "expected keys"),
    ],
)
def test_a_file_that_is_not_plain_yaml_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=says) as raised:
        load_experiment(path)
    assert "x.yaml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "quickstart.yaml").write_text("{}")
    with pytest.raises(UserError, match=r"did you mean .*quickstart\.yaml"):
        load_yaml(tmp_path / "quickstrat.yaml")


def test_yaml_1_2_numbers_and_words_keep_their_meaning(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("rate: 1e-6\nanswer: no\n")
    assert load_yaml(path) == {"rate": 1e-6, "answer": "no"}


def test_engine_ray_is_short_for_vllm_on_the_cluster_of_this_machine() -> None:
    short = build("engine=ray")
    assert short.ray == RayConfig()
    assert short.engine.kind == "vllm"
    assert short == build("ray={}")
    found = build("engine=ray", "ray.address=head:6379").ray
    assert found is not None
    assert found.address == "head:6379"
    assert build().ray is None
