"""The embedded checkpoint's shape: a Qwen2.5-VL of about one million parameters, made from nothing.

The files written are in Hugging Face format and load unchanged in vLLM and transformers. The
tokenizer is byte-level, so that any question in any script can be put to it; `merges.txt` makes
one token of each word that the procedural benchmark uses (`vocabulary.py` learns them).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers.pre_tokenizers import PreTokenizer
    from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor


SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
BYTE_TOKENS = 256
MERGES = tuple(Path(__file__).with_name("merges.txt").read_text(encoding="utf-8").splitlines())
VOCAB_SIZE = BYTE_TOKENS + len(SPECIAL_TOKENS) + len(MERGES)

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

PATCH_SIZE = 14
MERGE_SIZE = 2
MIN_PIXELS = 28 * 28
MAX_PIXELS = 1280 * 28 * 28
MAX_POSITIONS = 32768

# The usual 0.02 suits layers a thousand wide; these are a hundred wide and learn from it slowly.
INITIAL_SPREAD = 0.07
GUESSER_NOTE = (
    "a stand-in with random weights, never trained, that writes digits at random: "
    "what it gets right is luck"
)
# The tokens that it writes: digits, and what ends a number or the response.
GUESSES = "0123456789\n"


def token_id(token: str) -> int:
    """The id of a special token."""
    return BYTE_TOKENS + SPECIAL_TOKENS.index(token)


def byte_vocabulary(special: Sequence[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The ids of bytes, of special tokens and of `tiny`'s words, in this order; and its merges."""
    from tokenizers import pre_tokenizers

    # Sorted, because ByteLevel.alphabet() comes in an order that changes between processes.
    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *special]
    merges = [(left, right) for left, right in (merge.split(" ") for merge in MERGES)]
    tokens += [left + right for left, right in merges]
    return {token: place for place, token in enumerate(dict.fromkeys(tokens))}, merges


def split_into_words() -> PreTokenizer:
    """How the Qwen tokenizers cut text before they merge bytes: digits stay apart."""
    from tokenizers import Regex, pre_tokenizers
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def build_processor() -> Qwen2_5_VLProcessor:
    """The processor: byte-level tokenizer, Qwen2-VL picture processor and a ChatML template."""
    from transformers import (
        Qwen2_5_VLProcessor,
        Qwen2Tokenizer,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    vocab, merges = byte_vocabulary(SPECIAL_TOKENS)
    tokenizer = Qwen2Tokenizer(
        vocab=vocab,
        merges=merges,
        unk_token=None,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=list(SPECIAL_TOKENS),
        model_max_length=MAX_POSITIONS,
    )
    size = {"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS}
    pictures = {"patch_size": PATCH_SIZE, "merge_size": MERGE_SIZE, "size": size}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**pictures),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**pictures),
        chat_template=CHAT_TEMPLATE,
    )


def build_model(seed: int) -> Qwen2_5_VLForConditionalGeneration:
    """A freshly initialised model; the same seed gives the same weights on the same torch."""
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    text: dict[str, Any] = {
        "vocab_size": VOCAB_SIZE,
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": MAX_POSITIONS,
        "initializer_range": INITIAL_SPREAD,
        "tie_word_embeddings": True,
        "bos_token_id": token_id("<|endoftext|>"),
        "eos_token_id": token_id("<|im_end|>"),
        "pad_token_id": token_id("<|endoftext|>"),
        "rope_parameters": {
            "rope_type": "default",
            # Far lower than usual: the last part, width, has the lowest frequencies, and with the
            # usual ones the columns of a picture three tokens wide would look the same.
            "rope_theta": 10.0,
            # The three parts (time, height, width) fill half of the 32-wide attention heads.
            "mrope_section": [4, 6, 6],
        },
    }
    vision: dict[str, Any] = {
        "initializer_range": INITIAL_SPREAD,
        "depth": 2,
        "hidden_size": 96,
        "intermediate_size": 256,
        "num_heads": 3,
        "out_hidden_size": 128,
        "patch_size": PATCH_SIZE,
        "spatial_merge_size": MERGE_SIZE,
        "temporal_patch_size": 2,
        "window_size": 112,
        "fullatt_block_indexes": [1],
    }
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        tie_word_embeddings=True,
        image_token_id=token_id("<|image_pad|>"),
        video_token_id=token_id("<|video_pad|>"),
        vision_start_token_id=token_id("<|vision_start|>"),
        vision_end_token_id=token_id("<|vision_end|>"),
    )
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(config)
    # The one wide input: a patch has ten times the values that other layers take in.
    torch.nn.init.normal_(model.model.visual.patch_embed.proj.weight, std=0.02)
    model.generation_config.eos_token_id = token_id("<|im_end|>")
    model.generation_config.pad_token_id = token_id("<|endoftext|>")
    return model


def save_checkpoint(model: Qwen2_5_VLForConditionalGeneration, folder: Path, *, note: str) -> None:
    """Write weights (bfloat16), processor and a note that reports show beside the arm's name."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    # A copy, so that training can go on at full precision.
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder)
    build_processor().save_pretrained(folder)
    (folder / "vlm_boundary.json").write_text(json.dumps({"note": note}) + "\n")


def build_guesser(seed: int) -> Qwen2_5_VLForConditionalGeneration:
    """Random weights whose next token is nearly always a digit, a line's end or the turn's end.

    Input and output embeddings are one matrix. Giving the wanted tokens one common direction makes
    each of them likely after any other, and after the line's end with which a prompt ends, as long
    as the layers in between, picture and all, change the last token's embedding only a little.
    """
    import torch

    model = build_model(seed)
    tokenizer = build_processor().tokenizer
    wanted = [*tokenizer(GUESSES).input_ids, token_id("<|im_end|>")]
    embeddings = model.get_input_embeddings().weight
    with torch.no_grad():
        direction = torch.randn(embeddings.shape[1])
        # Length 0.6 gives logits near 7 after the final norm; what remains of their own noise keeps
        # a token from calling for itself.
        embeddings[wanted] *= 0.1
        embeddings[wanted] += 0.6 * direction / direction.norm()
        for layer in model.model.language_model.layers:
            layer.self_attn.o_proj.weight *= 0.02
            layer.mlp.down_proj.weight *= 0.02
    return model
