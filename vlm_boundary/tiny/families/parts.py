"""What a tiny checkpoint of any family is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TEMPLATES = Path(__file__).with_name("templates")
MAX_POSITIONS = 4096


@dataclass(frozen=True)
class Parts:
    """A model with whatever weights it was made with, and its processor.

    `ends` are the tokens that end its answers, where they are more than the tokenizer's one.
    `on_hub` says with what the names of its vision tower's weights begin here, and with what in the
    family's published checkpoints, where vLLM knows only those.
    """

    model: Any
    processor: Any
    ends: list[int] | None = None
    on_hub: tuple[str, str] | None = None


def template(name: str) -> str:
    """A chat template: the family's conventions in our own words."""
    return (_TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8").removesuffix("\n")


def text_sizes(tokenizer: Any) -> dict[str, Any]:
    """A language model of two layers; four heads of 32, the narrowest that vLLM has on a CPU."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 128,
        "intermediate_size": 192,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": MAX_POSITIONS,
        "tie_word_embeddings": False,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
