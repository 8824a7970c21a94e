"""The reference engine: each sample from its own seed, and the distribution as it was asked for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_parts import ask, draw_picture
from required import needs

from vlm_boundary.config import SamplingConfig, TransformersConfig
from vlm_boundary.engines.base import Completion, Failure, Workload
from vlm_boundary.errors import UserError

needs("torch")
needs("transformers")

import torch

from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.engines.seeded import SeededSampler
from vlm_boundary.engines.transformers import TransformersEngine
from vlm_boundary.records.manifest import Checkpoint

SAMPLING = SamplingConfig(temperature=1.0, top_p=1.0, max_tokens=8)
END = 258


def open_engine(checkpoint: Checkpoint, batch_size: int = 16) -> TransformersEngine:
    config = TransformersConfig(kind="transformers", dtype="float32", batch_size=batch_size)
    return TransformersEngine(checkpoint, config, Workload((SAMPLING,), max_images=1))


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return resolve_checkpoint("tiny:untrained-1")


@pytest.fixture(scope="module")
def engine(checkpoint: Checkpoint) -> Iterator[TransformersEngine]:
    loaded = open_engine(checkpoint)
    yield loaded
    loaded.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return draw_picture(tmp_path)


def draw(engine: TransformersEngine, *requests: object) -> dict[int, Completion]:
    results = list(engine.generate(requests, SAMPLING))  # type: ignore[arg-type]
    assert all(isinstance(result, Completion) for result in results), results
    return {result.index: result for result in results}  # type: ignore[misc]


def test_a_sample_depends_on_its_seed_alone(
    engine: TransformersEngine, checkpoint: Checkpoint, picture: Path
) -> None:
    whole = draw(engine, ask((picture,), 6))
    tail = draw(engine, ask((picture,), indices=range(3, 6)))
    alone = draw(open_engine(checkpoint, batch_size=1), ask((picture,), 6))
    assert {i: s.token_ids for i, s in alone.items()} == {i: s.token_ids for i, s in whole.items()}
    for index in range(3, 6):
        assert tail[index].token_ids == whole[index].token_ids
        assert tail[index].logprob_sum == pytest.approx(whole[index].logprob_sum, abs=1e-3)
    assert [whole[i].seed for i in range(6)] == [100, 101, 102, 103, 104, 105]


def test_log_probabilities_are_the_models_own_with_the_end_counted(
    engine: TransformersEngine, checkpoint: Checkpoint, picture: Path
) -> None:
    """Against the logits of one pass over prompt and response, whatever the temperature was."""
    from transformers import AutoModelForImageTextToText

    from vlm_boundary.benchmarks.images import open_rgb
    from vlm_boundary.engines.chat import ChatRenderer

    request = ask((picture,), 8)
    sampling = SAMPLING.model_copy(update={"temperature": 0.5, "top_k": 12, "max_tokens": 4})
    samples = [s for s in engine.generate([request], sampling) if isinstance(s, Completion)]
    assert {s.finish_reason for s in samples} == {"stop", "length"}
    chat = ChatRenderer(checkpoint.folder)
    model = AutoModelForImageTextToText.from_pretrained(checkpoint.folder, dtype="float32")
    for sample in samples:
        assert (sample.token_ids[-1] == END) == (sample.finish_reason == "stop")
        assert "<|im_end|>" not in sample.text
        inputs = chat.processor(
            text=[chat.prompt_text(request.messages)],
            images=[open_rgb(picture)],
            return_tensors="pt",
        )
        response = torch.tensor([sample.token_ids])
        inputs["input_ids"] = torch.cat([inputs["input_ids"], response], dim=1)
        for name in ("attention_mask", "mm_token_type_ids"):
            if name in inputs:
                fill = torch.full_like(response, name == "attention_mask")
                inputs[name] = torch.cat([inputs[name], fill], dim=1)
        with torch.inference_mode():
            logprobs = model(**inputs).logits[0].log_softmax(-1)
        length = response.shape[1]
        expected = logprobs[-length - 1 : -1].gather(-1, response[0, :, None]).sum().item()
        assert sample.logprob_sum == pytest.approx(expected, abs=1e-3)


def test_the_first_samples_keep_every_tokens_log_probability(
    engine: TransformersEngine, picture: Path
) -> None:
    few = SAMPLING.model_copy(update={"token_logprobs": 2})
    for sample in engine.generate([ask((picture,), 3)], few):
        assert isinstance(sample, Completion)
        if sample.index >= 2:
            assert sample.token_logprobs is None
            continue
        assert sample.token_logprobs is not None
        assert len(sample.token_logprobs) == len(sample.token_ids)
        assert sum(sample.token_logprobs) == pytest.approx(sample.logprob_sum)


def test_the_models_own_generation_settings_change_nothing(
    engine: TransformersEngine, checkpoint: Checkpoint, picture: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "opinionated"
    shutil.copytree(checkpoint.folder, folder)
    opinions = {"do_sample": True, "temperature": 0.01, "top_k": 1, "repetition_penalty": 9.0}
    (folder / "generation_config.json").write_text(json.dumps(opinions | {"eos_token_id": END}))
    opinionated = open_engine(resolve_checkpoint(str(folder)))
    assert [s.token_ids for s in draw(opinionated, ask((picture,), 4)).values()] == [
        s.token_ids for s in draw(engine, ask((picture,), 4)).values()
    ]


def test_what_cannot_run_is_said_and_the_rest_goes_on(
    engine: TransformersEngine, picture: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "0c.png"
    broken.write_text("no picture")
    long = ask((), 1, request_id="long")
    long.messages[0]["content"][-1]["text"] = "x" * 40_000
    requests = [ask((broken,), 1, request_id="broken"), long, ask((picture,), 2)]
    results = list(engine.generate(requests, SAMPLING))
    reasons = {r.request_id: r.reason for r in results if isinstance(r, Failure)}
    assert "can be decoded" in reasons["broken"]
    assert "exceed the checkpoint's 32768 positions" in reasons["long"]
    assert sum(isinstance(r, Completion) for r in results) == 2


@pytest.mark.parametrize(
    ("change", "sampling", "says"),
    [
        ({"adapter": Path("a")}, {}, "loads no LoRA adapters"),
        ({}, {"args": {"stop": "x"}}, "drop stop"),
        ({}, {"max_tokens": 40_000}, "leaves no room for a prompt"),
    ],
)
def test_what_it_cannot_do_is_refused(
    checkpoint: Checkpoint, change: dict[str, Any], sampling: dict[str, Any], says: str
) -> None:
    workload = Workload((SAMPLING.model_copy(update=sampling),), max_images=1)
    with pytest.raises(UserError, match=says):
        TransformersEngine(
            replace(checkpoint, **change), TransformersConfig(kind="transformers"), workload
        )


def test_the_draws_follow_the_distribution() -> None:
    """20,000 draws of one token: within five standard errors of its softmax at temperature 0.5."""
    logits = torch.tensor([[2.0, 1.0, 0.5, 0.0, -9.0]])
    sampling = SamplingConfig(temperature=0.5, top_p=1.0, top_k=3)
    expected = (logits[0, :3] / 0.5).softmax(-1)
    count = 20_000
    sampler = SeededSampler(sampling, list(range(count)), ends={4})
    sampler(torch.zeros((count, 1), dtype=torch.long), logits.expand(count, -1))
    drawn = torch.bincount(torch.tensor([row.token_ids[0] for row in sampler.rows]), minlength=5)
    shares = drawn / count
    assert shares[3:].sum() == 0  # below the three that top_k keeps
    for share, chance in zip(shares[:3].tolist(), expected.tolist(), strict=True):
        assert abs(share - chance) < 5 * (chance * (1 - chance) / count) ** 0.5


@pytest.mark.parametrize(
    ("settings", "possible"),
    [
        ({"top_p": 0.6}, {0}),
        ({"min_p": 0.5}, {0}),
        ({"min_p": 0.3, "top_p": 1.0}, {0, 1}),
        ({"repetition_penalty": 100.0, "top_k": 1}, {1}),  # the prompt holds token 0
        ({"temperature": 0.0, "n": 1}, {0}),
    ],
)
def test_the_distribution_is_cut_as_asked(settings: dict[str, float], possible: set[int]) -> None:
    sampling = SamplingConfig.model_validate({"temperature": 1.0, "top_p": 1.0, **settings})
    sampler = SeededSampler(sampling, list(range(200)), ends={9})
    logits = torch.tensor([[2.0, 1.0, 0.0]]).expand(200, -1)
    scores = sampler(torch.zeros((200, 1), dtype=torch.long), logits)
    assert {row.token_ids[0] for row in sampler.rows} == possible
    assert torch.isfinite(scores).sum(-1).unique().tolist() == [1]


def test_a_masked_token_is_never_drawn_and_the_log_probabilities_stay_the_models_own() -> None:
    sampling = SamplingConfig(temperature=1.0, top_p=1.0)
    logits = torch.tensor([[5.0, 0.0, 0.0]]).expand(200, -1)
    sampler = SeededSampler(sampling, list(range(200)), ends={9}, masked=[0])
    sampler(torch.zeros((200, 1), dtype=torch.long), logits)
    assert {row.token_ids[0] for row in sampler.rows} == {1, 2}
    expected = float(logits[0].log_softmax(-1)[1])
    assert all(row.logprobs[0] == pytest.approx(expected) for row in sampler.rows)
