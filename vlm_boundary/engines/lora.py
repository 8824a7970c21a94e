"""LoRA adapters: what vLLM must be told to serve one whole."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from vlm_boundary.engines.processors import read_json
from vlm_boundary.errors import UserError

# The ranks for which vLLM has room (vllm.config.lora.MaxLoRARanks).
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
# Parts of module names that only the picture side of a model has.
_VISION = ("visual", "vision", "multi_modal_projector", "connector", "mlp1")


def lora_arguments(adapter: Path, args: dict[str, Any]) -> dict[str, Any]:
    """Engine arguments with LoRA switched on, wide enough for the adapter.

    Raises:
        UserError: the adapter cannot be served as it was trained.
    """
    config = read_json(adapter / "adapter_config.json")
    if config.get("peft_type", "LORA") != "LORA":
        raise UserError(f"{adapter}: a {config['peft_type']} adapter; vLLM serves LoRA only: merge")
    rank = max([int(config.get("r", 1)), *map(int, (config.get("rank_pattern") or {}).values())])
    room = next((known for known in _RANKS if known >= rank), None)
    if room is None:
        raise UserError(f"{adapter}: rank {rank} is above {_RANKS[-1]}, vLLM's largest: merge it")
    seen = [name for name in adapter_tensors(adapter) if any(part in name for part in _VISION)]
    if seen and not args.get("enable_tower_connector_lora"):
        # vLLM would leave these out and only mention it in its log.
        raise UserError(
            f"{adapter}: changes the picture side of the model too ({seen[0]}), which vLLM leaves "
            f"out of an adapter; merge it into the base, or set "
            f"engine.args.enable_tower_connector_lora=true where vLLM supports that for the model"
        )
    return {"enable_lora": True, "max_lora_rank": room, "max_loras": 1} | args


def adapter_tensors(adapter: Path) -> list[str]:
    """The names of an adapter's tensors, from the header of its safetensors file."""
    with (adapter / "adapter_model.safetensors").open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return [name for name in header if name != "__metadata__"]
