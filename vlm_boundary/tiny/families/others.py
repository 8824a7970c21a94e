"""InternVL, GLM-4V, Gemma, LLaVA-OneVision, Idefics and SmolVLM, Mistral, MiniCPM-V."""

from __future__ import annotations

from typing import Any

from vlm_boundary.tiny.families.parts import Parts, template, text_sizes
from vlm_boundary.tiny.families.tokens import byte_level, character_level

_SIGLIP = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "patch_size": 14,
}

_SIGLIP_ON_HUB = ("vision_tower.", "vision_tower.vision_model.")


def internvl() -> Parts:
    """InternVL 3 and 3.5 in transformers' form (-HF): tiles of a fixed number of tokens."""
    import transformers as hf

    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = byte_level(
        hf.Qwen2Tokenizer,
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *named.values()),
        plain=("<think>", "</think>"),
        named=named,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    side = {"height": 56, "width": 56}
    config = hf.InternVLConfig(
        vision_config=hf.InternVLVisionConfig(**_SIGLIP | {"image_size": 56, "patch_size": 14}),
        text_config=hf.Qwen3Config(**text_sizes(tokenizer), head_dim=32),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    return Parts(
        hf.InternVLForConditionalGeneration(config),
        hf.InternVLProcessor(
            image_processor=hf.GotOcr2ImageProcessor(
                size=side, crop_to_patches=True, min_patches=1, max_patches=4
            ),
            tokenizer=tokenizer,
            video_processor=hf.InternVLVideoProcessor(size=side),
            image_seq_length=4,
            chat_template=template("internvl"),
        ),
    )


def glm4v() -> Parts:
    """GLM-4.1V."""
    import transformers as hf

    special: tuple[str, ...] = ("<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>")
    special += ("<|system|>", "<|user|>", "<|assistant|>", "<|observation|>")
    special += ("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>")
    special += ("<|image|>", "<|video|>", "<|begin_of_box|>", "<|end_of_box|>")
    tokenizer = byte_level(
        None,
        special,
        plain=("<think>", "</think>", "<answer>", "</answer>"),
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
    )
    ids = tokenizer.convert_tokens_to_ids
    rope = {
        "rope_type": "default",
        "rope_theta": 10_000.0,
        "partial_rotary_factor": 0.5,
        "mrope_section": [2, 3, 3],
    }
    ends = [ids("<|endoftext|>"), ids("<|user|>")]
    text = text_sizes(tokenizer) | {"rope_parameters": rope, "eos_token_id": ends}
    config = hf.Glm4vConfig(
        text_config=text,
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_heads": 2,
            "out_hidden_size": 128,
            "image_size": 112,
            "patch_size": 14,
        },
        image_token_id=ids("<|image|>"),
        video_token_id=ids("<|video|>"),
        image_start_token_id=ids("<|begin_of_image|>"),
        image_end_token_id=ids("<|end_of_image|>"),
        video_start_token_id=ids("<|begin_of_video|>"),
        video_end_token_id=ids("<|end_of_video|>"),
    )
    size = {"shortest_edge": 112 * 112, "longest_edge": 64 * 28 * 28}
    return Parts(
        hf.Glm4vForConditionalGeneration(config),
        hf.Glm4vProcessor(
            image_processor=hf.Glm4vImageProcessor(size=size),
            tokenizer=tokenizer,
            video_processor=hf.Glm4vVideoProcessor(size=size),
            chat_template=template("glm4v"),
        ),
        ends=ends,
    )


def gemma3() -> Parts:
    """Gemma 3: every picture the same number of tokens, seen both ways by the attention."""
    import transformers as hf

    named = {
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
        "image_token": "<image_soft_token>",
    }
    tokenizer = character_level(("<start_of_turn>", "<end_of_turn>", *named.values()), named)
    ids = tokenizer.convert_tokens_to_ids
    text = text_sizes(tokenizer) | {
        "head_dim": 32,
        "query_pre_attn_scalar": 32,
        "sliding_window": 1024,
        "layer_types": ["sliding_attention", "full_attention"],
        "tie_word_embeddings": True,
    }
    config = hf.Gemma3Config(
        text_config=text,
        vision_config=_SIGLIP | {"image_size": 56, "vision_use_head": False},
        mm_tokens_per_image=4,
        boi_token_index=ids("<start_of_image>"),
        eoi_token_index=ids("<end_of_image>"),
        image_token_index=ids("<image_soft_token>"),
    )
    ends = [ids("<eos>"), ids("<end_of_turn>")]
    return Parts(
        hf.Gemma3ForConditionalGeneration(config),
        hf.Gemma3Processor(
            image_processor=hf.Gemma3ImageProcessor(size={"height": 56, "width": 56}),
            tokenizer=tokenizer,
            image_seq_length=4,
            chat_template=template("gemma3"),
        ),
        ends=ends,
        on_hub=_SIGLIP_ON_HUB,
    )


