"""One vLLM engine for several checkpoints of one shape: their weights change places in it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

# What folders of one training hold besides the model: notes, and where which tensor is.
_NOT_THE_MODEL = {"vlm_boundary.json", "training.json", "trainer_state.json"}
_INDEX = ".safetensors.index.json"
_FILES = ("*.json", "*.jinja", "*.txt", "*.model")
# Written anew by whoever saves a configuration, and read by nobody.
_SAID_BY_WRITERS = ("transformers_version", "_name_or_path")


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
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
        for name, said in header.items():
            if name != "__metadata__":
                found[name] = (said["dtype"], tuple(said["shape"]))
    return found
