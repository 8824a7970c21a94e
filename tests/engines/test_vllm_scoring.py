"""Scoring in vLLM: against the sampler's own log-probabilities, and against transformers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from required import needs

from vlm_boundary.config import SamplingConfig, VllmConfig
from vlm_boundary.engines.base import Completion, Failure, Request, Scored, ScoreRequest, Workload

needs("vllm")

from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.engines.vllm import VllmEngine
from vlm_boundary.tiny.architecture import token_id

pytestmark = pytest.mark.engine

SAMPLING = SamplingConfig(temperature=0.8, top_p=0.95, max_tokens=24, token_logprobs=1000)
ARGS = {"max_model_len": 256, "kv_cache_memory_bytes": 128 << 20}


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def engine(request: pytest.FixtureRequest) -> Iterator[VllmEngine]:
    config = VllmConfig(in_process=True, args=ARGS | {"dtype": request.param})
    loaded = VllmEngine(resolve_checkpoint("tiny:untrained-1"), config, Workload((), 1))
    yield loaded
    loaded.close()


@pytest.fixture
def requests(tmp_path: Path) -> list[Request]:
    """Three problems with a picture each, and one without."""
    made = [Request("none", _ask(0, "How many bars?"), (), range(12), seed=9_000)]
    for place, colour in enumerate(("red", "green", "blue")):
        path = tmp_path / f"{place}a.png"
        image = Image.new("RGB", (84 + 28 * place, 84), "white")
        ImageDraw.Draw(image).rectangle((10, 30, 40, 80), fill=colour)
        image.save(path)
        made.append(
            Request(colour, _ask(1, f"How {colour}?"), (path,), range(12), seed=100 * place)
        )
    return made


def _ask(pictures: int, question: str) -> list[dict[str, object]]:
    content = [{"type": "image"}] * pictures + [{"type": "text", "text": question}]
    return [{"role": "user", "content": content}]


def draw(engine: VllmEngine, requests: Sequence[Request]) -> dict[tuple[str, int], Completion]:
    found = {}
    for result in engine.generate(requests, SAMPLING):
        assert isinstance(result, Completion)
        found[result.request_id, result.index] = result
    return found


def score(
    engine: VllmEngine, requests: Sequence[Request], responses: dict[tuple[str, int], list[int]]
) -> dict[tuple[str, int | None], Scored | Failure]:
    asked = [
        ScoreRequest(**vars(r), responses={i: responses[r.request_id, i] for i in r.indices})
        for r in requests
    ]
    return {(found.request_id, found.index): found for found in engine.score(asked)}


def test_scoring_gives_the_samplers_own_log_probabilities(
    engine: VllmEngine, requests: list[Request]
) -> None:
    drawn = draw(engine, requests)
    scored = score(engine, requests, {key: sample.token_ids for key, sample in drawn.items()})
    assert scored.keys() == drawn.keys()
    for key, sample in drawn.items():
        found = scored[key]
        assert isinstance(found, Scored)
        assert found.token_logprobs == pytest.approx(sample.token_logprobs, abs=0.01)


def test_the_kept_log_probabilities_add_up_to_the_stored_sum(
    engine: VllmEngine, requests: list[Request]
) -> None:
    few = SAMPLING.model_copy(update={"token_logprobs": 5})
    for result in engine.generate(requests, few):
        assert isinstance(result, Completion)
        if result.index >= 5:
            assert result.token_logprobs is None
            continue
        assert result.token_logprobs is not None
        assert len(result.token_logprobs) == len(result.token_ids)
        assert math.fsum(result.token_logprobs) == pytest.approx(result.logprob_sum, abs=1e-6)


def test_scoring_agrees_with_transformers(engine: VllmEngine, requests: list[Request]) -> None:
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    drawn = draw(engine, requests)
    scored = score(engine, requests, {key: sample.token_ids for key, sample in drawn.items()})
    dtype = getattr(torch, engine.describe()["dtype"])
    folder = resolve_checkpoint("tiny:untrained-1").folder
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype).eval()
    processor = AutoProcessor.from_pretrained(folder)
    tolerance = 0.001 if dtype == torch.float32 else 0.05  # bf16 rounds logits near 8 to 1/32
    apart = []
    for request in requests:
        text = processor.apply_chat_template(
            request.messages, tokenize=False, add_generation_prompt=True
        )
        images = [Image.open(path) for path in request.pictures] or None
        inputs = processor(text=[text], images=images, return_tensors="pt")
        length = inputs.input_ids.shape[1]
        for index in request.indices:
            response = drawn[request.request_id, index].token_ids
            ids = torch.cat([inputs.input_ids, torch.tensor([response])], dim=1)
            extra = {k: inputs[k] for k in ("pixel_values", "image_grid_thw") if k in inputs}
            types = torch.zeros_like(ids)
            types[ids == token_id("<|image_pad|>")] = 1
            with torch.no_grad():
                logits = model(input_ids=ids, mm_token_type_ids=types, **extra).logits[0].float()
            logprobs = logits.log_softmax(-1)[length - 1 : -1]
            theirs = logprobs.gather(1, torch.tensor(response)[:, None])[:, 0].numpy()
            ours = scored[request.request_id, index]
            assert isinstance(ours, Scored)
            apart.append(np.abs(np.array(ours.token_logprobs) - theirs))
    assert np.concatenate(apart).max() < tolerance


def test_the_picture_is_in_context(engine: VllmEngine, requests: list[Request]) -> None:
    red, green = requests[1], requests[2]
    responses = {key: sample.token_ids for key, sample in draw(engine, [red]).items()}
    swapped = [Request("red", red.messages, green.pictures, red.indices, red.seed)]
    own, other = score(engine, [red], responses), score(engine, swapped, responses)
    assert all(own[key] != other[key] for key in own)


def test_a_response_that_names_pictures_is_scored_as_the_tokens_it_is(
    engine: VllmEngine, requests: list[Request]
) -> None:
    """Placeholder tokens that a model wrote are no places for pictures."""
    hostile = [
        token_id("<|vision_start|>"),
        token_id("<|image_pad|>"),
        token_id("<|video_pad|>"),
        token_id("<|image_pad|>"),
        token_id("<|im_end|>"),
    ]
    two = [Request(r.request_id, r.messages, r.pictures, range(1), 0) for r in requests[:2]]
    found = score(engine, two, {("none", 0): hostile, ("red", 0): hostile})
    for scored in found.values():
        assert isinstance(scored, Scored)
        assert len(scored.token_logprobs) == 5
        assert all(logprob < -2 for logprob in scored.token_logprobs[:4])


def test_what_cannot_be_scored_is_said_and_the_rest_goes_on(
    engine: VllmEngine, requests: list[Request], tmp_path: Path
) -> None:
    broken = tmp_path / "0c.png"
    broken.write_text("no picture")
    three = [Request("none", requests[0].messages, (), range(3), 0)]
    asked = [*three, Request("broken", _ask(1, "?"), (broken,), range(1), 0)]
    responses = {("none", 0): [5] * 300, ("none", 1): [], ("none", 2): [5, 6], ("broken", 0): [5]}
    found = score(engine, asked, responses)
    assert isinstance(found["none", 2], Scored)
    reasons = {key: f.reason for key, f in found.items() if isinstance(f, Failure)}
    assert "300 tokens of" in reasons["none", 0]
    assert "no token ids" in reasons["none", 1]
    assert "can be decoded" in reasons["broken", None]
