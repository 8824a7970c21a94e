"""Whether a chat template's prompt ends inside a thought: found once an arm, and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from required import needs

from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.config import ExperimentConfig, VllmConfig, build_experiment
from vlm_boundary.engines import rendered
from vlm_boundary.records.manifest import Manifest, RunArm
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.store import RunDirectory

needs("transformers")

_TURNS = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for part in m.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}"
    "{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}"
)
QWEN_THINKING = _TURNS + "<|im_start|>assistant\n<think>\n{% endif %}"
GEMMA = _TURNS + "<|turn>model\n<|channel>thought\n{% endif %}"
QWEN = _TURNS + "<|im_start|>assistant\n{% endif %}"
QWEN_NOT_THINKING = _TURNS + "<|im_start|>assistant\n<think>\n\n</think>\n\n{% endif %}"


def experiment(folder: Path, **changes: Any) -> ExperimentConfig:
    raw: dict[str, Any] = {
        "name": "t",
        "run_dir": str(folder / "run"),
        "benchmarks": {"procedural": {"procedural": {"count": 4, "seed": 3}}},
        "arms": {
            "base": {"model": "tiny:untrained-1", "role": "base"},
            "told": {
                "model": "theirs",
                "role": "rl",
                "engine": {"kind": "replay", "path": str(folder / "a.jsonl")},
            },
        },
        "sampling": {"n": 1, "max_tokens": 8},
        "analysis": {"ks": [1]},
        "allow_different_thoughts": True,
    }
    (folder / "a.jsonl").write_text('{"problem_id": "p", "text": "a"}\n')
    raw["arms"]["told"]["engine"] |= changes
    return build_experiment(raw, (), where="t.yaml")


@pytest.mark.parametrize(
    ("template", "opened"),
    [(QWEN_THINKING, True), (GEMMA, True), (QWEN, False), (QWEN_NOT_THINKING, False)],
)
def test_the_end_of_the_rendered_prompt_decides(template: str, opened: bool) -> None:
    checkpoint = replace(resolve_checkpoint("tiny:untrained-1"), chat_template=template)
    turns = [{"role": "user", "content": "How many?"}]
    found = rendered.rendered(VllmConfig(), checkpoint, {}, {}, [turns])
    assert found.thinking_open is opened


def test_it_is_kept_in_the_manifest_and_not_rendered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDirectory(tmp_path / "run")
    prepare(run, experiment(tmp_path))
    assert run.thinking_open("base") is False
    assert run.thinking_open("told") is None
    monkeypatch.setattr(rendered, "ends_in_thought", None)  # nobody asks again
    prepare(run, experiment(tmp_path))
    assert run.thinking_open("base") is False


@pytest.mark.parametrize("said", [True, False])
def test_of_replayed_samples_their_owner_says_it(tmp_path: Path, said: bool) -> None:
    run = RunDirectory(tmp_path / "run")
    prepare(run, experiment(tmp_path, thinking_open=said))
    assert run.thinking_open("told") is said
    identity = run.read_manifest().arms["told"].identity.as_json()
    assert identity["engine"]["thinking_open"] is said


def test_a_run_that_does_not_say_it_does_not_know(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    assert run.thinking_open("base") is None
    run.write_manifest(Manifest(arms={"base": RunArm()}))
    assert run.thinking_open("base") is None
