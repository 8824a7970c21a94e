"""How much a checkpoint weighs and computes, from its configuration alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlm_boundary.errors import reason_of

_BYTES = {"float32": 4, "float": 4, "bfloat16": 2, "float16": 2, "half": 2}


class NoBound(Exception):
    """A model or setting for which no lower bound of the time can be given, and why."""


@dataclass(frozen=True)
class ModelSize:
    """What the time of sampling depends on.

    Attributes:
        decoder: parameters that every token passes: the language model's layers, of a mixture of
            experts those of the experts that one token uses.
        head: parameters of the output layer.
        embedding: parameters of the input embedding, where it is not the head itself.
        vision: parameters of the vision tower's blocks, which every patch passes.
        patches_per_token: patches that are merged into one token of the prompt.
        attention: multiplications of one query with one key and one value, all layers and heads.
        kv_bytes: bytes of keys and values kept for each token.
        kv_read_bytes: bytes of them that a step reads for each token of the context: more where
            layers share what one of them keeps.
        weight_bytes: bytes of one parameter.
        state_bytes: bytes of the state that layers of linear attention keep for each sequence.
    """

    decoder: float
    head: float
    embedding: float
    vision: float
    patches_per_token: int
    attention: float
    kv_bytes: float
    kv_read_bytes: float
    weight_bytes: float
    state_bytes: float = 0.0

    @property
    def decode_bytes(self) -> float:
        """Bytes of the weights that one step of decoding reads."""
        return (self.decoder + self.head) * self.weight_bytes

    @property
    def resident_bytes(self) -> float:
        """Bytes of the weights that stay in memory."""
        return self.decode_bytes + (self.embedding + self.vision) * self.weight_bytes


def read_model_size(folder: Path, engine_args: Mapping[str, Any]) -> ModelSize:
    """The size of the checkpoint in a folder under vLLM's engine arguments.

    Raises:
        NoBound: its architecture, or its number format, is not one that this can reckon with.
    """
    from transformers import AutoConfig

    try:
        # Through transformers, which knows what a configuration leaves to its defaults.
        # A bound is not worth running a checkpoint's code for; unsaid, transformers would ask.
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except ValueError as error:
        raise NoBound(f"config.json: {reason_of(error)}") from None
    content = config.to_dict()
    content["dtype"] = str(content.get("dtype") or "bfloat16").removeprefix("torch.")
    return model_size(content, engine_args)


def model_size(config: Mapping[str, Any], engine_args: Mapping[str, Any]) -> ModelSize:
    """The size of a model with a Hugging Face configuration; see `read_model_size`."""
    if engine_args.get("kv_sharing_fast_prefill"):
        raise NoBound("kv_sharing_fast_prefill: which layers a prompt passes is not reckoned with")
    text = config.get("text_config") or config.get("llm_config") or config
    hidden, layers = _number(text, "hidden_size"), _layers(text)
    head = _number(text, "vocab_size") * hidden
    tied = bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings", False)))
    vision, patches = _vision(config.get("vision_config") or {})
    full = [layer for layer in layers if layer.kind == "full_attention"]
    linear = sum(layer.kind == "linear_attention" for layer in layers)
    mixing, state = _linear_attention(text, hidden) if linear else (0, 0)
    # Gemma 4's smaller models give every layer an embedding of the token of its own.
    extra = int(text.get("hidden_size_per_layer_input") or 0) * len(layers)
    kv_width = _kv_bytes(config, engine_args)
    return ModelSize(
        decoder=float(
            sum(hidden * (layer.attention + 3 * layer.inner) for layer in layers)
            + linear * mixing
            + 3 * hidden * extra
        ),
        head=float(head),
        embedding=float(
            (0 if tied else head) + extra * int(text.get("vocab_size_per_layer_input") or 0)
        ),
        vision=vision,
        patches_per_token=patches,
        attention=float(sum(layer.heads * layer.head_dim for layer in full)),
        kv_bytes=float(sum(layer.kept for layer in full) * kv_width),
        kv_read_bytes=float(sum(layer.read for layer in full) * kv_width),
        weight_bytes=float(_weight_bytes(config, engine_args)),
        state_bytes=float(linear * state * _weight_bytes(config, engine_args)),
    )


@dataclass(frozen=True)
class _Layer:
    """One layer of the language model.

    `own` says that it has keys and values of its own, `inner` is the width of its gated layers that
    one token passes.
    """

    kind: str
    heads: int
    kv_heads: int
    head_dim: int
    inner: int
    own: bool = True
    keys_are_values: bool = False

    @property
    def attention(self) -> int:
        """The width of its attention's matrices, all together."""
        if self.kind == "linear_attention":
            return 0
        own = self.kv_heads * (1 if self.keys_are_values else 2) if self.own else 0
        return self.head_dim * (2 * self.heads + own)

    @property
    def read(self) -> int:
        """Numbers that it looks back on, for each token."""
        return 2 * self.kv_heads * self.head_dim

    @property
    def kept(self) -> int:
        """Numbers that are kept for it, for each token."""
        return self.read if self.own else 0


