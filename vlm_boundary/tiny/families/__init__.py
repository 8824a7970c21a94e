"""Tiny checkpoints of today's families of vision-language models, with random weights.

Each is an architecture of transformers' in Hugging Face format, with the family's own processor
class, special tokens and chat template's conventions: what tests need to see that a prompt, its
pictures and its log-probabilities are the same in every engine. They answer nonsense.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlm_boundary.tiny.families import others, qwen
from vlm_boundary.tiny.families.parts import Parts

_SEED = 5


@dataclass(frozen=True)
class Family:
    """A family; `thinks` says that its chat template opens a thought by default."""

    title: str
    build: Callable[[], Parts]
    thinks: bool = False


FAMILIES: dict[str, Family] = {
    "qwen2-vl": Family("Qwen2-VL", qwen.qwen2_vl),
    "qwen2.5-vl": Family("Qwen2.5-VL", qwen.qwen2_5_vl),
    "qwen3-vl": Family("Qwen3-VL Instruct", qwen.qwen3_vl),
    "qwen3-vl-thinking": Family("Qwen3-VL Thinking", qwen.qwen3_vl_thinking, thinks=True),
    "qwen3.5": Family("Qwen3.5", qwen.qwen3_5, thinks=True),
    "internvl": Family("InternVL 3, 3.5 (-HF)", others.internvl),
    "glm4v": Family("GLM-4.1V", others.glm4v),
    "gemma3": Family("Gemma 3", others.gemma3),
    "gemma4": Family("Gemma 4", others.gemma4),
    "llava-onevision": Family("LLaVA-OneVision", others.llava_onevision),
    "idefics3": Family("Idefics3, SmolVLM", others.idefics3),
    "smolvlm": Family("SmolVLM2", others.smolvlm),
    "pixtral": Family("Pixtral (HF form)", others.pixtral),
    "mistral3": Family("Mistral Small 3.1 and later (HF form)", others.mistral3),
    "minicpm-v": Family("MiniCPM-V 4.6", others.minicpm_v),
}


def write_family(name: str, folder: Path, seed: int = 0) -> None:
    """Write a family's tiny checkpoint (float32, a few MB), the same weights for a seed.

    Raises:
        ImportError: the family's processor needs a package that is not installed.
    """
    import torch

    torch.manual_seed(_SEED + seed)
    parts = FAMILIES[name].build()
    torch.manual_seed(_SEED + seed)
    _spread(parts.model)
    settings = parts.model.generation_config
    settings.eos_token_id = parts.ends or parts.processor.tokenizer.eos_token_id
    settings.pad_token_id = parts.processor.tokenizer.pad_token_id
    parts.model.save_pretrained(folder)
    parts.processor.save_pretrained(folder)
    if parts.on_hub:
        _rename(folder / "model.safetensors", *parts.on_hub)


def _rename(path: Path, begins: str, published: str) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(path)
    named = {
        published + name.removeprefix(begins) if name.startswith(begins) else name: weight
        for name, weight in weights.items()
    }
    save_file(named, path, metadata={"format": "pt"})


def _spread(model: Any) -> None:
    """Weights wide enough that what a model reads changes what it says."""
    import torch

    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=min(0.15, 1.5 / parameter[0].numel() ** 0.5))
    if model.config.get_text_config().tie_word_embeddings:
        # Read and written by the same weights, a model would otherwise only repeat its last token.
        torch.nn.init.normal_(model.get_input_embeddings().weight, std=0.05)
