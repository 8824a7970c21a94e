"""One vLLM engine for several checkpoints of one shape: adapters, or weights that change places."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from vlm_boundary.engines.processors import read_json
from vlm_boundary.errors import UserError

# What folders of one training hold besides the model: notes, and where which tensor is.
_NOT_THE_MODEL = {"vlm_boundary.json", "training.json", "trainer_state.json"}
_INDEX = ".safetensors.index.json"
_FILES = ("*.json", "*.jinja", "*.txt", "*.model")
# Written anew by whoever saves a configuration, and read by nobody.
_SAID_BY_WRITERS = ("transformers_version", "_name_or_path")
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
    tensors = _header(adapter / "adapter_model.safetensors")
    seen = [name for name in tensors if any(part in name for part in _VISION)]
    if seen and not args.get("enable_tower_connector_lora"):
        # vLLM would leave these out and only mention it in its log.
        raise UserError(
            f"{adapter}: changes the picture side of the model too ({seen[0]}), which vLLM leaves "
            f"out of an adapter; merge it into the base, or set "
            f"engine.args.enable_tower_connector_lora=true where vLLM supports that for the model"
        )
    return {"enable_lora": True, "max_lora_rank": room, "max_loras": 1} | args


def same_but_weights(one: Path, other: Path) -> bool:
    """Whether two folders agree in all that an engine is built from.

    Every file that is neither weights nor a note is the same, and tensors have the same names,
    shapes and types. Quantised checkpoints never agree: what is made of their weights depends on
    more than these.
    """
    mine, theirs = _built_from(one), _built_from(other)
    if mine != theirs or "quantization_config" in json.loads(mine.get("config.json", b"{}")):
        return False
    return _tensors(one) == _tensors(other)


def swap_weights(llm: Any, folder: Path) -> None:
    """Load the weights of another folder, and forget what was computed with those before.

    Args:
        llm: vLLM's `LLM`, with nothing in flight.
        folder: a checkpoint that is the `same_but_weights` as the one that it was opened with.
    """
    llm.collective_rpc("reload_weights", kwargs={"weights_path": str(folder)})
    _pack_tied_heads(llm)
    forget(llm)


def forget(llm: Any) -> None:
    """Empty the caches of pictures and of prompts."""
    llm.reset_mm_cache()
    llm.llm_engine.reset_encoder_cache()
    if not llm.reset_prefix_cache():
        raise RuntimeError("vLLM does not let go of its prefix cache")


def _pack_tied_heads(llm: Any) -> None:
    """Make anew what vLLM's CPU kernels keep beside a head that shares the embedding's weights.

    Its reloading packs each layer that it loads, and a tied head is not loaded: it would go on with
    the packed weights of the checkpoint before. On a GPU nothing is packed beside the weights.
    """
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    worker = llm.llm_engine.model_executor.driver_worker.worker
    for module in worker.get_model().modules():
        packed = hasattr(module, "cpu_linear") and module.weight.numel() > 0
        if packed and not module.weight.is_meta:
            module.quant_method.process_weights_after_loading(module)


def _built_from(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted({path for pattern in _FILES for path in folder.glob(pattern)}):
        if path.name in _NOT_THE_MODEL or path.name.endswith(_INDEX):
            continue
        content = path.read_bytes()
        if path.name in ("config.json", "generation_config.json"):
            said = json.loads(content)
            kept = {key: said[key] for key in said if key not in _SAID_BY_WRITERS}
            content = json.dumps(kept, sort_keys=True).encode()
        found[path.name] = content
    return found


def _tensors(folder: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Each tensor's type and shape, from the headers of the weights' files."""
    found = {}
    for path in folder.glob("*.safetensors"):
        for name, said in _header(path).items():
            found[name] = (said["dtype"], tuple(said["shape"]))
    return found


def _header(weights: Path) -> dict[str, dict[str, Any]]:
    """What a safetensors file says of each tensor in it."""
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, dict[str, Any]] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header