def gemma4() -> Parts:
    """Gemma 4: a budget of tokens a picture."""
    import transformers as hf

    named = {
        "boi_token": "<|image>",
        "eoi_token": "<image|>",
        "image_token": "<|image|>",
        "boa_token": "<|audio>",
        "eoa_token": "<audio|>",
        "audio_token": "<|audio|>",
    }
    special = ("<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>", "<|video|>")
    tokenizer = character_level((*special, *named.values()), named)
    ids = tokenizer.convert_tokens_to_ids
    text = text_sizes(tokenizer) | {
        "head_dim": 32,
        "global_head_dim": 32,
        "num_global_key_value_heads": 2,
        "sliding_window": 512,
        "layer_types": ["sliding_attention", "full_attention"],
        "tie_word_embeddings": True,
        "vocab_size_per_layer_input": len(tokenizer),
        "hidden_size_per_layer_input": 0,
    }
    vision = {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "patch_size": 16,
        "pooling_kernel_size": 3,
        "position_embedding_size": 256,
        "default_output_length": 70,
    }
    config = hf.Gemma4Config(
        text_config=text,
        vision_config=vision,
        audio_config=None,
        boi_token_id=ids("<|image>"),
        eoi_token_id=ids("<image|>"),
        image_token_id=ids("<|image|>"),
        video_token_id=ids("<|video|>"),
        boa_token_id=ids("<|audio>"),
        eoa_token_index=ids("<audio|>"),
        audio_token_id=ids("<|audio|>"),
    )
    return Parts(
        hf.Gemma4ForConditionalGeneration(config),
        hf.Gemma4Processor(
            feature_extractor=hf.Gemma4AudioFeatureExtractor(),
            image_processor=hf.Gemma4ImageProcessor(max_soft_tokens=70),
            tokenizer=tokenizer,
            video_processor=hf.Gemma4VideoProcessor(),
            image_seq_length=70,
            chat_template=template("gemma4"),
        ),
        ends=[ids("<eos>"), ids("<turn|>")],
    )


def llava_onevision() -> Parts:
    """LLaVA-OneVision: a picture whole and in tiles."""
    import transformers as hf

    tokenizer = byte_level(
        hf.Qwen2Tokenizer,
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>"),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    ids = tokenizer.convert_tokens_to_ids
    grids = [[56, 56], [56, 112], [112, 56], [112, 112]]
    rope = {"rope_type": "default", "rope_theta": 10_000.0}
    config = hf.LlavaOnevisionConfig(
        text_config=hf.Qwen2Config(**text_sizes(tokenizer), rope_parameters=rope),
        vision_config=hf.SiglipVisionConfig(**_SIGLIP, image_size=56, vision_use_head=False),
        image_token_index=ids("<image>"),
        video_token_index=ids("<video>"),
        image_grid_pinpoints=grids,
        vision_feature_select_strategy="full",
    )
    side = {"height": 56, "width": 56}
    return Parts(
        hf.LlavaOnevisionForConditionalGeneration(config),
        hf.LlavaOnevisionProcessor(
            image_processor=hf.LlavaOnevisionImageProcessor(size=side, image_grid_pinpoints=grids),
            tokenizer=tokenizer,
            video_processor=hf.LlavaOnevisionVideoProcessor(size=side),
            num_image_tokens=16,
            vision_feature_select_strategy="full",
            chat_template=template("llava-onevision"),
        ),
        on_hub=_SIGLIP_ON_HUB,
    )


def _idefics_tokenizer() -> Any:
    named = {
        "fake_image_token": "<fake_token_around_image>",
        "image_token": "<image>",
        "end_of_utterance_token": "<end_of_utterance>",
        "global_image_token": "<global-img>",
    }
    tiles = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    return byte_level(
        None,
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *named.values(), *tiles),
        named=named,
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        pad_token="<|endoftext|>",
    )


def _idefics_shape(tokenizer: Any) -> dict[str, Any]:
    import transformers as hf

    return {
        "text_config": hf.LlamaConfig(**text_sizes(tokenizer)),
        "vision_config": _SIGLIP | {"image_size": 56},
        "image_token_id": tokenizer.convert_tokens_to_ids("<image>"),
        "scale_factor": 2,
        "pad_token_id": tokenizer.pad_token_id,
    }


_SPLIT = {"size": {"longest_edge": 112}, "max_image_size": {"longest_edge": 56}}