def _layers(text: Mapping[str, Any]) -> list[_Layer]:
    """The layers of a language model; those with a window keep and read what is left out."""
    count = _number(text, "num_hidden_layers")
    kinds = list(text.get("layer_types") or ["full_attention"] * count)
    known = {"full_attention", "sliding_attention", "linear_attention"}
    if other := set(kinds) - known:
        raise NoBound(f"layers of type {', '.join(sorted(other))} are not known")
    # As transformers writes what single layers have otherwise than the rest (Gemma 4).
    otherwise = {int(i): one for i, one in (text.get("per_layer_config") or {}).items()}
    shared = int(text.get("num_kv_shared_layers") or 0)
    first_shared = count - shared if shared else count
    inner, wider = _mlp_width(text), bool(text.get("use_double_wide_mlp"))
    layers = []
    for i, kind in enumerate(kinds):
        one = {**text, **otherwise.get(i, {})}
        heads = _number(one, "num_attention_heads")
        layers.append(
            _Layer(
                kind=kind,
                heads=heads,
                kv_heads=int(one.get("num_key_value_heads") or heads),
                head_dim=int(one.get("head_dim") or _number(one, "hidden_size") // heads),
                inner=inner * (2 if wider and i >= first_shared else 1),
                own=i < first_shared,
                keys_are_values=bool(one.get("attention_k_eq_v")) and kind == "full_attention",
            )
        )
    return layers


def _linear_attention(text: Mapping[str, Any], hidden: int) -> tuple[int, int]:
    """Parameters of one layer's gated delta rule (Qwen3.5), and numbers in its state."""
    heads, width = _number(text, "linear_num_value_heads"), _number(text, "linear_value_head_dim")
    key_heads, key_width = (
        _number(text, "linear_num_key_heads"),
        _number(text, "linear_key_head_dim"),
    )
    keys, values = key_heads * key_width, heads * width
    mixing = hidden * (2 * keys + 2 * values + 2 * heads) + values * hidden
    return mixing, heads * key_width * width


def _mlp_width(text: Mapping[str, Any]) -> int:
    """Width of the gated layers that one token passes."""
    if text.get("enable_moe_block"):  # Gemma 4's, beside gated layers that every token passes
        experts = _number(text, "top_k_experts") * _number(text, "moe_intermediate_size")
        return _number(text, "intermediate_size") + experts
    if text.get("num_experts_per_tok") and text.get("moe_intermediate_size"):
        return int(text["num_experts_per_tok"]) * int(text["moe_intermediate_size"])
    return _number(text, "intermediate_size")


def _vision(config: Mapping[str, Any]) -> tuple[float, int]:
    """Parameters of the vision tower's blocks, and patches for each token."""
    depth = config.get("depth") or config.get("num_hidden_layers")
    hidden, inner = config.get("hidden_size"), config.get("intermediate_size")
    if not (depth and hidden and inner):
        return 0.0, 1  # left out, which leaves the bound below the truth
    # Qwen2.5-VL's blocks are gated (SwiGLU), other families' are not.
    matrices = 3 if config.get("hidden_act") == "silu" else 2
    block = 4 * hidden * hidden + matrices * hidden * inner
    merged = config.get("spatial_merge_size") or config.get("pooling_kernel_size") or 1
    return float(depth * block), int(merged) ** 2


def _weight_bytes(config: Mapping[str, Any], engine_args: Mapping[str, Any]) -> int:
    if engine_args.get("quantization") or config.get("quantization_config"):
        raise NoBound("quantised weights: peak rates of their arithmetic are not in the table")
    name = str(engine_args.get("dtype", "auto"))
    if name == "auto":
        name = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16")
        # As vLLM does, which takes half precision for checkpoints in float32.
        name = "bfloat16" if name == "float32" else name
    if name not in _BYTES:
        raise NoBound(f"dtype {name}: its width is not known")
    return _BYTES[name]


def _kv_bytes(config: Mapping[str, Any], engine_args: Mapping[str, Any]) -> int:
    if str(engine_args.get("kv_cache_dtype", "auto")).startswith("fp8"):
        return 1
    return _weight_bytes(config, engine_args)


def _number(config: Mapping[str, Any], key: str) -> int:
    if not isinstance(config.get(key), int):
        raise NoBound(f"config.json gives no {key}")
    return int(config[key])
