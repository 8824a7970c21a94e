"""LoRA adapters: what vLLM is told, and that it draws what the merged model would."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from given import given
from required import needs

from vlm_boundary.engines.swapping import lora_arguments
from vlm_boundary.errors import UserError

needs("torch")
needs("safetensors")

import torch
from engine_parts import ENGINE_ARGS, ask, draw_picture
from safetensors.torch import load_file, save_file

from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.config import SamplingConfig, VllmConfig
from vlm_boundary.engines.base import Completion, Workload

RANK, ALPHA = 4, 16
TARGETS = ("self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj")


def write_adapter(
    folder: Path, base: Path, *, r: int = RANK, prefix: str = "language_model", seed: int = 5
) -> Path:
    """An adapter as PEFT writes it, with random weights that matter."""
    folder.mkdir()
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": str(base),
        "r": r,
        "lora_alpha": ALPHA,
        "target_modules": [target.rpartition(".")[2] for target in TARGETS],
        "task_type": "CAUSAL_LM",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    weights = load_file(base / "model.safetensors")
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in range(3):
        for target in TARGETS:
            rows, columns = weights[f"model.layers.{layer}.{target}.weight"].shape
            name = f"base_model.model.model.{prefix}.layers.{layer}.{target}"
            for part, shape in (("lora_A", (r, columns)), ("lora_B", (rows, r))):
                tensors[f"{name}.{part}.weight"] = 0.1 * torch.randn(shape, generator=generator)
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder


def merge(adapter: Path, base: Path, folder: Path) -> Path:
    """The base with the adapter's change added to its weights."""
    shutil.copytree(base, folder)
    weights = load_file(base / "model.safetensors")
    change = load_file(adapter / "adapter_model.safetensors")
    for layer in range(3):
        for target in TARGETS:
            name = f"base_model.model.model.language_model.layers.{layer}.{target}"
            b, a = change[f"{name}.lora_B.weight"], change[f"{name}.lora_A.weight"]
            key = f"model.layers.{layer}.{target}.weight"
            weights[key] = weights[key].float() + ALPHA / RANK * (b @ a)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="module")
def base() -> Path:
    return resolve_checkpoint("tiny:untrained-1").folder


@pytest.mark.engine
def test_vllm_draws_what_the_merged_model_would(base: Path, tmp_path: Path) -> None:
    needs("vllm")
    from vlm_boundary.engines.vllm import VllmEngine

    adapter = resolve_checkpoint(str(write_adapter(tmp_path / "adapter", base)))
    merged = resolve_checkpoint(str(merge(given(adapter.adapter), base, tmp_path / "merged")))
    assert adapter.folder == base
    sampling = SamplingConfig(temperature=1.0, top_p=1.0, max_tokens=12)
    request = ask((draw_picture(tmp_path),), 8)
    drawn: list[dict[int, Completion]] = []
    for checkpoint in (adapter, merged, resolve_checkpoint(str(base))):
        engine = VllmEngine(
            checkpoint, VllmConfig(in_process=True, args=ENGINE_ARGS), Workload((), 1)
        )
        results = list(engine.generate([request], sampling))
        drawn.append({r.index: r for r in results if isinstance(r, Completion)})
        engine.close()
    with_adapter, as_merged, without = drawn
    for index in range(8):
        assert with_adapter[index].token_ids == as_merged[index].token_ids
        assert with_adapter[index].logprob_sum == pytest.approx(
            as_merged[index].logprob_sum, abs=0.01
        )
    assert {i: s.token_ids for i, s in without.items()} != {
        i: s.token_ids for i, s in with_adapter.items()
    }


@pytest.mark.engine
def test_adapters_of_one_base_share_its_engine(base: Path, tmp_path: Path) -> None:
    """To the last bit what each draws in an engine of its own, there and back."""
    needs("vllm")
    from vlm_boundary.engines.vllm import VllmEngine

    one, other, wide = (
        resolve_checkpoint(str(write_adapter(tmp_path / str(seed), base, seed=seed, r=r)))
        for seed, r in ((5, RANK), (6, RANK), (7, 20))
    )
    sampling = SamplingConfig(temperature=1.0, top_p=1.0, max_tokens=12)
    request = ask((draw_picture(tmp_path),), 4)
    config = VllmConfig(in_process=True, args=ENGINE_ARGS)

    def drawn(engine: VllmEngine) -> dict[int, tuple[list[int], float | None]]:
        found = (r for r in engine.generate([request], sampling) if isinstance(r, Completion))
        return {r.index: (r.token_ids, r.logprob_sum) for r in found}

    with closing(VllmEngine(other, config, Workload((), 1))) as engine:
        own = drawn(engine)
    with closing(VllmEngine(one, config, Workload((), 1))) as engine:
        before = drawn(engine)
        assert engine.swap(other, (sampling,))
        assert drawn(engine) == own != before
        assert engine.swap(one, (sampling,))
        assert drawn(engine) == before
        assert not engine.swap(wide, (sampling,))  # it was opened with less room
        assert not engine.swap(resolve_checkpoint(str(base)), (sampling,))


def test_room_is_made_for_the_adapters_rank(base: Path, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "a", base, r=20)
    assert lora_arguments(adapter, {"dtype": "float32"}) == {
        "enable_lora": True,
        "max_lora_rank": 32,
        "max_loras": 1,
        "dtype": "float32",
    }
    assert lora_arguments(adapter, {"max_lora_rank": 64})["max_lora_rank"] == 64


@pytest.mark.parametrize(
    ("config", "prefix", "says"),
    [
        ({"peft_type": "IA3"}, "language_model", "IA3"),
        ({"r": 1024}, "language_model", "rank 1024"),
        ({"rank_pattern": {"q_proj": 600}}, "language_model", "rank 600"),
        ({}, "visual", "picture side"),
    ],
)
def test_an_adapter_that_would_not_be_served_whole_is_refused(
    base: Path, tmp_path: Path, config: dict[str, Any], prefix: str, says: str
) -> None:
    adapter = write_adapter(tmp_path / "a", base, prefix=prefix)
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    with pytest.raises(UserError, match=says):
        lora_arguments(adapter, {})
    if prefix == "visual":
        assert lora_arguments(adapter, {"enable_tower_connector_lora": True})["enable_lora"]