def idefics3() -> Parts:
    """Idefics3."""
    import transformers as hf

    tokenizer = _idefics_tokenizer()
    config = hf.Idefics3Config(**_idefics_shape(tokenizer))
    return Parts(
        hf.Idefics3ForConditionalGeneration(config),
        hf.Idefics3Processor(
            image_processor=hf.Idefics3ImageProcessor(**_SPLIT),
            tokenizer=tokenizer,
            image_seq_len=4,
            chat_template=template("smolvlm"),
        ),
    )


def smolvlm() -> Parts:
    """SmolVLM 2, whose processor needs the package num2words."""
    import transformers as hf

    tokenizer = _idefics_tokenizer()
    config = hf.SmolVLMConfig(**_idefics_shape(tokenizer))
    return Parts(
        hf.SmolVLMForConditionalGeneration(config),
        hf.SmolVLMProcessor(
            image_processor=hf.SmolVLMImageProcessor(**_SPLIT),
            tokenizer=tokenizer,
            video_processor=hf.SmolVLMVideoProcessor(),
            image_seq_len=4,
            chat_template=template("smolvlm"),
        ),
    )


def mistral3() -> Parts:
    """Mistral Small 3.1 and later in transformers' form; Pixtral's vision tower and processor."""
    import transformers as hf

    tokenizer = _mistral_tokenizer()
    text = text_sizes(tokenizer)
    config = hf.Mistral3Config(
        text_config=hf.MistralConfig(**text, head_dim=32, sliding_window=None),
        vision_config=hf.PixtralVisionConfig(**_PIXTRAL),
        image_token_index=tokenizer.convert_tokens_to_ids("[IMG]"),
        spatial_merge_size=2,
        tie_word_embeddings=False,
    )
    model = hf.Mistral3ForConditionalGeneration(config)
    return Parts(model, _pixtral_processor(tokenizer, merge=2))


def pixtral() -> Parts:
    """Pixtral 12B in transformers' form, which is a LLaVA with Pixtral's vision tower."""
    import transformers as hf

    tokenizer = _mistral_tokenizer()
    text = text_sizes(tokenizer)
    config = hf.LlavaConfig(
        text_config=hf.MistralConfig(**text, head_dim=32, sliding_window=None),
        vision_config=hf.PixtralVisionConfig(**_PIXTRAL),
        image_token_index=tokenizer.convert_tokens_to_ids("[IMG]"),
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        image_seq_length=1,
    )
    model = hf.LlavaForConditionalGeneration(config)
    return Parts(model, _pixtral_processor(tokenizer, merge=1))


_PIXTRAL = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 112,
    "patch_size": 14,
}


def _mistral_tokenizer() -> Any:
    special: tuple[str, ...] = (
        "<unk>",
        "<s>",
        "</s>",
        "[INST]",
        "[/INST]",
        "[SYSTEM_PROMPT]",
        "[/SYSTEM_PROMPT]",
    )
    special += ("[IMG]", "[IMG_BREAK]", "[IMG_END]", "[THINK]", "[/THINK]", "<pad>")
    return byte_level(None, special, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


def _pixtral_processor(tokenizer: Any, *, merge: int) -> Any:
    import transformers as hf

    return hf.PixtralProcessor(
        image_processor=hf.PixtralImageProcessor(
            size={"longest_edge": 112}, patch_size={"height": 14, "width": 14}
        ),
        tokenizer=tokenizer,
        patch_size=14,
        spatial_merge_size=merge,
        chat_template=template("mistral"),
    )


def minicpm_v() -> Parts:
    """MiniCPM-V 4.6, the first of that line in transformers' own form."""
    import transformers as hf

    named = {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "image_start_token": "<image>",
        "image_end_token": "</image>",
        "slice_start_token": "<slice>",
        "slice_end_token": "</slice>",
        "image_id_start_token": "<image_id>",
        "image_id_end_token": "</image_id>",
    }
    tokenizer = byte_level(
        None,
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *named.values()),
        plain=("<think>", "</think>"),
        named=named,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    ids = tokenizer.convert_tokens_to_ids
    rope = {"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 0.5}
    config = hf.MiniCPMV4_6Config(
        text_config={
            "model_type": "qwen3_5_text",
            **text_sizes(tokenizer),
            "rope_parameters": rope,
            "head_dim": 32,
            "num_hidden_layers": 4,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "linear_key_head_dim": 128,
            "linear_value_head_dim": 128,
        },
        vision_config=_SIGLIP | {"image_size": 112},
        insert_layer_id=0,
        image_size=112,
        image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"),
    )
    return Parts(
        hf.MiniCPMV4_6ForConditionalGeneration(config),
        hf.MiniCPMV4_6Processor(
            image_processor=hf.MiniCPMV4_6ImageProcessor(scale_resolution=112, max_slice_nums=4),
            video_processor=hf.MiniCPMV4_6VideoProcessor(),
            tokenizer=tokenizer,
            chat_template=template("minicpm"),
        ),
    )
