"""The Qwen line: Qwen2-VL, 2.5-VL, 3-VL (Instruct and Thinking), 3.5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from vlm_boundary.tiny.architecture import SPECIAL_TOKENS
from vlm_boundary.tiny.families.parts import (
    ENDS_TURN,
    LINEAR,
    MERGING,
    ROPE,
    THOUGHT,
    Family,
    Settings,
    byte_level,
)

_CALL = ("<tool_call>", "</tool_call>")


def _qwen_tokenizer(kind: str, *plain: str) -> Callable[[], Any]:
    return partial(byte_level, kind, SPECIAL_TOKENS, plain=plain, roles=ENDS_TURN)


_QWEN_TOKENS = {
    "image_token_id": "<|image_pad|>",
    "video_token_id": "<|video_pad|>",
    "vision_start_token_id": "<|vision_start|>",
    "vision_end_token_id": "<|vision_end|>",
}


def _qwen_parts(patch: int, videos: str) -> dict[str, tuple[str, Settings]]:
    unit = (2 * patch) ** 2
    size = {"shortest_edge": 4 * unit, "longest_edge": 64 * unit}
    settings = {"patch_size": patch, "merge_size": 2, "size": size}
    return {
        "image_processor": ("Qwen2VLImageProcessor", settings),
        "video_processor": (videos, settings),
    }


_QWEN2 = Family(
    "Qwen2-VL",
    "Qwen2VL",
    "qwen2",
    _qwen_tokenizer("Qwen2Tokenizer", *_CALL),
    _QWEN_TOKENS,
    text={"rope_parameters": ROPE | {"mrope_section": [4, 6, 6]}},
    vision={
        "depth": 2,
        "embed_dim": 64,
        "hidden_size": 128,
        "num_heads": 2,
        "mlp_ratio": 2,
        "patch_size": 14,
    },
    parts=_qwen_parts(14, "Qwen2VLVideoProcessor"),
)
_QWEN3 = Family(
    "Qwen3-VL Instruct",
    "Qwen3VL",
    "qwen3",
    _qwen_tokenizer("Qwen2Tokenizer", *_CALL, *THOUGHT),
    _QWEN_TOKENS,
    text={
        "rope_parameters": ROPE | {"mrope_section": [6, 5, 5], "mrope_interleaved": True},
        "head_dim": 32,
    },
    vision=MERGING
    | {
        "depth": 3,
        "patch_size": 16,
        "num_position_embeddings": 256,
        "deepstack_visual_indexes": [0, 1],
    },
    parts=_qwen_parts(16, "Qwen3VLVideoProcessor"),
)
_QWEN3_5 = replace(
    _QWEN3,
    title="Qwen3.5",
    classes="Qwen3_5",
    chat="qwen3.5",
    tokenizer=_qwen_tokenizer("Qwen3_5Tokenizer", *_CALL, *THOUGHT),
    text=LINEAR
    | {
        "rope_parameters": ROPE
        | {"partial_rotary_factor": 0.5, "mrope_section": [3, 3, 2], "mrope_interleaved": True}
    },
    vision=MERGING | {"patch_size": 16, "num_position_embeddings": 256},
    reads="Qwen3VL",
    thinks=True,
)
QWEN = {
    "qwen2-vl": _QWEN2,
    "qwen2.5-vl": replace(
        _QWEN2,
        title="Qwen2.5-VL",
        classes="Qwen2_5_VL",
        vision=MERGING | {"patch_size": 14, "window_size": 112, "fullatt_block_indexes": [1]},
    ),
    "qwen3-vl": _QWEN3,
    "qwen3-vl-thinking": replace(
        _QWEN3, title="Qwen3-VL Thinking", chat="qwen3-thinking", thinks=True
    ),
    "qwen3.5": _QWEN3_5,
}
