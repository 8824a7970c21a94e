"""InternVL, GLM-4V, Gemma, LLaVA-OneVision, Idefics and SmolVLM, Mistral, MiniCPM-V."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from vlm_boundary.tiny.families.parts import (
    ENDS_TURN,
    LINEAR,
    MERGING,
    ROPE,
    THOUGHT,
    TOWER,
    Family,
    byte_level,
    character_level,
)

_CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_SLIDING = {
    "head_dim": 32,
    "layer_types": ["sliding_attention", "full_attention"],
    "tie_word_embeddings": True,
}
_SIGLIP = TOWER | {"num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 14}
_SIGLIP_ON_HUB = ("vision_tower.", "vision_tower.vision_model.")
_SIDE = {"size": {"height": 56, "width": 56}}
_SPLIT = {"size": {"longest_edge": 112}, "max_image_size": {"longest_edge": 56}}

_INTERNVL = Family(  # tiles of a fixed number of tokens
    "InternVL 3, 3.5 (-HF)",
    "InternVL",
    "internvl",
    partial(
        byte_level,
        "Qwen2Tokenizer",
        _CHATML,
        plain=THOUGHT,
        named={
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
        roles=ENDS_TURN,
    ),
    {"image_token_id": "<IMG_CONTEXT>"},
    text={"model_type": "qwen3", "head_dim": 32},
    vision=_SIGLIP | {"image_size": 56},
    config={"image_seq_length": 4},
    parts={
        "image_processor": (
            "GotOcr2ImageProcessor",
            _SIDE | {"crop_to_patches": True, "min_patches": 1, "max_patches": 4},
        ),
        "video_processor": ("InternVLVideoProcessor", _SIDE),
    },
    processor={"image_seq_length": 4},
)

_GLM_SIZE = {"size": {"shortest_edge": 112 * 112, "longest_edge": 64 * 28 * 28}}
_GLM_ENDS = ("<|endoftext|>", "<|user|>")
_GLM = Family(
    "GLM-4.1V",
    "Glm4v",
    "glm4v",
    partial(
        byte_level,
        None,
        (
            *("<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>"),
            *("<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"),
            *("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>"),
            *("<|image|>", "<|video|>", "<|begin_of_box|>", "<|end_of_box|>"),
        ),
        plain=(*THOUGHT, "<answer>", "</answer>"),
        roles={"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"},
    ),
    {
        "image_token_id": "<|image|>",
        "video_token_id": "<|video|>",
        "image_start_token_id": "<|begin_of_image|>",
        "image_end_token_id": "<|end_of_image|>",
        "video_start_token_id": "<|begin_of_video|>",
        "video_end_token_id": "<|end_of_video|>",
    },
    text={
        "rope_parameters": ROPE | {"partial_rotary_factor": 0.5, "mrope_section": [2, 3, 3]},
    },
    by_tokenizer=lambda known: {"eos_token_id": known.convert_tokens_to_ids(_GLM_ENDS)},
    vision=MERGING | {"image_size": 112, "patch_size": 14},
    parts={
        "image_processor": ("Glm4vImageProcessor", _GLM_SIZE),
        "video_processor": ("Glm4vVideoProcessor", _GLM_SIZE),
    },
    ends=_GLM_ENDS,
)

_GEMMA3 = Family(  # every picture the same number of tokens, seen both ways by the attention
    "Gemma 3",
    "Gemma3",
    "gemma3",
    partial(
        character_level,
        ("<start_of_turn>", "<end_of_turn>"),
        {
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
            "image_token": "<image_soft_token>",
        },
    ),
    {
        "boi_token_index": "<start_of_image>",
        "eoi_token_index": "<end_of_image>",
        "image_token_index": "<image_soft_token>",
    },
    text=_SLIDING | {"query_pre_attn_scalar": 32, "sliding_window": 1024},
    vision=_SIGLIP | {"image_size": 56, "vision_use_head": False},
    config={"mm_tokens_per_image": 4},
    parts={"image_processor": ("Gemma3ImageProcessor", _SIDE)},
    processor={"image_seq_length": 4},
    ends=("<eos>", "<end_of_turn>"),
    on_hub=_SIGLIP_ON_HUB,
)
_GEMMA4 = Family(  # a budget of tokens per picture
    "Gemma 4",
    "Gemma4",
    "gemma4",
    partial(
        character_level,
        ("<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>", "<|video|>"),
        {
            "boi_token": "<|image>",
            "eoi_token": "<image|>",
            "image_token": "<|image|>",
            "boa_token": "<|audio>",
            "eoa_token": "<audio|>",
            "audio_token": "<|audio|>",
        },
    ),
    {
        "boi_token_id": "<|image>",
        "eoi_token_id": "<image|>",
        "image_token_id": "<|image|>",
        "video_token_id": "<|video|>",
        "boa_token_id": "<|audio>",
        "eoa_token_index": "<audio|>",
        "audio_token_id": "<|audio|>",
    },
    text=_SLIDING
    | {
        "global_head_dim": 32,
        "num_global_key_value_heads": 2,
        "sliding_window": 512,
        "hidden_size_per_layer_input": 0,
    },
    by_tokenizer=lambda known: {"vocab_size_per_layer_input": len(known)},
    vision=_SIGLIP
    | {
        "num_key_value_heads": 2,
        "head_dim": 32,
        "patch_size": 16,
        "pooling_kernel_size": 3,
        "position_embedding_size": 256,
        "default_output_length": 70,
    },
    config={"audio_config": None},
    parts={
        "feature_extractor": ("Gemma4AudioFeatureExtractor", {}),
        "image_processor": ("Gemma4ImageProcessor", {"max_soft_tokens": 70}),
        "video_processor": ("Gemma4VideoProcessor", {}),
    },
    processor={"image_seq_length": 70},
    ends=("<eos>", "<turn|>"),
)

_GRIDS = {"image_grid_pinpoints": [[56, 56], [56, 112], [112, 56], [112, 112]]}
_LLAVA_ONEVISION = Family(  # a picture whole and in tiles
    "LLaVA-OneVision",
    "LlavaOnevision",
    "llava-onevision",
    partial(byte_level, "Qwen2Tokenizer", (*_CHATML, "<image>", "<video>"), roles=ENDS_TURN),
    {"image_token_index": "<image>", "video_token_index": "<video>"},
    text={"model_type": "qwen2", "rope_parameters": ROPE},
    vision=_SIGLIP
    | {"model_type": "siglip_vision_model", "image_size": 56, "vision_use_head": False},
    config=_GRIDS | {"vision_feature_select_strategy": "full"},
    parts={
        "image_processor": ("LlavaOnevisionImageProcessor", _SIDE | _GRIDS),
        "video_processor": ("LlavaOnevisionVideoProcessor", _SIDE),
    },
    processor={"num_image_tokens": 16, "vision_feature_select_strategy": "full"},
    on_hub=_SIGLIP_ON_HUB,
)

_IDEFICS3 = Family(
    "Idefics3, SmolVLM",
    "Idefics3",
    "smolvlm",
    partial(
        byte_level,
        None,
        _CHATML,
        behind=[f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)],
        named={
            "fake_image_token": "<fake_token_around_image>",
            "image_token": "<image>",
            "end_of_utterance_token": "<end_of_utterance>",
            "global_image_token": "<global-img>",
        },
        roles=ENDS_TURN | {"bos_token": "<|im_start|>", "eos_token": "<end_of_utterance>"},
    ),
    {"image_token_id": "<image>", "pad_token_id": "<|endoftext|>"},
    text={"model_type": "llama"},
    vision=_SIGLIP | {"image_size": 56},
    config={"scale_factor": 2},
    parts={"image_processor": ("Idefics3ImageProcessor", _SPLIT)},
    processor={"image_seq_len": 4},
)
_SMOLVLM = replace(  # its processor needs the package num2words
    _IDEFICS3,
    title="SmolVLM2",
    classes="SmolVLM",
    parts={
        "image_processor": ("SmolVLMImageProcessor", _SPLIT),
        "video_processor": ("SmolVLMVideoProcessor", {}),
    },
)

_PIXTRAL_12B = Family(  # a LLaVA with Pixtral's vision tower and processor
    "Pixtral (HF form)",
    "Llava",
    "mistral",
    partial(
        byte_level,
        None,
        (
            *("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
            *("[IMG]", "[IMG_BREAK]", "[IMG_END]", "[THINK]", "[/THINK]", "<pad>"),
        ),
        roles={"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"},
    ),
    {"image_token_index": "[IMG]"},
    text={"model_type": "mistral", "head_dim": 32, "sliding_window": None},
    vision=_SIGLIP | {"model_type": "pixtral", "image_size": 112},
    config={
        "vision_feature_select_strategy": "full",
        "vision_feature_layer": -1,
        "image_seq_length": 1,
    },
    parts={
        "image_processor": (
            "PixtralImageProcessor",
            {"size": {"longest_edge": 112}, "patch_size": {"height": 14, "width": 14}},
        )
    },
    processor={"patch_size": 14, "spatial_merge_size": 1},
    reads="Pixtral",
)

_MINICPM = Family(  # the first of that line in transformers' own form
    "MiniCPM-V 4.6",
    "MiniCPMV4_6",
    "minicpm",
    partial(
        byte_level,
        None,
        _CHATML,
        plain=THOUGHT,
        named={
            "image_token": "<|image_pad|>",
            "video_token": "<|video_pad|>",
            "image_start_token": "<image>",
            "image_end_token": "</image>",
            "slice_start_token": "<slice>",
            "slice_end_token": "</slice>",
            "image_id_start_token": "<image_id>",
            "image_id_end_token": "</image_id>",
        },
        roles=ENDS_TURN,
    ),
    {"image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>"},
    text=LINEAR
    | {
        "model_type": "qwen3_5_text",
        "rope_parameters": ROPE | {"partial_rotary_factor": 0.5},
    },
    vision=_SIGLIP | {"image_size": 112},
    config={"insert_layer_id": 0, "image_size": 112},
    parts={
        "image_processor": (
            "MiniCPMV4_6ImageProcessor",
            {"scale_resolution": 112, "max_slice_nums": 4},
        ),
        "video_processor": ("MiniCPMV4_6VideoProcessor", {}),
    },
)

OTHERS = {
    "internvl": _INTERNVL,
    "glm4v": _GLM,
    "gemma3": _GEMMA3,
    "gemma4": _GEMMA4,
    "llava-onevision": _LLAVA_ONEVISION,
    "idefics3": _IDEFICS3,
    "smolvlm": _SMOLVLM,
    "pixtral": _PIXTRAL_12B,
    "mistral3": replace(
        _PIXTRAL_12B,
        title="Mistral Small 3.1 and later (HF form)",
        classes="Mistral3",
        config={"spatial_merge_size": 2, "tie_word_embeddings": False},
        processor={"patch_size": 14, "spatial_merge_size": 2},
    ),
    "minicpm-v": _MINICPM,
}
