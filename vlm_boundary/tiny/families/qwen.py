"""The Qwen line: Qwen2-VL, 2.5-VL, 3-VL (Instruct and Thinking), 3.5."""

from __future__ import annotations

from typing import Any

from vlm_boundary.tiny.architecture import SPECIAL_TOKENS
from vlm_boundary.tiny.families.parts import Parts, template, text_sizes
from vlm_boundary.tiny.families.tokens import byte_level

_ROPE = {"rope_type": "default", "rope_theta": 10_000.0}
_PLAIN = ("<tool_call>", "</tool_call>")
_THINKING = (*_PLAIN, "<think>", "</think>")


def _tokenizer(kind: Any, plain: tuple[str, ...]) -> Any:
    return byte_level(
        kind, SPECIAL_TOKENS, plain=plain, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )


def _places(tokenizer: Any) -> dict[str, int]:
    ids = tokenizer.convert_tokens_to_ids
    return {
        "image_token_id": ids("<|image_pad|>"),
        "video_token_id": ids("<|video_pad|>"),
        "vision_start_token_id": ids("<|vision_start|>"),
        "vision_end_token_id": ids("<|vision_end|>"),
    }


def _pictures(patch: int) -> dict[str, Any]:
    unit = (2 * patch) ** 2
    size = {"shortest_edge": 4 * unit, "longest_edge": 64 * unit}
    return {"patch_size": patch, "merge_size": 2, "size": size}


def qwen2_vl() -> Parts:
    """Qwen2-VL."""
    import transformers as hf

    tokenizer = _tokenizer(hf.Qwen2Tokenizer, _PLAIN)
    config = hf.Qwen2VLConfig(
        text_config=text_sizes(tokenizer)
        | {"rope_parameters": _ROPE | {"mrope_section": [4, 6, 6]}},
        vision_config={
            "depth": 2,
            "embed_dim": 64,
            "hidden_size": 128,
            "num_heads": 2,
            "mlp_ratio": 2,
            "patch_size": 14,
        },
        **_places(tokenizer),
    )
    return Parts(
        hf.Qwen2VLForConditionalGeneration(config),
        hf.Qwen2VLProcessor(
            image_processor=hf.Qwen2VLImageProcessor(**_pictures(14)),
            tokenizer=tokenizer,
            video_processor=hf.Qwen2VLVideoProcessor(**_pictures(14)),
            chat_template=template("qwen2"),
        ),
    )


def qwen2_5_vl() -> Parts:
    """Qwen2.5-VL."""
    import transformers as hf

    tokenizer = _tokenizer(hf.Qwen2Tokenizer, _PLAIN)
    config = hf.Qwen2_5_VLConfig(
        text_config=text_sizes(tokenizer)
        | {"rope_parameters": _ROPE | {"mrope_section": [4, 6, 6]}},
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_heads": 2,
            "out_hidden_size": 128,
            "patch_size": 14,
            "window_size": 112,
            "fullatt_block_indexes": [1],
        },
        **_places(tokenizer),
    )
    return Parts(
        hf.Qwen2_5_VLForConditionalGeneration(config),
        hf.Qwen2_5_VLProcessor(
            image_processor=hf.Qwen2VLImageProcessor(**_pictures(14)),
            tokenizer=tokenizer,
            video_processor=hf.Qwen2VLVideoProcessor(**_pictures(14)),
            chat_template=template("qwen2"),
        ),
    )


def qwen3_vl(chat: str = "qwen3") -> Parts:
    """Qwen3-VL Instruct."""
    import transformers as hf

    tokenizer = _tokenizer(hf.Qwen2Tokenizer, _THINKING)
    rope = _ROPE | {"mrope_section": [6, 5, 5], "mrope_interleaved": True}
    config = hf.Qwen3VLConfig(
        text_config=text_sizes(tokenizer) | {"rope_parameters": rope, "head_dim": 32},
        vision_config={
            "depth": 3,
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_heads": 2,
            "out_hidden_size": 128,
            "patch_size": 16,
            "num_position_embeddings": 256,
            "deepstack_visual_indexes": [0, 1],
        },
        **_places(tokenizer),
    )
    return Parts(hf.Qwen3VLForConditionalGeneration(config), _qwen3_processor(tokenizer, chat))


def qwen3_vl_thinking() -> Parts:
    """Qwen3-VL Thinking: the chat template opens the thought."""
    return qwen3_vl("qwen3-thinking")


def qwen3_5() -> Parts:
    """Qwen3.5: linear attention in three layers of four, thinking unless it is told not to."""
    import transformers as hf

    tokenizer = _tokenizer(hf.Qwen3_5Tokenizer, _THINKING)
    rope = _ROPE | {
        "partial_rotary_factor": 0.5,
        "mrope_section": [3, 3, 2],
        "mrope_interleaved": True,
    }
    config = hf.Qwen3_5Config(
        text_config=text_sizes(tokenizer)
        | {
            "rope_parameters": rope,
            "head_dim": 32,
            "num_hidden_layers": 4,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "linear_key_head_dim": 128,
            "linear_value_head_dim": 128,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_heads": 2,
            "out_hidden_size": 128,
            "patch_size": 16,
            "num_position_embeddings": 256,
        },
        **_places(tokenizer),
    )
    return Parts(hf.Qwen3_5ForConditionalGeneration(config), _qwen3_processor(tokenizer, "qwen3.5"))


def _qwen3_processor(tokenizer: Any, chat: str) -> Any:
    import transformers as hf

    return hf.Qwen3VLProcessor(
        image_processor=hf.Qwen2VLImageProcessor(**_pictures(16)),
        tokenizer=tokenizer,
        video_processor=hf.Qwen3VLVideoProcessor(**_pictures(16)),
        chat_template=template(chat),
    )
