"""Tiny checkpoints of today's families of vision-language models, with random weights.

Each is an architecture of transformers' in Hugging Face format, with the family's own processor
class, special tokens and chat template's conventions: what tests need to see that a prompt, its
pictures and its log-probabilities are the same in every engine. They answer nonsense.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vlm_boundary.tiny.families.others import OTHERS
from vlm_boundary.tiny.families.qwen import QWEN

_SEED = 5


FAMILIES = QWEN | OTHERS


def write_family(name: str, folder: Path, seed: int = 0) -> None:
    """Write a family's tiny checkpoint (float32, a few MB), the same weights for a seed.

    Raises:
        ImportError: the family's processor needs a package that is not installed.
    """
    import torch

    torch.manual_seed(_SEED + seed)
    family = FAMILIES[name]
    model, processor = family.build()
    torch.manual_seed(_SEED + seed)
    _spread(model)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    if family.on_hub:
        _rename(folder / "model.safetensors", *family.on_hub)


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
