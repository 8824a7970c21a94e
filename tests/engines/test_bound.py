"""The least time, against numbers worked out by hand for a model of seven billion parameters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from required import needs

from vlm_boundary.engines.bound import GPUS, TokenSums, find_gpu, lower_bound, recognise
from vlm_boundary.engines.model_size import NoBound, model_size, read_model_size
from vlm_boundary.errors import UserError

# The numbers of Qwen/Qwen2.5-VL-7B-Instruct's config.json that count here.
QWEN_7B = {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vision_config": {
        "depth": 32,
        "hidden_act": "silu",
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "num_heads": 16,
        "out_hidden_size": 3584,
        "patch_size": 14,
        "spatial_merge_size": 2,
    },
}
MODEL = model_size(QWEN_7B, {})


def uniform(problems: int, n: int, prompt: int, response: int) -> TokenSums:
    one = TokenSums.of_prompt(prompt, prompt) + TokenSums.of_responses(prompt, response, n)
    return TokenSums(**{name: problems * value for name, value in vars(one).items()})


def test_the_size_follows_from_the_configuration() -> None:
    assert MODEL.decoder == pytest.approx(6.525e9, rel=1e-3)
    assert MODEL.head == pytest.approx(0.545e9, rel=1e-3)
    assert MODEL.vision == pytest.approx(0.63e9, rel=1e-2)
    assert MODEL.decode_bytes == pytest.approx(14.14e9, rel=1e-3)
    assert MODEL.resident_bytes == pytest.approx(16.6e9, rel=1e-2)
    assert MODEL.kv_bytes == 57_344
    assert MODEL.attention == 28 * 28 * 128
    assert MODEL.patches_per_token == 4


def test_a_nested_configuration_is_the_same() -> None:
    text = {key: QWEN_7B[key] for key in QWEN_7B if key != "vision_config"}
    nested = {"text_config": text, "vision_config": QWEN_7B["vision_config"]}
    assert model_size(nested | {"tie_word_embeddings": False, "dtype": "bfloat16"}, {}) == MODEL


@pytest.mark.parametrize(
    ("args", "weights", "kv"),
    [
        ({}, 2, 57_344),
        ({"dtype": "float32"}, 4, 2 * 57_344),
        ({"kv_cache_dtype": "fp8"}, 2, 57_344 / 2),
    ],
)
def test_number_formats(args: dict[str, str], weights: int, kv: float) -> None:
    size = model_size(QWEN_7B, args)
    assert (size.weight_bytes, size.kv_bytes) == (weights, kv)


def test_a_mixture_of_experts_counts_those_that_a_token_uses() -> None:
    experts = {"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 2368}
    assert model_size(QWEN_7B | experts, {}) == MODEL  # 8 × 2368 is one dense layer's 18944


# 1,000 problems, 256 samples each, 100 % of the data sheet, 1,024 sequences, 4 GB of activations,
# prompts read in steps of their own:
# GPU, prompt tokens, response tokens, hours.
@pytest.mark.parametrize(
    ("gpu", "prompt", "response", "hours"),
    [
        ("A100", 700, 300, 1.00),
        ("A100", 1500, 600, 2.5),
        ("A100", 1500, 2000, 12.2),
        ("H100", 700, 300, 0.40),
        ("H100", 1500, 600, 1.5),
        ("H100", 1500, 2000, 7.4),
        ("H200", 700, 300, 0.32),
        ("H200", 1500, 600, 1.05),
        ("H200", 1500, 2000, 4.7),
        ("L40S", 700, 300, 1.55),
        ("L40S", 1500, 600, 6.2),
        ("L40S", 1500, 2000, 35.0),
    ],
)
def test_hours_for_a_thousand_problems(gpu: str, prompt: int, response: int, hours: float) -> None:
    work = uniform(1000, 256, prompt, response)
    args = {"max_num_seqs": 1024, "enable_chunked_prefill": False}
    bound = lower_bound(work, MODEL, find_gpu(gpu), args, reserved_bytes=4e9)
    assert bound.seconds / 3600 == pytest.approx(hours, rel=0.02)


def test_what_decoding_waits_for() -> None:
    """Long contexts wait for memory, short ones with many sequences for arithmetic."""
    h200 = find_gpu("H200")
    long = lower_bound(uniform(1000, 256, 1500, 2000), MODEL, h200, {"max_num_seqs": 1024})
    assert long.decode_memory > long.decode_compute
    short = lower_bound(uniform(1000, 256, 100, 50), MODEL, h200, {"max_num_seqs": 1024})
    assert short.decode_compute > short.decode_memory


def test_more_gpus_and_more_room_never_take_longer() -> None:
    work = uniform(100, 64, 900, 400)
    h100 = find_gpu("H100")
    one = lower_bound(work, MODEL, h100, {"max_num_seqs": 256})
    assert lower_bound(work, MODEL, h100, {"max_num_seqs": 256}, gpus=4).seconds == pytest.approx(
        one.seconds / 4
    )
    assert lower_bound(work, MODEL, h100, {"max_num_seqs": 512}).seconds < one.seconds
    assert lower_bound(work + work, MODEL, h100, {"max_num_seqs": 256}).seconds == pytest.approx(
        2 * one.seconds
    )


def test_nothing_takes_no_time() -> None:
    assert lower_bound(TokenSums(), MODEL, find_gpu("L4"), {"max_num_seqs": 256}).seconds == 0


HYBRID = {
    "layer_types": 7
    * ["linear_attention", "linear_attention", "linear_attention", "full_attention"],
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
}


def test_layers_of_linear_attention_keep_a_state_in_place_of_keys_and_values() -> None:
    hybrid = model_size(QWEN_7B | HYBRID, {})
    assert hybrid.kv_bytes == MODEL.kv_bytes / 4
    assert hybrid.attention == MODEL.attention / 4
    assert hybrid.state_bytes == 21 * 32 * 128 * 128 * 2
    work, gpu = uniform(100, 64, 500, 1000), find_gpu("H100")
    bound = lower_bound(work, hybrid, gpu, {"max_num_seqs": 1024})
    stateless = lower_bound(work, replace(hybrid, state_bytes=0.0), gpu, {"max_num_seqs": 1024})
    state = 2 * hybrid.state_bytes * work.response_tokens / gpu.bandwidth
    assert bound.decode_memory == pytest.approx(stateless.decode_memory + state)
    # A state takes room whatever the length: of short answers fewer run at once.
    short = uniform(10_000, 64, 10, 10)
    assert (
        lower_bound(short, hybrid, gpu, {"max_num_seqs": 10**9}).sequences
        < lower_bound(
            short, replace(hybrid, state_bytes=0.0), gpu, {"max_num_seqs": 10**9}
        ).sequences
    )


def test_windows_are_left_out_so_that_the_bound_stays_one() -> None:
    windows = {"layer_types": 14 * ["sliding_attention", "full_attention"]}
    windowed = model_size(QWEN_7B | windows, {})
    assert windowed.kv_bytes == MODEL.kv_bytes / 2
    assert windowed.decoder == MODEL.decoder
    everywhere = model_size(QWEN_7B | {"layer_types": 28 * ["sliding_attention"]}, {})
    bound = lower_bound(uniform(9, 9, 9, 9), everywhere, find_gpu("H100"), {"max_num_seqs": 256})
    assert bound.seconds > 0


@pytest.mark.parametrize("family", ["qwen3.5", "gemma3", "gemma4", "qwen3-vl"])
def test_no_more_is_counted_than_a_model_has(family: str, tmp_path: Path) -> None:
    needs("torch")
    needs("transformers")
    from safetensors import safe_open

    from vlm_boundary.tiny.families import write_family

    write_family(family, tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as weights:
        layers = sum(
            weights.get_tensor(name).numel()
            for name in weights.keys()  # noqa: SIM118 - it is no mapping
            if "language_model" in name and ".layers." in name
        )
    counted = read_model_size(tmp_path, {}).decoder
    assert 0.8 * layers < counted <= layers


# Gemma 4's own: layers with and without a window, of other widths; some without keys and values of
# their own; embeddings of every layer; experts beside gated layers. (Not all in one real model.)
SHARING: dict[str, Any] = {
    "vocab_size": 1000,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "global_head_dim": 32,
    "layer_types": 3 * ["sliding_attention", "full_attention"],
    "num_kv_shared_layers": 2,
    "use_double_wide_mlp": True,
    "hidden_size_per_layer_input": 8,
    "vocab_size_per_layer_input": 1000,
}
EXPERTS: dict[str, Any] = SHARING | {
    "num_kv_shared_layers": 0,
    "use_double_wide_mlp": False,
    "hidden_size_per_layer_input": 0,
    "attention_k_eq_v": True,
    "num_global_key_value_heads": 1,
    "enable_moe_block": True,
    "num_experts": 4,
    "top_k_experts": 4,  # all of them, so that the whole model is what a token passes
    "moe_intermediate_size": 24,
}


@pytest.mark.parametrize("content", [SHARING, EXPERTS])
def test_layers_that_differ_are_counted_one_by_one(content: dict[str, Any], tmp_path: Path) -> None:
    torch = needs("torch")
    hf = needs("transformers")

    config = hf.Gemma4TextConfig(**content)
    hf.Gemma4Config(text_config=config, vision_config=None, audio_config=None).save_pretrained(
        tmp_path
    )
    with torch.device("meta"):
        model = hf.Gemma4ForCausalLM(config)
    sizes = {name: one.numel() for name, one in model.named_parameters() if one.dim() > 1}
    embeddings = sum(size for name, size in sizes.items() if "embed_tokens" in name)
    found = read_model_size(tmp_path, {})
    routers = sum(size for name, size in sizes.items() if "router" in name)
    tied = sizes.get("lm_head.weight", 0)
    assert found.decoder == sum(sizes.values()) - embeddings - routers - tied
    assert found.head + found.embedding == embeddings


def test_gemma_4_e4b_is_as_large_as_its_name_says() -> None:
    """4.5 billion parameters "effective", 8 with the embeddings of its layers (and the towers)."""
    content = {
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "num_hidden_layers": 42,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "head_dim": 256,
        "vocab_size": 262144,
        "vocab_size_per_layer_input": 262144,
        "hidden_size_per_layer_input": 256,
        "num_kv_shared_layers": 18,
        "layer_types": 7 * [*5 * ["sliding_attention"], "full_attention"],
        "per_layer_config": {str(i): {"head_dim": 512} for i in range(5, 42, 6)},
        "tie_word_embeddings": True,
    }
    size = model_size(content, {})
    assert size.decoder + size.head == pytest.approx(4.5e9, rel=0.05)
    assert size.resident_bytes / 2 == pytest.approx(7.5e9, rel=0.01)
    assert size.kv_bytes == 4 * 2 * 2 * 512 * 2  # of seven layers without a window three share
    assert size.kv_read_bytes == 7 * 2 * 2 * 512 * 2


def test_layers_share_what_one_of_them_keeps_and_read_it_each() -> None:
    needs("transformers")
    import transformers as hf

    size = model_size({"text_config": hf.Gemma4TextConfig(**SHARING).to_dict()}, {})
    # Of three layers without a window the last has none of its own.
    assert size.kv_bytes == 2 * 2 * 2 * 32 * 2
    assert size.kv_read_bytes == 3 * 2 * 2 * 32 * 2
    assert size.attention == 3 * 4 * 32
    apart = replace(size, kv_read_bytes=size.kv_bytes)
    work, gpu = uniform(100, 64, 500, 1000), find_gpu("H100")
    more = lower_bound(work, size, gpu, {"max_num_seqs": 64})
    less = lower_bound(work, apart, gpu, {"max_num_seqs": 64})
    assert more.decode_memory > less.decode_memory
    assert more.sequences == less.sequences


def test_prompts_are_read_while_decoding_waits_for_memory() -> None:
    """Unless prefill has steps of its own: a bound above what chunks reach would be none."""
    work, gpu = uniform(1000, 64, 1500, 2000), find_gpu("H100")
    chunked = lower_bound(work, MODEL, gpu, {"max_num_seqs": 256})
    whole = lower_bound(work, MODEL, gpu, {"max_num_seqs": 256, "enable_chunked_prefill": False})
    assert chunked.prefill > 0
    assert chunked.seconds == chunked.decode_memory
    assert whole.seconds == pytest.approx(chunked.seconds + chunked.prefill)
    short = lower_bound(uniform(1000, 1024, 100, 50), MODEL, gpu, {"max_num_seqs": 1024})
    assert short.seconds == short.prefill + short.decode_compute  # arithmetic does not overlap


def test_a_model_that_does_not_fit_has_no_bound() -> None:
    large = replace(MODEL, decoder=30e9)
    with pytest.raises(NoBound, match="weights take"):
        lower_bound(uniform(1, 1, 9, 9), large, find_gpu("L40S"), {"max_num_seqs": 256})
    work = uniform(1, 1, 9, 9)
    with pytest.raises(NoBound, match="spans 4 GPUs, and there are 2"):
        lower_bound(
            work, large, find_gpu("L40S"), {"max_num_seqs": 1, "tensor_parallel_size": 4}, gpus=2
        )


@pytest.mark.parametrize(
    ("changes", "args", "says"),
    [
        ({}, {"quantization": "fp8"}, "quantised"),
        ({"quantization_config": {"bits": 4}}, {}, "quantised"),
        ({"layer_types": ["full_attention", "chunked_attention"]}, {}, "chunked_attention"),
        ({}, {"kv_sharing_fast_prefill": True}, "kv_sharing_fast_prefill"),
        ({"hidden_size": None}, {}, "no hidden_size"),
        ({}, {"dtype": "float8"}, "float8"),
    ],
)
def test_what_the_formulas_do_not_cover_is_said(
    changes: dict[str, object], args: dict[str, str], says: str
) -> None:
    with pytest.raises(NoBound, match=says):
        model_size(QWEN_7B | changes, args)


def test_gpus_are_found_by_name_and_by_what_cuda_calls_them() -> None:
    assert find_gpu("h100").name == "H100"
    assert recognise("NVIDIA A100-SXM4-80GB") is find_gpu("A100")
    assert recognise("NVIDIA H100 80GB HBM3") is find_gpu("H100")
    assert recognise("cpu") is None
    names = [name for gpu in GPUS for name in gpu.device_names]
    assert len(set(names)) == len(names)
    with pytest.raises(UserError, match="no GPU 'H1000' is known; there are A100-40G, A100, H100"):
        find_gpu("H1000")


@pytest.mark.parametrize(("name", "sequences"), [("A100", 256), ("H100", 1024), ("L40S", 256)])
def test_vllms_own_number_of_sequences(name: str, sequences: int) -> None:
    assert find_gpu(name).default_sequences == sequences


def test_the_documents_table_is_the_one_in_use() -> None:
    page = (Path(__file__).parents[2] / "docs" / "planning.md").read_text()
    for gpu in GPUS:
        row = f"| {gpu.name} | {gpu.flops / 1e12:g} | {gpu.bandwidth / 1e12:g} | "
        assert f"{row}{gpu.memory / 1e9:g} | " in page
