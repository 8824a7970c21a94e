"""Another family than the one the package grew up with: InternVL, through its own processor."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("vllm", reason="vLLM is not installed")

import torch
from engine_parts import ENGINE_ARGS, ask, draw_picture

from vlm_boundary.benchmarks.images import PictureBudget
from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.config import SamplingConfig, TransformersConfig, VllmConfig
from vlm_boundary.engines import Completion, Engine
from vlm_boundary.engines.base import Workload
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.records.manifest import Checkpoint

pytestmark = pytest.mark.engine

SPECIAL = {
    "eos_token": "<|im_end|>",
    "pad_token": "<|endoftext|>",
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<IMG_CONTEXT>\n"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_internvl(folder: Path) -> None:
    """A random InternVL of a few layers, with pictures of 56 × 56 in four tokens each."""
    from tokenizers import pre_tokenizers
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
        InternVLVisionConfig,
        Qwen2Config,
        Qwen2Tokenizer,
    )

    words = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *SPECIAL.values(), "<|im_start|>"]
    vocab = {word: index for index, word in enumerate(words)}
    named = {key: token for key, token in SPECIAL.items() if key.endswith("_token")}
    tokenizer = Qwen2Tokenizer(
        vocab=vocab,
        merges=[],
        unk_token=None,
        eos_token=named.pop("eos_token"),
        pad_token=named.pop("pad_token"),
        extra_special_tokens=named,
    )
    side = {"height": 56, "width": 56}
    processor = InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=side, min_patches=1, max_patches=2),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(size=side),
        image_seq_length=4,
        chat_template=TEMPLATE,
    )
    end = vocab["<|im_end|>"]
    config = InternVLConfig(
        vision_config=InternVLVisionConfig(
            hidden_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=96,
            image_size=[56, 56],
            patch_size=[14, 14],
        ),
        text_config=Qwen2Config(
            vocab_size=len(words),
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            initializer_range=0.1,
            eos_token_id=end,
            pad_token_id=vocab["<|endoftext|>"],
        ),
        image_token_id=vocab["<IMG_CONTEXT>"],
        image_seq_length=4,
    )
    torch.manual_seed(3)
    model = InternVLForConditionalGeneration(config)
    model.generation_config.eos_token_id = end
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("internvl")
    write_internvl(folder)
    return resolve_checkpoint(str(folder))


def test_vllm_and_transformers_see_the_same_prompt_and_picture(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    sampling = SamplingConfig(n=1, temperature=0.0, max_tokens=24)
    workload = Workload((sampling,), max_images=2)
    picture = draw_picture(tmp_path)
    requests = [ask((picture,), 1), ask((picture, picture), 1, request_id="two")]

    def draw(engine: Engine) -> dict[str, Completion]:
        results = list(engine.generate(requests, sampling))
        engine.close()
        assert all(isinstance(result, Completion) for result in results), results
        return {result.request_id: result for result in results}  # type: ignore[misc]

    slow = TransformersConfig(kind="transformers", dtype="float32")
    expected = draw(open_engine("internvl", checkpoint, slow, workload))
    fast = VllmConfig(in_process=True, args=ENGINE_ARGS)
    found = draw(open_engine("internvl", checkpoint, fast, workload))
    for name, sample in found.items():
        assert sample.token_ids == expected[name].token_ids
        assert sample.logprob_sum == pytest.approx(expected[name].logprob_sum, abs=0.05)
    assert expected["p"].logprob_sum != expected["two"].logprob_sum


@pytest.mark.parametrize("kind", ["vllm", "transformers"])
def test_it_is_recorded_that_its_processor_takes_no_pixel_budget(
    checkpoint: Checkpoint, kind: str
) -> None:
    config = (
        VllmConfig(in_process=True, args=ENGINE_ARGS)
        if kind == "vllm"
        else TransformersConfig(kind="transformers")
    )
    sampling = SamplingConfig(max_tokens=24)
    workload = Workload((sampling,), max_images=1, budget=PictureBudget(100, 50_000))
    engine = open_engine("internvl", checkpoint, config, workload)
    assert engine.describe()["picture_sizes"].endswith("takes no min_pixels and max_pixels")
    engine.close()
