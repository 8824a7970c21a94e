"""What the report says of prompts, thoughts and pictures."""

from __future__ import annotations

from typing import Any

from vlm_boundary.config import ExperimentConfig, build_experiment
from vlm_boundary.records.analysis import Analysis
from vlm_boundary.records.manifest import Identity, Manifest, PictureSizes, RunArm, RunBenchmark
from vlm_boundary.report import provenance


def experiment() -> ExperimentConfig:
    arms = {"base": {"model": "a/b", "role": "base"}, "rl": {"model": "a/c", "role": "rl"}}
    raw = {"name": "t", "benchmarks": {"procedural": None}, "arms": arms}
    return build_experiment(raw | {"allow_different_thoughts": True}, (), where="t.yaml")


MANIFEST = Manifest(
    benchmarks={"procedural": RunBenchmark(config={"description": "d"})},
    arms={
        "base": RunArm(
            identity=Identity(weights="w", chat_template_args={"enable_thinking": False}),
            thinking_open=False,
            pictures={"procedural": PictureSizes(processor="P", most_tokens=280)},
        ),
        "rl": RunArm(identity=Identity(weights="v"), thinking_open=True),
    },
)


def test_what_each_arm_is_told_and_shown_is_in_a_table() -> None:
    table = provenance._prompts(experiment(), MANIFEST)
    assert table.rows == (
        ("base", "enable_thinking False", "no", "at most 280 tokens (P)"),
        ("rl", "nothing", "yes", "not known"),
    )


def test_a_difference_that_is_allowed_is_said_beside_the_numbers() -> None:
    bare: dict[str, Any] = {"benchmarks": {}}
    lines = provenance.warnings(experiment(), MANIFEST, Analysis.model_construct(**bare))
    said = [line for line in lines if "allow_different_thoughts" in line]
    assert len(said) == 2
    assert said[0].startswith("base and rl have different chat_template_args (enable_thinking")
    assert "the prompt opens a thought" in said[1]
